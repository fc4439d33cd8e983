// Play the posteriors of training batch by batch: three runs side by side on one scale.

// Play an epoch in this many seconds at speed 1.
const SECONDS_AN_EPOCH = 6;
// Copy the panel after each of this many batches, so that scrubbing back is as quick as forward.
const KEEP_EVERY = 32;

async function film(host, source, { autoplay = false }, signal) {
  const runs = await source("runs");
  const films = await Promise.all(runs.map((_, i) => source(`film-${i}`)));
  const epochs = films[0].epochs, [, numBatches] = films[0].trace.shape;
  // Hold one epoch of one run: mean and deviation of batch b are the four numbers from 4 * b.
  const traceOf = (run, epoch) => {
    const begin = epochs.indexOf(epoch) * numBatches * 4;
    return films[run].trace.values.subarray(begin, begin + numBatches * 4);
  };
  const state = { epoch: epochs[0], batch: autoplay && !stillWanted() ? 1 : numBatches, limit: 8, playing: false };
  const panels = runs.map((run, i) => filmPanel(run.label, i));
  const scrubber = make("input", {
    type: "range", min: 1, max: numBatches, value: state.batch,
    input: () => { pause(); go(Number(scrubber.value)); }, change: speak,
  });
  const number = make("output", {});
  const trace = make("canvas", { class: "vaelib-trace", "aria-hidden": "true" });
  const play = make("button", { type: "button", click: () => (state.playing ? pause() : start()) }, "▶ Play");
  const epochMenu = menu(epochs.map(epoch => [epoch, epoch]), state.epoch, {
    change: () => { state.epoch = Number(epochMenu.value); redraw(); speak(); },
  });
  const speedMenu = menu([[0.25, "¼ ×"], [0.5, "½ ×"], [1, "1 ×"], [2, "2 ×"], [4, "4 ×"]], 1, {});
  const limitMenu = menu([[4, "±4"], [8, "±8"], [13, "±13"]], 8, {
    change: () => { state.limit = Number(limitMenu.value); redraw(); },
  });
  const spoken = speaker();
  host.replaceChildren(
    make("div", { class: "vaelib-panels" }, ...panels.map(panel => panel.figure)),
    make("div", { class: "vaelib-scrubber" }, labelled("batch", scrubber), number),
    trace,
    make("div", { class: "vaelib-controls" }, play, labelled("epoch", epochMenu), labelled("speed", speedMenu),
      labelled("axes", limitMenu)),
    spoken,
  );

  const lines = traceLines(runs.length, traceOf, epochs, numBatches);
  const draw = whenShown(host, () => {
    const colours = coloursOf(host);
    panels.forEach((panel, i) => drawFilmPanel(panel, traceOf(i, state.epoch), state, colours));
    drawTrace(trace, lines, state, numBatches, colours);
    scrubber.value = state.batch;
    scrubber.setAttribute("aria-valuetext", `batch ${state.batch} of ${numBatches}`);
    number.textContent = `${state.batch} of ${numBatches}`;
  });
  const redraw = onceAFrame(draw, signal);

  function go(batch) {
    state.batch = Math.min(Math.max(batch, 1), numBatches);
    redraw();
  }
  function pause() {
    state.playing = false;
    play.textContent = "▶ Play";
  }
  function start(onlyThisEpoch = false) {
    if (state.batch >= numBatches) state.batch = 1;
    state.playing = true;
    play.textContent = "❚❚ Pause";
    let last = performance.now(), exact = state.batch;
    requestAnimationFrame(function step(now) {
      if (!state.playing || signal.aborted) return;
      exact += ((now - last) / 1000) * Number(speedMenu.value) * (numBatches / SECONDS_AN_EPOCH);
      last = now;
      const next = epochs[epochs.indexOf(state.epoch) + 1];
      if (exact >= numBatches && next && !onlyThisEpoch) {
        state.epoch = next;
        epochMenu.value = next;
        exact = 1;
      }
      go(Math.floor(exact));
      if (exact < numBatches) requestAnimationFrame(step);
      else { pause(); speak(); }
    });
  }
  function speak() {
    const states = panels.map((panel, i) => `${runs[i].label}: ${panel.numbers.textContent}`);
    spoken.textContent = `Epoch ${state.epoch}, batch ${state.batch} of ${numBatches}. ${states.join(". ")}.`;
  }

  const scrubTrace = event => {
    if (event.type === "pointermove" && !event.buttons) return;
    const box = trace.getBoundingClientRect(), inside = (event.clientX - box.left - MARGIN) / (box.width - 2 * MARGIN);
    pause();
    go(Math.round(1 + inside * (numBatches - 1)));
  };
  for (const type of ["pointerdown", "pointermove"]) trace.addEventListener(type, scrubTrace);
  redrawWith(host, redraw, signal);
  const sight = new IntersectionObserver(([entry]) => entry.isIntersecting || pause());
  sight.observe(host);
  signal.addEventListener("abort", () => { sight.disconnect(); pause(); });
  draw();
  if (autoplay && !stillWanted()) start(true);
  host.live = {
    read: () => ({
      ...state,
      posteriors: runs.map((_, i) => [...traceOf(i, state.epoch).subarray(4 * (state.batch - 1), 4 * state.batch)]),
    }),
  };
}

function filmPanel(label, run) {
  const canvas = make("canvas", {
    class: "vaelib-plane", role: "img",
    "aria-label": `${label}: the posteriors of an epoch as ellipses around the prior's circle`,
  });
  const numbers = make("span", { class: "vaelib-numbers" });
  const sign = make("span", { class: `vaelib-line vaelib-line-${run % 3}` });
  const figure = make("figure", {}, canvas, make("figcaption", {}, sign, together(label), make("br"), numbers));
  // Keep what is drawn on a second canvas, so that a frame only adds what is new.
  return { figure, canvas, numbers, ink: document.createElement("canvas"), drawn: 0, key: "", kept: [] };
}

// Copy a canvas.
function copyOf(canvas) {
  const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
  copy.getContext("2d").drawImage(canvas, 0, 0);
  return copy;
}

function drawFilmPanel(panel, trace, { epoch, batch, limit }, colours) {
  const size = panel.canvas.clientWidth, context = contextOf(panel.canvas), numBatches = trace.length / 4;
  const key = [epoch, limit, panel.canvas.width, ...Object.values(colours)].join();
  const ink = panel.ink.getContext("2d");
  if (key !== panel.key) Object.assign(panel, { key, kept: [], drawn: Infinity });
  if (batch < panel.drawn) {
    // Return to the last copy that is not too late, or to an empty canvas.
    const last = Math.min(Math.floor(batch / KEEP_EVERY), panel.kept.length - 1);
    Object.assign(panel.ink, { width: panel.canvas.width, height: panel.canvas.height });
    if (last > 0) ink.drawImage(panel.kept[last], 0, 0);
    panel.drawn = Math.max(last, 0) * KEEP_EVERY;
  }
  ink.setTransform(context.getTransform());
  const plane = planeOf(ink, size, limit);
  for (; panel.drawn < batch; panel.drawn++) {
    const share = panel.drawn / Math.max(numBatches - 1, 1), [m1, m2, s1, s2] = trace.subarray(4 * panel.drawn);
    ink.strokeStyle = rainbow(share, colours);
    ink.lineWidth = 0.9;
    drawPosterior(plane, [m1, m2], [s1, s2]);
    const place = (panel.drawn + 1) / KEEP_EVERY;
    if (Number.isInteger(place)) panel.kept[place] ??= copyOf(panel.ink);
  }
  context.clearRect(0, 0, size, size);
  context.drawImage(panel.ink, 0, 0, size, size);
  const front = planeOf(context, size, limit);
  drawPrior(front, colours);
  drawScale(front, colours);
  const [m1, m2, s1, s2] = trace.subarray(4 * (batch - 1));
  for (const [colour, width] of [[colours.back, 5], [colours.text, 2.5]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    drawPosterior(front, [m1, m2], [s1, s2]);
  }
  context.fillStyle = colours.text;
  context.fillRect(front.x(m1) - 2, front.y(m2) - 2, 4, 4);
  panel.numbers.textContent = `|μ| ${Math.hypot(m1, m2).toFixed(2)}, σ ${Math.sqrt(s1 * s2).toFixed(2)}`;
}
