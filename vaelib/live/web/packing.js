// Unpack arrays written by `pack` in vaelib/live/data.py: base64 of 16-bit integers times a scale, or of bytes.

function crc32(bytes) {
  const table = Int32Array.from({ length: 256 }, (_, n) => {
    for (let k = 0; k < 8; k++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
    return n;
  });
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]) & 255];
  return ~crc >>> 0;
}

// Return a packed array as {shape, values}, or throw an error that says what is wrong with it.
function unpackArray(name, packed) {
  const text = atob(packed.base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const length = packed.shape.reduce((product, size) => product * size, packed.dtype === "int16" ? 2 : 1);
  if (bytes.length !== length) {
    throw new Error(`The data "${name}" are incomplete: ${bytes.length} bytes came, ${length} were expected.`);
  }
  if (crc32(bytes) !== packed.crc32) throw new Error(`The data "${name}" are damaged: their checksum is wrong.`);
  if (packed.dtype === "uint8") return { shape: packed.shape, values: bytes };
  const values = new Float32Array(length / 2);
  // Read the low byte first; the shifts give the high one its sign.
  for (let i = 0; i < values.length; i++) {
    values[i] = packed.scale * (((bytes[2 * i + 1] << 24) >> 16) | bytes[2 * i]);
  }
  return { shape: packed.shape, values };
}

// Unpack every packed array inside an object or a list.
function unpack(name, value) {
  if (value === null || typeof value !== "object") return value;
  if ("base64" in value) return unpackArray(name, value);
  if (Array.isArray(value)) return value.map(part => unpack(name, part));
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, unpack(name, part)]));
}

// Undo zlib's compression.
async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
