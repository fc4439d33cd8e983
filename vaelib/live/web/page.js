// Serve a page of the book: load data as scripts, which work from a file too, when the reader gets to them.

function pageSource(folder) {
  const found = {};
  window.vaelibData ??= {};
  const load = name => new Promise((resolve, reject) => {
    const address = `${folder}${name}.js`;
    const script = make("script", {
      src: address,
      error: () => reject(new Error(`The file ${address} could not be loaded.`)),
      load: () => {
        const data = window.vaelibData[name];
        delete window.vaelibData[name];
        if (data === undefined) reject(new Error(`The file ${address} is incomplete.`));
        else try { resolve(unpack(name, data)); } catch (error) { reject(error); }
      },
    });
    document.head.append(script);
  });
  // Keep what came, and no failure: the reader may ask again.
  return name => (found[name] ??= load(name).catch(error => {
    delete found[name];
    throw error;
  }));
}

function startPage(folder) {
  const source = pageSource(folder), signal = new AbortController().signal, begun = new Map();
  // Show a picture once; the promise is kept when it is there.
  const begin = host => {
    if (!begun.has(host)) {
      const { autoplay, small } = host.dataset, isSaid = flag => flag !== undefined;
      const options = { autoplay: isSaid(autoplay), small: isSaid(small), page: true, again: "reload the page" };
      begun.set(host, show(host, host.dataset.live, source, options, signal));
    }
    return begun.get(host);
  };
  const sight = new IntersectionObserver(entries => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      sight.unobserve(target);
      begin(target);
    }
  }, { rootMargin: "200px" });
  document.querySelectorAll("[data-live]").forEach(host => sight.observe(host));
  document.querySelectorAll("[data-drive]").forEach(phrase => makeDriver(phrase, begin));
}

// Make a button of a phrase such as <span data-drive="film epoch=1 batch=30">: it sets the page's picture of this kind.
function makeDriver(phrase, begin) {
  const [kind, ...wishes] = phrase.dataset.drive.split(" "), host = document.querySelector(`[data-live="${kind}"]`);
  if (!host) return;
  const wish = Object.fromEntries(wishes.map(each => each.split("=")).map(([name, value]) => [name, Number(value)]));
  const press = async () => {
    host.scrollIntoView({ block: "nearest", behavior: stillWanted() ? "auto" : "smooth" });
    await begin(host);
    host.live?.go?.(wish);
  };
  phrase.replaceWith(make("button", { type: "button", class: "vaelib-drive", click: press }, ...phrase.childNodes));
}
