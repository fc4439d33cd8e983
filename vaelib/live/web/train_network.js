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
  return {
    encoder: { hidden: layer(encoderHidden, w.encoderBias), z_mean: head(0), z_log_var: head(2) },
    decoder: { hidden: layer(decoderHidden, w.decoderBias), logits: layer(w.logitsKernel, w.logitsBias) },
  };
}

// Serve a trained network as the book's own runs are served.
async function trainedSource(source, weights, hidden, label, testImages) {
  const { labels, ...digits } = await source("digits"), count = Math.min(testImages.length / 784, labels.values.length);
  const { encoder, decoder } = layersOf(weights, hidden), points = new Float32Array(2 * count);
  for (let i = 0; i < count; i++) {
    const image = Float32Array.from(testImages.subarray(784 * i, 784 * (i + 1)), value => value / 255);
    points.set(encode(encoder, image).mean, 2 * i);
  }
  const found = {
    runs: [{ label }], digits: { ...digits, labels: { shape: [count], values: labels.values.subarray(0, count) } },
    "points-0": { shape: [count, 2], values: points }, "encoder-0": encoder, "decoder-0": decoder,
  };
  return async name => found[name];
}
