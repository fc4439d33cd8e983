// Compute the dense VAE of vaelib/layers.py: one hidden tanh layer on each side. Vectors are Float32Arrays.

// Multiply x by the kernel, (inputs, outputs) in row-major order, and add the bias.
function dense(x, { kernel, bias }) {
  const out = bias.values.slice(), width = out.length, weights = kernel.values;
  // Take four inputs at a time, for a pass over the outputs costs more than its products; the rest one by one.
  const whole = x.length - (x.length % 4);
  for (let i = 0; i < whole; i += 4) {
    const a = x[i], b = x[i + 1], c = x[i + 2], d = x[i + 3];
    // Skip black pixels: most of a digit's are.
    if (a === 0 && b === 0 && c === 0 && d === 0) continue;
    for (let j = 0, k = i * width; j < width; j++, k++) {
      out[j] += a * weights[k] + b * weights[k + width] + c * weights[k + 2 * width] + d * weights[k + 3 * width];
    }
  }
  for (let i = whole; i < x.length; i++) {
    for (let j = 0, k = i * width; j < width; j++, k++) out[j] += x[i] * weights[k];
  }
  return out;
}

// Encode 784 pixels in [0, 1] to the posterior.
function encode(encoder, x) {
  const hidden = dense(x, encoder.hidden).map(Math.tanh);
  const logVar = dense(hidden, encoder.z_log_var);
  // Halve the log of the variance: that is the log of the standard deviation.
  return { mean: dense(hidden, encoder.z_mean), logVar, std: logVar.map(value => Math.exp(0.5 * value)) };
}

// Decode z to the logits of 784 pixels.
function decode(decoder, z) {
  return dense(dense(z, decoder.hidden).map(Math.tanh), decoder.logits);
}

function sigmoid(logits) {
  return logits.map(logit => 1 / (1 + Math.exp(-logit)));
}

// Compute log(1 + exp(logit)) without overflow.
function softplus(logit) {
  return Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit)));
}

// Compute each pixel's part of the distortion of one z, in nats.
function pixelCosts(x, logits) {
  return logits.map((logit, i) => softplus(logit) - x[i] * logit);
}

// Add up distortion and rate in nats, over pixels and latent dimensions.
function nats(costs, { mean, logVar }) {
  let rate = 0;
  const distortion = costs.reduce((sum, cost) => sum + cost, 0);
  for (let j = 0; j < mean.length; j++) rate += 0.5 * (mean[j] ** 2 + Math.expm1(logVar[j]) - logVar[j]);
  return { distortion, rate, elbo: -(distortion + rate) };
}

// Sample z from the posterior, with Box-Muller noise.
function sampleFrom(mean, std) {
  return mean.map((value, j) => {
    const radius = Math.sqrt(-2 * Math.log(1 - Math.random()));
    return value + std[j] * radius * Math.cos(2 * Math.PI * Math.random());
  });
}

// Find the class of most of the nearest test digits, and how many of them have it.
function neighbours(z, points, labels, count = 25) {
  // Keep the nearest so far in their order: to sort all of them would take longer than to decode.
  const nearest = [];
  for (let i = 0; i < labels.length; i++) {
    const square = (points[2 * i] - z[0]) ** 2 + (points[2 * i + 1] - z[1]) ** 2;
    if (nearest.length === count && square >= nearest[count - 1].square) continue;
    const place = nearest.findIndex(other => square < other.square);
    nearest.splice(place < 0 ? nearest.length : place, 0, { square, label: labels[i] });
    if (nearest.length > count) nearest.pop();
  }
  const votes = new Uint32Array(10);
  for (const { label } of nearest) votes[label]++;
  const most = Math.max(...votes);
  return { digit: votes.indexOf(most), votes: most, count: Math.min(count, labels.length) };
}

// Find the posterior that is nearest to z, in units of its own standard deviations.
function nearestPosterior(z, { mean, std }) {
  const middles = mean.values, widths = std.values;
  let least = Infinity, index = 0;
  for (let i = 0; i < middles.length; i += 2) {
    const square = ((z[0] - middles[i]) / widths[i]) ** 2 + ((z[1] - middles[i + 1]) / widths[i + 1]) ** 2;
    if (square < least) [least, index] = [square, i / 2];
  }
  return { distance: Math.sqrt(least), index };
}

// Mix two points.
function between(from, to, share) {
  return from.map((value, j) => value + share * (to[j] - value));
}
