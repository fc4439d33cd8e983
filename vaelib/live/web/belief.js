// Show what one network believes about a drawing: its posterior in the plane, a decoded z, and the cost of each pixel.

// Show so much of the plane to each side of the origin; null for a few standard deviations around the posterior, and the
// true one.
const AXES = [[6, "±6"], [3, "±3"], [null, "around each posterior"]];
const AROUND = 3;
// Show the full colour at so many nats a pixel.
const MOST_NATS = 4;

function beliefCard(label) {
  const plane = make("canvas", { class: "vaelib-plane", role: "img", "aria-label": `${label}: the posterior` });
  const image = imageCanvas(`${label}: a z from the posterior, decoded`);
  const costs = make("canvas", {
    class: "vaelib-image vaelib-costs", width: SIDE, height: SIDE, role: "img",
    "aria-label": `${label}: how many nats of the distortion each pixel costs`,
  });
  const pair = make("div", { class: "vaelib-pair" },
    make("figure", {}, image, make("figcaption", {}, "a z, decoded")),
    make("figure", {}, costs, make("figcaption", {}, "cost of each pixel")));
  const element = make("section", { class: "vaelib-card", "aria-label": label },
    make("p", { class: "vaelib-card-name" }, together(label)), plane, pair);
  return { element, plane, image, costs, cloud: { canvas: document.createElement("canvas"), key: "" } };
}

// Explain the colours of the costs.
function costScale() {
  const ramp = make("span", { class: "vaelib-ramp" });
  return make("div", { class: "vaelib-scale" }, "cost of a pixel: 0", ramp, `${MOST_NATS} nats or more`);
}

// Return the part of the plane that a card shows.
function viewOf(limit, belief) {
  if (limit !== null || !belief) return { limit: limit ?? AXES[0][0], centre: [0, 0] };
  const { mean, std, exact } = belief, lines = exact?.contours.flat() ?? [];
  const ends = [0, 1].map(j => {
    const places = lines.flatMap(line => [line[j], line[j + 2]]), reach = AROUND * std[j];
    return [Math.min(mean[j] - reach, ...places), Math.max(mean[j] + reach, ...places)];
  });
  return {
    limit: (1.05 * Math.max(...ends.map(([low, high]) => high - low))) / 2,
    centre: ends.map(([low, high]) => (low + high) / 2),
  };
}

// Draw a card; `walked` is {z, ends} on the way between two drawings that were kept, or null.
function fillCard(card, belief, walked, view, drawMeansOn, colours) {
  const size = card.plane.clientWidth, context = contextOf(card.plane);
  const plane = planeOf(context, size, view.limit, view.centre);
  context.clearRect(0, 0, size, size);
  context.globalAlpha = 0.6;
  drawMeansOn(plane);
  context.globalAlpha = 1;
  drawPrior(plane, colours);
  drawScale(plane, colours);
  if (belief) {
    drawTrail(plane, belief.trail, colours);
    if (belief.exact) drawContours(plane, belief.exact.contours, colours);
    for (const [colour, width] of [[colours.back, 5], [colours.text, 2.5]]) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      drawPosterior(plane, belief.mean, belief.std);
    }
  }
  if (walked) drawWay(plane, walked.ends, colours);
  const z = walked?.z ?? belief?.z;
  if (z) drawDot(plane, z, colours);
  paint(card.image, walked?.image ?? belief?.image ?? new Float32Array(SIDE * SIDE));
  paintCosts(card.costs, walked ? null : belief?.costs, colours);
}

// Draw the way that the posterior's mean has gone while the drawing grew.
function drawTrail({ context, x, y }, trail, colours) {
  context.strokeStyle = colours.runs[0];
  context.lineWidth = 1.5;
  context.beginPath();
  for (const [across, up] of trail) context.lineTo(x(across), y(up));
  context.stroke();
}

function paintCosts(canvas, costs, colours) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, SIDE, SIDE);
  if (!costs) return;
  putInk(context, costs.map(cost => Math.min(cost / MOST_NATS, 1)), 0, 0);
  tint(context, SIDE, colours.runs[1]);
}
