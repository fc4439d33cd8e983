// Draw the latent plane on a square canvas: z_1 to the right and z_2 up, as far as limit to each side of the centre.

const DIGIT_COLOURS = [
  "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf",
];
// Dash the lines of the three runs differently: colour is not the only sign.
const DASHES = [[], [7, 3], [2, 2]];

// Go from red to violet by the colours of `plot_posteriors`.
const RED_TO_VIOLET = ["#e0201b", "#d06a00", "#978800", "#2c9440", "#0a84b0", "#2a52d8", "#7a1fc0"];

// Colour the first batch of an epoch red and the last violet; on a dark page mix in white.
function rainbow(share, colours) {
  const place = share * (RED_TO_VIOLET.length - 1), last = Math.min(Math.floor(place), RED_TO_VIOLET.length - 2);
  const [from, to] = [last, last + 1].map(i => [1, 3, 5].map(at => parseInt(RED_TO_VIOLET[i].slice(at, at + 2), 16)));
  const channels = from.map((value, i) => value + (place - last) * (to[i] - value));
  return `rgb(${channels.map(value => Math.round(value + colours.tint * (255 - value))).join(" ")})`;
}

// Return what draws in latent coordinates on a square of `size` CSS pixels.
function planeOf(context, size, limit, centre = [0, 0]) {
  const scale = size / (2 * limit), [across, up] = centre;
  return {
    context, size, limit, centre, scale,
    x: z => size / 2 + (z - across) * scale, y: z => size / 2 - (z - up) * scale,
  };
}

// Convert a pointer's place to latent coordinates.
function pointed(event, canvas, { limit, centre }) {
  const box = canvas.getBoundingClientRect();
  const across = (event.clientX - box.left) / box.width, down = (event.clientY - box.top) / box.height;
  return [across, 1 - down].map((share, j) => centre[j] + clamp(2 * share - 1, -1, 1) * limit);
}

function drawPrior({ context, size, scale, x, y }, colours) {
  context.strokeStyle = colours.faint;
  context.lineWidth = 1;
  context.setLineDash([]);
  context.beginPath();
  context.moveTo(0, y(0));
  context.lineTo(size, y(0));
  context.moveTo(x(0), 0);
  context.lineTo(x(0), size);
  context.stroke();
  context.strokeStyle = colours.text;
  context.lineWidth = size > 180 ? 2 : 1.5;
  context.beginPath();
  context.arc(x(0), y(0), scale, 0, 2 * Math.PI);
  context.stroke();
}

// Label the ends of the axes where there is room, at the border where the axes themselves are outside.
function drawScale({ context, size, limit, centre: [across, up], x, y }, colours) {
  if (size < 150) return;
  const right = clamp(x(0), 0, size - 60) + 4, above = clamp(y(0), 32, size) - 2;
  write(context, tick(across - limit), 4, above, colours, "left", "bottom");
  write(context, `z₁ = ${tick(across + limit)}`, size - 4, above, colours, "right", "bottom");
  write(context, `z₂ = ${tick(up + limit)}`, right, 4, colours, "left", "top");
}

function tick(value) {
  return String(Number(value.toFixed(2))).replace("-", "−");
}

function clamp(value, least, most) {
  return Math.min(Math.max(value, least), most);
}

// Draw one standard deviation of a posterior.
function drawPosterior({ context, scale, x, y }, mean, std) {
  context.beginPath();
  context.ellipse(x(mean[0]), y(mean[1]), std[0] * scale, std[1] * scale, 0, 0, 2 * Math.PI);
  context.stroke();
}

// Draw a sampled z, smaller than any posterior that matters.
function drawDot({ context, x, y }, z, colours) {
  context.beginPath();
  context.arc(x(z[0]), y(z[1]), 3, 0, 2 * Math.PI);
  context.fillStyle = colours.runs[1];
  context.fill();
}

function drawCross({ context, x, y }, z, colours) {
  const arm = 7;
  for (const [colour, width] of [[colours.back, 5], [colours.text, 2]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(x(z[0]) - arm, y(z[1]));
    context.lineTo(x(z[0]) + arm, y(z[1]));
    context.moveTo(x(z[0]), y(z[1]) - arm);
    context.lineTo(x(z[0]), y(z[1]) + arm);
    context.stroke();
  }
}

// Mark places with letters, and join them by a dashed line.
function drawWay({ context, x, y }, places, colours) {
  for (const [colour, width] of [[colours.back, 4], [colours.runs[1], 2]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.setLineDash([6, 4]);
    context.beginPath();
    for (const [across, up] of places) context.lineTo(x(across), y(up));
    context.stroke();
  }
  context.setLineDash([]);
  places.forEach(([across, up], i) => write(context, "AB"[i], x(across), y(up) - 3, colours, "center", "bottom"));
}
