// Let the reader choose what is trained; show what the data predict for the weight of the KL.

const FIRST_SETTINGS = {
  klWeight: 1e-3, hidden: 500, count: 10000, learningRate: 1e-3, warmup: 0, numEpochs: 20, seed: 1,
};
// Begin like this where the picture is small: a network that trains fast, long enough to pull its weight up and back.
const SMALL_SETTINGS = { klWeight: 1e-2, hidden: 125, numEpochs: 100 };
// Put the weights on the slider by their decimal logarithm.
const LOWEST = -4, HIGHEST = -0.7;
// Step so far that weights of two digits differ: else an arrow key would lead back to where it began.
const WEIGHT_STEP = 0.05;
const CHOICES = {
  hidden: ["hidden units", [[125, "125"], [250, "250"], [500, "500"]]],
  count: ["training digits", [[1000, "1,000"], [10000, "10,000"], [60000, "60,000 (12 MB)"]]],
  learningRate: ["learning rate", [[1e-4, "1e-4"], [3e-4, "3e-4"], [1e-3, "1e-3"], [3e-3, "3e-3"], [1e-2, "1e-2"]]],
  warmup: ["warm-up of β, steps", [[0, "none"], [400, "400"], [1600, "1,600"]]],
  numEpochs: ["epochs", [[5, "5"], [20, "20"], [50, "50"], [100, "100"], [400, "400"]]],
  seed: ["seed", [[1, "1"], [2, "2"], [3, "3"], [4, "4"], [5, "5"]]],
};

// These hold for a whole training.
const FIXED = ["hidden", "count", "warmup", "seed"];

// Write a weight with three digits, as the library's labels do.
function weightText(weight) {
  return String(Number(weight.toPrecision(3)));
}

function weightLabel(klWeight) {
  return `kl_wt ${weightText(klWeight)} (β = ${weightText(784 * klWeight)})`;
}

// Return how a choice is called, if it is one of those above.
function textOf(name, wanted) {
  return CHOICES[name][1].find(([value]) => value === wanted)?.[1];
}

// Make the controls. `changed` is called with the names of what the reader changed.
function makeSettings(facts, settings, small, changed) {
  const place = klWeight => (Math.log10(klWeight) - LOWEST) / (HIGHEST - LOWEST);
  const slider = make("input", {
    type: "range", min: LOWEST, max: HIGHEST, step: WEIGHT_STEP, value: Math.log10(settings.klWeight), class: "vaelib-weight",
    input: () => choose("klWeight", Number((10 ** Number(slider.value)).toPrecision(2))),
  });
  const output = make("output", { class: "vaelib-numbers" }), marks = make("div", { class: "vaelib-marks" });
  const prediction = make("p", { class: "vaelib-prediction" });
  const counts = facts.sizes.map(({ count }) => [count, textOf("count", count) ?? count.toLocaleString("en")]);
  const menuOf = ([name, [, options]]) => [name, menu(name === "count" ? counts : options, settings[name], {
    "data-setting": name, change: () => choose(name, Number(menus[name].value)),
  })];
  const menus = Object.fromEntries(Object.entries(CHOICES).map(menuOf));
  const labels = Object.entries(CHOICES).map(([name, [text]]) => labelled(text, menus[name]));
  const weight = make("div", { class: "vaelib-scrubber" }, labelled("weight of the KL", slider), output, marks);
  // Put the weight, which a reader pulls while it trains, next to the pictures.
  const group = make("div", { class: "vaelib-settings" },
    small ? "" : make("div", { class: "vaelib-controls" }, ...labels), weight, prediction);

  function choose(name, value) {
    settings[name] = value;
    show();
    changed(name);
  }
  // Show the thresholds of the digits at hand on the slider, and say what they predict.
  function show() {
    const [first, second] = thresholdsOf(facts, settings.count).map(beta => beta / 784);
    slider.value = Math.log10(settings.klWeight);
    output.textContent = weightLabel(settings.klWeight);
    slider.setAttribute("aria-valuetext", output.textContent);
    marks.replaceChildren(...[[second, "2 → 1"], [first, "1 → 0"]].map(([klWeight, text]) => {
      const mark = make("span", { title: `${text} dimensions at ${weightLabel(klWeight)}` });
      mark.style.left = `${100 * place(klWeight)}%`;
      return mark;
    }));
    const used = settings.klWeight > first ? "no dimension is used, the posterior collapses"
      : settings.klWeight > second ? "one dimension at most is used" : "both dimensions are used";
    prediction.textContent = `What these ${settings.count.toLocaleString("en")} digits predict: ${used}. ` +
      `(One dimension goes at ${weightLabel(second)}, the other at ${weightLabel(first)}.)`;
    for (const [name, choice] of Object.entries(menus)) choice.value = settings[name];
  }
  // Keep those controls from being changed that hold for a whole training.
  function lock(locked) {
    for (const name of FIXED) menus[name].disabled = locked;
  }
  show();
  return { group, weight, show, lock };
}

// Return the largest number of digits that the page has and that is no more than wanted; the book may be built with few.
function nearestCount({ sizes }, wanted) {
  const counts = sizes.map(({ count }) => count);
  return counts.filter(count => count <= wanted).at(-1) ?? counts[0];
}

// Return the critical betas of a number of digits, descending.
function thresholdsOf({ sizes }, count) {
  return sizes.find(size => size.count === count).thresholds;
}
