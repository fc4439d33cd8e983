"""Offer a real browser, the built book, and a server for it."""

import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from filelock import FileLock
from pictures import ALL_KINDS, KINDS, write_page

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Do without the pages that the browser keeps for its own address bar: they are a third of what a new tab costs.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,OptimizationHints,MediaRouter,HttpsUpgrades",
]
PHONE, DESK = 360, 1280  # pixels wide
PATIENCE_MS = 600_000  # milliseconds, which a busy machine may need to show what a page waits for


def chapters():
    """Return the files that _toc.yml lists, as pages."""
    table = yaml.safe_load((ROOT / "_toc.yml").read_text())
    listed = [chapter["file"] for part in table["parts"] for chapter in part["chapters"]]
    return [f"{file}.html" for file in (table["root"], *listed)]


PAGES = chapters()


def find_browser():
    """Return the path of a Chromium or Chrome, or None."""
    found = [os.environ.get("CHROMIUM"), *map(shutil.which, BROWSERS)]
    return next(filter(None, found), None)


def _patient(make):
    """Let whatever a function makes wait for long: a page on a busy machine is no page that hangs."""

    def made(**settings):
        page_or_context = make(**settings)
        page_or_context.set_default_timeout(PATIENCE_MS)
        return page_or_context

    return made


# Not for the whole session: while Playwright runs, no other test of the process could start an event loop.
@pytest.fixture(scope="module")
def browser():
    """Start the Chromium that this machine has."""
    executable = find_browser()
    if executable is None:
        reason = f"no browser: install Chromium, or set CHROMIUM to one; looked for {', '.join(BROWSERS)}"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=QUIET, timeout=PATIENCE_MS)
        browser.new_context = _patient(browser.new_context)
        browser.new_page = _patient(browser.new_page)
        yield browser
        browser.close()


def _shared(tmp_path_factory, name, make):
    """Return a folder that the first process of a session makes, while the others wait."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with FileLock(folder.with_suffix(".lock")):
        if not folder.exists():
            partial = folder.with_suffix(".partial")
            partial.mkdir()
            make(partial)
            partial.rename(folder)
    return folder


def _build_book(folder):
    """Build the book from nothing, as `make book` does; keep what was said if a warning made an error of it."""
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    command = [jupyter_book, "build", ROOT, "-W", "--keep-going", "-n", "-q", "--path-output", folder]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    (folder / "log.txt").write_text(result.stdout + result.stderr if result.returncode else "")


def _write_pictures(folder):
    import live_assets

    live_assets.write(folder / "live")
    for kinds in (*((kind,) for kind in ALL_KINDS), KINDS, ALL_KINDS):
        write_page(folder, kinds)


@pytest.fixture(scope="session")
def html(tmp_path_factory):
    """Return the folder of the built book."""
    folder = _shared(tmp_path_factory, "book", _build_book)
    log = (folder / "log.txt").read_text()
    assert not log, log
    return folder / "_build/html"


@contextmanager
def served(folder):
    """Serve a folder; yield its address."""

    class Silent(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Silent, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture(scope="module")
def site(html):
    """Return the book's address."""
    with served(html) as address:
        yield address


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """Return a folder of the live pictures of the book's own runs, as its build writes them, and of bare pages."""
    return _shared(tmp_path_factory, "pictures", _write_pictures)


@pytest.fixture(scope="session")
def specs():
    """Return the specs of the three headline runs."""
    import live_assets

    return list(live_assets.SPECS.values())


@pytest.fixture(scope="session")
def models(specs):
    """Return their models."""
    from vaelib import trained_model

    return [trained_model(spec, ROOT / "runs") for spec in specs]
