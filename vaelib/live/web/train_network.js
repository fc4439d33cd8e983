// Give a trained network to the explorer and the pad, in the layout of the book's own.

// Turn a matrix of `rows` rows, row after row.
function transposed(values, rows) {
  const columns = values.length / rows, turned = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) turned[(i % columns) * rows + Math.floor(i / columns)] = values[i];
  return turned;
}

// Write trained weights as kernels (inputs, outputs), and two heads.
function layersOf(w, hidden) {
  const layer = (kernel, bias) => ({
    kernel: { shape: [kernel.length / bias.length, bias.length], values: kernel },
    bias: { shape: [bias.length], values: bias },
  });
  const head = from => {
    const rows = w.headsKernel.subarray(from * hidden, (from + 2) * hidden);
    return layer(transposed(rows, 2), w.headsBias.subarray(from, from + 2));
  };
  const [encoderHidden, decoderHidden] = [w.encoderKernel, w.decoderKernel].map(kernel => transposed(kernel, hidden));
  const logits = transposed(w.logitsKernel, w.logitsBias.length);
  return {
    encoder: { hidden: layer(encoderHidden, w.encoderBias), z_mean: head(0), z_log_var: head(2) },
    decoder: { hidden: layer(decoderHidden, w.decoderBias), logits: layer(logits, w.logitsBias) },
  };
}

// Return the quartiles of what the digits of each class, and all of them, cost: distortion, rate and ELBO.
function quartilesOf(labels, { distortions, rates }) {
  const of = (some, price) => {
    const sorted = some.map(price).sort((a, b) => a - b);
    return [0.25, 0.5, 0.75].map(share => sorted[Math.round(share * (sorted.length - 1))]);
  };
  const prices = [i => distortions[i], i => rates[i], i => -(distortions[i] + rates[i])];
  const all = [...labels.keys()], classes = Array.from({ length: 10 }, (_, digit) => all.filter(i => labels[i] === digit));
  return [...classes, all].map(some => (some.length ? prices.map(price => of(some, price)) : null));
}

// Return how far the posterior of another digit is for 99 % of the z that are drawn for a digit, in its own standard
// deviations, as `vaelib.live.measures.reach` does.
function reachOf({ means, stds, draws }) {
  const nearest = Array.from({ length: draws.length / 2 }, (_, i) => {
    let least = Infinity;
    for (let j = 0; j < means.length; j += 2) {
      if (j === 2 * i) continue;
      const across = (draws[2 * i] - means[j]) / stds[j], up = (draws[2 * i + 1] - means[j + 1]) / stds[j + 1];
      least = Math.min(least, Math.hypot(across, up));
    }
    return least;
  });
  return nearest.sort((a, b) => a - b)[Math.floor(0.99 * nearest.length)];
}

// Serve a trained network, as the worker described it, as the book's own runs are served; `labels` is a text of the test
// digits' classes.
async function trainedSource(source, weights, described, labels, { hidden, label }) {
  const { examples } = await source("digits"), { means, stds, softplus } = described;
  const { encoder, decoder } = layersOf(weights, hidden), classes = Uint8Array.from(labels);
  const found = {
    runs: [{ label }], digits: { examples, labels: { shape: [classes.length], values: classes } },
    prices: { quartiles: [quartilesOf(classes, described)] }, "softplus-0": softplus,
    "points-0": { mean: { values: means }, std: { values: stds }, reach: reachOf(described) },
    "encoder-0": encoder, "decoder-0": decoder,
  };
  return async name => found[name];
}
