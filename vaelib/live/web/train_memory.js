// Keep what was trained in this browser until the reader forgets it; put settings into a link and read them from one.

function openMemory() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("vaelib", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("trainings");
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

// Where a browser keeps nothing (private windows, files), training goes on without it.
const remember = async training => { try { await inMemory("readwrite", store => store.put(training, "last")); } catch { /* kept nowhere */ } };
const forget = async () => { try { await inMemory("readwrite", store => store.delete("last")); } catch { /* nothing kept */ } };
const recall = async () => { try { return await inMemory("readonly", store => store.get("last")); } catch { return undefined; } };

const LINK = "#train=";

// Write settings as "#train=klWeight:0.03,seed:2": those that differ from the first ones.
function settingsLink(settings) {
  const parts = Object.keys(FIRST_SETTINGS).filter(name => settings[name] !== FIRST_SETTINGS[name]);
  return LINK + parts.map(name => `${name}:${settings[name]}`).join(",");
}

// Read settings from a link, and leave out what is not one of the choices.
function settingsFrom(fragment) {
  const text = fragment.startsWith(LINK) ? fragment.slice(LINK.length) : "";
  const named = Object.fromEntries(text.split(",").map(part => part.split(":")).map(([name, value]) => [name, Number(value)]));
  const fits = name => (name === "klWeight" ? named[name] >= 10 ** LOWEST && named[name] <= 10 ** HIGHEST
    : CHOICES[name]?.[1].some(([value]) => value === named[name]));
  const known = Object.keys(FIRST_SETTINGS).filter(fits);
  return { ...FIRST_SETTINGS, ...Object.fromEntries(known.map(name => [name, named[name]])) };
}
