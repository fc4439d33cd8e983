// Lead a training: give the worker its orders, and keep what it tells in a state that the picture draws.

// Decode the grid again at most this often, in milliseconds.
const GRID_MS = 700;

// Return the session of a picture. `redraw` is called when the state has changed, `speak` with what is worth saying,
// `explore` with a network that a reader wants to ask, `moved` when an experiment has changed the settings.
function makeSession(source, settings, facts, { keeps, claimed, redraw, speak, explore, moved, signed }) {
  const state = {
    phase: "idle", step: 0, numBatches: null, more: 0, pace: 0, mine: noCurve(), kept: [], posteriors: [], pixels: null, claimed,
    // Whether this browser keeps a training.
    isKept: false,
    // The settings that the network was trained with; the reader may choose others for the next one already.
    trained: null,
  };
  let engine = null, loaded = null, loading = Promise.resolve(), changes = [], lastGrid = 0;
  // Count beginnings and ends: what was loaded for an earlier one, and what its worker still tells, comes too late.
  let turn = 0;

  // Load, start a worker from nothing or from what was kept, and train at once unless told otherwise.
  async function begin(running, from = null) {
    stop();
    const own = turn;
    Object.assign(state, { phase: "loading", step: 0, more: from?.more ?? 0, pace: 0, asked: false, wanted: null, loaded: null });
    Object.assign(state, { mine: from?.mine ?? noCurve(), posteriors: from?.posteriors ?? [], pixels: null, closeup: null, trained: { ...settings } });
    // Sign only what the settings alone lead to.
    Object.assign(state, { fingerprint: null, isPure: from === null });
    redraw();
    try {
      // Load one thing at a time, and nothing for a beginning that another one has overtaken.
      loading = loading.catch(() => undefined).then(() => own === turn && load(settings.count));
      await loading;
      if (own !== turn) return;
      engine = startWorker(loaded.script, message => {
        if (own !== turn) return;
        HEARD[message.what](message, running);
        redraw();
      });
      engine.tell({ do: "start", program: loaded.program, data: loaded.data, settings: told(), kept: from?.kept });
    } catch (error) {
      if (own !== turn) return;
      HEARD.failed({ problem: error.message });
      redraw();
    }
  }
  async function load(count) {
    if (loaded?.count === count) return;
    const progress = (done, all) => { state.loaded = `Loading: ${done} of ${all} files`; redraw(); };
    loaded = { count, ...await loadTraining(source, count, progress) };
  }
  function stop() {
    turn++;
    engine?.stop();
    engine = null;
  }
  // Return the settings as the worker wants them.
  function told() {
    const { klWeight, hidden, learningRate, warmup, seed, numEpochs } = settings;
    const beta = 784 * klWeight, batchSize = 128;
    return { beta, hidden, learningRate, warmup, seed, batchSize, numEpochs: numEpochs + state.more };
  }
  // Tell the worker what may change in a training.
  function tellChange() {
    const { beta, learningRate, numEpochs } = told();
    engine?.tell({ do: "change", settings: { beta, learningRate, numEpochs } });
  }
  const tellSettings = () => { state.isPure = false; tellChange(); };

  const HEARD = {
    ready({ numBatches, step, first }, running) {
      Object.assign(state, { phase: running ? "running" : "paused", numBatches, step });
      if (first) addPoint(state.mine, 0, first);
      // The reader may have changed them while the kernels started.
      tellChange();
      engine.tell({ do: running ? "go" : "one" });
      askGrid();
    },
    steps({ from, step, seconds, posteriors, beta }) {
      if (from % state.numBatches === 0) state.posteriors = [];
      state.posteriors.push(...posteriors);
      Object.assign(state, { step, beta });
      Object.assign(state.trained, { klWeight: settings.klWeight, learningRate: settings.learningRate });
      const pace = seconds / (step - from);
      // Average over some seconds; the first step also starts the kernels.
      if (from > 0) state.pace = state.pace ? 0.9 * state.pace + 0.1 * pace : pace;
      askGrid();
    },
    closeup(closeup) { state.closeup = closeup; },
    epoch({ epoch, step, train, test }) {
      addPoint(state.mine, step, test);
      for (const name of ["distortion", "rate"]) state.mine.train[name].push(train[name]);
      state.mine.train.beta.push(state.beta);
      for (const [at, change] of changes) {
        if (at !== epoch) continue;
        Object.assign(settings, change);
        moved();
        tellSettings();
      }
      if (memory.isDue()) keepIt();
      speak(`Epoch ${epoch}. Test digits: distortion ${test.distortion.toFixed(1)}, rate ${test.rate.toFixed(2)} nats.`);
    },
    paused() { state.phase = "paused"; keepIt(); },
    finished() {
      state.phase = "finished";
      keepIt();
      lastGrid = 0;
      askGrid();
      if (state.isPure) engine.tell({ do: "keep", ask: "sign" });
      speak("Training has ended.");
    },
    grid({ pixels }) { Object.assign(state, { pixels, asked: false }); },
    kept({ ask, kept, described }) {
      if (ask === "remember") memory.put(toGoOn(kept, state, settings.numEpochs));
      else if (ask === "sign") {
        state.fingerprint = fingerprintOf(kept.weights);
        signed(state.fingerprint);
      } else answerWith(ask, kept.weights, described);
    },
    failed({ problem }) {
      Object.assign(state, { phase: "failed", problem });
      stop();
      speak(problem);
    },
  };
  const memory = makeMemory(isKept => { state.isKept = isKept; redraw(); });
  function keepIt() {
    if (!keeps || !engine) return;
    memory.begin();
    engine.tell({ do: "keep", ask: "remember" });
  }
  function askGrid() {
    if (!engine || state.asked || performance.now() - lastGrid < GRID_MS) return;
    lastGrid = performance.now();
    state.asked = true;
    engine.tell({ do: "grid", points: facts.grid });
  }

  // Act on the main button.
  const PRESSED = {
    idle: () => begin(true), failed: () => begin(true), loading: () => {},
    running: () => engine.tell({ do: "pause" }),
    paused() {
      backToTrained();
      Object.assign(state, { phase: "running", closeup: null });
      engine.tell({ do: "go" });
    },
    finished() {
      // Go on with this network, by as many epochs as are chosen now.
      backToTrained();
      Object.assign(state, { phase: "running", closeup: null, more: Math.ceil(state.step / state.numBatches) });
      moved();
      tellSettings();
      engine.tell({ do: "go" });
    },
  };
  const press = () => { PRESSED[state.phase](); redraw(); };
  // Take back what holds for a whole training, where a reader has chosen it for the next one already.
  function backToTrained() {
    if (FIXED.every(name => settings[name] === state.trained[name])) return;
    for (const name of FIXED) settings[name] = state.trained[name];
    moved();
  }
  function oneStep() {
    if (!engine || state.phase === "finished") return begin(false);
    backToTrained();
    engine.tell({ do: "one" });
  }
  function keepRun() {
    const { mine, trained, kept } = state;
    if (mine.steps.length < 2) return;
    state.kept = withRun(kept, mine, runLabel(trained, mine));
    redraw();
  }
  function tryOut(experiment) {
    keepRun();
    Object.assign(settings, FIRST_SETTINGS, experiment.settings);
    settings.count = nearestCount(facts, settings.count);
    changes = experiment.changes ?? [];
    moved();
    begin(true);
  }
  // Ask for the network, to "explore" or to "download", once at a time.
  function askNetwork(ask) {
    if (!engine || state.wanted) return;
    state.wanted = ask;
    engine.tell({ do: "keep", ask });
    redraw();
  }
  async function answerWith(ask, weights, described) {
    const own = turn;
    if (ask === "download") download(archiveOf(weights, state.trained, state), "training.npz");
    else await explore(weights, described);
    if (own !== turn) return;
    state.wanted = null;
    redraw();
  }
  return { state, begin, stop, press, oneStep, keepRun, keepIt, forgetIt: memory.drop, tryOut, askNetwork, tellSettings, isReady: () => Boolean(engine) };
}
