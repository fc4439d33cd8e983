// Run in a notebook through anywidget: the data are the widget's traits.

function render({ model, el }) {
  const life = new AbortController(), found = {};
  const source = name => (found[name] ??= Promise.resolve(unpack(name, model.get("data")[name])));
  const host = make("div", {});
  el.append(host);
  show(host, model.get("kind"), source, { again: "run its cell again" }, life.signal);
  return () => life.abort();
}
