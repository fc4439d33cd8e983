// Move weights by RMSprop as Keras has it, in one pass over the kernels' memory and four numbers at a time. This is a
// program for WebAssembly of its own: the library takes seven passes for it, and JavaScript takes one number at a time,
// which is ten times as slow.

const RHO = 0.9, EPSILON = 1e-7;

// move(weights, velocities, gradients, end of the weights; rho, 1 - rho, share, rate, epsilon): four addresses and five
// numbers.
function moveProgram() {
  const [weights, velocities, gradients, end, numbers] = [0, 1, 2, 3, 4];
  const [rho, rest, share, rate, epsilon, gradient] = [9, 10, 11, 12, 13, 14];
  return assembled([ADDRESS, ADDRESS, ADDRESS, ADDRESS, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER], 0, 6,
    [rho, rest, share, rate, epsilon].flatMap((local, i) => [...spread(numbers + i), ...set(local)]),
    loop(weights, end,
      load(gradients), get(share), mul, set(gradient),
      get(velocities), load(velocities), get(rho), mul, get(rest), get(gradient), mul, get(gradient), mul, add, store(),
      get(weights), load(weights), get(rate), get(gradient), mul,
      load(velocities), get(epsilon), add, sqrt, div, sub, store(),
      [weights, velocities, gradients].flatMap(address => advance(address, bytes(16)))));
}

// Move one number, with the same roundings.
function moveOne(w, v, gradient, i, [rho, rest, share, rate, epsilon]) {
  const round = Math.fround, g = round(gradient[i] * share);
  v[i] = round(round(v[i] * rho) + round(round(rest * g) * g));
  w[i] -= round(round(rate * g) / round(Math.sqrt(round(v[i] + epsilon))));
}

let move = null;

// Move weights against gradients times `share`. They change in place, so a kernel must not stand on the right of the
// library's own product, which keeps a copy of a right factor and would not notice.
function descend({ weights, velocities }, gradients, share, learningRate) {
  move ??= moveProgram();
  const numbers = [RHO, 1 - RHO, share, learningRate, EPSILON].map(Math.fround);
  for (const [name, gradient] of Object.entries(gradients)) {
    const [w, v, g] = [weights[name], velocities[name], gradient].map(memoryOf), fours = w.length - (w.length % 4);
    if (fours) move(w.byteOffset, v.byteOffset, g.byteOffset, w.byteOffset + 4 * fours, ...numbers);
    for (let i = fours; i < w.length; i++) moveOne(w, v, g, i, numbers);
  }
}
