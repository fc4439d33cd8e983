// Draw numbers that depend on a seed and a place only, with integer arithmetic that is the same in every browser.

// Mix 32 bits into the state of a generator (splitmix32).
function splitmix(state) {
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let bits = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
    return (bits ^ (bits >>> 15)) >>> 0;
  };
}

// Return a generator of 32-bit integers for a seed and a place, such as a step (xoshiro128**, Blackman & Vigna 2018).
function generatorAt(seed, place) {
  const first = splitmix(seed), second = splitmix(first() ^ place);
  let [a, b, c, d] = [second(), second(), second(), second()];
  return () => {
    const turned = Math.imul(b, 5), result = Math.imul((turned << 7) | (turned >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result;
  };
}

// Draw numbers from the middles of 2^23 equal parts of (0, 1), which a Float32Array holds exactly.
function uniforms(count, seed, place) {
  const next = generatorAt(seed, place), drawn = new Float32Array(count);
  for (let i = 0; i < count; i++) drawn[i] = ((next() >>> 9) + 0.5) / 2 ** 23;
  return drawn;
}
