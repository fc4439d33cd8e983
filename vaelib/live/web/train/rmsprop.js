// Move weights by RMSprop as Keras has it, in one pass over the kernels' memory and four numbers at a time. This is a
// program for WebAssembly of its own: the library takes seven passes for it, and JavaScript takes one number at a time,
// which is ten times as slow.

const RHO = 0.9, EPSILON = 1e-7;

// Write the program: move(weights, velocities, gradients, end of the weights; rho, 1 - rho, share, rate, epsilon), four
// addresses in bytes and five numbers. Instructions by their codes (WebAssembly's specification 2.0, section 5.4).
function rmspropProgram() {
  const get = local => [0x20, local], set = local => [0x21, local], join = (...parts) => parts.flat();
  const [add, mul, sub, div, sqrt] = [0xe4, 0xe6, 0xe5, 0xe7, 0xe3].map(code => [0xfd, code, 1]);
  const load = address => join(get(address), 0xfd, 0, 2, 0), store = [0xfd, 11, 2, 0];
  const spread = (number, four) => join(get(number), 0xfd, 19, set(four));
  const advance = address => join(get(address), 0x41, 16, 0x6a, set(address));
  const [weights, velocities, gradients, end, numbers] = [0, 1, 2, 3, 4];
  const [rho, rest, share, rate, epsilon, gradient] = [9, 10, 11, 12, 13, 14];
  const body = join(
    [1, 6, 0x7b], // six locals of four numbers each
    [rho, rest, share, rate, epsilon].flatMap((four, i) => spread(numbers + i, four)),
    [0x03, 0x40], // loop
    load(gradients), get(share), mul, set(gradient),
    get(velocities), load(velocities), get(rho), mul, get(rest), get(gradient), mul, get(gradient), mul, add, store,
    get(weights), load(weights), get(rate), get(gradient), mul,
    load(velocities), get(epsilon), add, sqrt, div, sub, store,
    [weights, velocities, gradients].flatMap(advance),
    get(weights), get(end), 0x49, [0x0d, 0], // again while the address is below the end
    0x0b, 0x0b,
  );
  const sized = bytes => [(bytes.length & 127) | 128, bytes.length >> 7, ...bytes];
  const section = (number, ...bytes) => [number, ...sized(bytes.flat())];
  const text = word => [word.length, ...new TextEncoder().encode(word)];
  return Uint8Array.from(join(
    [0, 97, 115, 109, 1, 0, 0, 0],
    section(1, 1, 0x60, 9, [0x7f, 0x7f, 0x7f, 0x7f], [0x7d, 0x7d, 0x7d, 0x7d, 0x7d], 0),
    section(2, 1, text("kernels"), text("memory"), 2, 0, 0),
    section(3, 1, 0),
    section(7, 1, text("move"), 0, 0),
    section(10, 1, sized(body)),
  ));
}

// Move one number, with the same roundings.
function moveOne(w, v, gradient, i, [rho, rest, share, rate, epsilon]) {
  const round = Math.fround, g = round(gradient[i] * share);
  v[i] = round(round(v[i] * rho) + round(round(rest * g) * g));
  w[i] -= round(round(rate * g) / round(Math.sqrt(round(v[i] + epsilon))));
}

let move = null;

// Move weights against gradients times `share`. They change in place, so a kernel must not stand on the right of a
// product: the library keeps a packed copy of a right factor, and would not notice.
function descend({ weights, velocities }, gradients, share, learningRate) {
  if (!move) {
    const kernels = { memory: tf.backend().wasm.asm.memory };
    ({ move } = new WebAssembly.Instance(new WebAssembly.Module(rmspropProgram()), { kernels }).exports);
  }
  const numbers = [RHO, 1 - RHO, share, learningRate, EPSILON].map(Math.fround);
  for (const [name, gradient] of Object.entries(gradients)) {
    const [w, v, g] = [weights[name], velocities[name], gradient].map(memoryOf), fours = w.length - (w.length % 4);
    if (fours) move(w.byteOffset, v.byteOffset, g.byteOffset, w.byteOffset + 4 * fours, ...numbers);
    for (let i = fours; i < w.length; i++) moveOne(w, v, g, i, numbers);
  }
}
