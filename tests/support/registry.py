"""Give a page the npm packages that it asks servers for, from a folder: no test needs those servers."""

import re
import shutil
import subprocess

# jsDelivr and unpkg name a package, perhaps its version, and a file in it; cdnjs has one file of require.js.
PACKAGE = re.compile(r"https://(?:cdn\.jsdelivr\.net/npm|unpkg\.com)/((?:@[^/@]+/)?[^/@]+)(?:@[^/]+)?/(.+)")
REQUIRE = re.compile(r"https://cdnjs\.cloudflare\.com/ajax/libs/require\.js/")
ELSEWHERE = re.compile(r"^https://")


def install_packages(folder, *packages):
    """Install npm packages into a folder, the first time only; return where they lie, or None where there is no npm."""
    npm, installed = shutil.which("npm"), folder / "node_modules"
    if npm is None:
        return None
    if not (folder / "installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        options = ["--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run([npm, "install", *options, *packages], check=True)
        (folder / "installed").touch()
    return installed


def serve_packages(page, installed):
    """Answer a page's requests to other hosts: with a file of a package, or with nothing.

    Returns:
        A list that comes to hold the addresses answered with nothing.
    """
    missing = []

    def answer(route):
        address = route.request.url
        if REQUIRE.match(address):
            return route.fulfill(path=installed / "requirejs/require.js")
        found = PACKAGE.match(address)
        if found and (path := installed / found[1] / found[2]).is_file():
            return route.fulfill(path=path)
        missing.append(address)
        return route.abort()

    page.route(ELSEWHERE, answer)
    return missing
