// Load what training needs when a reader asks for it, and speak with the worker that trains.

// Undo `_deflated` of vaelib/live/training.py: base64 of bytes that were compressed with a checksum.
async function inflateText(name, text) {
  if (typeof DecompressionStream === "undefined") throw new Error("This browser is too old to unpack the data.");
  const packed = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  try {
    return await inflate(packed);
  } catch {
    throw new Error(`The data "${name}" are damaged.`);
  }
}

// Return images as bytes, 784 each, from one bit for each pixel and the values of those that are not black.
async function inflateDigits(name, { count, places, values }) {
  const [isInk, ink] = await Promise.all([inflateText(name, places), inflateText(name, values)]);
  if (isInk.length !== 98 * count) throw new Error(`The data "${name}" are incomplete.`);
  const pixels = new Uint8Array(784 * count);
  let next = 0;
  for (let i = 0; i < pixels.length; i++) if (isInk[i >> 3] & (128 >> (i & 7))) pixels[i] = ink[next++];
  if (next !== ink.length) throw new Error(`The data "${name}" are incomplete.`);
  return pixels;
}

// Load the kernels, the first `count` training digits and the test digits; tell how many of the files are there.
async function loadTraining(source, count, progress) {
  const parts = Array.from({ length: Math.ceil(count / 10000) }, (_, i) => `train-digits-${i}`);
  const names = ["train-kernels", "train-digits-test", ...parts];
  let loaded = 0;
  const load = async name => {
    const value = await source(name);
    const unpacked = name === "train-kernels"
      ? await Promise.all([inflateText(name, value.script), inflateText(name, value.program)]) : await inflateDigits(name, value);
    progress(++loaded, names.length);
    return unpacked;
  };
  const [[script, program], test, ...digits] = await Promise.all(names.map(load));
  const train = new Uint8Array(784 * count);
  digits.forEach((part, i) => train.set(part.subarray(0, train.length - i * 7840000), i * 7840000));
  return { script, program, data: { train, test } };
}

// Start a worker from a script that was loaded; it works from a file, and asks nobody. `hear` gets what it tells.
function startWorker(script, hear) {
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const worker = new Worker(address);
  worker.onmessage = ({ data }) => hear(data);
  worker.onerror = event => {
    event.preventDefault();
    hear({ what: "failed", problem: event.message || "The browser did not start a worker." });
  };
  const stop = () => {
    worker.terminate();
    URL.revokeObjectURL(address);
  };
  return { tell: message => worker.postMessage(message), stop };
}
