// Draw what a training does: the posteriors of an epoch so far, the digits of the whole plane, curves and a table.

// Show the plane up to one of these.
const TRAIN_LIMITS = [2, 3, 4, 6, 9, 14];

function makeTrainView() {
  const canvas = (kind, label) => make("canvas", { class: `vaelib-${kind}`, role: "img", "aria-label": label });
  const plane = canvas("plane", ""), ink = document.createElement("canvas");
  const panel = { canvas: plane, ink, key: "", drawn: 0, far: 0, least: 0 };
  const digits = canvas("grid", "Digits decoded all over the plane, at equal steps of the prior's probability");
  Object.assign(digits, { width: 15 * SIDE, height: 15 * SIDE });
  const plots = CURVES.map(([name]) => canvas("curve", name)), rows = make("tbody", {});
  const heads = ["test digits, nats", "after steps", "D", "R", "−ELBO"].map(text => make("th", { scope: "col" }, text));
  const figure = (picture, caption) => make("figure", {}, picture, make("figcaption", {}, caption));
  return {
    panel, digits, plots, rows, painted: null, curvesOf: [], status: make("p", { class: "vaelib-status" }),
    pictures: make("div", { class: "vaelib-side-by-side" },
      figure(plane, "The first posterior of every batch of this epoch, ±1 σ, red to violet; strong circle: the prior"),
      figure(digits, "What it decodes, at equal steps of the prior's probability")),
    curves: make("div", { class: "vaelib-panels vaelib-curves" }, ...plots),
    table: make("table", { class: "vaelib-beliefs vaelib-runs" }, make("thead", {}, make("tr", {}, ...heads)), rows),
  };
}

// Draw what has changed: the posteriors at every report, the digits when they come, curves and table after an epoch.
function fillTrainView(view, state, settings, facts, colours) {
  const { panel, digits, plots, rows, status } = view, { numBatches, mine, kept, pixels, posteriors } = state;
  // Before the first step, show what is to come.
  const perEpoch = numBatches ?? Math.ceil(settings.count / 128), isOver = state.phase === "finished";
  const numSteps = isOver ? state.step : perEpoch * (settings.numEpochs + state.more);
  // A fingerprint belongs to the settings that led to it, not to those that are chosen now.
  const isSigned = state.trained && settingsLink(settings) === settingsLink(state.trained);
  status.textContent = statusOf({ ...state, fingerprint: isSigned ? state.fingerprint : null }, numSteps);
  drawTrainPanel(panel, posteriors, perEpoch, colours);
  panel.canvas.setAttribute("aria-label", `${posteriors.length / 4} posteriors as ellipses around the prior's circle`);
  if (pixels && pixels !== view.painted) paintGrid(digits, pixels);
  view.painted = pixels;
  const label = runLabel(state.trained ?? settings, mine), look = [plots[0].clientWidth, devicePixelRatio, Object.values(colours).join()];
  const curvesOf = [mine, mine.steps.length, kept, numSteps, label, ...look];
  if (curvesOf.every((value, i) => value === view.curvesOf[i])) return;
  view.curvesOf = curvesOf;
  const shown = { mine, kept, known: facts.runs, numSteps };
  CURVES.forEach(([name, value], i) => drawCurve(plots[i], name, value, shown, colours));
  const now = mine.steps.length ? [{ label: `this run: ${label}`, ...mine }] : [];
  rows.replaceChildren(
    ...now.map(run => runRow(run, 0)), ...kept.map((run, i) => runRow(run, i + 1)), ...facts.runs.map(run => runRow(run, "known")));
}

// Draw posteriors, four numbers each; start over where there are fewer than before or where they do not fit. Show the
// plane at least as far as the epoch before needed, so that its scale does not change at the beginning of each.
function drawTrainPanel(panel, posteriors, numBatches, colours) {
  const { canvas } = panel, size = canvas.clientWidth, context = contextOf(canvas), count = posteriors.length / 4;
  const edges = posteriors.map((value, i) => (i % 4 < 2 ? Math.abs(value) + posteriors[i + 2] : 0));
  const far = edges.reduce((most, edge) => Math.max(most, edge), 1.9);
  if (count < panel.drawn) panel.least = count ? panel.far : 0;
  panel.far = far;
  const limit = TRAIN_LIMITS.find(most => most >= Math.max(far, panel.least)) ?? TRAIN_LIMITS.at(-1);
  const key = [limit, canvas.width, ...Object.values(colours)].join(), ink = panel.ink.getContext("2d");
  if (key !== panel.key || count < panel.drawn) {
    Object.assign(panel.ink, { width: canvas.width, height: canvas.height });
    Object.assign(panel, { key, drawn: 0 });
  }
  ink.setTransform(context.getTransform());
  const plane = planeOf(ink, size, limit);
  for (; panel.drawn < count; panel.drawn++) {
    const [m1, m2, s1, s2] = posteriors.slice(4 * panel.drawn, 4 * panel.drawn + 4);
    ink.strokeStyle = rainbow(panel.drawn / Math.max(numBatches - 1, 1), colours);
    ink.lineWidth = 1.2;
    drawPosterior(plane, [m1, m2], [s1, s2]);
  }
  context.clearRect(0, 0, size, size);
  if (panel.ink.width) context.drawImage(panel.ink, 0, 0, size, size);
  const front = planeOf(context, size, limit);
  drawPrior(front, colours);
  drawScale(front, colours);
}

// Paint a square of digits from bytes, 784 each, as ink on paper.
function paintGrid(canvas, pixels) {
  const side = Math.sqrt(pixels.length / (SIDE * SIDE)), context = canvas.getContext("2d");
  const picture = context.createImageData(side * SIDE, side * SIDE);
  for (let i = 0; i < pixels.length; i++) {
    const digit = Math.floor(i / (SIDE * SIDE)), row = Math.floor((i % (SIDE * SIDE)) / SIDE);
    const down = Math.floor(digit / side) * SIDE + row, across = (digit % side) * SIDE + (i % SIDE);
    const place = 4 * (down * side * SIDE + across);
    picture.data.fill(255 - pixels[i], place, place + 3);
    picture.data[place + 3] = 255;
  }
  context.putImageData(picture, 0, 0);
}
