// Keep two drawings, and walk between their posteriors.

// Make the part of the pad that keeps drawings. `current` returns {image, means} or null; `walked` is called when the walk
// has moved, begins or is left, and `ended` when it rests.
function makeKeeper(current, walked, ended, signal) {
  const kept = [null, null];
  let share = null;
  const images = ["A", "B"].map(name => imageCanvas(`Drawing ${name}`));
  const buttons = ["A", "B"].map((name, i) => {
    return make("button", { type: "button", click: () => keep(i) }, `Keep as ${name}`);
  });
  const slider = make("input", {
    type: "range", min: 0, max: 100, value: 0, disabled: true,
    input: () => { player.stop(); go(Number(slider.value) / 100); }, change: () => ended(),
  });
  const player = walkButton(go, ended, signal);
  player.button.disabled = true;
  const element = make("div", { class: "vaelib-keeper" },
    ...images.map((image, i) => make("figure", {}, image, buttons[i])),
    make("div", { class: "vaelib-way" }, labelled("from A to B", slider), player.button));

  function keep(i) {
    kept[i] = current();
    paint(images[i], kept[i]?.image ?? new Float32Array(SIDE * SIDE));
    player.stop();
    slider.disabled = player.button.disabled = !(kept[0] && kept[1]);
    leave();
  }
  function go(place) {
    share = place;
    slider.value = Math.round(100 * place);
    walked();
  }
  function leave() {
    player.stop();
    share = null;
    walked();
  }
  return {
    element, leave,
    // Return where the walk is in the plane of a network, or null.
    at: run => share === null ? null : {
      ends: kept.map(({ means }) => means[run]), z: between(kept[0].means[run], kept[1].means[run], share),
    },
  };
}
