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

// tile(a, packed; the end of its first panel of eight columns, of the part of that which is a multiple of STEPS, and of its
// last panel; c; bytes from row to row of a, or, where a is turned, from column to column of a; bytes from row to row of c;
// bytes of a panel; a bias for each row, factor): write some rows of the product with all packed columns. Each sum is
// taken in the order of a's columns. With a bias, write factor * (sum + bias).
function tileProgram(count, turned, biased) {
  const [a, packed, end, most, last, c, along, stride, panel, bias, factor, others] = [...Array(12).keys()];
  // Rows that are turned lie side by side, and need one address for all; other rows need one each.
  const rows = [...Array(count).keys()], places = turned ? 1 : count;
  const place = row => (turned ? others : others + row);
  const to = others + places, sum = (row, half) => to + 1 + 2 * row + half, halves = [0, 1];
  const [left, right, one] = [0, 1, 2].map(i => sum(count, i));
  const times = half => [...get(one), ...get(half), ...mul];
  const step = i => [
    ...load(packed, 4 * COLUMNS * i), ...set(left), ...load(packed, 4 * COLUMNS * i + 16), ...set(right),
    ...rows.flatMap(row => [
      ...loadOne(place(row), 4 * (turned ? row : i)), ...set(one),
      ...get(sum(row, 0)), ...times(left), ...add, ...set(sum(row, 0)),
      ...get(sum(row, 1)), ...times(right), ...add, ...set(sum(row, 1)),
    ]),
    ...(turned ? advance(place(0), get(along)) : []),
  ];
  const steps = (last, number) => when(packed, last, loop(packed, last,
    ...[...Array(number).keys()].map(step),
    turned ? [] : rows.flatMap(row => advance(place(row), bytes(4 * number))),
    advance(packed, bytes(4 * COLUMNS * number))));
  const moved = row => (biased ? [...loadOne(bias, 4 * row), ...add, ...spread(factor), ...mul] : []);
  const parameters = [...Array(factor).fill(ADDRESS), NUMBER];
  return assembled(parameters, places + 1, 2 * count + 3, loop(packed, last,
    rows.flatMap(row => halves.flatMap(half => [...four(0), ...set(sum(row, half))])),
    [...get(a), ...set(place(0))],
    turned ? [] : rows.slice(1).flatMap(row => [...get(place(row - 1)), ...get(along), 0x6a, ...set(place(row))]),
    steps(most, STEPS), steps(end, 1),
    [...get(c), ...set(to)],
    rows.flatMap(row => [
      ...halves.flatMap(half => [...get(to), ...get(sum(row, half)), ...moved(row), ...store(16 * half)]),
      ...advance(to, get(stride)),
    ]),
    advance(c, bytes(4 * COLUMNS)), advance(end, get(panel)), advance(most, get(panel))));
}

// Keep the programs, those of tiles by their rows, whether these are turned and have a bias, and room for packed columns.
let pack = null, room = null;
const tiles = {};

// Return where blocks begin that cover a size; the last one overlaps the one before it if it must.
function startsOf(size, block) {
  return Array.from({ length: Math.ceil(size / block) }, (_, i) => Math.min(i * block, size - block));
}

// Return the product of a (m, k) and b (k, n), or of a (k, m) that is turned. Those of few columns are left to the library.
function product(a, b, turned = false) {
  if (b.shape[1] < COLUMNS) return tf.tidy(() => tf.matMul(turned ? tf.transpose(a) : a, b));
  return multiplied(a, b, turned, null, 1);
}

// Return factor * (kernel · columns + bias), for a kernel (m, k), columns (k, n) and a bias (m, 1).
function layer(kernel, columns, bias, factor = 1) {
  if (columns.shape[1] < COLUMNS) return tf.tidy(() => tf.mul(tf.add(tf.matMul(kernel, columns), bias), factor));
  return multiplied(kernel, columns, false, bias, factor);
}

function multiplied(a, b, turned, bias, factor) {
  const [m, k] = turned ? [a.shape[1], a.shape[0]] : a.shape, n = b.shape[1], count = Math.min(m, ROWS);
  pack ??= packProgram();
  const tile = (tiles[[count, turned, bias !== null]] ??= tileProgram(count, turned, bias !== null));
  const columns = startsOf(n, COLUMNS), size = columns.length * COLUMNS * k;
  if (!room || room.size < size) {
    room?.dispose();
    room = tf.keep(tf.zeros([size]));
  }
  const made = emptyTensor([m, n]);
  const [from, by, to, packed, biases] = [a, b, made, room, bias ?? room].map(tensor => memoryOf(tensor).byteOffset);
  const panel = 4 * COLUMNS * k, most = panel - (panel % (4 * COLUMNS * STEPS)), whole = Math.floor(n / COLUMNS);
  const [down, along] = turned ? [4, 4 * m] : [4 * k, 4 * k];
  columns.forEach((j, i) => pack(by + 4 * j, packed + i * panel, packed + (i + 1) * panel, 4 * n));
  // Take the panels that do not overlap at once, and then the last one.
  for (const row of startsOf(m, count)) {
    for (const [first, last] of whole < columns.length ? [[0, whole], [whole, whole + 1]] : [[0, whole]]) {
      const begin = packed + first * panel, c = to + 4 * (row * n + columns[first]);
      tile(from + row * down, begin, begin + panel, begin + most, packed + last * panel, c, along, 4 * n, panel,
        biases + 4 * row, factor);
    }
  }
  return made;
}
