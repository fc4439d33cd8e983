// Draw one run's posteriors of an epoch up to a batch, and what belongs to one of them: its digit and its numbers.

// Copy the panel after each of this many batches, so that scrubbing back is as quick as forward.
const KEEP_EVERY = 32;
// Draw the posteriors of the last batches stronger than those before.
const TRAIL = 20;

function filmPanel(label, run, { digits, decoded }) {
  const canvas = make("canvas", {
    class: "vaelib-plane vaelib-pickable", tabindex: 0, role: "application",
    "aria-label": `${label}: the posteriors of an epoch as ellipses around the prior's circle. The left and right arrow ` +
      "keys pick one of them, Escape returns to the last batch",
  });
  const numbers = make("p", { class: "vaelib-numbers" });
  const sign = make("span", { class: `vaelib-line vaelib-line-${run % 3}` });
  const images = {
    digit: digits && imageCanvas(`${label}: the digit of the bold ellipse`),
    decoded: decoded && imageCanvas(`${label}: the centre of the bold ellipse, decoded`),
  };
  const figure = make("figure", { class: "vaelib-panel" },
    make("figcaption", {}, sign, together(label)), canvas,
    make("div", { class: "vaelib-beside" }, ...Object.values(images).filter(Boolean), numbers));
  // Keep what is drawn on a second canvas, so that a frame only adds what is new.
  return { figure, canvas, numbers, ...images, ink: document.createElement("canvas"), drawn: 0, key: "", kept: [] };
}

// Copy a canvas.
function copyOf(canvas) {
  const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
  copy.getContext("2d").drawImage(canvas, 0, 0);
  return copy;
}

// Draw all posteriors up to `batch`, the last ones stronger, and that of the batch `shown` in bold.
function drawFilmPanel(panel, trace, { epoch, batch }, shown, limit, colours) {
  const size = panel.canvas.clientWidth, context = contextOf(panel.canvas), numBatches = trace.length / 4;
  const key = [epoch, limit, panel.canvas.width, ...Object.values(colours)].join();
  addInk(panel, trace, batch, key, context.getTransform(), planeOf(panel.ink.getContext("2d"), size, limit), colours);
  context.clearRect(0, 0, size, size);
  context.globalAlpha = 0.7;
  context.drawImage(panel.ink, 0, 0, size, size);
  const front = planeOf(context, size, limit);
  for (let b = Math.max(batch - TRAIL, 0); b < batch; b++) {
    const share = (b + TRAIL - batch + 1) / TRAIL;
    context.globalAlpha = 0.2 + 0.8 * share;
    drawBatch(front, trace, b, numBatches, 0.9 + 0.9 * share, colours);
  }
  context.globalAlpha = 1;
  drawPrior(front, colours);
  drawScale(front, colours);
  const { mean, std } = posteriorOf(trace, shown);
  for (const [colour, width] of [[colours.back, 5], [colours.text, 2.5]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    drawPosterior(front, mean, std);
  }
  context.fillStyle = colours.text;
  context.fillRect(front.x(mean[0]) - 2, front.y(mean[1]) - 2, 4, 4);
}

// Return radius, width and rate of the posterior of a batch, as lines of text.
function numbersOf(trace, batch) {
  const { mean, std } = posteriorOf(trace, batch), width = Math.sqrt(std[0] * std[1]);
  return `|μ| ${Math.hypot(...mean).toFixed(2)}\nσ ${width.toFixed(2)}\nrate ${rateOf(mean, std).toFixed(1)} nats`;
}

// Add the posteriors up to `batch` to the second canvas; return to an earlier copy where there are too many.
function addInk(panel, trace, batch, key, transform, plane, colours) {
  const numBatches = trace.length / 4;
  if (key !== panel.key) Object.assign(panel, { key, kept: [], drawn: Infinity });
  if (batch < panel.drawn) {
    // Return to the last copy that is not too late, or to an empty canvas.
    const last = Math.min(Math.floor(batch / KEEP_EVERY), panel.kept.length - 1);
    const { width, height } = panel.canvas;
    if (panel.ink.width !== width || panel.ink.height !== height) Object.assign(panel.ink, { width, height });
    plane.context.resetTransform();
    plane.context.clearRect(0, 0, width, height);
    if (last > 0) plane.context.drawImage(panel.kept[last], 0, 0);
    panel.drawn = Math.max(last, 0) * KEEP_EVERY;
  }
  plane.context.setTransform(transform);
  for (; panel.drawn < batch; panel.drawn++) {
    drawBatch(plane, trace, panel.drawn, numBatches, 0.9, colours);
    const place = (panel.drawn + 1) / KEEP_EVERY;
    if (Number.isInteger(place)) panel.kept[place] ??= copyOf(panel.ink);
  }
}

// Draw the posterior of the batch with this index in its colour.
function drawBatch(plane, trace, index, numBatches, width, colours) {
  const { mean, std } = posteriorOf(trace, index + 1);
  plane.context.strokeStyle = rainbow(index / Math.max(numBatches - 1, 1), colours);
  plane.context.lineWidth = width;
  drawPosterior(plane, mean, std);
}

// Return the posterior of a batch, counted from 1.
function posteriorOf(trace, batch) {
  const [m1, m2, s1, s2] = trace.subarray(4 * (batch - 1));
  return { mean: [m1, m2], std: [s1, s2] };
}

// Compute KL(q(z|x) || p(z)) in nats.
function rateOf(mean, std) {
  return mean.reduce((sum, m, j) => sum + 0.5 * (m ** 2 + std[j] ** 2 - 1) - Math.log(std[j]), 0);
}

// Find the batch, counted from 1, among the first `count`, whose ellipse passes nearest to z, the later one of two;
// null if none comes nearer than `reach`.
function pickedBatch(trace, count, z, reach) {
  let found = null, least = reach;
  for (let batch = count; batch >= 1; batch--) {
    const { mean, std } = posteriorOf(trace, batch);
    const across = z[0] - mean[0], up = z[1] - mean[1], away = Math.hypot(across, up);
    // Measure along the ray from the centre; the centre itself counts too, for ellipses smaller than a finger.
    const radius = Math.hypot(across / std[0], up / std[1]);
    const distance = Math.min(away, radius > 0 ? Math.abs(away - away / radius) : 0);
    if (distance < least) [found, least] = [batch, distance];
  }
  return found;
}

// Return the smallest whole number that reaches around all ellipses of an epoch, and around the prior's circle.
function extentOf(trace) {
  let extent = 1;
  for (let i = 0; i < trace.length; i++) {
    // Skip the deviations, which follow the means.
    if (i % 4 < 2) extent = Math.max(extent, Math.abs(trace[i]) + trace[i + 2]);
  }
  return Math.ceil(extent);
}
