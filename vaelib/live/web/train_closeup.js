// Show one step for one digit: encode, draw, decode, correct; and beside the ellipse the true posterior.

const CLOSEUP_LIMIT = 6;

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
  drawCloseup(parts.encoded, colours, plane => shadeTruth(plane, truth, colours), [before]);
  drawCloseup(parts.drawn, colours, () => {}, [before], before.z);
  drawCloseup(parts.moved, colours, () => {}, [before, after]);
  const two = values => values.map(value => value.toFixed(2)).join(", "), isKnown = truth.doubt < 0.1;
  const loss = ({ distortion, rate }) => (distortion + beta * rate).toFixed(1);
  const gap = truth.logLikelihood + before.distortion + before.rate;
  const truly = isKnown ? `log p(x) = ${signedNats(truth.logLikelihood)} nats` : "too narrow to sum here";
  texts.encoded.textContent = `Step ${step + 1}: μ = (${two(before.mean)}), σ = (${two(before.std)}), ` +
    `rate ${before.rate.toFixed(2)} nats. Shaded: the true posterior; ${truly}.`;
  texts.drawn.textContent = `z = (${two(before.z)}), one draw from the ellipse.`;
  texts.decoded.textContent = `Distortion ${before.distortion.toFixed(1)} nats` +
    (isKnown ? `; with the rate ${Math.abs(gap).toFixed(1)} ${gap < 0 ? "less" : "more"} than −log p(x), by this draw.` : ".");
  texts.moved.textContent = `Too much ink is orange, too little blue. After the step the same draw costs ` +
    `${loss(after)} instead of ${loss(before)} nats (D + βR).`;
}

function drawCloseup(canvas, colours, under, posteriors, z = null) {
  const context = contextOf(canvas), size = canvas.clientWidth, plane = planeOf(context, size, CLOSEUP_LIMIT);
  context.clearRect(0, 0, size, size);
  under(plane);
  drawPrior(plane, colours);
  posteriors.forEach(({ mean, std }, i) => {
    Object.assign(context, { strokeStyle: i ? colours.runs[1] : colours.text, lineWidth: 2.5 });
    drawPosterior(plane, mean, std);
  });
  if (z) drawDot(plane, z, colours);
}

// Shade the nodes of the lattice by the true posterior's density.
function shadeTruth({ context, scale, x, y }, { side, reach, density }, colours) {
  const spacing = (2 * reach) / (side - 1), square = spacing * scale;
  context.fillStyle = colours.runs[0];
  density.forEach((value, i) => {
    if (value < 0.02) return;
    context.globalAlpha = 0.8 * value;
    const across = x(-reach + (i % side) * spacing), up = y(-reach + Math.floor(i / side) * spacing);
    context.fillRect(across - square / 2, up - square / 2, square + 0.5, square + 0.5);
  });
  context.globalAlpha = 1;
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
