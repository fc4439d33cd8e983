// Let the reader draw a digit; show each network's posterior, reconstruction and cost for it.

const DRAW_LIMIT = 6;
const ROWS = [
  ["distortion", "distortion D, nats"], ["rate", "rate R, nats"], ["elbo", "ELBO, −(D + R)"], ["near", "nearest test digits"],
];

async function draw(host, source, options, signal) {
  const runs = await source("runs");
  const all = kind => Promise.all(runs.map((_, i) => source(`${kind}-${i}`)));
  const [digits, clouds] = await Promise.all([source("digits"), all("points")]);
  const [encoders, decoders] = await Promise.all([all("encoder"), all("decoder")]);
  const beliefs = runs.map(() => null);
  // Hold what the networks see, 784 pixels; null before anything is drawn.
  let seen = null;
  const pad = makePad(() => follow(), () => speak());
  const small = imageCanvas("The drawing as the networks see it, 28 by 28 pixels");
  const columns = runs.map(run => drawColumn(run.label));
  const message = make("p", { class: "vaelib-message" });
  const spoken = speaker();
  const button = (text, click) => make("button", { type: "button", click }, text);
  const thumbnails = Array.from(digits.examples.labels.values, (label, i) => {
    const pixels = digits.examples.images.values.subarray(784 * i, 784 * (i + 1));
    const image = make("canvas", { class: "vaelib-image", width: SIDE, height: SIDE, "aria-hidden": "true" });
    paint(image, Float32Array.from(pixels, value => value / 255));
    return make("button", { type: "button", "aria-label": `test digit ${label}`, click: () => pick(pixels) }, image);
  });
  host.replaceChildren(
    make("div", { class: "vaelib-draw" },
      pad.canvas,
      make("div", { class: "vaelib-controls" },
        button("Clear", clear), button("Sample again", () => { sample(); speak(); }),
        make("figure", { class: "vaelib-seen" }, small, make("figcaption", {}, "as MNIST has it"))),
      make("div", { class: "vaelib-output" }, message, drawTable(columns)),
      make("div", { class: "vaelib-examples" },
        make("p", {}, "Or take a test digit:"),
        make("div", { class: "vaelib-thumbnails" }, ...thumbnails))),
    spoken,
  );

  function clear() {
    pad.clear();
    follow();
    speak();
  }
  function pick(pixels) {
    pad.show(pixels);
    // Take the digit unchanged: the pad would blur it a little.
    believe(Float32Array.from(pixels, value => value / 255));
    speak();
  }
  // Respond to a change on the pad.
  const follow = onceAFrame(() => believe(asMnist(pad.ink(), PAD_SIDE)), signal);
  function believe(image) {
    seen = image;
    beliefs.forEach((_, i) => { beliefs[i] = image && { ...encode(encoders[i], image) }; });
    sample();
  }
  // Sample a new z from every posterior and decode it.
  function sample() {
    beliefs.forEach((belief, i) => {
      if (!belief) return;
      belief.z = sampleFrom(belief.mean, belief.std);
      belief.logits = decode(decoders[i], belief.z);
      belief.nats = nats(seen, belief.logits, belief);
      belief.near = neighbours(belief.mean, clouds[i].values, digits.labels.values);
    });
    redraw();
  }
  const redraw = onceAFrame(whenShown(host, () => {
    const colours = coloursOf(host);
    message.textContent = seen ? "Ellipse: the posterior, ±1 σ. Dot: the z that was drawn from it."
      : "Nothing is drawn yet: draw a digit in the white square, or take a test digit.";
    paint(small, seen ?? new Float32Array(784));
    columns.forEach((column, i) => fillColumn(column, beliefs[i], clouds[i], digits.labels.values, i, colours));
  }), signal);
  function speak() {
    // Wait for the frame that computes it.
    requestAnimationFrame(() => {
      spoken.textContent = seen ? columns.map(({ texts }, i) => `${runs[i].label}: ` +
        ROWS.map(([key, name]) => `${name} ${texts[key].textContent}`).join(", ")).join(". ") : message.textContent;
    });
  }
  redrawWith(host, redraw, signal);
  redraw();
  host.live = {
    read: () => seen && {
      image: [...seen],
      beliefs: beliefs.map(({ mean, std, z, logits, nats, near }) => ({
        mean: [...mean], std: [...std], z: [...z], image: [...sigmoid(logits)], ...nats, near,
      })),
    },
  };
}

function drawColumn(label) {
  const plane = make("canvas", { class: "vaelib-plane", role: "img", "aria-label": `${label}: the posterior` });
  const image = imageCanvas(`${label}: the drawing, decoded again`);
  const texts = Object.fromEntries(ROWS.map(([key]) => [key, make("td", { class: "vaelib-numbers" }, "–")]));
  return { label, plane, image, texts, cloud: { canvas: document.createElement("canvas"), key: "" } };
}

function drawTable(columns) {
  const row = (name, cells) => make("tr", {}, make("th", { scope: "row" }, name), ...cells);
  return make("table", { class: "vaelib-beliefs" },
    make("thead", {}, make("tr", {}, make("td", {}),
      ...columns.map(({ label }) => make("th", { scope: "col" }, together(label))))),
    make("tbody", {},
      row("posterior", columns.map(({ plane }) => make("td", {}, plane))),
      row("a z from it, decoded", columns.map(({ image }) => make("td", {}, image))),
      ...ROWS.map(([key, name]) => row(name, columns.map(({ texts }) => texts[key])))));
}

function fillColumn({ plane: canvas, image, texts, cloud }, belief, points, labels, run, colours) {
  const context = contextOf(canvas), size = canvas.clientWidth;
  drawCloud(cloud, canvas, context, points, labels, run, colours);
  context.clearRect(0, 0, size, size);
  context.globalAlpha = 0.6;
  context.drawImage(cloud.canvas, 0, 0, size, size);
  context.globalAlpha = 1;
  paint(image, belief ? sigmoid(belief.logits) : new Float32Array(784));
  for (const key of ["distortion", "rate", "elbo"]) texts[key].textContent = belief ? signedNats(belief.nats[key]) : "–";
  texts.near.textContent = belief ? `${belief.near.votes} of ${belief.near.count} are ${belief.near.digit}s` : "–";
  if (!belief) return;
  const front = planeOf(context, size, DRAW_LIMIT);
  for (const [colour, width] of [[colours.back, 5], [colours.text, 2.5]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    drawPosterior(front, belief.mean, belief.std);
  }
  drawDot(front, belief.z, colours);
}

function signedNats(value) {
  return (value < 0 ? "−" : "") + Math.abs(value).toFixed(1);
}
