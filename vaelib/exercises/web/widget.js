// Run in a notebook through anywidget: what is asked is the widget's trait.

function render({ model, el }) {
  const life = new AbortController(), host = make("div", {});
  el.append(host);
  showExercise(host, model.get("data"), life.signal);
  return () => life.abort();
}
