"""Run JavaScript in pages of a real Firefox: `python drive_firefox.py FIREFOX`, in the environment of firefox.txt.

It reads a JSON list of [address, code] from its input, where code is an expression with the value of a promise and an
address may be null: then the page stays. It writes what each comes to, and how much memory the pages have to
themselves then, as a JSON list.
"""

import json
import sys
import tempfile
import time

PATIENCE = 600  # seconds for each page
# Evaluate in the page's own world: Marionette's sees no properties that the page has given its elements.
BEGIN = "window.wrappedJSObject.eval(arguments[0])"
COLLECT = """
window.answer = undefined; window.problems = [];
addEventListener("error", event => problems.push(event.message));
addEventListener("unhandledrejection", event => problems.push(String(event.reason)));
(CODE).then(
  value => { window.answer = JSON.stringify({ value, problems }); },
  error => { window.answer = JSON.stringify({ value: null, problems: [...problems, String(error)] }); },
);
"""
# Free what can be freed, and add up what the processes of pages have to themselves, in megabytes.
WEIGH = """
const [done] = [...arguments].slice(-1);
Services.obs.notifyObservers(null, "memory-pressure", "heap-minimize");
ChromeUtils.requestProcInfo().then(({ children }) => {
  const pages = children.filter(({ type }) => type.startsWith("web"));
  done(pages.reduce((sum, { memory }) => sum + memory, 0) / 1e6);
});
"""


def main(firefox, pages):
    """Return what each page's code comes to."""
    # Import it here: pytest reads this file in an environment that has none.
    from marionette_driver.marionette import Marionette

    # Its log would otherwise lie in the folder in which this is called. Marionette removes the file first: never let it
    # be the null device.
    with tempfile.TemporaryDirectory() as folder:
        driver = Marionette(bin=firefox, headless=True, startup_timeout=120, gecko_log=f"{folder}/gecko.log")
        try:
            driver.start_session()
            return [visit(driver, address, code) for address, code in pages]
        finally:
            driver.cleanup()


def visit(driver, address, code):
    """Open a page anew, or stay, and wait for its answer."""
    if address:
        driver.navigate("about:blank")
        driver.navigate(address)
    driver.execute_script(BEGIN, script_args=[COLLECT.replace("CODE", code)])
    for _ in range(10 * PATIENCE):
        if answer := driver.execute_script("return window.wrappedJSObject.answer || null"):
            return json.loads(answer) | {"megabytes": weighed(driver)}
        time.sleep(0.1)
    return {"value": None, "problems": [f"There was no answer within {PATIENCE} seconds."], "megabytes": None}


def weighed(driver):
    """Return the least of some measurements: what is being computed or compiled meanwhile is no leak."""
    found = []
    for _ in range(4):
        time.sleep(1)
        with driver.using_context("chrome"):
            found.append(driver.execute_async_script(WEIGH))
    return min(found)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], json.load(sys.stdin))))
