// Say what a training is, how far it is, and what it costs.

// Name the main button.
const PHASES = {
  idle: "▶ Train", loading: "Loading …", running: "❚❚ Pause", paused: "▶ Go on", finished: "▶ Train on",
  failed: "▶ Try again",
};

function labelOf({ klWeight, hidden, count, learningRate, warmup, seed }) {
  const text = number => number.toLocaleString("en"), usual = FIRST_SETTINGS;
  const others = [
    hidden !== usual.hidden && `${hidden} hidden`, count !== usual.count && `${text(count)} digits`,
    warmup !== usual.warmup && `${text(warmup)} steps of warm-up`, seed !== usual.seed && `seed ${seed}`,
    learningRate !== usual.learningRate && `learning rate ${textOf("learningRate", learningRate)}`,
  ];
  return [weightLabel(klWeight), ...others.filter(Boolean)].join(", ");
}

// Name a training, and say where its weight was moved: the label has the last one only.
function runLabel(settings, mine) {
  const isMoved = settings.warmup === 0 && new Set(mine.train.beta).size > 1;
  return labelOf(settings) + (isMoved ? ", moved on the way" : "");
}

function fingerprintText(fingerprint, claimed) {
  if (!fingerprint) return "";
  if (!claimed) return ` Its weights have the fingerprint ${fingerprint}: with these settings, yours should have it too.`;
  return fingerprint === claimed ? ` Its weights have the link's fingerprint, ${fingerprint}: the same bits.`
    : ` Its weights have the fingerprint ${fingerprint}, not the link's, ${claimed}: some bits differ.`;
}

function statusOf({ phase, step, numBatches, pace, problem, loaded, fingerprint, claimed }, numSteps) {
  if (phase === "idle") {
    return "Press Train: the kernels and the digits, 2.7 MB, come when you do. Everything stays in this browser.";
  }
  if (phase === "loading") return loaded ?? "Loading";
  if (phase === "failed") return `Training has stopped. ${problem}`;
  const left = (numSteps - step) * pace, minutes = Math.floor(left / 60);
  const seconds = String(Math.floor(left % 60)).padStart(2, "0"), text = number => number.toLocaleString("en");
  const numEpochs = Math.ceil(numSteps / numBatches), epoch = Math.min(Math.floor(step / numBatches) + 1, numEpochs);
  const place = `Epoch ${epoch} of ${numEpochs}, step ${text(step)} of ${text(numSteps)}`;
  if (phase === "finished") return `${place}. Finished.${fingerprintText(fingerprint, claimed)}`;
  if (phase === "paused") return `${place}. Paused.`;
  return pace ? `${place}: ${(1 / pace).toFixed(0)} steps a second, ${minutes}:${seconds} left.` : `${place}.`;
}

// Return a row of the table of runs; `kind` names the line that the curves have for it.
function runRow({ label, steps, distortion, rate }, kind) {
  const d = distortion.at(-1), r = rate.at(-1);
  const cells = [steps.at(-1).toLocaleString("en"), d.toFixed(1), r.toFixed(2), (d + r).toFixed(1)];
  const cell = text => make("td", { class: "vaelib-numbers" }, text);
  return make("tr", {}, make("th", { scope: "row" }, make("span", { class: `vaelib-line vaelib-line-${kind}` }), together(label)), ...cells.map(cell));
}
