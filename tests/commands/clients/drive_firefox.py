"""Run JavaScript in pages of a real Firefox: `python drive_firefox.py FIREFOX`, in the environment of firefox.txt.

It reads a JSON list of [address, uses, code] from its input, where code is an expression with the value of a promise
and an address may be null: then the page stays. Before the code, devices are used on the page, see `use`. It writes
what each comes to, and how much memory the pages have to themselves then, as a JSON list.
"""

import json
import sys
import tempfile
import time

PATIENCE = 600  # seconds for each page
# Evaluate in the page's own world: Marionette's sees no properties that the page has given its elements.
BEGIN = "window.wrappedJSObject.eval(arguments[0])"
COLLECT = """
window.answer = undefined; window.problems ??= [];
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
            return [visit(driver, *page) for page in pages]
        finally:
            driver.cleanup()


def visit(driver, address, uses, code):
    """Open a page anew, or stay; use its devices, and wait for its answer."""
    if address:
        driver.navigate("about:blank")
        driver.navigate(address)
    for each in uses:
        use(driver, *each)
    driver.execute_script(BEGIN, script_args=[COLLECT.replace("CODE", code)])
    for _ in range(10 * PATIENCE):
        if answer := driver.execute_script("return window.wrappedJSObject.answer || null"):
            return json.loads(answer) | {"megabytes": weighed(driver)}
        time.sleep(0.1)
    return {"value": None, "problems": [f"There was no answer within {PATIENCE} seconds."], "megabytes": None}


def use(driver, device, on, how):
    """Use a device on the first element of a selector: a "key" list on what has the focus, or a "mouse" or a "touch".

    A mouse button or a finger goes down at the first of some places, [x, y] from the middle of the element, and up at
    the last.
    """
    from marionette_driver.by import By
    from marionette_driver.marionette import ActionSequence

    element = driver.find_element(By.CSS_SELECTOR, on)
    driver.execute_script("arguments[0].scrollIntoView({ block: 'center' })", script_args=[element])
    if device == "key":
        driver.execute_script("arguments[0].focus()", script_args=[element])
        ActionSequence(driver, "key", "keys").send_keys(how).perform()
    else:
        pointer = ActionSequence(driver, "pointer", device, {"pointerType": device})
        for i, (x, y) in enumerate(how):
            pointer.pointer_move(x, y, origin=element, duration=50)
            if i == 0:
                pointer.pointer_down()
        pointer.pointer_up().perform()


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
