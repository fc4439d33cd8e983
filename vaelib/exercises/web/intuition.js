// Draw how good a reader's intuition was: every number that was predicted over the one that came out, on one axis.

// Sizes in CSS pixels.
const WIDEST = 640, ROW = 24, TOP = 30, SIDE_ROOM = 16;
const TICKS = [[0.1, "÷ 10"], [0.5, "÷ 2"], [1, "right"], [2, "× 2"], [10, "× 10"]];

function drawn(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
  node.append(...children);
  return node;
}

// Return where a ratio lies on an axis; what is off by more than a factor of ten stands at its end.
function across(ratio, width) {
  const share = ratio > 0 ? Math.max(-1, Math.min(1, Math.log10(ratio))) : -1;
  return width / 2 + (width / 2 - SIDE_ROOM) * share;
}

// Return the predictions that were compared, with what was said.
function comparedOf(questions) {
  const kept = recall();
  return questions.filter(({ id }) => kept[id]?.compared && typeof kept[id].said === "string")
    .map(question => ({ ...question, said: kept[question.id].said }))
    .filter(question => judge(question, question.said));
}

function summary(numbers, choices) {
  const right = of => of.filter(question => judge(question, question.said).correct).length;
  const parts = [];
  if (numbers.length) parts.push(`${right(numbers)} of ${numbers.length} numbers near enough`);
  if (choices.length) parts.push(`${right(choices)} of ${choices.length} choices right`);
  return `Of what you predicted: ${parts.join(", and ")}.`;
}

function axisOf(numbers, width) {
  const height = TOP + ROW * numbers.length;
  const marks = TICKS.flatMap(([ratio, text]) => {
    const x = across(ratio, width), truth = ratio === 1 ? "vaelib-axis-truth" : "vaelib-axis-tick";
    return [
      drawn("line", { class: truth, x1: x, x2: x, y1: TOP - 8, y2: height }),
      drawn("text", { x, y: TOP - 14, "text-anchor": "middle" }, text),
    ];
  });
  const dots = numbers.map(({ chapter, said, predict }, i) => {
    const x = across(readNumber(said) / predict.value, width), y = TOP + ROW * (i + 0.5);
    return drawn("g", {}, drawn("circle", { cx: x, cy: y, r: 11 }),
      drawn("text", { class: "vaelib-axis-chapter", x, y: y + 4.5, "text-anchor": "middle" }, String(Number(chapter))));
  });
  const label = "A dot for each number that you predicted, by how many times it is too small or too large.";
  return drawn("svg", { class: "vaelib-axis", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label },
    ...marks, ...dots);
}

function lineOf({ chapter, short, type, said, unit, predict, answers }) {
  const right = answers.find(({ correct }) => correct);
  const [yours, came] = type === "numeric" ? [said, `${predict.value} ${unit}`] : [said, right.answer];
  return make("li", {}, ...richText(`Chapter ${Number(chapter)}, ${short}: you said ${yours}; it is ${came}.`));
}

function makeIntuition({ questions }, signal) {
  const host = make("div", {});
  function draw() {
    const compared = comparedOf(questions), numbers = compared.filter(({ type }) => type === "numeric");
    const kept = recall(), waiting = questions.filter(({ id }) => kept[id] && !kept[id].compared);
    const rest = waiting.length ? ` Kept, and not compared yet: ${waiting.length}.` : "";
    if (!compared.length) {
      host.replaceChildren(make("p", { role: "status" },
        `Nothing is compared yet.${rest} Each chapter begins with something to predict; this picture draws what you said there.`));
      return;
    }
    const choices = compared.filter(({ type }) => type !== "numeric");
    host.replaceChildren(make("p", { role: "status" }, summary(numbers, choices) + rest),
      ...(numbers.length ? [axisOf(numbers, Math.min(host.clientWidth || WIDEST, WIDEST))] : []), make("ul", { class: "vaelib-said" }, ...compared.map(lineOf)));
  }
  whenKept(draw, signal);
  redrawWith(host, onceAFrame(draw, signal), signal);
  draw();
  return host;
}
