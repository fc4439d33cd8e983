// Let the reader draw a digit; show each network's posterior, reconstruction and cost for it.

// Follow the posterior's mean for so many changes of a drawing.
const MOST_TRAIL = 2000;

async function draw(host, source, options, signal) {
  const runs = await source("runs");
  const all = kind => Promise.all(runs.map((_, i) => source(`${kind}-${i}`)));
  const [digits, prices, clouds] = await Promise.all([source("digits"), source("prices"), all("points")]);
  const [encoders, decoders, sums] = await Promise.all([all("encoder"), all("decoder"), all("softplus")]);
  const beliefs = runs.map(() => null), labels = digits.labels.values;
  // Hold what the networks see, 784 pixels; null before anything is drawn.
  let seen = null;
  // Say what is wrong with a link, until something is drawn.
  let problem = "";
  const examples = Array.from(digits.examples.labels.values, (label, example) => {
    return { example, label, pixels: digits.examples.images.values.subarray(784 * example, 784 * (example + 1)) };
  });
  const pad = makePad(
    () => { problem = ""; keeper.leave(); follow(); }, () => { work(truePosteriors()); speak(); }, signal);
  const small = imageCanvas("The drawing as the networks see it, 28 by 28 pixels");
  const keeper = makeKeeper(
    () => seen && { image: seen, means: beliefs.map(({ mean }) => [...mean]) }, () => redraw(), () => speak(), signal);
  const cards = runs.map(run => beliefCard(run.label));
  const penMenu = menu(PENS, pad.pen.width, { change: () => { pad.pen.width = Number(penMenu.value); } });
  const axesMenu = menu(AXES.map(([, text], i) => [i, text]), 0, { change: () => redraw() });
  const comparison = comparisonMenu(() => redraw());
  const table = priceTable(runs.map(run => run.label), comparison);
  const message = make("p", { class: "vaelib-message" }), spoken = speaker();
  const button = (text, click) => make("button", { type: "button", click }, text);
  host.replaceChildren(
    make("div", { class: "vaelib-draw" },
      pad.canvas,
      make("div", { class: "vaelib-tools" },
        make("div", { class: "vaelib-controls" },
          button("Undo", () => { pad.undo(); speak(); }), button("Clear", () => { pad.put([]); speak(); }),
          labelled("pen", penMenu)),
        make("figure", { class: "vaelib-seen" }, small, make("figcaption", {}, "as MNIST has it"))),
      make("div", { class: "vaelib-examples" },
        make("p", {}, "Or take a test digit:"),
        make("div", { class: "vaelib-thumbnails" }, ...examples.map(exampleButton)),
        keeper.element)),
    message,
    make("div", { class: "vaelib-controls" },
      button("Sample again", () => { sample(); speak(); }), labelled("axes", axesMenu), ...linkButton()),
    make("div", { class: "vaelib-cards" }, ...cards.map(card => card.element)),
    costScale(),
    table.element,
    spoken,
  );

  function exampleButton(mark) {
    const image = make("canvas", { class: "vaelib-image", width: SIDE, height: SIDE, "aria-hidden": "true" });
    paint(image, Float32Array.from(mark.pixels, value => value / 255));
    const take = () => { pad.put([mark]); speak(); };
    return make("button", { type: "button", "aria-label": `test digit ${mark.label}`, click: take }, image);
  }
  // Respond to a change on the pad.
  const follow = onceAFrame(() => {
    seen = asMnist(pad.ink(), PAD_SIDE);
    beliefs.forEach((before, i) => {
      const posterior = seen && encode(encoders[i], seen);
      const trail = pad.marks().at(-1)?.pixels ? [] : before?.trail ?? [];
      beliefs[i] = posterior && { ...posterior, trail: [...trail, posterior.mean].slice(-MOST_TRAIL) };
    });
    sample();
    // Wait with the true posteriors until the pen rests.
    work(pad.pen.down ? null : truePosteriors());
  }, signal);
  const work = betweenFrames(signal);
  function* truePosteriors() {
    for (const [i, belief] of beliefs.entries()) {
      if (!belief) return;
      belief.exact = yield* truePosterior(decoders[i], sums[i], seen);
      redraw();
    }
  }
  // Sample a new z from every posterior and decode it.
  function sample() {
    keeper.leave();
    beliefs.forEach((belief, i) => {
      if (!belief) return;
      belief.z = sampleFrom(belief.mean, belief.std);
      const logits = decode(decoders[i], belief.z);
      belief.image = sigmoid(logits);
      belief.costs = pixelCosts(seen, logits);
      belief.nats = nats(belief.costs, belief);
      belief.near = neighbours(belief.mean, clouds[i].mean.values, labels);
    });
    redraw();
  }
  const redraw = onceAFrame(() => {
    // Wait for a size: this is called again when there is one.
    if (!cards[0].plane.clientWidth) return;
    const colours = coloursOf(host), walking = keeper.at(0) !== null;
    paint(small, seen ?? new Float32Array(SIDE * SIDE));
    cards.forEach((card, i) => {
      const belief = beliefs[i], walked = keeper.at(i);
      if (walked) walked.image = sigmoid(decode(decoders[i], walked.z));
      const means = plane => drawCloud(card.cloud, card.plane, plane, clouds[i].mean.values, labels, colours, i);
      fillCard(card, belief, walked, viewOf(AXES[axesMenu.value][0], walked ? null : belief), means, colours);
    });
    // Change the page after all is drawn, as the film does.
    message.textContent = problem || messageFor(seen, walking);
    fillPrices(table, beliefs, prices.quartiles, classBeside(comparison.value, pad.marks(), beliefs));
  }, signal);
  function speak() {
    // Wait for the frame that computes it.
    requestAnimationFrame(() => {
      const told = runs.map(({ label }, i) => `${label}: ` + PRICES
        .map(([key, name]) => `${name} ${table.columns[i][key].value.textContent}`).join(", "));
      spoken.textContent = seen && keeper.at(0) === null ? told.join(". ") : message.textContent;
    });
  }

  // Offer a link on a page; a notebook has no address that others can open.
  function linkButton() {
    if (!("live" in host.dataset)) return [];
    const said = make("span", { role: "status" });
    const copy = async () => {
      history.replaceState(null, "", toLink(pad.marks(), [Number(axesMenu.value), comparison.selectedIndex]));
      try {
        await navigator.clipboard.writeText(location.href);
        said.textContent = "Copied.";
      } catch {
        said.textContent = "It is in the address bar now: copy it there.";
      }
    };
    addEventListener("hashchange", openLink, { signal });
    return [button("Copy link", copy), said];
  }
  function openLink() {
    if (!location.hash.startsWith(LINK)) return;
    try {
      const { marks, choices } = fromLink(location.hash);
      const known = marks.map(mark => "example" in mark ? examples[mark.example] : mark);
      const menus = [axesMenu, comparison];
      if (known.includes(undefined) || menus.some(({ length }, i) => choices[i] >= length)) {
        throw new Error("It names what is not here.");
      }
      menus.forEach((control, i) => { control.selectedIndex = choices[i]; });
      pad.put(known);
    } catch (error) {
      problem = `The drawing of this link cannot be shown. ${error.message}`;
      redraw();
    }
  }
  redrawWith(host, redraw, signal);
  // Do not wait for a frame: what is filled in would move what stands below it.
  redraw.now();
  if ("live" in host.dataset) openLink();
  host.live = {
    read: () => seen && {
      image: [...seen],
      beliefs: beliefs.map(({ mean, std, z, image, costs, nats, near, exact, trail }) => ({
        mean: [...mean], std: [...std], z: [...z], image: [...image], costs: [...costs], ...nats, near,
        exact: exact && { ...exact, values: [...exact.values] }, trail: trail.map(place => [...place]),
      })),
    },
  };
}

function messageFor(seen, walking) {
  if (walking) return "On the way from A to B: each network decodes a point between the means of its two posteriors.";
  if (!seen) return "Nothing is drawn yet: draw a digit in the white square, or take a test digit.";
  return "Ellipse: the encoder's posterior, ±1 σ, 39\u00a0% of its mass; the thin line is the way of its middle. " +
    "Contours: 39\u00a0% and 86\u00a0% of the true posterior. Dot: the z that was drawn.";
}
