"""The live pictures in the Firefox of this machine: they stand odd things, and train to the bits of Chromium."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from browsing import served
from pictures import KINDS, RANDOM_EVENTS, write_page
from venvs import make_venv

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[3]
FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
READY = """const until = async test => { while (!test()) await new Promise(done => setTimeout(done, 50)); };
  const hosts = [...document.querySelectorAll("[data-live]")];
  for (const host of hosts) {
    host.scrollIntoView();
    await until(() => host.dataset.state === "ready");
  }"""
ODD = f"""(async () => {{
  {READY}
  await ({RANDOM_EVENTS})([SEED, COUNT]);
  return hosts.map(host => host.dataset.state);
}})()"""
MOST_GROWTH = 10  # megabytes, over 9,000 events: a thousand bytes or so for each
TRAIN = f"""(async () => {{
  {READY}
  const [host] = hosts, status = host.querySelector(".vaelib-status");
  [...host.querySelectorAll("button")].find(({{ textContent }}) => textContent.includes("Train")).click();
  await until(() => /fingerprint|stopped/.test(status.textContent));
  const {{ fingerprint, mine, posteriors }} = host.live.read();
  return {{ fingerprint, mine, posteriors: [...posteriors] }};
}})()"""
# Wide and narrow, near and far from collapse, with a warm-up.
SETTINGS = ("hidden:125,count:1000,numEpochs:5", "count:1000,numEpochs:20,klWeight:0.02,warmup:400,seed:3")

pytestmark = pytest.mark.skipif(FIREFOX is None, reason="no Firefox: install it")


@pytest.fixture(scope="module")
def python():
    return make_venv(ROOT / "_build/clients-firefox", HERE / "firefox.txt")


@pytest.fixture(scope="module")
def address(pictures):
    write_page(pictures, ("train",))
    with served(pictures) as address:
        yield address


def visited(python, *pages):
    """Return what Firefox says of pages."""
    command = [python, HERE / "drive_firefox.py", FIREFOX]
    done = subprocess.run(command, input=json.dumps(pages), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert Path(os.devnull).is_char_device()
    return json.loads(done.stdout.splitlines()[-1])


def odd(seed, count):
    return ODD.replace("SEED", str(seed)).replace("COUNT", str(count))


@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand_events_leave_no_error_or_memory(kind, python, address):
    first, second = visited(python, (f"{address}{kind}.html", odd(1, 1000)), (None, odd(2, 9000)))
    assert [answer["problems"] for answer in (first, second)] == [[], []]
    assert [answer["value"] for answer in (first, second)] == [["ready"], ["ready"]]
    print(f"{kind}: {first['megabytes']:.1f} MB, then {second['megabytes']:.1f} MB")
    assert second["megabytes"] - first["megabytes"] < MOST_GROWTH


@pytest.mark.parametrize("settings", SETTINGS)
def test_training_ends_with_the_bits_of_chromium(settings, python, address, browser):
    link = f"{address}train.html#train={settings}"
    (answer,) = visited(python, (link, TRAIN))
    assert answer["problems"] == []
    page = browser.new_page()
    page.goto(link)
    assert answer["value"] == page.evaluate(TRAIN)
    page.close()
