// Tell one step in full for the first digit of its batch: what is encoded, drawn, decoded and corrected, and the truth.

// Sum over a lattice of the plane up to here, in steps of this size; decode this many nodes at once.
const REACH = 6, SPACING = 0.1, NODES = 2048;

// Return distortion, rate, posterior, z and decoded pixels of one image (1, 784) with given noise (2, 1).
function lookAt({ weights }, x, noise) {
  return tf.tidy(() => {
    const parts = forward(weights, x, noise), told = { ...parts, pixels: tf.sub(1, parts.black) };
    const list = name => [name, [...told[name].dataSync()]];
    return { ...costs(x, parts), ...Object.fromEntries(["mean", "std", "z", "pixels"].map(list)) };
  });
}

// Compute log p(x) and the true posterior by the sum over the lattice; `doubt` is what a lattice twice as coarse says
// differently, which is large where the posterior is narrower than the lattice can see.
function truthAbout({ weights }, x) {
  const side = Math.round((2 * REACH) / SPACING) + 1, axis = Array.from({ length: side }, (_, i) => -REACH + i * SPACING);
  const joint = new Float64Array(side * side);
  for (let begin = 0; begin < joint.length; begin += NODES) {
    const count = Math.min(NODES, joint.length - begin), points = new Float32Array(2 * count);
    for (let i = 0; i < count; i++) {
      points[i] = axis[(begin + i) % side];
      points[count + i] = axis[Math.floor((begin + i) / side)];
    }
    const likelihood = tf.tidy(() => {
      const { logits } = decoded(weights, tf.tensor(points, [LATENT, count])), black = tf.sigmoid(tf.neg(logits));
      return tf.sum(tf.add(tf.log(tf.maximum(black, SMALLEST)), tf.mul(x, logits)), 1).dataSync();
    });
    for (let i = 0; i < count; i++) {
      joint[begin + i] = likelihood[i] - 0.5 * (points[i] ** 2 + points[count + i] ** 2) - Math.log(2 * Math.PI);
    }
  }
  const most = joint.reduce((a, b) => Math.max(a, b));
  const density = Float32Array.from(joint, value => Math.exp(value - most));
  const sums = [0, 0, 0, 0];
  density.forEach((value, i) => { sums[(i % side) % 2 + 2 * (Math.floor(i / side) % 2)] += value; });
  const whole = sums.reduce((a, b) => a + b), logs = sums.map(sum => Math.log(4 * sum / whole));
  return {
    side, reach: REACH, density, logLikelihood: most + Math.log(whole) + 2 * Math.log(SPACING),
    doubt: Math.max(...logs) - Math.min(...logs),
  };
}
