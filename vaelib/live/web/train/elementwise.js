// Compute formulas of tensors element by element, in one pass: the library takes a pass for each operation.

// Return a function of tensors of one shape, of four elements at least. Its formula leaves four numbers, made of those
// that lie at the addresses 0, 1, …; it rounds where the library's operations would. It may use so many locals for fours,
// which come after the addresses of what is made and of its end.
function elementwise(count, formula, fours = 0) {
  const to = count, end = count + 1, addresses = [...Array(count + 1).keys()];
  let run = null;
  return (...tensors) => {
    run ??= assembled(Array(count + 2).fill(ADDRESS), 0, fours, loop(to, end,
      get(to), formula, store(), addresses.flatMap(address => advance(address, bytes(16)))));
    const made = emptyTensor(tensors[0].shape), { size } = made;
    const places = [...tensors, made].map(tensor => memoryOf(tensor).byteOffset);
    // Compute the last four again where four do not divide the size.
    for (const [first, last] of [[0, size - (size % 4)], [size - 4, size]]) {
      run(...places.map(place => place + 4 * first), places[count] + 4 * last);
    }
    return made;
  };
}

// Coefficients of log(1 + f) - f + f² / 2 over f³, from the highest power of f, and log 2 in two parts: those of `logf` in
// S. L. Moshier's Cephes library (netlib.org/cephes).
const LOG = [
  7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
];
const LOG_2 = [-2.12194440e-4, 0.693359375];

// Make of four numbers their logarithms: they are 2^e (1 + f), with 1 + f from √½ to √2, and must be normal and above 0.
// The exponent stays at its place among the bits, where it counts 2^23 times.
function log(e, f) {
  const times = factor => [...get(e), ...fromWhole, ...four(factor / 2 ** 23), ...mul];
  return [
    ...set(f), ...get(f), ...four(Math.SQRT1_2), ...subWhole, ...four(-Infinity), ...both, ...set(e),
    ...get(f), ...get(e), ...subWhole, ...four(1), ...sub, ...set(f),
    ...four(LOG[0]), ...LOG.slice(1).flatMap(coefficient => [...get(f), ...mul, ...four(coefficient), ...add]),
    ...[1, 2, 3].flatMap(() => [...get(f), ...mul]), ...times(LOG_2[0]), ...add,
    ...get(f), ...get(f), ...mul, ...four(0.5), ...mul, ...sub, ...get(f), ...add, ...times(LOG_2[1]), ...add,
  ];
}
