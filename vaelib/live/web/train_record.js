// Record what a training costs, and the runs that it is compared with.

// Keep this many runs to compare with.
const MOST_KEPT = 3;

function noCurve() {
  return { steps: [], distortion: [], rate: [], train: { distortion: [], rate: [], beta: [] } };
}

// Add what the test digits cost after a step, once.
function addPoint(curve, step, { distortion, rate }) {
  if (curve.steps.at(-1) === step) return;
  curve.steps.push(step);
  curve.distortion.push(distortion);
  curve.rate.push(rate);
}

// Return the kept runs and a copy of a curve as it is now, in place of an earlier copy, which is its beginning.
function withRun(kept, curve, label) {
  const others = kept.filter(run => run.of !== curve);
  return [{ label, of: curve, ...structuredClone(curve) }, ...others].slice(0, MOST_KEPT);
}
