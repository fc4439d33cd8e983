// Make the form of one question: a number or a choice, a button, and a line that answers.

// Turn `code` in a text into elements, and keep numbers such as 1e-3 on one line.
function richText(text) {
  return text.split("`").flatMap((part, i) => (i % 2 ? [make("code", {}, part)] : unbroken(part)));
}

function unbroken(text) {
  return text.split(/(\d+e-\d+)/).map((part, i) => (i % 2 ? make("span", { class: "vaelib-numbers" }, part) : part));
}

function numberField({ question, unit }) {
  const input = make("input", { type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false" });
  const element = make("label", { class: "vaelib-asked" },
    make("span", {}, ...richText(question)), make("span", { class: "vaelib-amount" }, input, make("span", {}, unit)));
  return {
    element,
    read: () => (readNumber(input.value) === null ? null : input.value.trim()),
    write: said => { input.value = said; },
    lock: locked => { input.readOnly = locked; },
    complain: wrong => (wrong ? input.setAttribute("aria-invalid", "true") : input.removeAttribute("aria-invalid")),
    focus: () => input.focus(),
    problem: "A number is expected, such as 12, 0.5 or 1e-3.",
    name: said => `${said} ${unit}`,
  };
}

function choiceField({ id, question, answers }) {
  // Two forms of one question on a page are two groups.
  const group = `${id}-${Math.random().toString(36).slice(2)}`;
  const inputs = answers.map(({ answer }) => make("input", { type: "radio", name: group, value: answer }));
  const options = inputs.map(input => make("label", {}, input, make("span", {}, ...richText(input.value))));
  return {
    element: make("fieldset", { class: "vaelib-asked" }, make("legend", {}, ...richText(question)), ...options),
    read: () => inputs.find(input => input.checked)?.value ?? null,
    write: said => inputs.forEach(input => { input.checked = input.value === said; }),
    lock: locked => inputs.forEach(input => { input.disabled = locked; }),
    complain: () => {},
    focus: () => inputs[0].focus(),
    problem: "Choose one of the answers first.",
    name: said => `“${said.replaceAll("`", "")}”`,
  };
}

// Return what a reader is told: the state of the form, the line below it, and the text of the button, if there is one.
function reply(question, entry, name) {
  const { predict } = question;
  if (!entry) return { state: "open", line: "", button: predict ? "Keep my prediction" : "Answer" };
  const { correct, feedback } = judge(question, entry.said);
  if (!predict) {
    return { state: correct ? "right" : "wrong", line: `${correct ? "Right." : "Not quite."} ${feedback}`, button: "Answer" };
  }
  if (!entry.compared) {
    const line = `Kept: ${name(entry.said)}. You will see what comes out under “${predict.section}”. Compare when you are there.`;
    return { state: "kept", line, button: "Compare with what came out" };
  }
  const came = question.type === "numeric"
    ? `It is ${predict.value} ${question.unit}; you said ${entry.said}, ${distance(readNumber(entry.said), predict.value)}.`
    : `You said ${name(entry.said)}: ${correct ? "so it is." : "not so."}`;
  return { state: correct ? "right" : "wrong", line: `${came} ${feedback}`, button: null };
}

function makeQuestion(question, signal) {
  const field = question.type === "numeric" ? numberField(question) : choiceField(question);
  const button = make("button", { type: "submit" });
  const line = make("p", { class: "vaelib-reply", role: "status", tabindex: "-1" });
  const form = make("form", { class: "vaelib-question", novalidate: true, submit: answer, keydown: enter },
    field.element, button, line);
  const id = question.id;

  // Leave out what is kept of a question that has changed since.
  function kept() {
    const entry = recall()[id];
    return entry && typeof entry.said === "string" && judge(question, entry.said) ? entry : null;
  }
  function draw() {
    const entry = kept(), { state, line: text, button: label } = reply(question, entry, field.name);
    if (form.dataset.state !== state || state !== "open") field.write(entry?.said ?? "");
    form.dataset.state = state;
    field.complain(false);
    field.lock(Boolean(entry && question.predict));
    line.replaceChildren(...richText(text));
    button.textContent = label ?? "";
    // Leave the focus of the keyboard on what is there.
    if (label === null && document.activeElement === button) line.focus();
    button.hidden = label === null;
  }
  // Send it on Enter ourselves: JupyterLab keeps the browser from it.
  function enter(event) {
    if (event.key !== "Enter" || event.target === button) return;
    event.preventDefault();
    form.requestSubmit();
  }
  function answer(event) {
    event.preventDefault();
    const entry = kept();
    if (question.predict && entry) return keep(id, { ...entry, compared: true });
    const said = field.read();
    if (said !== null) return keep(id, { first: entry?.first ?? said, said });
    field.complain(true);
    line.replaceChildren(field.problem);
    field.focus();
  }
  whenKept(draw, signal);
  draw();
  return form;
}
