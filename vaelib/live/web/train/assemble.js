// Write small programs for WebAssembly, by the codes of their instructions (WebAssembly's specification 2.0, section
// 5.4). They work in the kernels' memory, on four numbers of single precision at a time.

const ADDRESS = 0x7f, NUMBER = 0x7d, FOUR = 0x7b;
const get = local => [0x20, local], set = local => [0x21, local];
// A number of bytes below 8192.
const bytes = count => [0x41, (count & 127) | 128, count >> 7];
// Add, subtract and multiply addresses; leave of a number of bytes what is a multiple of a power of two up to 4096.
const [plus, minus, times] = [[0x6a], [0x6b], [0x6c]];
const wholeTimes = power => [0x41, (-power & 127) | 128, (-power >> 7) & 127, 0x71];
// Read a whole number from an address that comes before, and write one.
const loadWhole = (offset = 0) => [0x28, 2, offset], storeWhole = [0x36, 2, 0];
const [add, sub, mul, div, sqrt, neg] = [0xe4, 0xe5, 0xe6, 0xe7, 0xe3, 0xe1].map(code => [0xfd, code, 1]);
// Take the four as whole numbers of 32 bits: subtract them, keep the bits that both have, make numbers of them.
const [subWhole, both, fromWhole] = [[0xfd, 0xb1, 1], [0xfd, 0x4e], [0xfd, 0xfa, 1]];
// Take the bits that either has; tell whether there is any, as 0 or 1.
const [either, anyBit] = [[0xfd, 0x50], [0xfd, 0x53]];
// Choose four numbers from two fours, by their places from 0 to 7.
const choose = (...places) => [0xfd, 13, ...places.flatMap(place => [0, 1, 2, 3].map(byte => 4 * place + byte))];
// Read four numbers at an address plus some bytes, or one number for all four.
const load = (address, offset = 0) => [...get(address), 0xfd, 0, 2, offset];
const loadOneThere = [0xfd, 9, 2, 0];
const loadOne = (address, offset = 0) => [...get(address), 0xfd, 9, 2, offset];
// Write four numbers, which come after the address.
const store = (offset = 0) => [0xfd, 11, 2, offset];
// Make four numbers of a parameter, or of a constant.
const spread = number => [...get(number), 0xfd, 19];
const four = number => [0x43, ...new Uint8Array(Float32Array.of(number).buffer), 0xfd, 19];
const advance = (address, by) => [...get(address), ...by, ...plus, ...set(address)];
// Go round while an address is below an end.
const loop = (address, end, ...body) => [
  0x03, 0x40, ...body.flat(), ...get(address), ...get(end), 0x49, 0x0d, 0, 0x0b,
];
// Do something if an address is below an end.
const when = (address, end, ...body) => [...get(address), ...get(end), 0x49, 0x04, 0x40, ...body.flat(), 0x0b];

// Make a function. Its parameters come first among its locals, then addresses, then fours; these begin as zeros.
function assembled(parameters, addresses, fours, ...body) {
  const sized = content => [(content.length & 127) | 128, content.length >> 7, ...content];
  const section = (number, ...content) => [number, ...sized(content.flat())];
  const text = word => [word.length, ...new TextEncoder().encode(word)];
  const program = [
    [0, 97, 115, 109, 1, 0, 0, 0],
    section(1, 1, 0x60, parameters.length, parameters, 0),
    section(2, 1, text("kernels"), text("memory"), 2, 0, 0),
    section(3, 1, 0),
    section(7, 1, text("run"), 0, 0),
    section(10, 1, sized([2, addresses, ADDRESS, fours, FOUR, ...body.flat(), 0x0b])),
  ];
  const kernels = { memory: tf.backend().wasm.asm.memory };
  return new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(program.flat())), { kernels }).exports.run;
}
