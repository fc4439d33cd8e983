// Draw what a training does: the posteriors of an epoch so far, and the digits of the whole plane.

// Show the plane up to one of these.
const TRAIN_LIMITS = [2, 3, 4, 6, 9, 14];

// Draw posteriors, four numbers each; start over where there are fewer than before or where they do not fit.
function drawTrainPanel(panel, posteriors, numBatches, colours) {
  const { canvas } = panel, size = canvas.clientWidth, context = contextOf(canvas), count = posteriors.length / 4;
  const far = posteriors.reduce((most, value, i) => (i % 4 < 2 ? Math.max(most, Math.abs(value) + posteriors[i + 2]) : most), 1.9);
  const limit = TRAIN_LIMITS.find(most => most >= far) ?? TRAIN_LIMITS.at(-1), key = [limit, canvas.width, ...Object.values(colours)].join();
  const ink = panel.ink.getContext("2d");
  if (key !== panel.key || count < panel.drawn) {
    Object.assign(panel.ink, { width: canvas.width, height: canvas.height });
    Object.assign(panel, { key, drawn: 0 });
  }
  ink.setTransform(context.getTransform());
  const plane = planeOf(ink, size, limit);
  for (; panel.drawn < count; panel.drawn++) {
    const [m1, m2, s1, s2] = posteriors.slice(4 * panel.drawn, 4 * panel.drawn + 4);
    ink.strokeStyle = rainbow(panel.drawn / Math.max(numBatches - 1, 1), colours);
    ink.lineWidth = 1.2;
    drawPosterior(plane, [m1, m2], [s1, s2]);
  }
  context.clearRect(0, 0, size, size);
  if (panel.ink.width) context.drawImage(panel.ink, 0, 0, size, size);
  const front = planeOf(context, size, limit);
  drawPrior(front, colours);
  drawScale(front, colours);
}

// Paint a square of digits from bytes, 784 each, as ink on paper.
function paintGrid(canvas, pixels) {
  const side = Math.sqrt(pixels.length / (SIDE * SIDE)), context = canvas.getContext("2d");
  const picture = context.createImageData(side * SIDE, side * SIDE);
  for (let i = 0; i < pixels.length; i++) {
    const digit = Math.floor(i / (SIDE * SIDE)), row = Math.floor((i % (SIDE * SIDE)) / SIDE), column = i % SIDE;
    const place = 4 * ((Math.floor(digit / side) * SIDE + row) * side * SIDE + (digit % side) * SIDE + column);
    picture.data.fill(255 - pixels[i], place, place + 3);
    picture.data[place + 3] = 255;
  }
  context.putImageData(picture, 0, 0);
}

// Turn a matrix of `rows` rows, row after row.
function transposed(values, rows) {
  const columns = values.length / rows, turned = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) turned[(i % columns) * rows + Math.floor(i / columns)] = values[i];
  return turned;
}

// Write trained weights as the book's own are: kernels (inputs, outputs), and two heads.
function layersOf(w, hidden) {
  const layer = (kernel, bias) => ({
    kernel: { shape: [kernel.length / bias.length, bias.length], values: kernel }, bias: { shape: [bias.length], values: bias },
  });
  const head = from => {
    const [kernel, bias] = [w.headsKernel.subarray(from * hidden, (from + 2) * hidden), w.headsBias.subarray(from, from + 2)];
    return layer(transposed(kernel, 2), bias);
  };
  return {
    encoder: { hidden: layer(transposed(w.encoderKernel, hidden), w.encoderBias), z_mean: head(0), z_log_var: head(2) },
    decoder: { hidden: layer(transposed(w.decoderKernel, hidden), w.decoderBias), logits: layer(w.logitsKernel, w.logitsBias) },
  };
}

// Serve a trained network to the explorer and the pad, as the book's own runs are served.
async function trainedSource(source, weights, hidden, label, testImages) {
  const { labels, ...digits } = await source("digits"), count = Math.min(testImages.length / 784, labels.values.length);
  const { encoder, decoder } = layersOf(weights, hidden);
  const points = new Float32Array(2 * count);
  for (let i = 0; i < count; i++) {
    points.set(encode(encoder, Float32Array.from(testImages.subarray(784 * i, 784 * (i + 1)), value => value / 255)).mean, 2 * i);
  }
  const found = {
    runs: [{ label }], digits: { ...digits, labels: { shape: [count], values: labels.values.subarray(0, count) } },
    "points-0": { shape: [count, 2], values: points }, "encoder-0": encoder, "decoder-0": decoder,
  };
  return async name => found[name];
}
