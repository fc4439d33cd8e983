// Put questions, or the picture of a reader's intuition, where they belong.

function showExercise(host, { kind, title, note, questions }, signal) {
  const inner = kind === "intuition"
    ? [makeIntuition({ questions }, signal)]
    : questions.map(question => makeQuestion(question, signal));
  const again = make("button", { type: "button", class: "vaelib-again", click: () => forget(questions.map(({ id }) => id)) },
    kind === "intuition" ? "Forget all that I predicted" : "Start over");
  const offer = () => {
    const kept = recall(), some = questions.some(({ id }) => id in kept);
    if (!some && document.activeElement === again) host.querySelector("input")?.focus();
    again.hidden = !some;
  };
  host.classList.add("vaelib-live", "vaelib-exercise");
  host.replaceChildren(make("p", { class: "vaelib-purpose" }, make("strong", {}, title), ` ${note}`), ...inner, again);
  whenKept(offer, signal);
  offer();
  host.setAttribute("data-state", "ready");
}
