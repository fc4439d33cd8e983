// Train the dense VAE of vaelib/models.py: one hidden tanh layer each way, Bernoulli pixels, a diagonal Gaussian
// posterior, RMSprop as Keras has it.
//
// The products, transposes and some formulas are ours (product.js, transposed.js, elementwise.js), and the gradients are
// written out. What goes through the network are columns, (units, batch), so that kernels stand on the left of products,
// turned or not.

const NUM_PIXELS = 784, LATENT = 2;
// Keep the logarithm of a probability finite: the smallest normal number, which changes none that is larger than 1e-30.
const SMALLEST = 2 ** -126;
// Number what is drawn at random: the layers at the start, and far above them the steps.
const FIRST_STEP = 1000;

// Return the shapes of the weights: kernels (outputs, inputs), biases as columns. The four outputs of the heads are two
// means and two log-variances.
function shapesOf(hidden) {
  return {
    encoderKernel: [hidden, NUM_PIXELS], encoderBias: [hidden, 1],
    headsKernel: [2 * LATENT, hidden], headsBias: [2 * LATENT, 1],
    decoderKernel: [hidden, LATENT], decoderBias: [hidden, 1],
    logitsKernel: [NUM_PIXELS, hidden], logitsBias: [NUM_PIXELS, 1],
  };
}

// Draw Glorot-uniform kernels, and biases of zero, as Keras does; the two heads are layers of their own.
function firstWeights(hidden, seed) {
  return Object.fromEntries(Object.entries(shapesOf(hidden)).map(([name, [rows, columns]], place) => {
    if (name.endsWith("Bias")) return [name, new Float32Array(rows * columns)];
    const fans = name === "headsKernel" ? LATENT + hidden : rows + columns, limit = Math.sqrt(6 / fans);
    return [name, uniforms(rows * columns, seed, place).map(value => limit * (2 * value - 1))];
  }));
}

// Put weights, and what RMSprop remembers of their gradients, into the kernels' memory.
function createNetwork(hidden, weights, velocities = null) {
  const shapes = Object.entries(shapesOf(hidden));
  const tensors = values => Object.fromEntries(shapes.map(([name, shape]) => [name, tf.tensor(values[name], shape)]));
  const zeros = () => Object.fromEntries(shapes.map(([name, shape]) => [name, tf.zeros(shape)]));
  return { hidden, weights: tensors(weights), velocities: velocities ? tensors(velocities) : zeros() };
}

// Copy the weights, and what RMSprop remembers, out of the kernels' memory.
function readNetwork({ weights, velocities }) {
  const copy = tensors => Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, tensor.dataSync()]));
  return { weights: copy(weights), velocities: copy(velocities) };
}

function disposeNetwork({ weights, velocities }) {
  tf.dispose([Object.values(weights), Object.values(velocities)]);
}

// Draw standard normal noise (2, count) for a step, by Box and Muller with the kernels' own logarithm and cosine:
// a browser's may differ in the last digit.
function noiseFor(count, seed, step) {
  return tf.tidy(() => {
    const both = uniforms(2 * LATENT * count, seed, FIRST_STEP + step), half = LATENT * count;
    const radius = tf.sqrt(tf.mul(tf.log(tf.tensor(both.subarray(0, half), [LATENT, count])), -2));
    return tf.mul(radius, tf.cos(tf.mul(tf.tensor(both.subarray(half), [LATENT, count]), 2 * Math.PI)));
  });
}

// Compute a layer's tanh by the library's sigmoid, whose kernel is eight times as fast as its tanh.
function tanhLayer(kernel, columns, bias, sparse = false) {
  return tanhOf(tf.sigmoid(layer(kernel, columns, bias, { factor: 2, sparse })));
}

// tanh(x) of sigmoid(2x).
const tanhOf = elementwise(1, [...load(0), ...four(2), ...mul, ...four(1), ...sub]);
// The gradient before a tanh, of that behind it and of the tanh itself.
const behindTanh = elementwise(2, [...load(0), ...four(1), ...load(1), ...load(1), ...mul, ...sub, ...mul]);
// The gradient of a logit, of the probability that its pixel is black and of the pixel.
const behindLogit = elementwise(2, [...four(1), ...load(0), ...sub, ...load(1), ...sub]);
// The price of a pixel, of the probability that it is black, the pixel and its logit.
const priceOf = elementwise(3, [
  ...load(0), ...four(SMALLEST), ...add, ...log(5, 6), ...load(1), ...load(2), ...mul, ...add, ...neg,
], 2);

// Decode z (2, batch) to what the hidden layer tells, (units, batch), and to logits (784, batch).
function decoded(w, z) {
  const told = tanhLayer(w.decoderKernel, z, w.decoderBias);
  return { told, logits: layer(w.logitsKernel, told, w.logitsBias) };
}

// Run images (batch, 784) through the network; return every part that the gradients need, images and posteriors as
// columns.
function forward(w, x, noise) {
  const columns = transposed(x), seen = tanhLayer(w.encoderKernel, columns, w.encoderBias, true);
  const heads = layer(w.headsKernel, seen, w.headsBias);
  const mean = tf.slice(heads, [0, 0], [LATENT, -1]), logVar = tf.slice(heads, [LATENT, 0], [LATENT, -1]);
  const std = tf.exp(tf.mul(logVar, 0.5)), spread = tf.mul(std, noise), z = tf.add(mean, spread);
  const { told, logits } = decoded(w, z);
  // The probability that a pixel is black: its logarithm is minus softplus(logits), five times as fast.
  return { columns, seen, mean, logVar, std, spread, z, told, logits, black: tf.sigmoid(tf.neg(logits)) };
}

// Compute what each pixel costs, (784, batch), and twice what each latent dimension does, (2, batch), in nats.
function prices({ columns, mean, logVar, logits, black }) {
  return {
    pixels: priceOf(black, columns, logits),
    latents: tf.sub(tf.add(tf.square(mean), tf.expm1(logVar)), logVar),
  };
}

// Compute the logarithm of probabilities. (The library's maximum takes six times as long as its sum.)
function logOf(probabilities) {
  return tf.log(tf.add(probabilities, SMALLEST));
}

// Sum distortion and rate over a batch, in nats: each row first, which is as fast as at once and rounds less.
function costs(parts) {
  const [pixels, latents] = Object.values(prices(parts)).map(part => tf.sum(tf.sum(part, 1)));
  return { distortion: pixels.dataSync()[0], rate: 0.5 * latents.dataSync()[0] };
}

// Compute the gradient of the sum over the batch of distortion + beta * rate.
function gradients(w, x, { columns, seen, mean, logVar, spread, z, told, black }, beta) {
  const sums = part => tf.sum(part, 1, true);
  const gLogits = behindLogit(black, columns);
  const gTold = behindTanh(product(w.logitsKernel, gLogits, { turned: true }), told);
  const gZ = product(w.decoderKernel, gTold, { turned: true });
  const gMean = tf.add(gZ, tf.mul(mean, beta));
  const gLogVar = tf.mul(tf.add(tf.mul(gZ, spread), tf.mul(tf.expm1(logVar), beta)), 0.5);
  const gHeads = tf.concat([gMean, gLogVar], 0);
  const gSeen = behindTanh(product(w.headsKernel, gHeads, { turned: true }), seen);
  return {
    encoderKernel: product(gSeen, x, { sparse: true }), encoderBias: sums(gSeen),
    headsKernel: product(gHeads, transposed(seen)), headsBias: sums(gHeads),
    decoderKernel: product(gTold, transposed(z)), decoderBias: sums(gTold),
    logitsKernel: product(gLogits, transposed(told)), logitsBias: sums(gLogits),
  };
}

// Take one step on images (batch, 784) in [0, 1]; return sums over the batch, and its first posterior.
function trainStep(network, x, noise, beta, learningRate) {
  return tf.tidy(() => {
    const parts = forward(network.weights, x, noise), sums = costs(parts);
    const first = tensor => { const values = tensor.dataSync(); return [values[0], values[values.length / LATENT]]; };
    const posterior = [...first(parts.mean), ...first(parts.std)];
    descend(network, gradients(network.weights, x, parts, beta), 1 / x.shape[0], learningRate);
    return { ...sums, posterior };
  });
}

// Sum the costs of images without learning.
function evaluate(network, x, noise) {
  return tf.tidy(() => costs(forward(network.weights, x, noise)));
}

// Decode points of the plane, one after another, to pixels from 0 to 255.
function decodedPixels({ weights }, points) {
  return tf.tidy(() => {
    const z = tf.transpose(tf.tensor(points, [points.length / LATENT, LATENT]));
    const shares = tf.transpose(tf.sigmoid(decoded(weights, z).logits)).dataSync();
    const pixels = new Uint8Array(shares.length);
    for (let i = 0; i < shares.length; i++) pixels[i] = Math.round(255 * shares[i]);
    return pixels;
  });
}
