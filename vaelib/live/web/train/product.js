// Multiply matrices, by programs of our own. The library lays out the right factor of a product anew for every new tensor,
// one number at a time, needs a copy of a left factor that is turned, and multiplies zeros like other numbers.

// Compute at most so many rows, and so many columns, at once: their sums fit into the registers of a processor.
const ROWS = 5, COLUMNS = 8;
// Take so many steps along the sums from one jump to the next.
const STEPS = 4;
// Lay the right factor out in panels of eight columns: a row of one takes so many bytes, and the place of its number in a
// row of the left factor takes so many.
const ROW = 4 * COLUMNS, PLACE = 4;

// pack(b, the end of its first row; packed, places, ends; bytes from row to row of b, bytes of all its rows): write panels
// one after the other, and where each ends. Of sparse ones leave out the rows that are eight zeros, and write the places of
// the others, in bytes.
function packProgram(sparse) {
  const [b, last, packed, places, ends, stride, all, from, end, place, kept] = [...Array(11).keys()];
  const [left, right] = [11, 12];
  return assembled(Array(7).fill(ADDRESS), 4, 2, loop(b, last,
    get(b), set(from), get(b), get(all), plus, set(end), bytes(0), set(place),
    loop(from, end,
      load(from), set(left), load(from, 16), set(right),
      get(packed), get(left), store(), get(packed), get(right), store(16),
      sparse ? [...get(places), ...get(place), ...storeWhole, ...advance(place, bytes(4))] : [],
      sparse ? [...get(left), ...get(right), ...either, ...anyBit, ...set(kept)] : [],
      sparse ? advance(places, [...get(kept), ...bytes(PLACE), ...times]) : [],
      advance(packed, sparse ? [...get(kept), ...bytes(ROW), ...times] : bytes(ROW)),
      advance(from, get(stride))),
    get(ends), get(packed), storeWhole,
    advance(ends, bytes(4)), advance(b, bytes(ROW))));
}

// tile(a, packed, places, ends, the end of these; c; bytes from row to row of a, or, where a is turned, from column to
// column of a; bytes from row to row of c; a bias for each row, factor): write some rows of the product with all packed
// panels. Each sum is taken in the order of a's columns. With a bias, write factor * (sum + bias).
function tileProgram(count, { turned, sparse, biased }) {
  const [a, packed, places, ends, last, c, along, stride, bias, factor, others] = [...Array(11).keys()];
  // Rows that are turned lie side by side, and need one address for all; other rows need one each.
  const rows = [...Array(count).keys()], begins = turned ? 1 : count;
  const begin = row => (turned ? others : others + row);
  const [end, most, to] = [0, 1, 2].map(i => others + begins + i), sum = (row, half) => to + 1 + 2 * row + half;
  const halves = [0, 1], [left, right, one] = [0, 1, 2].map(i => sum(count, i));
  const weighed = half => [...get(one), ...get(half), ...mul];
  const number = (row, i) => {
    if (!sparse) return loadOne(begin(row), 4 * (turned ? row : i));
    return [...get(begin(row)), ...get(places), ...loadWhole(PLACE * i), ...plus, ...loadOneThere];
  };
  const step = i => [
    ...load(packed, ROW * i), ...set(left), ...load(packed, ROW * i + 16), ...set(right),
    ...rows.flatMap(row => [
      ...number(row, i), ...set(one),
      ...get(sum(row, 0)), ...weighed(left), ...add, ...set(sum(row, 0)),
      ...get(sum(row, 1)), ...weighed(right), ...add, ...set(sum(row, 1)),
    ]),
    ...(turned ? advance(begin(0), get(along)) : []),
  ];
  const steps = (until, many) => when(packed, until, loop(packed, until,
    ...[...Array(many).keys()].map(step),
    turned || sparse ? [] : rows.flatMap(row => advance(begin(row), bytes(4 * many))),
    sparse ? advance(places, bytes(PLACE * many)) : [],
    advance(packed, bytes(ROW * many))));
  const moved = row => (biased ? [...loadOne(bias, 4 * row), ...add, ...spread(factor), ...mul] : []);
  const parameters = [...Array(factor).fill(ADDRESS), NUMBER];
  return assembled(parameters, begins + 3, 2 * count + 3, loop(ends, last,
    rows.flatMap(row => halves.flatMap(half => [...four(0), ...set(sum(row, half))])),
    get(a), set(begin(0)),
    turned ? [] : rows.slice(1).flatMap(row => [...get(begin(row - 1)), ...get(along), ...plus, ...set(begin(row))]),
    get(ends), loadWhole(), set(end),
    get(packed), get(end), get(packed), minus, wholeTimes(ROW * STEPS), plus, set(most),
    steps(most, STEPS), steps(end, 1),
    get(c), set(to),
    rows.flatMap(row => [
      ...halves.flatMap(half => [...get(to), ...get(sum(row, half)), ...moved(row), ...store(16 * half)]),
      ...advance(to, get(stride)),
    ]),
    advance(c, bytes(ROW)), advance(ends, bytes(4))));
}

// Keep the programs, those of tiles by what they do, and room for panels.
const packs = {}, tiles = {};
let room = null;

// Return where blocks begin that cover a size; the last one overlaps the one before it if it must.
function startsOf(size, block) {
  return Array.from({ length: Math.ceil(size / block) }, (_, i) => Math.min(i * block, size - block));
}

// Return the product of a (m, k) and b (k, n), or of a (k, m) that is turned. Those of few columns are left to the library.
// Sparse tells to skip zeros of b where eight lie side by side, which change no sum: most of a digit is zeros.
function product(a, b, { turned = false, sparse = false } = {}) {
  if (b.shape[1] < COLUMNS) return tf.tidy(() => tf.matMul(turned ? tf.transpose(a) : a, b));
  return multiplied(a, b, { turned, sparse });
}

// Return factor * (kernel · columns + bias), for a kernel (m, k), columns (k, n), which may be sparse, and a bias (m, 1).
function layer(kernel, columns, bias, { factor = 1, sparse = false } = {}) {
  if (columns.shape[1] < COLUMNS) return tf.tidy(() => tf.mul(tf.add(tf.matMul(kernel, columns), bias), factor));
  return multiplied(kernel, columns, { sparse, bias, factor });
}

function multiplied(a, b, { turned = false, sparse = false, bias = null, factor = 1 }) {
  const [m, k] = turned ? [a.shape[1], a.shape[0]] : a.shape, n = b.shape[1], count = Math.min(m, ROWS);
  const kind = { turned, sparse, biased: bias !== null };
  const pack = (packs[sparse] ??= packProgram(sparse));
  const tile = (tiles[[count, ...Object.values(kind)]] ??= tileProgram(count, kind));
  const panels = Math.ceil(n / COLUMNS), whole = Math.floor(n / COLUMNS), size = panels * (k * (ROW + PLACE) + 4) / 4;
  if (!room || room.size < size) {
    room?.dispose();
    room = tf.keep(tf.zeros([size]));
  }
  const made = emptyTensor([m, n]);
  const [from, by, to, packed, biases] = [a, b, made, room, bias ?? room].map(tensor => memoryOf(tensor).byteOffset);
  const places = packed + panels * k * ROW, ends = places + panels * k * PLACE;
  const endsSeen = new Int32Array(memoryOf(room).buffer, ends, panels);
  const placesOf = row => places + ((row - packed) / ROW) * PLACE;
  const parts = [{ first: 0, last: whole, column: 0, at: packed }];
  pack(by, by + ROW * whole, packed, places, ends, 4 * n, 4 * n * k);
  // Take the panels that do not overlap at once, and then the last one.
  if (whole < panels) {
    const column = n - COLUMNS, at = endsSeen[whole - 1];
    pack(by + 4 * column, by + 4 * n, at, placesOf(at), ends + 4 * whole, 4 * n, 4 * n * k);
    parts.push({ first: whole, last: panels, column, at });
  }
  const [down, along] = turned ? [4, 4 * m] : [4 * k, 4 * k];
  for (const row of startsOf(m, count)) {
    for (const { first, last, column, at } of parts) {
      const c = to + 4 * (row * n + column);
      const [begin, end] = [first, last].map(panel => ends + 4 * panel);
      tile(from + row * down, at, placesOf(at), begin, end, c, along, 4 * n, biases + 4 * row, factor);
    }
  }
  return made;
}
