// Train the network in the page: settings, what happens batch by batch, its digits, and its costs beside other runs.

async function train(host, source, options, signal) {
  const facts = await source("train-facts"), { small = false, page = false } = options;
  // A page has one training and its own digits; a notebook may have several.
  const keeps = page && !small;
  const settings = small ? { ...FIRST_SETTINGS, ...SMALL_SETTINGS } : settingsFrom(page ? window.location.hash : "");
  settings.count = nearestCount(facts, settings.count);
  const spoken = speaker(), mine = make("div", {}), closeup = makeCloseup(), view = makeTrainView();
  const redraw = onceAFrame(whenShown(host, draw), signal);
  const session = makeSession(source, settings, facts, {
    keeps, claimed: keeps ? fingerprintFrom(window.location.hash) : null, redraw, explore, moved: () => { controls.show(); changed("all"); },
    speak: text => { spoken.textContent = text; },
    signed: fingerprint => { if (keeps) history.replaceState(null, "", settingsLink(settings, fingerprint)); },
  });
  const controls = makeSettings(facts, settings, small, changed);
  // A button that cannot be pressed keeps the focus all the same: a keyboard would have to come back from the top.
  const button = (text, act) => {
    const click = () => { if (node.getAttribute("aria-disabled") !== "true") act(); };
    const node = make("button", { type: "button", click }, text);
    return node;
  };
  const allow = (node, isAllowed) => node.setAttribute("aria-disabled", String(!isAllowed));
  const main = button("▶ Train", () => showing(session.press)), again = button("Start again", () => showing(() => session.begin(true)));
  const one = button("One step", session.oneStep), keep = button("Keep this run", session.keepRun);
  const ask = button("Explore and draw with it", () => session.askNetwork("explore"));
  const take = button("Download", () => session.askNetwork("download"));
  const found = keeps ? await recall() : undefined;
  session.state.isKept = Boolean(found);
  const goOn = found ? button(`Go on with ${placeOf(found)}`, () => showing(() => {
    main.focus({ preventScroll: true });
    Object.assign(settings, found.settings);
    controls.show();
    session.begin(true, found);
  })) : "";
  const drop = button("Forget it", () => { main.focus(); session.forgetIt(); });
  const tryOut = experiment => showing(() => session.tryOut(experiment));
  host.replaceChildren(
    controls.group,
    make("div", { class: "vaelib-controls" }, main, ...(small ? [again] : [one, again, keep, ask, take, goOn, drop])),
    view.status, closeup.group, view.pictures, view.curves, ...(small ? [] : [view.table, experiments(tryOut)]),
    mine, spoken,
  );

  function placeOf({ settings, kept, numBatches }) {
    return `${labelOf(settings)}, epoch ${Math.floor(kept.step / numBatches)}`;
  }
  // Do what a button says, and show what it begins: the weight and the posteriors together, where they are out of sight.
  function showing(act) {
    act();
    const { bottom } = view.panel.canvas.getBoundingClientRect(), { top } = controls.weight.getBoundingClientRect();
    const header = parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop) || 0;
    if (isBusy() && (top < header || bottom > innerHeight)) bringIntoSight(controls.weight);
  }
  function isBusy() {
    return ["running", "loading"].includes(session.state.phase);
  }
  function changed(name) {
    session.state.claimed = null;
    if (keeps) history.replaceState(null, "", settingsLink(settings));
    if (["klWeight", "learningRate", "numEpochs"].includes(name)) session.tellSettings();
    redraw();
  }
  // Put the network into an explorer and a pad of its own, below, in place of those of an earlier one.
  let life = new AbortController();
  signal.addEventListener("abort", () => life.abort());
  async function explore(weights, described) {
    life.abort();
    const current = life = new AbortController();
    const { trained, mine: curve } = session.state, { hidden } = trained, label = runLabel(trained, curve);
    // `show` says what is wrong where it fails.
    const own = await trainedSource(source, weights, described, facts.labels, { hidden, label })
      .catch(error => () => Promise.reject(error));
    if (current.signal.aborted) return;
    mine.replaceChildren(...["explorer", "draw"].map(kind => {
      const place = make("div", { "data-own": kind });
      show(place, kind, own, { again: "press the button again" }, current.signal);
      return place;
    }));
    bringIntoSight(mine);
  }
  function draw() {
    const { state } = session, { phase } = state;
    const colours = coloursOf(host);
    main.textContent = PHASES[phase];
    allow(main, phase !== "loading");
    allow(one, !isBusy());
    allow(keep, state.mine.steps.length >= 2);
    const canAsk = session.isReady() && phase !== "loading" && !state.wanted;
    allow(take, canAsk && state.mine.train.beta.length > 0);
    allow(ask, canAsk);
    allow(again, phase !== "idle" && phase !== "loading");
    controls.lock(isBusy());
    // What this browser keeps is soon that of another training.
    if (goOn) goOn.hidden = phase !== "idle" || !state.isKept;
    drop.hidden = isBusy() || !state.isKept;
    closeup.group.hidden = !state.closeup || isBusy();
    if (!closeup.group.hidden) fillCloseup(closeup, state.closeup, colours);
    fillTrainView(view, state, settings, facts, colours);
  }
  redrawWith(host, redraw, signal);
  signal.addEventListener("abort", session.stop);
  // A page out of sight may not come back, on a phone.
  document.addEventListener("visibilitychange", () => { if (document.hidden && isBusy()) session.keepIt(); }, { signal });
  // Begin anew where a reader puts another link into the address of this page; own changes call no listener.
  const { state } = session;
  const follow = () => { if (keeps && leadsElsewhere(window.location.hash, settings, state)) window.location.reload(); };
  addEventListener("hashchange", follow, { signal });
  // Do not wait for a frame: what is filled in would move what stands below it.
  redraw.now();
  host.live = { read: () => ({ ...session.state, settings: { ...settings } }) };
}

function experiments(tryOut) {
  const choice = experiment => make("div", { class: "vaelib-experiment" },
    make("button", { type: "button", click: () => tryOut(experiment) }, experiment.name),
    make("p", {}, experiment.predict));
  return make("details", {}, make("summary", {}, "Six experiments, each one click"), ...EXPERIMENTS.map(choice));
}

// Scroll until a part of the page is at its top.
function bringIntoSight(part) {
  part.scrollIntoView({ behavior: stillWanted() ? "auto" : "smooth" });
}

PICTURES.train = train;
