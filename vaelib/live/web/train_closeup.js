// Show one step for one digit: encode, draw, decode, correct; and beside the ellipse the true posterior.

// Show the plane up to one of these to each side of the posterior's mean; leave out what is fainter than this.
const CLOSEUP_LIMITS = [0.5, 1, 2, 4, 8], FAINTEST = 0.02;

function makeCloseup() {
  const plane = text => make("canvas", { class: "vaelib-plane", role: "img", "aria-label": text });
  const parts = {
    digit: imageCanvas("The first digit of the batch"),
    encoded: plane("Its posterior as an ellipse, and the true posterior as a shade"),
    drawn: plane("The posterior and the z that was drawn from it"), decoded: imageCanvas("What z is decoded to"),
    wrong: imageCanvas("Decoded minus true pixels: too dark in one colour, too bright in the other"),
    moved: plane("The posterior before and after the step"),
  };
  const texts = Object.fromEntries(["encoded", "drawn", "decoded", "moved"].map(name => [name, make("p", {})]));
  const step = (title, text, ...pictures) => make("figure", {}, make("figcaption", {}, make("strong", {}, title)),
    make("div", { class: "vaelib-step" }, ...pictures), text);
  const group = make("div", { class: "vaelib-closeup", hidden: true },
    step("1 Encode", texts.encoded, parts.digit, parts.encoded), step("2 Draw", texts.drawn, parts.drawn),
    step("3 Decode", texts.decoded, parts.decoded), step("4 Correct", texts.moved, parts.wrong, parts.moved));
  return { group, parts, texts };
}

function fillCloseup({ group, parts, texts }, { step, beta, digit, before, after, truth }, colours) {
  group.hidden = false;
  paint(parts.digit, Float32Array.from(digit));
  paint(parts.decoded, Float32Array.from(before.pixels));
  paintDifference(parts.wrong, before.pixels.map((value, i) => value - digit[i]));
  const view = { centre: before.mean, limit: closeupLimit(before, after, truth) };
  drawCloseup(parts.encoded, colours, view, plane => shadeTruth(plane, truth, colours), [before]);
  drawCloseup(parts.drawn, colours, view, () => {}, [before], before.z);
  drawCloseup(parts.moved, colours, view, () => {}, [before, after]);
  const two = values => values.map(value => value.toFixed(2)).join(", "), isKnown = truth.doubt < 0.1;
  const loss = ({ distortion, rate }) => (distortion + beta * rate).toFixed(1);
  const gap = truth.logLikelihood + before.distortion + before.rate;
  const truly = isKnown ? `log p(x) = ${signedNats(truth.logLikelihood)} nats` : "too narrow to sum here";
  texts.encoded.textContent = `Step ${step + 1}: μ = (${two(before.mean)}), σ = (${two(before.std)}), ` +
    `rate ${before.rate.toFixed(2)} nats. Shaded: the true posterior; ${truly}. Planes: ±${view.limit} around μ.`;
  texts.drawn.textContent = `z = (${two(before.z)}), one draw from the ellipse.`;
  texts.decoded.textContent = `Distortion ${before.distortion.toFixed(1)} nats` +
    (isKnown ? `; with the rate ${Math.abs(gap).toFixed(1)} ${gap < 0 ? "less" : "more"} than −log p(x), by this draw.` : ".");
  texts.moved.textContent = `Too much ink is orange, too little blue. After the step the same draw costs ` +
    `${loss(after)} instead of ${loss(before)} nats (D + βR).`;
}

// Return how far to look around a posterior's mean: to both ellipses, the z and the shade of the true posterior.
function closeupLimit(before, after, { side, reach, density }) {
  const spacing = (2 * reach) / (side - 1), far = (place, margin) => {
    return Math.max(...place.map((value, j) => Math.abs(value - before.mean[j]) + margin[j]));
  };
  const shade = density.reduce((most, value, i) => {
    const node = [i % side, Math.floor(i / side)].map(index => -reach + index * spacing);
    return value < FAINTEST ? most : Math.max(most, far(node, [spacing, spacing]));
  }, 0);
  const furthest = Math.max(far(before.mean, before.std), far(after.mean, after.std), far(before.z, [0, 0]), shade);
  return CLOSEUP_LIMITS.find(limit => limit >= furthest) ?? CLOSEUP_LIMITS.at(-1);
}

function drawCloseup(canvas, colours, { limit, centre }, under, posteriors, z = null) {
  const context = contextOf(canvas), size = canvas.clientWidth, plane = planeOf(context, size, limit, centre);
  context.clearRect(0, 0, size, size);
  under(plane);
  drawPrior(plane, colours);
  posteriors.forEach(({ mean, std }, i) => {
    Object.assign(context, { strokeStyle: i ? colours.runs[1] : colours.text, lineWidth: 2.5 });
    drawPosterior(plane, mean, std);
  });
  if (z) drawDot(plane, z, colours);
}

// Shade the plane by the true posterior's density, smoothly between the nodes of the lattice.
function shadeTruth({ context, scale, x, y }, { side, reach, density }, colours) {
  const nodes = Object.assign(document.createElement("canvas"), { width: side, height: side }), ink = nodes.getContext("2d");
  ink.fillStyle = colours.runs[0];
  density.forEach((value, i) => {
    if (value < FAINTEST) return;
    ink.globalAlpha = 0.8 * value;
    ink.fillRect(i % side, side - 1 - Math.floor(i / side), 1, 1);
  });
  const half = reach / (side - 1), width = 2 * (reach + half) * scale;
  context.drawImage(nodes, x(-reach - half), y(reach + half), width, width);
}

// Paint differences of pixels in [-1, 1]: white where there is none.
function paintDifference(canvas, differences) {
  const context = canvas.getContext("2d"), picture = context.createImageData(SIDE, SIDE);
  differences.forEach((value, i) => {
    const [red, green, blue] = value > 0 ? [179, 69, 10] : [11, 98, 168], share = Math.abs(value);
    picture.data.set([red, green, blue].map(channel => Math.round(255 + share * (channel - 255))), 4 * i);
    picture.data[4 * i + 3] = 255;
  });
  context.putImageData(picture, 0, 0);
}
