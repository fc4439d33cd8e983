// Turn matrices, four rows and four columns at a time: the library takes one number after the other.

// turn(from, its end, to; bytes from row to row of both): turn four rows.
function turnProgram() {
  const [from, end, to, along, down, place] = [0, 1, 2, 3, 4, 5], row = i => 6 + i, half = i => 10 + i;
  const pair = (i, j, ...places) => [...get(i), ...get(j), ...choose(...places)];
  const goDown = by => advance(place, get(by));
  return assembled(Array(5).fill(ADDRESS), 1, 8, loop(from, end,
    get(from), set(place), [0, 1, 2, 3].flatMap(i => [...load(place), ...set(row(i)), ...goDown(along)]),
    [0, 2].flatMap(i => [
      ...pair(row(i), row(i + 1), 0, 4, 1, 5), ...set(half(i)), ...pair(row(i), row(i + 1), 2, 6, 3, 7), ...set(half(i + 1)),
    ]),
    get(to), set(place),
    [0, 1].flatMap(i => [[0, 1, 4, 5], [2, 3, 6, 7]].flatMap(places => [
      ...get(place), ...pair(half(i), half(i + 2), ...places), ...store(), ...goDown(down),
    ])),
    get(place), set(to), advance(from, bytes(16))));
}

let turn = null;

// Return a matrix with rows and columns exchanged.
function transposed(a) {
  const [m, n] = a.shape;
  if (Math.min(m, n) < 4) return tf.transpose(a);
  turn ??= turnProgram();
  const made = emptyTensor([n, m]), [from, to] = [a, made].map(tensor => memoryOf(tensor).byteOffset);
  for (const row of startsOf(m, 4)) {
    for (const [first, last] of [[0, n - (n % 4)], [n - 4, n]]) {
      turn(from + 4 * (row * n + first), from + 4 * (row * n + last), to + 4 * (first * m + row), 4 * n, 4 * m);
    }
  }
  return made;
}
