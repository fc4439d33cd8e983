// Put a live picture in its place, or a sentence that says why it is not there.

const PICTURES = { film, explorer, draw, overlap };

async function show(host, kind, source, options, signal) {
  host.classList.add("vaelib-live");
  try {
    await PICTURES[kind](host, source, options, signal);
    host.setAttribute("data-state", "ready");
  } catch (error) {
    const problem = `This live picture cannot be shown. ${error.message} To try again, ${options.again}.`;
    host.replaceChildren(make("p", { class: "vaelib-problem", role: "alert" }, problem));
    host.setAttribute("data-state", "failed");
  }
}
