// The dense VAE of vaelib/layers.py: one hidden tanh layer on either side. Vectors are Float32Arrays.

// x times the kernel, (inputs, outputs) row by row, plus the bias.
function dense(x, { kernel, bias }) {
  const out = Float32Array.from(bias.values), width = out.length, weights = kernel.values;
  for (let i = 0; i < x.length; i++) {
    // Most pixels of a digit are black.
    if (x[i] === 0) continue;
    for (let j = 0, k = i * width; j < width; j++, k++) out[j] += x[i] * weights[k];
  }
  return out;
}

// The posterior of an image of 784 pixels in [0, 1].
function encode(encoder, x) {
  const hidden = dense(x, encoder.hidden).map(Math.tanh);
  const logVar = dense(hidden, encoder.z_log_var);
  // The log of the variance: half of it is the log of the standard deviation.
  return { mean: dense(hidden, encoder.z_mean), logVar, std: logVar.map(value => Math.exp(0.5 * value)) };
}

// The logits of 784 pixels, of a z.
function decode(decoder, z) {
  return dense(dense(z, decoder.hidden).map(Math.tanh), decoder.logits);
}

function sigmoid(logits) {
  return logits.map(logit => 1 / (1 + Math.exp(-logit)));
}

// What the image costs in nats: summed over pixels and latent dimensions. The distortion is that of one z.
function nats(x, logits, { mean, logVar }) {
  let distortion = 0, rate = 0;
  for (let i = 0; i < x.length; i++) {
    distortion += Math.max(logits[i], 0) + Math.log1p(Math.exp(-Math.abs(logits[i]))) - x[i] * logits[i];
  }
  for (let j = 0; j < mean.length; j++) rate += 0.5 * (mean[j] ** 2 + Math.expm1(logVar[j]) - logVar[j]);
  return { distortion, rate, elbo: -(distortion + rate) };
}

// A z from the posterior; the noise is Box and Muller's.
function sampleFrom(mean, std) {
  return mean.map((value, j) => {
    const radius = Math.sqrt(-2 * Math.log(1 - Math.random()));
    return value + std[j] * radius * Math.cos(2 * Math.PI * Math.random());
  });
}

// The class that most of the nearest test digits have, and how many of them.
function neighbours(z, points, labels, count = 25) {
  const distances = Array.from(labels, (label, i) => {
    return [(points[2 * i] - z[0]) ** 2 + (points[2 * i + 1] - z[1]) ** 2, label];
  });
  const votes = new Uint32Array(10);
  for (const [, label] of distances.sort((a, b) => a[0] - b[0]).slice(0, count)) votes[label]++;
  const most = Math.max(...votes);
  return { digit: votes.indexOf(most), votes: most, count: Math.min(count, labels.length) };
}
