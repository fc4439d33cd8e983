"""Measure what the live pictures of the built book cost a reader: `make book`, then `python benchmarks/web.py`.

In the Chromium of this machine, from a server on it: bytes before the first interaction, time until the first page
answers, layout shift, decode and draw, and frames while the film is scrubbed. It prints a table; it is no test, for a
busy machine is slow.
"""

import statistics
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path += [str(ROOT / "tests/support"), str(ROOT / "book/ext")]
from browsing import QUIET, find_browser, served  # noqa: E402

HTML = ROOT / "_build/html"
SHIFTS = """
window.shift = 0;
new PerformanceObserver(list => list.getEntries().forEach(entry => (window.shift += entry.value)))
  .observe({ type: "layout-shift", buffered: true });
"""
# Frames between two ticks while the scrubber is pulled: forth, back, and to and fro.
SCRUB = """async () => {
  const scrubber = document.querySelector("[data-live=film] input[type=range]"), frames = [];
  const pull = value => { scrubber.value = value; scrubber.dispatchEvent(new Event("input")); };
  let last = await new Promise(requestAnimationFrame);
  for (let i = 0; i < 240; i++) {
    pull(i < 80 ? 1 + 5.8 * i : i < 160 ? 469 - 5.8 * (i - 80) : 1 + (i * 197) % 469);
    const now = await new Promise(requestAnimationFrame);
    frames.push(now - last);
    last = now;
  }
  return frames;
}"""
# Milliseconds from an event to the end of the frame that answers it, of which decode and draw are the work.
MOVE = """async () => {
  const canvas = document.querySelector("[data-live=explorer] .vaelib-target"), box = canvas.getBoundingClientRect();
  const costs = [], frame = window.requestAnimationFrame;
  window.requestAnimationFrame = work => frame(now => {
    const start = performance.now();
    work(now);
    costs.push(performance.now() - start);
  });
  for (let i = 0; i < 300; i++) {
    const place = { clientX: box.left + (i * 53) % box.width, clientY: box.top + (i * 31) % box.height };
    canvas.dispatchEvent(new PointerEvent("pointermove", place));
    await new Promise(done => frame(() => setTimeout(done)));
  }
  window.requestAnimationFrame = frame;
  return costs;
}"""


def main():
    """Measure, and print the table."""
    if not (HTML / "book/index.html").exists():
        raise SystemExit("There is no book: make book")
    with sync_playwright() as playwright, served(HTML) as site:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=QUIET)
        rows = [*first_page(browser, site), *scrubbing(browser, site), *decoding(browser, site)]
        browser.close()
    width = max(len(name) for name, *_ in rows)
    for name, value, aim in rows:
        print(f"{name:{width}}  {value:>9}  {aim}")
    return 0


def first_page(browser, site):
    """Visit the first page before anybody touches it, median of five visits."""
    ready, shifts, sizes = [], [], {}
    for _ in range(5):
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.add_init_script(SHIFTS)
        page.on("response", lambda answer: sizes.update({answer.url: int(answer.headers.get("content-length", 0))}))
        page.goto(f"{site}book/index.html")
        page.locator("[data-state=ready]").first.wait_for()
        ready.append(page.evaluate("() => performance.now()"))
        page.wait_for_load_state("networkidle")
        shifts.append(page.evaluate("() => window.shift"))
        page.close()
    ours = sum(size for url, size in sizes.items() if "/live/" in url)
    yield "first page, our own bytes", f"{ours / 1000:.0f} kB", "<= 300 kB"
    yield "first page, all bytes", f"{sum(sizes.values()) / 1000:.0f} kB", ""
    yield "first page, live after", f"{statistics.median(ready):.0f} ms", "<= 1500 ms"
    yield "first page, layout shift", f"{max(shifts):.4f}", "0"


def scrubbing(browser, site):
    """Measure frames of the film in chapter 6."""
    page = opened(browser, f"{site}notebooks/06_watch_the_posterior.html", "film")
    frames = page.evaluate(SCRUB)
    page.close()
    yield "film, frame while scrubbing, median", f"{statistics.median(frames):.1f} ms", "16.7 ms"
    yield "film, frame while scrubbing, 95th percentile", f"{percentile(frames, 95):.1f} ms", "<= 20 ms"


def decoding(browser, site):
    """Measure three digits decoded and drawn, with the plane, in chapter 10."""
    page = opened(browser, f"{site}notebooks/10_ask_the_model.html", "explorer")
    costs = page.evaluate(MOVE)
    page.close()
    yield "explorer, decode and draw, median", f"{statistics.median(costs):.1f} ms", "<= 4 ms"
    yield "explorer, decode and draw, 95th percentile", f"{percentile(costs, 95):.1f} ms", ""


def opened(browser, address, kind):
    """Open a page with its live picture in view and ready."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(address)
    page.locator(f"[data-live={kind}]").first.scroll_into_view_if_needed()
    page.locator(f"[data-live={kind}][data-state=ready]").first.wait_for()
    page.wait_for_timeout(500)
    return page


def percentile(values, share):
    """Return the value that this share, in per cent, of the values does not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share / 100))]


if __name__ == "__main__":
    sys.exit(main())
