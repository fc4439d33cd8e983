// Move a point over the latent plane and decode it with every network.

const EXPLORER_LIMIT = 6;
// Number the explorers of a page, so that each has radio buttons of its own.
let numExplorers = 0;
const STEP = 0.1, BIG_STEP = 0.5;

async function explorer(host, source, options, signal) {
  const runs = await source("runs");
  const [digits, ...clouds] = await Promise.all([source("digits"), ...runs.map((_, i) => source(`points-${i}`))]);
  const state = { run: 0, z: [0, 0] };
  let decoders = null;
  const canvas = make("canvas", {
    class: "vaelib-plane vaelib-target", tabindex: 0, role: "application",
    "aria-label": "Latent plane: the arrow keys move the point, with Shift in large steps, and Home brings it to the origin",
  });
  const group = `vaelib-${++numExplorers}`;
  const choices = runs.map((run, i) => make("input", {
    type: "radio", name: group, value: i, checked: i === 0,
    change: () => { state.run = i; redraw(); speak(); },
  }));
  const images = runs.map(run => imageCanvas(`What ${run.label} decodes`));
  const figures = runs.map((run, i) => make("figure", {}, images[i], make("figcaption", {}, together(run.label))));
  const place = make("span", { class: "vaelib-numbers" });
  const spoken = speaker();
  host.replaceChildren(
    make("fieldset", {}, make("legend", {}, "Digits in the plane of"),
      ...runs.map((run, i) => make("label", {}, choices[i], together(run.label)))),
    make("div", { class: "vaelib-side-by-side" },
      make("div", {}, canvas),
      make("div", {},
        make("p", {}, place, ", decoded by each network:"),
        make("div", { class: "vaelib-panels" }, ...figures),
        legend()),
    ),
    spoken,
  );

  const cloud = { canvas: document.createElement("canvas"), key: "" };
  const draw = whenShown(host, () => {
    const colours = coloursOf(host), context = contextOf(canvas), size = canvas.clientWidth;
    drawCloud(cloud, canvas, context, clouds[state.run], digits.labels.values, state.run, colours);
    context.clearRect(0, 0, size, size);
    context.drawImage(cloud.canvas, 0, 0, size, size);
    drawCross(planeOf(context, size, EXPLORER_LIMIT), state.z, colours);
    place.textContent = `z = (${state.z.map(signed).join(", ")})`;
    if (decoders) images.forEach((image, i) => paint(image, sigmoid(decode(decoders[i], state.z))));
    figures.forEach((figure, i) => figure.classList.toggle("vaelib-chosen", i === state.run));
  });
  const redraw = onceAFrame(draw, signal);
  const move = (z, aloud) => {
    state.z = z.map(value => Math.min(Math.max(value, -EXPLORER_LIMIT), EXPLORER_LIMIT));
    redraw();
    if (aloud) speak();
  };
  const speak = () => {
    const points = clouds[state.run].values, near = neighbours(state.z, points, digits.labels.values);
    spoken.textContent = `z = (${state.z.map(signed).join(", ")}). ${runs[state.run].label}: of the ${near.count} ` +
      `nearest test digits, ${near.votes} are ${near.digit}s.`;
  };

  for (const type of ["pointermove", "pointerdown"]) {
    canvas.addEventListener(type, event => move(pointed(event, canvas, EXPLORER_LIMIT), type === "pointerdown"));
  }
  canvas.addEventListener("keydown", event => {
    const step = event.shiftKey ? BIG_STEP : STEP;
    const ways = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (event.key === "Home") move([0, 0], true);
    else if (ways[event.key]) move(state.z.map((value, j) => value + ways[event.key][j]), true);
    else return;
    event.preventDefault();
  });
  redrawWith(host, redraw, signal);
  draw();
  decoders = await Promise.all(runs.map((_, i) => source(`decoder-${i}`)));
  draw();
  host.live = { read: () => ({ ...state, images: decoders.map(decoder => [...sigmoid(decode(decoder, state.z))]) }) };
}

// Draw the test digits, which do not move, once for each run, size and theme.
function drawCloud(cloud, canvas, context, points, labels, run, colours) {
  const key = [run, canvas.width, ...Object.values(colours)].join();
  if (key === cloud.key) return;
  cloud.key = key;
  Object.assign(cloud.canvas, { width: canvas.width, height: canvas.height });
  const behind = cloud.canvas.getContext("2d");
  behind.setTransform(context.getTransform());
  const plane = planeOf(behind, canvas.clientWidth, EXPLORER_LIMIT);
  drawMeans(plane, points.values, labels, colours);
  drawPrior(plane, colours);
  drawScale(plane, colours);
}

function legend() {
  const entries = DIGIT_COLOURS.map((_, digit) => make("li", { class: `vaelib-digit-${digit}` }, String(digit)));
  return make("div", { class: "vaelib-legend" }, "Test digits: ", make("ul", {}, ...entries));
}

function signed(value) {
  return (value < -0.005 ? "−" : "") + Math.abs(value).toFixed(2);
}
