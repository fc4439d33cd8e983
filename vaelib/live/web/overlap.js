// Lay a one-dimensional posterior over the prior: the reader moves its mean and width, and sees the KL and its terms.

const OVERLAP_EDGE = 4, OVERLAP_POINTS = 400;
// Let the width go from a tenth of the prior's to three times it, by its logarithm.
const NARROWEST = -2.3, WIDEST = 1.1;

// Return KL(N(mean, exp(2 logStd)) ‖ N(0, 1)) in nats, and its parts: they add up to it.
function klOf(mean, logStd) {
  const variance = Math.exp(2 * logStd);
  const parts = { place: mean ** 2 / 2, width: (variance - 1) / 2, logarithm: -logStd };
  return { ...parts, total: parts.place + parts.width + parts.logarithm };
}

async function overlap(host, source, options, signal) {
  const state = { mean: 1, logStd: -0.7 };
  const control = (name, text, low, high) => {
    const output = make("output", { class: "vaelib-numbers" });
    const slider = make("input", {
      type: "range", min: low, max: high, step: 0.05, value: state[name],
      input: () => { state[name] = Number(slider.value); redraw(); }, change: speak,
    });
    return { name, slider, output, row: make("div", { class: "vaelib-scrubber" }, labelled(text, slider), output) };
  };
  const mean = control("mean", "mean μ", -3, 3), width = control("logStd", "width, log σ", NARROWEST, WIDEST);
  const canvas = make("canvas", { class: "vaelib-overlap", role: "img" });
  const total = make("strong", { class: "vaelib-numbers" }), terms = make("span", {});
  const spoken = speaker();
  host.replaceChildren(canvas, mean.row, width.row, make("p", {}, total, make("br"), terms), spoken);

  const draw = whenShown(host, () => {
    const kl = klOf(state.mean, state.logStd), std = Math.exp(state.logStd);
    drawOverlap(canvas, state.mean, std, coloursOf(host));
    total.textContent = `KL ${signed(kl.total)} nats`;
    terms.textContent = [
      ["½ μ²", kl.place], ["½ (σ² − 1)", kl.width], ["−log σ", kl.logarithm],
    ].map(([name, nats]) => `${name}: ${signed(nats)}`).join(", ");
    canvas.setAttribute("aria-label", `The prior N(0, 1) and a posterior of mean ${signed(state.mean)} and width ` +
      `${signed(std)}; ${total.textContent} between them.`);
    mean.output.textContent = signed(state.mean);
    width.output.textContent = `${signed(state.logStd)}, σ ${signed(std)}`;
    for (const { name, slider, output } of [mean, width]) {
      slider.value = state[name];
      slider.setAttribute("aria-valuetext", output.textContent);
    }
  });
  const redraw = onceAFrame(draw, signal);
  function speak() {
    draw();
    spoken.textContent = `${total.textContent} ${terms.textContent}`;
  }
  redrawWith(host, redraw, signal);
  redraw.now();
  host.live = {
    go: wish => { Object.assign(state, wish); redraw(); },
    read: () => ({ ...state, ...klOf(state.mean, state.logStd) }),
  };
}

// Draw both densities, the higher one as high as the picture, and what both cover filled.
function drawOverlap(canvas, mean, std, colours) {
  const context = contextOf(canvas), { clientWidth: width, clientHeight: height } = canvas, bottom = height - 20;
  const density = (z, at, scale) => Math.exp(-(((z - at) / scale) ** 2) / 2) / (scale * Math.sqrt(2 * Math.PI));
  const prior = z => density(z, 0, 1), posterior = z => density(z, mean, std);
  const highest = Math.max(prior(0), posterior(mean));
  const x = z => ((z + OVERLAP_EDGE) / (2 * OVERLAP_EDGE)) * width, y = high => bottom - (high / highest) * (bottom - 24);
  const trace = curve => {
    context.beginPath();
    for (let i = 0; i <= OVERLAP_POINTS; i++) {
      const z = OVERLAP_EDGE * ((2 * i) / OVERLAP_POINTS - 1);
      context.lineTo(x(z), y(curve(z)));
    }
  };
  context.clearRect(0, 0, width, height);
  trace(z => Math.min(prior(z), posterior(z)));
  context.fillStyle = colours.faint;
  context.fill();
  for (const [curve, strokeStyle, dash, lineWidth] of [[prior, colours.text, [], 2], [posterior, colours.runs[0], DASHES[1], 2.5]]) {
    trace(curve);
    context.setLineDash(dash);
    Object.assign(context, { strokeStyle, lineWidth });
    context.stroke();
  }
  context.setLineDash([]);
  context.fillStyle = colours.text;
  context.fillRect(0, bottom, width, 1);
  for (const z of [-3, 0, 3]) write(context, tick(z), x(z), bottom + 4, colours, "center", "top");
  write(context, "prior: solid", 6, 4, colours, "left", "top");
  write(context, "posterior: dashed", width - 6, 4, colours, "right", "top");
}
