// Start the kernels of TensorFlow.js (wasm, SIMD, one thread), and reach into their memory where that saves a pass.

// Start them from the bytes of their program; resolve to the library, or throw what a reader can understand.
async function startKernels(program) {
  if (typeof WebAssembly === "undefined") throw new Error("WebAssembly is switched off in this browser.");
  if (!WebAssembly.validate(SIMD_PROBE)) throw new Error("This browser is too old: its WebAssembly has no SIMD.");
  const address = URL.createObjectURL(new Blob([program], { type: "application/wasm" }));
  tf.wasm.setWasmPaths({
    "tfjs-backend-wasm.wasm": address, "tfjs-backend-wasm-simd.wasm": address,
    "tfjs-backend-wasm-threaded-simd.wasm": address,
  });
  // Use one thread everywhere: more need a page that is isolated from others, and would add up in another order.
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  if (!(await tf.setBackend("wasm"))) throw new Error("The kernels did not start: the browser refused them memory.");
  URL.revokeObjectURL(address);
  return tf;
}

// A module with one function that uses a vector of 128 bits.
const SIMD_PROBE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
]);

// Return a tensor whose numbers a program of ours is about to write.
function emptyTensor(shape) {
  return tf.engine().makeTensorFromTensorInfo(tf.backend().makeOutput(shape, "float32"));
}

// Return the numbers of a tensor as they lie in the kernels' memory. The view ends with the next allocation.
function memoryOf(tensor) {
  const backend = tf.backend(), { memoryOffset } = backend.dataIdMap.get(tensor.dataId);
  return new Float32Array(backend.wasm.HEAPU8.buffer, memoryOffset, tensor.size);
}
