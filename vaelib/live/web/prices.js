// Set the prices of a drawing beside those of test digits, and explain each.

// Below this rate, in nats, the posterior is the prior for all purposes, and its neighbours are chance: at kl_wt 0.1 no
// test digit has a higher rate than 0.03, and at the other two none a lower one than 0.8.
const LEAST_RATE = 0.1;
// Of 25 digits chosen by chance, fewer than these are of one class, 99 times of 100.
const LEAST_VOTES = 9;
const ALL_CLASSES = 10;
const PRICES = [
  ["distortion", "distortion D, nats", "What the drawing's pixels cost where the decoded image is known: −log p(x|z), for " +
    "the one z that was drawn. The map of costs shows each pixel's part. 0 would be a perfect copy."],
  ["rate", "rate R, nats", "What it costs to say which z: how far the posterior is from the prior, KL(q(z|x) ‖ p(z)). " +
    "0 means that z says nothing about the drawing."],
  ["elbo", "ELBO, −(D + R), nats", "A lower bound on log p(x), which says how well a network explains the drawing: nearer " +
    "to 0 is better. As D is that of one z, so is this: draw another, and it changes."],
  ["near", "nearest test digits", "Which class most of the 25 test digits have whose posterior means are nearest to the " +
    `drawing's. Where the rate is below ${LEAST_RATE} nats, the posterior is the prior, whatever is drawn: a z from it ` +
    "cannot tell one digit from another, and the nearest ones mean nothing. " +
    `Where fewer than ${LEAST_VOTES} agree, as for 25 digits chosen by chance, they are mixed.`],
];
const BESIDE = "Half of the test digits of this class cost what lies between the two small numbers, each with one z drawn " +
  "from its posterior.";

function priceTable(labels, comparison) {
  const columns = labels.map(() => Object.fromEntries(PRICES.map(([key]) => [key, {
    value: make("span", { class: "vaelib-numbers" }, "–"), beside: make("small", { class: "vaelib-numbers" }),
  }])));
  const explained = (name, text) => {
    return make("details", { class: "vaelib-term" }, make("summary", {}, name), make("p", {}, text));
  };
  const group = ([key, name, text]) => make("tbody", {},
    make("tr", {}, make("th", { scope: "rowgroup", colspan: labels.length }, explained(name, text))),
    make("tr", {}, ...columns.map(column => make("td", {}, column[key].value, " ", column[key].beside))));
  const element = make("div", { class: "vaelib-prices" },
    make("table", { class: "vaelib-beliefs" },
      make("thead", {},
        make("tr", {}, ...labels.map(label => make("th", { scope: "col" }, together(label))))),
      ...PRICES.map(group)),
    make("div", { class: "vaelib-controls" }, labelled("small numbers: half of", comparison)),
    explained("What the small numbers are", BESIDE));
  return { element, columns };
}

function comparisonMenu(change) {
  const options = [["seen", "its class, as the networks see it"], [ALL_CLASSES, "all test digits"]];
  return menu([...options, ...DIGIT_COLOURS.map((_, digit) => [digit, `the ${digit}s`])], "seen", { change });
}

// Choose whose prices stand beside: a class, or all where no network sees one.
function classBeside(choice, marks, beliefs) {
  if (choice !== "seen") return Number(choice);
  if (marks.length === 1 && marks[0].pixels) return marks[0].label;
  const sure = beliefs.find(belief => belief?.nats.rate >= LEAST_RATE && belief.near.votes >= LEAST_VOTES);
  return sure?.near.digit ?? ALL_CLASSES;
}

function fillPrices({ columns }, beliefs, quartiles, beside) {
  columns.forEach((column, i) => {
    const belief = beliefs[i];
    PRICES.forEach(([key], j) => {
      const [low, , high] = quartiles[i][beside]?.[j] ?? [];
      const value = key === "near" ? opinion : ({ nats: prices }) => signedNats(prices[key]);
      column[key].value.textContent = belief ? value(belief) : "–";
      column[key].beside.textContent = low === undefined ? ""
        : `${beside === ALL_CLASSES ? "all" : `${beside}s`}: ${signedNats(low)} to ${signedNats(high)}`;
    });
  });
}

function opinion({ nats: { rate }, near: { votes, count, digit } }) {
  if (rate < LEAST_RATE) return "none: z is noise";
  return `${votes < LEAST_VOTES && count > LEAST_VOTES ? "mixed: " : ""}${votes} of ${count} are ${digit}s`;
}

function signedNats(value) {
  return (value < 0 ? "−" : "") + Math.abs(value).toFixed(1);
}
