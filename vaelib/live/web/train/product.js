// Multiply matrices, by two programs of our own. The library lays out the right factor of a product anew for every new
// tensor, one number at a time, and needs a copy of a left factor that is turned.

// Compute at most so many rows, and so many columns, at once: their sums fit into the registers of a processor.
const ROWS = 4, COLUMNS = 8;
// Take so many steps along the sums from one jump to the next.
const STEPS = 4;

// pack(b, packed, its end; bytes from row to row of b): lay eight columns of b out one row after the other.
function packProgram() {
  const [from, to, end, stride] = [0, 1, 2, 3];
  return assembled([ADDRESS, ADDRESS, ADDRESS, ADDRESS], 0, 0, loop(to, end,
    get(to), load(from), store(), get(to), load(from, 16), store(16),
    advance(from, get(stride)), advance(to, bytes(4 * COLUMNS))));
}

// tile(a, packed, its end; the end of its part that is a multiple of STEPS; c; bytes from row to row of a, or, where a is
// turned, from column to column of a; bytes from row to row of c): write some rows of the product with eight packed
// columns. Each sum is taken in the order of a's columns.
function tileProgram(count, turned) {
  const [a, packed, end, most, c, along, stride, others] = [0, 1, 2, 3, 4, 5, 6, 7];
  // Rows that are turned lie side by side, and need one address for all; other rows need one each.
  const rows = [...Array(count).keys()], places = turned ? 0 : count - 1;
  const place = row => (row && !turned ? others + row - 1 : a);
  const sums = others + places, sum = (row, half) => sums + 2 * row + half;
  const [left, right, one] = [0, 1, 2].map(i => sums + 2 * count + i);
  const times = half => [...get(one), ...get(half), ...mul];
  const step = i => [
    ...load(packed, 4 * COLUMNS * i), ...set(left), ...load(packed, 4 * COLUMNS * i + 16), ...set(right),
    ...rows.flatMap(row => [
      ...loadOne(place(row), 4 * (turned ? row : i)), ...set(one),
      ...get(sum(row, 0)), ...times(left), ...add, ...set(sum(row, 0)),
      ...get(sum(row, 1)), ...times(right), ...add, ...set(sum(row, 1)),
    ]),
    ...(turned ? advance(a, get(along)) : []),
  ];
  const steps = (last, number) => when(packed, last, loop(packed, last,
    ...[...Array(number).keys()].map(step),
    turned ? [] : rows.flatMap(row => advance(place(row), bytes(4 * number))),
    advance(packed, bytes(4 * COLUMNS * number))));
  return assembled(Array(others).fill(ADDRESS), places, 2 * count + 3,
    turned ? [] : rows.slice(1).flatMap(row => [...get(place(row - 1)), ...get(along), 0x6a, ...set(place(row))]),
    steps(most, STEPS), steps(end, 1),
    rows.flatMap(row => [
      ...get(c), ...get(sum(row, 0)), ...store(), ...get(c), ...get(sum(row, 1)), ...store(16),
      ...advance(c, get(stride)),
    ]));
}

// Keep the programs, those of tiles by their rows and whether these are turned, and room for packed columns.
let pack = null, room = null;
const tiles = {};

// Return where blocks begin that cover a size; the last one overlaps the one before it if it must.
function startsOf(size, block) {
  return Array.from({ length: Math.ceil(size / block) }, (_, i) => Math.min(i * block, size - block));
}

// Return the product of a (m, k) and b (k, n), or of a (k, m) that is turned. Those of few columns are left to the library.
function product(a, b, turned = false) {
  const [m, k] = turned ? [a.shape[1], a.shape[0]] : a.shape, n = b.shape[1];
  if (n < COLUMNS) return tf.tidy(() => tf.matMul(turned ? tf.transpose(a) : a, b));
  const count = Math.min(m, ROWS);
  pack ??= packProgram();
  const tile = (tiles[[count, turned]] ??= tileProgram(count, turned));
  const columns = startsOf(n, COLUMNS), size = columns.length * COLUMNS * k;
  if (!room || room.size < size) {
    room?.dispose();
    room = tf.keep(tf.zeros([size]));
  }
  const made = emptyTensor([m, n]);
  const [from, by, to, packed] = [a, b, made, room].map(tensor => memoryOf(tensor).byteOffset);
  const panel = 4 * COLUMNS * k, most = panel - (panel % (4 * COLUMNS * STEPS));
  const [down, along] = turned ? [4, 4 * m] : [4 * k, 4 * k];
  columns.forEach((j, i) => pack(by + 4 * j, packed + i * panel, packed + (i + 1) * panel, 4 * n));
  for (const row of startsOf(m, count)) {
    columns.forEach((j, i) => {
      const begin = packed + i * panel;
      tile(from + row * down, begin, begin + panel, begin + most, to + 4 * (row * n + j), along, 4 * n);
    });
  }
  return made;
}
