"""The live pictures in the Firefox of this machine: they stand odd things, and train to the bits of Chromium."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from browsing import served
from clients import INK
from pictures import ALL_KINDS
from random_events import RANDOM_EVENTS, SAME_STATE
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
  await (SAME)();
  return hosts.map(host => host.dataset.state);
}})()"""
# Megabytes, over 9,000 events: a thousand bytes or so for each. Of the workers that a training starts and stops,
# Firefox frees some late, so that its memory goes up and down.
MOST_GROWTH = {"train": 60}
USUAL_GROWTH = 10
TRAIN = f"""(async () => {{
  {READY}
  const [host] = hosts, status = host.querySelector(".vaelib-status");
  [...host.querySelectorAll("button")].find(({{ textContent }}) => textContent.includes("Train")).click();
  await until(() => /fingerprint|stopped/.test(status.textContent));
  const {{ fingerprint, mine, posteriors }} = host.live.read();
  return {{ fingerprint, mine, posteriors: [...posteriors] }};
}})()"""
# Wait for something, and return what the pictures say of themselves, how much of each plane has ink, and the colour of
# the prior's circle on the pad's first plane, which reaches six units to each side.
SEEN = f"""(async () => {{
  {READY}
  THEN
  await until(() => WAIT);
  const frames = count => new Promise(done => requestAnimationFrame(() => done(count && frames(count - 1))));
  await frames(5);
  const plane = document.querySelector("[data-live=draw] canvas.vaelib-plane"), {{ width, height }} = plane;
  const circle = plane.getContext("2d").getImageData(Math.round(width * 7 / 12), height / 2 - 4, 1, 1).data;
  return {{ states: hosts.map(host => host.live.read()), ink: ({INK})(hosts), circle: [...circle] }};
}})()"""
SET_THEME = """Object.assign(document.documentElement.dataset, { theme: "THEME" });
  document.documentElement.style.setProperty("--pst-color-text-base", "TEXT");"""
# What WebDriver calls the keys.
LEFT, UP, RIGHT, DOWN, END = "\ue012", "\ue013", "\ue014", "\ue015", "\ue010"
SCRUBBER, PANEL, PLANE, PAD, WEIGHT, PRESS, MEAN = (
    f"[data-live={place}"
    for place in (
        "film] input[type=range]",
        "film] canvas[tabindex]",
        "explorer] canvas[tabindex]",
        "draw] canvas[tabindex]",
        "train] input[type=range]",
        "train] button",
        "overlap] input[type=range]",
    )
)
# Wide and narrow, near and far from collapse, with a warm-up.
SETTINGS = ("hidden:125,count:1000,numEpochs:5", "count:1000,numEpochs:20,klWeight:0.02,warmup:400,seed:3")

pytestmark = pytest.mark.skipif(FIREFOX is None, reason="no Firefox: install it")


@pytest.fixture(scope="module")
def python():
    return make_venv(ROOT / "_build/clients-firefox", HERE / "firefox.txt")


@pytest.fixture(scope="module")
def address(pictures):
    with served(pictures) as address:
        yield address


def visited(python, *pages):
    """Return what Firefox says of pages."""
    command = [python, HERE / "drive_firefox.py", FIREFOX]
    done = subprocess.run(command, input=json.dumps(pages), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert Path(os.devnull).is_char_device()
    return json.loads(done.stdout.splitlines()[-1])


def odd(kind, seed, count):
    same = SAME_STATE.get(kind, "() => {}")
    return ODD.replace("SEED", str(seed)).replace("COUNT", str(count)).replace("SAME", same)


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_ten_thousand_events_leave_no_error_or_memory(kind, python, address):
    begin, go_on = odd(kind, 1, 1000), odd(kind, 2, 9000)
    first, second = visited(python, (f"{address}{kind}.html", [], begin), (None, [], go_on))
    assert [answer["problems"] for answer in (first, second)] == [[], []]
    assert [answer["value"] for answer in (first, second)] == [["ready"], ["ready"]]
    print(f"{kind}: {first['megabytes']:.1f} MB, then {second['megabytes']:.1f} MB")
    assert second["megabytes"] - first["megabytes"] < MOST_GROWTH.get(kind, USUAL_GROWTH)


def used(python, address, *uses, then="", wait="true"):
    """Return what the pictures say of themselves after some uses."""
    begin = (f"{address}{'-'.join(ALL_KINDS)}.html", [], SEEN.replace("THEN", "").replace("WAIT", "true"))
    *_, answer = visited(python, begin, (None, uses, SEEN.replace("THEN", then).replace("WAIT", wait)))
    assert answer["problems"] == []
    return answer["value"]


def test_every_picture_works_by_keyboard(python, address):
    uses = [("key", SCRUBBER, [END, LEFT]), ("key", PLANE, [UP]), ("key", PAD, [" ", *(3 * [DOWN]), " "])]
    uses += [("key", PANEL, [LEFT]), ("key", WEIGHT, [RIGHT]), ("key", MEAN, [END])]
    film, explorer, draw, overlap, train = used(python, address, *uses)["states"]
    assert film["batch"] == 468
    assert film["picked"] is not None
    assert explorer["z"] == pytest.approx([0, 0.1])
    assert sum(draw["image"]) > 10
    assert train["settings"]["klWeight"] == pytest.approx(1.1e-3)
    assert overlap["mean"] == 3


@pytest.mark.parametrize("pointer", ["mouse", "touch"])
def test_a_mouse_or_a_finger_picks_moves_draws_and_trains(pointer, python, address):
    uses = [("key", SCRUBBER, [END]), (pointer, PANEL, [[0, 10]]), (pointer, PLANE, [[50, -20]])]
    uses += [(pointer, PAD, [[0, -30], [10, 0], [20, 40]]), (pointer, MEAN, [[-60, 0]]), (pointer, PRESS, [[0, 0]])]
    trains = "hosts.find(host => host.dataset.live === 'train').live.read().step > 0"
    film, explorer, draw, overlap, train = used(python, address, *uses, wait=trains)["states"]
    assert film["picked"] is not None
    assert min(map(abs, explorer["z"])) > 0.2
    assert sum(draw["image"]) > 10
    assert train["step"] > 0
    assert overlap["mean"] < 0


@pytest.mark.parametrize("themes", [["dark"], ["dark", "light"]])
def test_another_theme_is_drawn_at_once(themes, python, address):
    texts = {"dark": "#eeeeee", "light": "#222222"}
    pause = "await new Promise(done => setTimeout(done, 500));"
    then = pause.join(SET_THEME.replace("THEME", theme).replace("TEXT", texts[theme]) for theme in themes)
    seen = used(python, address, then=then)
    assert min(min(planes) for planes in seen["ink"]) > 100
    assert seen["circle"][:3] == pytest.approx([int(texts[themes[-1]][1:3], 16)] * 3, abs=60)


@pytest.mark.parametrize("settings", SETTINGS)
def test_training_ends_with_the_bits_of_chromium(settings, python, address, browser):
    link = f"{address}train.html#train={settings}"
    (answer,) = visited(python, (link, [], TRAIN))
    assert answer["problems"] == []
    page = browser.new_page()
    page.goto(link)
    assert answer["value"] == page.evaluate(TRAIN)
    page.close()
