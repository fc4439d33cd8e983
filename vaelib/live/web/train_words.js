// Say what a training is, how far it is, and what it costs.

function noCurve() {
  return { steps: [], distortion: [], rate: [] };
}

function labelOf({ klWeight, hidden, count, learningRate, warmup, seed }) {
  const others = [[hidden, FIRST_SETTINGS.hidden, "hidden"], [count, FIRST_SETTINGS.count, "digits"], [warmup, 0, "steps of warm-up"]]
    .filter(([value, usual]) => value !== usual).map(([value, , unit]) => `${value.toLocaleString("en")} ${unit}`);
  const rate = learningRate === FIRST_SETTINGS.learningRate ? [] : [`rate ${weightText(learningRate)}`];
  return [weightLabel(klWeight), ...others, ...rate, ...(seed === 1 ? [] : [`seed ${seed}`])].join(", ");
}

function statusOf({ phase, step, numBatches, pace, problem }, numSteps) {
  if (phase === "idle") return "Press Train: the kernels and the digits, 2.5 MB, come when you do. Everything stays in this browser.";
  if (phase === "failed") return `Training has stopped. ${problem}`;
  const left = (numSteps - step) * pace, minutes = Math.floor(left / 60), seconds = String(Math.floor(left % 60)).padStart(2, "0");
  const place = `Epoch ${Math.min(Math.floor(step / numBatches) + 1, numSteps / numBatches)} of ${numSteps / numBatches}, step ${step.toLocaleString("en")} of ${numSteps.toLocaleString("en")}`;
  if (phase === "running") return pace ? `${place}: ${(1 / pace).toFixed(0)} steps a second, ${minutes}:${seconds} left.` : `${place}.`;
  return `${place}. ${phase === "finished" ? "Finished." : "Paused."}`;
}

function runRow({ label, steps, distortion, rate }) {
  const d = distortion.at(-1), r = rate.at(-1), cells = [steps.at(-1).toLocaleString("en"), d.toFixed(1), r.toFixed(2), (d + r).toFixed(1)];
  return make("tr", {}, make("th", { scope: "row" }, together(label)), ...cells.map(text => make("td", { class: "vaelib-numbers" }, text)));
}
