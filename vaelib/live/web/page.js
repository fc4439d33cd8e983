// Serve a page of the book: load data as scripts, which work from a file too, when the reader gets to them.

function pageSource(folder) {
  const found = {};
  window.vaelibData ??= {};
  return name => {
    found[name] ??= new Promise((resolve, reject) => {
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
    return found[name];
  };
}

function startPage(folder) {
  const source = pageSource(folder), signal = new AbortController().signal;
  const sight = new IntersectionObserver(entries => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      sight.unobserve(target);
      const options = { autoplay: "autoplay" in target.dataset, again: "reload the page" };
      show(target, target.dataset.live, source, options, signal);
    }
  }, { rootMargin: "200px" });
  document.querySelectorAll("[data-live]").forEach(host => sight.observe(host));
}
