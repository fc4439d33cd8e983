// Train the network in the page: settings, what happens batch by batch, its digits, and its costs beside other runs.

// Decode the grid again at most this often, in milliseconds; keep this many runs to compare with.
const GRID_MS = 700, MOST_KEPT = 3;

async function train(host, source, options, signal) {
  const facts = await source("train-facts");
  const settings = settingsFrom(options.page ? window.location.hash : "");
  const state = { phase: "idle", step: 0, numBatches: 1, more: 0, pace: 0, mine: noCurve(), kept: [], posteriors: [], pixels: null };
  let engine = null, loaded = null, changes = [], lastGrid = 0;

  const panel = { canvas: make("canvas", { class: "vaelib-plane", role: "img" }), ink: document.createElement("canvas"), key: "", drawn: 0 };
  const digits = make("canvas", { class: "vaelib-grid", role: "img", width: 15 * SIDE, height: 15 * SIDE, "aria-label":
    "Digits that the network decodes all over the plane, at equal steps of the prior's probability" });
  const curves = CURVES.map(([name]) => make("canvas", { class: "vaelib-curve", role: "img", "aria-label": name }));
  const status = make("p", { class: "vaelib-status" }), spoken = speaker(), rows = make("tbody", {});
  const button = (text, click) => make("button", { type: "button", click }, text);
  const main = button("▶ Train", () => PRESSED[state.phase]()), one = button("One step", oneStep);
  const again = button("Start again", () => begin(true)), keep = button("Keep this run", keepRun);
  const ask = button("Explore and draw with it", explore), mine = make("div", {});
  const kept = await recall(), back = kept && button(`Go on with ${weightLabel(kept.settings.klWeight)}, epoch ${kept.kept.step / kept.numBatches}`, goBack);
  const drop = kept && button("Forget it", async () => { await forget(); back.remove(); drop.remove(); });
  const controls = makeSettings(facts, settings, changed), closeup = makeCloseup();
  const PRESSED = {
    idle: () => begin(true), failed: () => begin(true), loading: () => {}, running: () => engine.tell({ do: "pause" }),
    paused: () => engine.tell({ do: "go" }), finished: () => { state.more += settings.numEpochs; tellSettings(); engine.tell({ do: "go" }); },
  };
  host.replaceChildren(
    controls.group,
    make("div", { class: "vaelib-controls" }, main, one, again, keep, ask, ...(kept ? [back, drop] : [])),
    status, closeup.group,
    make("div", { class: "vaelib-side-by-side" },
      make("figure", {}, panel.canvas, make("figcaption", {}, "The first posterior of every batch of this epoch, ±1 σ, red to violet; the strong circle is the prior")),
      make("figure", {}, digits, make("figcaption", {}, "What it decodes, at equal steps of the prior's probability"))),
    make("div", { class: "vaelib-panels vaelib-curves" }, ...curves),
    make("table", { class: "vaelib-beliefs vaelib-runs" },
      make("thead", {}, make("tr", {}, ...["test digits, nats", "after steps", "D", "R", "−ELBO"].map(text => make("th", { scope: "col" }, text)))),
      rows),
    make("details", {}, make("summary", {}, "Five experiments, each one click"), ...EXPERIMENTS.map(experiment =>
      make("div", { class: "vaelib-experiment" }, button(experiment.name, () => tryOut(experiment)), make("p", {}, experiment.predict)))),
    mine, spoken,
  );

  // Load, start a worker from nothing or from what was kept, and train at once unless told otherwise.
  async function begin(running, from = null) {
    stop();
    Object.assign(state, { phase: "loading", step: 0, more: from?.more ?? 0, pace: 0, asked: false, mine: from?.mine ?? noCurve(), posteriors: [], pixels: null, closeup: null });
    panel.key = "";
    redraw();
    try {
      if (loaded?.count !== settings.count) {
        loaded = { count: settings.count, ...await loadTraining(source, settings.count, (done, all) => {
          status.textContent = `Loading: ${done} of ${all} files`;
        }) };
      }
      if (signal.aborted) return;
      engine = startWorker(loaded.script, message => HEARD[message.what](message, running));
      engine.tell({ do: "start", program: loaded.program, data: loaded.data, settings: told(), kept: from?.kept });
    } catch (error) {
      HEARD.failed({ problem: error.message });
    }
  }
  function stop() {
    engine?.stop();
    engine = null;
  }
  function told() {
    const { klWeight, hidden, learningRate, warmup, seed, numEpochs } = settings;
    return { beta: 784 * klWeight, hidden, learningRate, warmup, seed, batchSize: 128, numEpochs: numEpochs + state.more };
  }
  function tellSettings() {
    engine?.tell({ do: "change", settings: told() });
  }
  function changed(name) {
    if (options.page) history.replaceState(null, "", settingsLink(settings));
    if (["klWeight", "learningRate", "numEpochs"].includes(name)) tellSettings();
    redraw();
  }
  function oneStep() {
    if (engine && state.phase !== "finished") engine.tell({ do: "one" });
    else begin(false);
  }

  // Act on what the worker tells.
  const HEARD = {
    ready({ numBatches, step, first }, running) {
      Object.assign(state, { phase: "paused", numBatches, step });
      if (first) addPoint(0, first);
      if (running) { state.phase = "running"; engine.tell({ do: "go" }); } else engine.tell({ do: "one" });
      askGrid();
      redraw();
    },
    steps({ from, step, seconds, posteriors, beta }) {
      if (from % state.numBatches === 0) state.posteriors = [];
      state.posteriors.push(...posteriors);
      Object.assign(state, { step, beta });
      // Average over some seconds; the first step also starts the kernels.
      if (from > 0) state.pace = state.pace ? 0.9 * state.pace + 0.1 * (seconds / (step - from)) : seconds / (step - from);
      askGrid();
      redraw();
    },
    closeup(told) { state.closeup = told; redraw(); },
    epoch({ epoch, step, test }) {
      addPoint(step, test);
      const due = changes.filter(([at]) => at === epoch);
      due.forEach(([, change]) => { Object.assign(settings, change); controls.show(); tellSettings(); });
      engine.tell({ do: "keep", ask: "remember" });
      redraw();
      speak(`Epoch ${epoch}. Test digits: distortion ${test.distortion.toFixed(1)}, rate ${test.rate.toFixed(2)} nats.`);
    },
    paused() { state.phase = "paused"; redraw(); },
    finished() { state.phase = "finished"; lastGrid = 0; askGrid(); redraw(); speak("Training has ended."); },
    grid({ pixels }) { state.pixels = pixels; state.asked = false; redraw(); },
    kept({ ask: why, kept: network }) {
      if (why === "remember") {
        remember({ kept: network, settings: { ...settings }, mine: state.mine, more: state.more, numBatches: state.numBatches });
      } else exploreWith(network);
    },
    failed({ problem }) { state.phase = "failed"; state.problem = problem; stop(); redraw(); speak(problem); },
  };
  function addPoint(step, { distortion, rate }) {
    const { steps } = state.mine;
    if (steps.at(-1) === step) return;
    steps.push(step);
    state.mine.distortion.push(distortion);
    state.mine.rate.push(rate);
  }
  function askGrid() {
    if (!engine || state.asked || performance.now() - lastGrid < GRID_MS) return;
    lastGrid = performance.now();
    state.asked = true;
    engine.tell({ do: "grid", points: facts.grid });
  }
  function keepRun() {
    if (state.mine.steps.length < 2) return;
    state.kept = [{ label: labelOf(settings), ...structuredClone(state.mine) }, ...state.kept].slice(0, MOST_KEPT);
    redraw();
  }
  async function goBack() {
    Object.assign(settings, kept.settings);
    controls.show();
    back.remove();
    drop.remove();
    await begin(true, kept);
  }
  function tryOut(experiment) {
    if (state.mine.steps.length > 2) keepRun();
    Object.assign(settings, FIRST_SETTINGS, experiment.settings);
    changes = experiment.changes ?? [];
    controls.show();
    changed("all");
    begin(true);
  }
  // Put the network into an explorer and a pad of its own, below.
  function explore() {
    engine?.tell({ do: "keep", ask: "explore" });
  }
  async function exploreWith(network) {
    const own = await trainedSource(source, network.weights, settings.hidden, weightLabel(settings.klWeight), loaded.data.test);
    mine.replaceChildren(...["explorer", "draw"].map(kind => {
      const place = make("div", { "data-own": kind });
      options.show(place, kind, own, {}, signal);
      return place;
    }));
    mine.scrollIntoView({ behavior: stillWanted() ? "auto" : "smooth" });
  }
  function speak(text) {
    spoken.textContent = text;
  }

  const draw = () => {
    const colours = coloursOf(host), { phase, step, numBatches } = state, active = phase === "running" || phase === "loading";
    const numSteps = numBatches * (settings.numEpochs + state.more), inEpoch = step - numBatches * Math.floor(Math.max(step - 1, 0) / numBatches);
    main.textContent = { idle: "▶ Train", loading: "Loading …", running: "❚❚ Pause", paused: "▶ Go on", finished: "▶ Train on", failed: "▶ Try again" }[phase];
    main.disabled = phase === "loading";
    one.disabled = active;
    keep.disabled = state.mine.steps.length < 2;
    ask.disabled = !engine || phase === "loading";
    again.disabled = phase === "idle" || phase === "loading";
    controls.lock(active || phase === "paused");
    if (phase !== "loading") status.textContent = statusOf(state, numSteps);
    drawTrainPanel(panel, state.posteriors, numBatches, colours);
    panel.canvas.setAttribute("aria-label", `The posteriors of ${inEpoch} batches as ellipses around the prior's circle`);
    if (state.closeup && phase !== "running") fillCloseup(closeup, state.closeup, colours);
    else closeup.group.hidden = true;
    if (state.pixels) paintGrid(digits, state.pixels);
    const shown = { mine: state.mine, kept: state.kept, known: facts.runs, numSteps: Math.max(numSteps, 2) };
    if (numBatches > 1) CURVES.forEach(([name, value], i) => drawCurve(curves[i], name, value, shown, colours));
    const all = [...(state.mine.steps.length ? [{ label: `this run: ${labelOf(settings)}`, ...state.mine }] : []), ...state.kept, ...facts.runs];
    rows.replaceChildren(...all.map(run => runRow(run)));
  };
  const redraw = onceAFrame(draw, signal);
  redrawWith(host, redraw, signal);
  signal.addEventListener("abort", stop);
  redraw();
  host.live = { read: () => ({ ...state, settings: { ...settings }, ready: Boolean(engine) }), tell: message => engine.tell(message) };
}
