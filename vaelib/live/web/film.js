// Play the posteriors of training batch by batch: three runs side by side on one scale.

// Play an epoch in this many seconds at speed 1.
const SECONDS_AN_EPOCH = 6;
// Pick an ellipse that passes within this many pixels of the pointer.
const REACH = 14;

async function film(host, source, { autoplay = false }, signal) {
  const runs = await source("runs");
  const films = await Promise.all(runs.map((_, i) => source(`film-${i}`)));
  const epochs = films[0].epochs, [, numBatches] = films[0].trace.shape;
  // Hold one epoch of one run: mean and deviation of batch b are the four numbers from 4 * b.
  const traceOf = (run, epoch) => {
    const begin = epochs.indexOf(epoch) * numBatches * 4;
    return films[run].trace.values.subarray(begin, begin + numBatches * 4);
  };
  const extents = new Map(epochs.map(epoch => [epoch, Math.max(...runs.map((_, run) => extentOf(traceOf(run, epoch))))]));
  // Show the scrubber's batch, or one that was picked; what is pinned stays when the pointer goes.
  const state = {
    epoch: epochs[0], batch: autoplay && !stillWanted() ? 1 : numBatches, axes: "all", playing: false,
    picked: null, pinned: false, panel: null,
    // Where the film starts by itself, load its digits only for those who touch it.
    touched: !autoplay || !films.some(({ digits }) => digits),
  };
  const shown = () => state.picked ?? state.batch;
  const limit = () => (state.axes === "all" ? extents.get(state.epoch) : Number(state.axes));
  const panels = runs.map((run, i) => filmPanel(run.label, i, films[i]));
  const scrubber = make("input", {
    type: "range", min: 1, max: numBatches, value: state.batch,
    input: () => { pause(); go({ batch: Number(scrubber.value) }); }, change: speak,
  });
  const number = make("output", {});
  const plot = tracePlot(), trace = plot.canvas;
  const play = make("button", { type: "button", click: () => (state.playing ? pause() : start()) }, "▶ Play");
  const epochMenu = menu(epochs.map(epoch => [epoch, epoch]), state.epoch, {
    change: () => { go({ epoch: Number(epochMenu.value) }); speak(); },
  });
  const speedMenu = menu([[0.25, "¼ ×"], [0.5, "½ ×"], [1, "1 ×"], [2, "2 ×"], [4, "4 ×"]], 1, {});
  const axesMenu = menu([["all", "all ellipses"], [4, "±4"], [8, "±8"], [13, "±13"]], state.axes, {
    change: () => { state.axes = axesMenu.value; redraw(); },
  });
  const name = make("strong", {}), about = make("span", {}), spoken = speaker();
  host.replaceChildren(
    make("div", { class: "vaelib-panels vaelib-film" }, ...panels.map(panel => panel.figure)),
    make("p", { class: "vaelib-named" }, name, about),
    make("div", { class: "vaelib-scrubber" }, labelled("batch", scrubber), number),
    trace,
    make("div", { class: "vaelib-controls" }, play, labelled("epoch", epochMenu), labelled("speed", speedMenu),
      labelled("axes", axesMenu)),
    spoken,
  );

  const lines = traceLines(runs.length, traceOf, epochs, numBatches);
  const draw = whenShown(host, () => {
    const colours = coloursOf(host), found = digitsNow();
    panels.forEach((panel, i) => {
      drawFilmPanel(panel, traceOf(i, state.epoch), state, shown(), limit(), colours);
    });
    drawTrace(plot, lines, { epoch: state.epoch, batch: shown() }, numBatches, colours);
    // Change the page after all is drawn: drawing asks for sizes, which the browser computes anew after every change.
    panels.forEach((panel, i) => {
      paintIfThere(panel.digit, found[i].pixels);
      paintIfThere(panel.decoded, found[i].decoded);
      panel.numbers.textContent = numbersOf(traceOf(i, state.epoch), shown());
      panel.figure.classList.toggle("vaelib-meant", i === state.panel);
    });
    name.textContent = `${nameOf(shown(), found)}. `;
    about.textContent = state.touched
      ? aboutDigits(films, state.epoch, epochs, found) : "Point at an ellipse to see its digit.";
    scrubber.value = state.batch;
    scrubber.setAttribute("aria-valuetext", `batch ${state.batch} of ${numBatches}`);
    number.textContent = `${state.batch} of ${numBatches}`;
  });
  const redraw = onceAFrame(draw, signal);
  const digits = digitsOf(source, films, epochs, redraw);
  const digitsNow = () => runs.map((_, i) => (state.touched ? digits(i, state.epoch, shown()) : {}));

  function touch() {
    state.touched = true;
    redraw();
  }
  // Go to an epoch, a batch, axes and a panel, or to some of them; what was picked is let go.
  function go({ epoch = state.epoch, batch = state.batch, axes = state.axes, panel = state.panel }) {
    if (epochs.includes(epoch)) state.epoch = epoch;
    Object.assign(state, { batch: Math.min(Math.max(batch, 1), numBatches), axes, panel, picked: null, pinned: false });
    epochMenu.value = state.epoch;
    axesMenu.value = axes;
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
        exact = 1;
        go({ epoch: next, batch: 1 });
      } else go({ batch: Math.floor(exact) });
      if (exact < numBatches) requestAnimationFrame(step);
      else { pause(); speak(); }
    });
  }
  function speak() {
    // Wait for the frame that computes it.
    requestAnimationFrame(() => {
      const states = panels.map((panel, i) => `${runs[i].label}: ${panel.numbers.textContent.replaceAll("\n", ", ")}`);
      spoken.textContent = `Epoch ${state.epoch}. ${name.textContent}${states.join(". ")}.`;
    });
  }
  function pick(batch, pinned) {
    Object.assign(state, { picked: batch, pinned: pinned && batch !== null });
    redraw();
  }

  panels.forEach(({ canvas }, run) => {
    const under = event => pickedBatch(
      traceOf(run, state.epoch), state.batch, pointed(event, canvas, { limit: limit(), centre: [0, 0] }), (REACH * 2 * limit()) / canvas.clientWidth);
    canvas.addEventListener("pointermove", event => {
      if (!state.pinned && !state.playing && event.pointerType !== "touch") pick(under(event), false);
    });
    canvas.addEventListener("pointerleave", () => state.pinned || pick(null, false));
    canvas.addEventListener("click", event => { pause(); pick(under(event), true); speak(); });
    canvas.addEventListener("keydown", event => {
      const ways = { ArrowLeft: shown() - 1, ArrowRight: shown() + 1, Home: 1, End: state.batch };
      if (event.key === "Escape") pick(null, false);
      else if (event.key in ways) {
        pause();
        pick(Math.min(Math.max(ways[event.key], 1), state.batch), true);
      } else return;
      event.preventDefault();
      speak();
    });
  });
  const scrubTrace = event => {
    if (event.type === "pointermove" && !event.buttons) return;
    const box = trace.getBoundingClientRect(), inside = (event.clientX - box.left - MARGIN) / (box.width - 2 * MARGIN);
    pause();
    go({ batch: Math.round(1 + inside * (numBatches - 1)) });
  };
  for (const type of ["pointerdown", "pointermove"]) trace.addEventListener(type, scrubTrace);
  for (const type of ["pointerover", "focusin"]) host.addEventListener(type, touch, { once: true, signal });
  redrawWith(host, redraw, signal);
  const sight = new IntersectionObserver(([entry]) => entry.isIntersecting || pause());
  sight.observe(host);
  signal.addEventListener("abort", () => { sight.disconnect(); pause(); });
  draw();
  if (autoplay && !stillWanted()) start(true);
  host.live = {
    // Count panels from 1 in the text, as batches.
    go: ({ panel, ...wish }) => { pause(); touch(); go({ ...wish, panel: panel ? panel - 1 : null }); speak(); },
    read: () => ({
      ...state, shown: shown(), limit: limit(),
      posteriors: runs.map((_, i) => Object.values(posteriorOf(traceOf(i, state.epoch), shown())).flat()),
      digits: digitsNow().map(({ pixels, decoded, ...found }) => (
        { ...found, pixels: pixels && [...pixels], decoded: decoded && [...decoded] })),
    }),
  };
}
