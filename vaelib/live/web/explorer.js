// Tile the latent plane with decoded digits, and decode with every network a point that moves over it.

const EXPLORER_LIMIT = 6, CLOSEST = 0.375, NUM_SAMPLES = 10, NUM_STATIONS = 10;
// Divide the visible plane's half into so many steps of the arrow keys, or large steps.
const STEPS = 60, BIG_STEPS = 12;
// Number the explorers of a page, so that each has radio buttons of its own.
let numExplorers = 0;

async function explorer(host, source, options, signal) {
  const runs = await source("runs");
  const [digits, ...clouds] = await Promise.all([source("digits"), ...runs.map((_, i) => source(`points-${i}`))]);
  const labels = digits.labels.values;
  const state = { run: 0, z: [0, 0], limit: EXPLORER_LIMIT, centre: [0, 0], ends: [], samples: [] };
  // Hold where the mouse hovers; null for nowhere.
  let hover = null, decoders = null;
  const canvas = make("canvas", {
    class: "vaelib-plane vaelib-target", tabindex: 0, role: "application",
    "aria-label": "Latent plane, tiled with decoded digits: the arrow keys move the point, with Shift in large steps, " +
      "Home brings it to the origin, plus and minus zoom",
  });
  const tiles = make("canvas", { width: TILES * SIDE, height: TILES * SIDE });
  const group = `vaelib-${++numExplorers}`;
  const choices = runs.map((run, i) => make("input", {
    type: "radio", name: group, value: i, checked: i === 0, change: () => { choose(i); speak(); },
  }));
  // A network that was trained in the page stands alone.
  const isOne = runs.length === 1, figures = runs.map(run => decodedFigure(run.label));
  const place = make("span", { class: "vaelib-numbers" }), where = make("p", { class: "vaelib-where" });
  const checkbox = checked => make("input", { type: "checkbox", checked, change: () => redraw() });
  const tiled = checkbox(true), dotted = checkbox(false);
  const button = (text, click) => make("button", { type: "button", click }, text);
  const strip = stripCanvas(NUM_STATIONS, "Digits decoded on the way from A to B");
  const samples = runs.map(run => stripCanvas(NUM_SAMPLES, `${NUM_SAMPLES} samples of ${run.label}`));
  const walk = walkButton(share => move(between(...state.ends, share)), () => speak(), signal);
  const spoken = speaker();
  host.replaceChildren(
    isOne ? make("p", {}, `The plane of ${together(runs[0].label)}`) : make("fieldset", {}, make("legend", {}, "The plane of"),
      ...runs.map((run, i) => make("label", {}, choices[i], together(run.label)))),
    make("div", { class: "vaelib-side-by-side" },
      make("div", {}, canvas,
        make("div", { class: "vaelib-controls" },
          button("Zoom in", () => zoom(0.5)), button("Zoom out", () => zoom(2)),
          make("label", {}, tiled, "decoded digits, faint where no test digit is near"),
          make("label", {}, dotted, "test digits"))),
      make("div", {},
        make("p", {}, place, isOne ? ", decoded:" : ", decoded by each network:"),
        make("div", { class: "vaelib-decoded" }, ...figures.map(({ figure }) => figure)),
        isOne ? "" : make("p", {}, "The planes have nothing in common but their prior: what lies at a point in one says " +
          "nothing of that point in the others."),
        legend(),
        where),
    ),
    make("div", { class: "vaelib-controls" },
      walk.button, "from A to B:", button("A is here", () => mark(0)), button("B is here", () => mark(1))),
    strip,
    make("div", { class: "vaelib-controls" },
      button("Sample again", () => { sample(); spoken.textContent = "Sampled."; }),
      isOne ? "Ten z, drawn from the prior and decoded:" : "Each network decodes the same ten z, drawn from the prior:"),
    make("div", { class: "vaelib-samples" },
      ...runs.flatMap((run, i) => [make("span", {}, together(run.label)), samples[i]])),
    spoken,
  );

  const cloud = { canvas: document.createElement("canvas"), key: "" };
  const draw = () => {
    const size = canvas.clientWidth, z = hover ?? state.z;
    // Wait for a size: this is called again when there is one.
    if (!size) return;
    const colours = coloursOf(host), context = contextOf(canvas);
    const plane = planeOf(context, size, state.limit, state.centre);
    context.clearRect(0, 0, size, size);
    context.globalAlpha = dotted.checked ? 0.4 : 0.8;
    if (tiled.checked) context.drawImage(tiles, 0, 0, size, size);
    tint(context, size, colours.text);
    context.globalAlpha = 1;
    if (dotted.checked) drawCloud(cloud, canvas, plane, clouds[state.run].mean.values, labels, colours, state.run);
    drawPrior(plane, colours);
    drawScale(plane, colours);
    drawWay(plane, state.ends, colours);
    state.samples.forEach(sampled => drawDot(plane, sampled, colours));
    if (hover) drawDot(plane, state.z, colours);
    drawCross(plane, z, colours);
    place.textContent = `z = (${z.map(signed).join(", ")})`;
    const near = clouds.map(points => nearestPosterior(z, points));
    where.textContent = whereabouts(near[state.run], clouds[state.run].reach, labels);
    figures.forEach(({ figure, image, caption }, i) => {
      const far = near[i].distance > clouds[i].reach;
      if (decoders) paint(image, sigmoid(decode(decoders[i], z)));
      caption.textContent = far ? "no digit comes here" : `a digit at ${near[i].distance.toFixed(1)} σ`;
      figure.classList.toggle("vaelib-chosen", i === state.run);
      figure.classList.toggle("vaelib-nowhere", far);
    });
  };
  const redraw = onceAFrame(draw, signal), work = betweenFrames(signal);
  const retile = () => decoders && work(tilePlane(tiles, decoders[state.run], clouds[state.run], { ...state }, redraw));
  const move = (z, aloud) => {
    hover = null;
    state.z = z.map(value => clamp(value, -EXPLORER_LIMIT, EXPLORER_LIMIT));
    look(state.centre.map((value, j) => clamp(value, state.z[j] - state.limit, state.z[j] + state.limit)), state.limit);
    redraw();
    if (aloud) speak();
  };
  // Show another part of the plane, if it is another.
  function look(centre, limit) {
    const inside = centre.map(value => clamp(value, limit - EXPLORER_LIMIT, EXPLORER_LIMIT - limit));
    if (limit === state.limit && inside.every((value, j) => value === state.centre[j])) return;
    Object.assign(state, { limit, centre: inside });
    retile();
    redraw();
  }
  function zoom(factor) {
    look(state.z, clamp(factor * state.limit, CLOSEST, EXPLORER_LIMIT));
    spoken.textContent = `The plane shows ${state.limit} to each side of (${state.centre.map(signed).join(", ")}).`;
  }
  function choose(run) {
    walk.stop();
    state.run = run;
    // Go from the ones to the zeros, whose places are others in every plane.
    state.ends = [1, 0].map(digit => middle(clouds[run].mean.values, labels, digit)).map(([x = 0, y = 0]) => [x, y]);
    restrip();
    retile();
    redraw();
  }
  function mark(end) {
    walk.stop();
    state.ends[end] = [...state.z];
    spoken.textContent = `${"AB"[end]} is at (${state.z.map(signed).join(", ")}).`;
    restrip();
    redraw();
  }
  function restrip() {
    const stations = Array.from({ length: NUM_STATIONS }, (_, i) => between(...state.ends, i / (NUM_STATIONS - 1)));
    if (decoders) paintStrip(strip, decoders[state.run], stations);
  }
  function sample() {
    state.samples = Array.from({ length: NUM_SAMPLES }, () => sampleFrom([0, 0], [1, 1]));
    samples.forEach((canvas, i) => paintStrip(canvas, decoders[i], state.samples));
    redraw();
  }
  const speak = () => {
    const near = neighbours(state.z, clouds[state.run].mean.values, labels);
    spoken.textContent = `z = (${state.z.map(signed).join(", ")}). ${runs[state.run].label}: of the ${near.count} ` +
      `nearest test digits, ${near.votes} are ${near.digit}s. ` +
      whereabouts(nearestPosterior(state.z, clouds[state.run]), clouds[state.run].reach, labels);
  };

  followPointer(canvas, state, z => { hover = z; redraw(); }, z => { walk.stop(); move(z, true); }, move);
  canvas.addEventListener("keydown", event => {
    const step = state.limit / (event.shiftKey ? BIG_STEPS : STEPS);
    const ways = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    const zooms = { "+": 0.5, "=": 0.5, "-": 2 };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    walk.stop();
    if (event.key === "Home") move([0, 0], true);
    else if (ways[event.key]) move(state.z.map((value, j) => value + ways[event.key][j]), true);
    else if (zooms[event.key]) zoom(zooms[event.key]);
    else return;
    event.preventDefault();
  });
  choose(0);
  redrawWith(host, redraw, signal);
  draw();
  decoders = await Promise.all(runs.map((_, i) => source(`decoder-${i}`)));
  choose(0);
  sample();
  host.live = {
    read: () => {
      const z = hover ?? state.z;
      return { ...state, z, images: decoders.map(decoder => [...sigmoid(decode(decoder, z))]) };
    },
    go: ({ panel = state.run + 1, z1 = state.z[0], z2 = state.z[1], dots = dotted.checked }) => {
      choices[panel - 1].checked = true;
      dotted.checked = Boolean(dots);
      choose(panel - 1);
      move([z1, z2], true);
    },
  };
}

function decodedFigure(label) {
  const image = imageCanvas(`What ${label} decodes`), caption = make("span", { class: "vaelib-distance" });
  const figure = make("figure", {}, image, make("figcaption", {}, together(label), make("br"), caption));
  return { image, caption, figure };
}
