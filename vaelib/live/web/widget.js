// Run in a notebook through anywidget: small data are the widget's traits, and Python sends large ones when asked.

// Wait so long for Python's answer, in milliseconds.
const PATIENCE_MS = 60_000;

function render({ model, el }) {
  const life = new AbortController(), found = {}, data = model.get("data");
  const source = name => {
    found[name] ??= name in data ? Promise.resolve(unpack(name, data[name])) : askPython(model, name, life.signal);
    // Ask again next time where there was no answer.
    found[name].catch(() => delete found[name]);
    return found[name];
  };
  const host = make("div", {});
  el.append(host);
  show(host, model.get("kind"), source, { again: "run its cell again" }, life.signal);
  return () => life.abort();
}

function askPython(model, name, signal) {
  return new Promise((resolve, reject) => {
    const hear = message => { if (message.part === name) finish(resolve, message.value); };
    const late = setTimeout(() => finish(reject, new Error(
      "The notebook's kernel does not answer: it is busy with a cell, or it is not running. Run this cell again then.",
    )), PATIENCE_MS);
    function finish(settle, value) {
      clearTimeout(late);
      model.off("msg:custom", hear);
      settle(value);
    }
    model.on("msg:custom", hear);
    signal.addEventListener("abort", () => finish(reject, new Error("The cell is closed.")));
    model.send({ part: name });
  });
}
