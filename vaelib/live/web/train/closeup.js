// Tell one step in full for the first digit of its batch, and a trained network in full for the explorer and the pad.

// Sum over a lattice of the plane up to here, in steps of this size; decode this many nodes at once.
const REACH = 7, SPACING = 0.1, NODES = 2048;

// Return distortion, rate, posterior, z and decoded pixels of one image (1, 784) with given noise (2, 1).
function lookAt({ weights }, x, noise) {
  return tf.tidy(() => {
    const parts = forward(weights, x, noise), told = { ...parts, pixels: tf.sub(1, parts.black) };
    const list = name => [name, [...told[name].dataSync()]];
    return { ...costs(parts), ...Object.fromEntries(["mean", "std", "z", "pixels"].map(list)) };
  });
}

// Return a number for each node of a lattice, from low z_1 to high and then up: what `sumOf` makes of the logits
// (784, nodes) and of the logarithm of the probabilities that their pixels are black.
function overLattice({ weights }, sumOf) {
  const side = Math.round((2 * REACH) / SPACING) + 1, values = new Float32Array(side * side);
  for (let begin = 0; begin < values.length; begin += NODES) {
    const count = Math.min(NODES, values.length - begin), points = new Float32Array(2 * count);
    for (let i = 0; i < count; i++) {
      points[i] = -REACH + SPACING * ((begin + i) % side);
      points[count + i] = -REACH + SPACING * Math.floor((begin + i) / side);
    }
    values.set(tf.tidy(() => {
      const { logits } = decoded(weights, tf.tensor(points, [LATENT, count])), black = tf.sigmoid(tf.neg(logits));
      return sumOf(logits, logOf(black)).dataSync();
    }), begin);
  }
  return { side, values };
}

// Compute log p(x) and the true posterior by the sum over the lattice; `doubt` is what a lattice twice as coarse says
// differently, which is large where the posterior is narrower than the lattice can see.
function truthAbout(network, x) {
  const ofNodes = (logits, black) => tf.sum(tf.add(black, tf.mul(tf.transpose(x), logits)), 0);
  const { side, values } = overLattice(network, ofNodes);
  const place = index => -REACH + SPACING * index;
  const joint = Float64Array.from(values, (value, i) => {
    return value - 0.5 * (place(i % side) ** 2 + place(Math.floor(i / side)) ** 2) - Math.log(2 * Math.PI);
  });
  const most = joint.reduce((a, b) => Math.max(a, b));
  const density = Float32Array.from(joint, value => Math.exp(value - most)), sums = [0, 0, 0, 0];
  density.forEach((value, i) => { sums[(i % side) % 2 + 2 * (Math.floor(i / side) % 2)] += value; });
  const whole = sums.reduce((a, b) => a + b), logs = sums.map(sum => Math.log((4 * sum) / whole));
  return {
    side, reach: REACH, density, logLikelihood: most + Math.log(whole) + 2 * Math.log(SPACING),
    doubt: Math.max(...logs) - Math.min(...logs),
  };
}

// Return what the explorer and the pad show of a network: the posteriors of images, one z drawn from each as a step of
// training draws it, what that costs, and for the true posterior the sums of softplus(logits) over pixels on the lattice.
function describe(network, images, noiseOf, batchSize) {
  const count = images.length / NUM_PIXELS, pairs = () => new Float32Array(2 * count);
  const [means, stds, draws] = [pairs(), pairs(), pairs()];
  const distortions = new Float32Array(count), rates = new Float32Array(count);
  for (let begin = 0; begin < count; begin += batchSize) {
    const end = Math.min(begin + batchSize, count), x = batchOf(images, begin, end), noise = noiseOf(begin, end);
    tf.tidy(() => {
      const parts = forward(network.weights, x, noise), { pixels, latents } = prices(parts);
      means.set(tf.transpose(parts.mean).dataSync(), 2 * begin);
      stds.set(tf.transpose(parts.std).dataSync(), 2 * begin);
      draws.set(tf.transpose(parts.z).dataSync(), 2 * begin);
      distortions.set(tf.sum(pixels, 0).dataSync(), begin);
      rates.set(tf.mul(tf.sum(latents, 0), 0.5).dataSync(), begin);
    });
    tf.dispose([x, noise]);
  }
  const { side, values } = overLattice(network, (_, black) => tf.neg(tf.sum(black, 0)));
  return { means, stds, draws, distortions, rates, softplus: { limit: REACH, lattice: { shape: [side, side], values } } };
}
