// Keep what was trained in this browser until the reader forgets it; put settings into a link and read them from one.

// Count up when the weights are laid out in another way, so that no older training is taken up wrongly.
const LAYOUT = 2;
// Keep a training at most this often while it runs, in milliseconds: all its weights are copied for it.
const KEEP_MS = 5000;

function openMemory() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("vaelib", LAYOUT);
    request.onupgradeneeded = () => {
      const { result } = request;
      if (result.objectStoreNames.contains("trainings")) result.deleteObjectStore("trainings");
      result.createObjectStore("trainings");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

// Do one thing with the store, and wait until it is on disk.
async function inMemory(mode, act) {
  const memory = await openMemory();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = memory.transaction("trainings", mode), request = act(transaction.objectStore("trainings"));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    memory.close();
  }
}

// Go on without it where a browser keeps nothing, as in private windows.
const remember = training => inMemory("readwrite", store => store.put(training, "last")).catch(() => undefined);
const forget = () => inMemory("readwrite", store => store.delete("last")).catch(() => undefined);
const recall = () => inMemory("readonly", store => store.get("last")).catch(() => undefined);

// Return what keeps the training of a picture; `told` is called with whether something is kept. What comes after the
// reader has said to forget it is not kept.
function makeMemory(told) {
  let last = 0, isForgotten = false;
  return {
    isDue: () => performance.now() - last > KEEP_MS,
    begin() {
      last = performance.now();
      isForgotten = false;
    },
    async put(training) {
      if (isForgotten) return;
      const isKept = await remember(training) !== undefined;
      told(isKept && !isForgotten);
    },
    drop() {
      isForgotten = true;
      forget();
      told(false);
    },
  };
}

const TRAIN_LINK = "#train=";

// Write settings as "#train=klWeight:0.03,seed:2": those that differ from the first ones, and where there is one, the
// fingerprint of the weights that they lead to.
function settingsLink(settings, fingerprint) {
  const names = Object.keys(FIRST_SETTINGS).filter(name => settings[name] !== FIRST_SETTINGS[name]);
  const parts = names.map(name => `${name}:${settings[name]}`);
  return TRAIN_LINK + [...parts, ...(fingerprint ? [`fingerprint:${fingerprint}`] : [])].join(",");
}

// Return the CRC-32 of the bytes of all weights, as text.
function fingerprintOf(weights) {
  const parts = Object.values(weights), bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let place = 0;
  for (const part of parts) {
    bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), place);
    place += part.byteLength;
  }
  return crc32(bytes).toString(16).padStart(8, "0");
}

// Return the fingerprint in a link, or null.
function fingerprintFrom(fragment) {
  return /[=,]fingerprint:([0-9a-f]{8})/.exec(fragment)?.[1] ?? null;
}

// Read settings from a link, and leave out what is not one of the choices.
function settingsFrom(fragment) {
  const text = fragment.startsWith(TRAIN_LINK) ? fragment.slice(TRAIN_LINK.length) : "";
  const parts = text.split(",").map(part => part.split(":"));
  const named = Object.fromEntries(parts.map(([name, value]) => [name, Number(value)]));
  const fits = name => (name === "klWeight" ? named[name] >= 10 ** LOWEST && named[name] <= 10 ** HIGHEST
    : CHOICES[name]?.[1].some(([value]) => value === named[name]));
  const known = Object.keys(FIRST_SETTINGS).filter(fits);
  return { ...FIRST_SETTINGS, ...Object.fromEntries(known.map(name => [name, named[name]])) };
}

// Tell whether a link asks for other settings than these, or claims another fingerprint than those that are known.
function leadsElsewhere(fragment, settings, { fingerprint, claimed }) {
  if (!fragment.startsWith(TRAIN_LINK)) return false;
  const asked = fingerprintFrom(fragment), isKnown = asked === null || asked === fingerprint || asked === claimed;
  return !isKnown || settingsLink(settingsFrom(fragment)) !== settingsLink(settings);
}
