// Write what was trained as a file of NumPy (npz), which `vaelib.training.load_download` turns into a `Run`.

// Return the bytes of an array as NumPy writes it: a header of a multiple of 64 bytes, then the numbers.
function npyOf(values, shape) {
  const kind = values instanceof Float32Array ? "<f4" : "<f8";
  const sizes = `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
  const about = `{'descr': '${kind}', 'fortran_order': False, 'shape': ${sizes}, }`;
  const header = new TextEncoder().encode(about.padEnd(64 * Math.ceil((about.length + 11) / 64) - 11) + "\n");
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return new Uint8Array([147, ...new TextEncoder().encode("NUMPY"), 1, 0, header.length & 255, header.length >> 8,
    ...header, ...bytes]);
}

// Return a zip archive of files by name, not compressed (PKWARE's APPNOTE, sections 4.3.7, 4.3.12 and 4.3.16).
function zipOf(files) {
  const parts = [], directory = [];
  let offset = 0;
  const record = (signature, fields) => {
    const bytes = new DataView(new ArrayBuffer(4 + fields.reduce((sum, [size]) => sum + size, 0)));
    bytes.setUint32(0, signature, true);
    let place = 4;
    for (const [size, value] of fields) {
      if (size === 2) bytes.setUint16(place, value, true);
      else bytes.setUint32(place, value, true);
      place += size;
    }
    return new Uint8Array(bytes.buffer);
  };
  for (const [name, content] of Object.entries(files)) {
    const text = new TextEncoder().encode(name), size = content.length;
    // Version, flags, method, time, the date 1 January 1980, checksum, sizes, the length of the name, no extra field.
    const common = [[2, 20], [2, 0], [2, 0], [2, 0], [2, 33], [4, crc32(content)], [4, size], [4, size], [2, text.length], [2, 0]];
    const local = record(0x04034b50, common);
    directory.push(record(0x02014b50, [[2, 20], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]]), text);
    parts.push(local, text, content);
    offset += local.length + text.length + size;
  }
  const count = Object.keys(files).length, length = directory.reduce((sum, part) => sum + part.length, 0);
  const end = record(0x06054b50, [[2, 0], [2, 0], [2, count], [2, count], [4, length], [4, offset], [2, 0]]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

// Return a training as an archive: weights in Keras' order and layout, the history, the last epoch's posteriors.
function archiveOf(weights, settings, { mine, posteriors }) {
  const { encoder, decoder } = layersOf(weights, settings.hidden), files = {};
  const layers = [encoder.hidden, encoder.z_mean, encoder.z_log_var, decoder.hidden, decoder.logits];
  layers.flatMap(({ kernel, bias }) => [kernel, bias]).forEach(({ shape, values }, i) => {
    files[`weights/${i}.npy`] = npyOf(values, shape);
  });
  const { train, distortion, rate } = mine;
  // Leave out the state before the first step, which has no epoch.
  const history = { ...train, val_distortion: distortion.slice(1), val_rate: rate.slice(1) };
  for (const [name, values] of Object.entries(history)) {
    files[`history/${name}.npy`] = npyOf(Float64Array.from(values), [values.length]);
  }
  files["posteriors.npy"] = npyOf(Float32Array.from(posteriors), [posteriors.length / 4, 4]);
  files["settings.npy"] = npyOf(Float64Array.of(784 * settings.klWeight, settings.hidden), [2]);
  return zipOf(files);
}

// Offer a file to the reader.
function download(blob, name) {
  const address = URL.createObjectURL(blob), link = make("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}
