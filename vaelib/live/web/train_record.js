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

// Return all that is needed to go on with a training: what the worker `kept`, and what the picture shows of it.
function toGoOn(kept, { mine, more, numBatches, posteriors, trained }, numEpochs) {
  return { kept, settings: { ...trained, numEpochs }, mine, more, numBatches, posteriors };
}
