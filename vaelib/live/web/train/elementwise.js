// Compute formulas of tensors element by element, in one pass: the library takes a pass for each operation.

// Return a function of tensors of one shape, of four elements at least. Its formula leaves four numbers, made of those that lie at the addresses
// 0, 1, …; it rounds where the library's operations would.
function elementwise(count, formula) {
  const to = count, end = count + 1, addresses = [...Array(count + 1).keys()];
  let run = null;
  return (...tensors) => {
    run ??= assembled(Array(count + 2).fill(ADDRESS), 0, 0, loop(to, end,
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
