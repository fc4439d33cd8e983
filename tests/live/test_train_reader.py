"""Use the training as a reader does who changes his mind: in sight, paused, kept, forgotten, asked."""

import numpy as np
import pytest
from training_page import SMALL, press, read, visit, wait_for

from vaelib.live import data, measures
from vaelib.models import PosteriorTrace

# Tell whether the weight and all of the posteriors are in sight.
BOTH_IN_SIGHT = """() => {
  const host = document.querySelector("[data-live=train]");
  const edge = part => host.querySelector(part).getBoundingClientRect();
  return edge(".vaelib-weight").top >= 0 && edge("canvas.vaelib-plane:not([hidden] *)").bottom <= innerHeight;
}"""


@pytest.mark.parametrize("size", [(360, 740), (720, 640)], ids=["a phone", "the column of a desk"])
def test_the_weight_and_the_posteriors_are_seen_together(size, page, address):
    page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    page.emulate_media(reduced_motion="reduce")
    visit(page, address, SMALL)
    page.evaluate("() => scrollTo(0, 0)")
    assert not page.evaluate(BOTH_IN_SIGHT), "else the test cannot fail"
    press(page, "Train")
    page.wait_for_function(BOTH_IN_SIGHT)
    wait_for(page, "Finished")
    assert page.evaluate(BOTH_IN_SIGHT)


def test_the_weight_does_not_stay_under_the_header(page, address):
    top = "() => Math.round(document.querySelector('.vaelib-settings .vaelib-scrubber').getBoundingClientRect().top)"
    page.set_viewport_size({"width": 720, "height": 800})
    page.emulate_media(reduced_motion="reduce")
    visit(page, address, SMALL)
    # Make room for the header that a theme keeps at the top, and a page to scroll.
    page.add_style_tag(content="html { scroll-padding-top: 60px; } body { padding-bottom: 2000px; }")
    page.evaluate(f"() => scrollBy(0, ({top})() - 30)")
    assert page.evaluate(top) == 30
    page.get_by_role("button", name="▶ Train").press("Enter")
    page.wait_for_function(f"() => ({top})() >= 60")
    wait_for(page, "Finished")


# Pull the weight from end to end, and return all heights at which its marks stand.
PULL = """() => {
  const [slider, marks] = [".vaelib-weight", ".vaelib-marks"].map(part => document.querySelector(part)), heights = [];
  for (slider.value = slider.min; Number(slider.value) < Number(slider.max); slider.stepUp()) {
    slider.dispatchEvent(new Event("input"));
    heights.push(Math.round(marks.getBoundingClientRect().y));
  }
  return heights;
}"""


def test_nothing_moves_while_the_weight_is_pulled(page, address):
    visit(page, address, SMALL)
    for width in range(240, 344, 4):
        page.evaluate(f"() => {{ document.querySelector('main').style.width = '{width}px'; }}")
        heights = page.evaluate(PULL)
        assert len(heights) > 60
        assert len(set(heights)) == 1, width


def test_the_focus_stays_where_a_button_was_pressed(page, address):
    def focused():
        return page.evaluate("() => document.activeElement.innerText")

    visit(page, address, f"{SMALL},numEpochs:100")
    page.get_by_role("button", name="Train", exact=False).press("Enter")
    wait_for_step(page, 0)
    assert focused() == "❚❚ Pause"
    page.keyboard.press("Space")
    wait_for(page, "Paused")
    assert focused() == "▶ Go on"
    for name in ("One step", "Start again"):
        page.get_by_role("button", name=name).press("Enter")
        wait_for_step(page, 0)
        assert focused() == name
    # What cannot be pressed now does nothing.
    assert page.get_by_role("button", name="One step").is_disabled()
    page.get_by_role("button", name="One step").press("Enter")
    wait_for(page, "Finished")
    page.reload()
    visit(page, address, SMALL)
    page.get_by_role("button", name="Go on with").press("Enter")
    wait_for(page, "Finished")
    assert focused() == "▶ Train on"
    page.get_by_role("button", name="Forget it").press("Enter")
    page.wait_for_timeout(200)
    assert focused() == "▶ Train on"


def wait_for_step(page, step):
    """Wait until more steps than these are made."""
    page.wait_for_function(f"() => document.querySelector('[data-live=train]').live.read().step > {step}")


def test_a_run_is_kept_once(page, address):
    visit(page, address, SMALL)
    rows = page.locator(".vaelib-runs tbody tr")
    press(page, "Train")
    wait_for(page, "Finished")
    press(page, "Keep this run")
    press(page, "Keep this run")
    rows.nth(4).wait_for()
    press(page, "Train on")
    wait_for(page, "Epoch 10 of 10, step 80 of 80. Finished")
    press(page, "Keep this run")
    page.wait_for_timeout(200)
    assert [run["steps"][-1] for run in read(page)["kept"]] == [80]
    assert rows.count() == 5
    # An experiment keeps the run before it.
    page.locator("summary", has_text="Six experiments").click()
    press(page, "A small network")
    wait_for_step(page, 0)
    assert [run["steps"][-1] for run in read(page)["kept"]] == [80]


def test_another_training_can_be_chosen_in_a_pause(page, address):
    visit(page, address, f"{SMALL},numEpochs:100")
    press(page, "Train")
    wait_for_step(page, 0)
    press(page, "Pause")
    wait_for(page, "Paused")
    trained = read(page)["trained"]
    for change in ("Go on", "One step"):
        page.get_by_label("hidden units").select_option("500")
        page.locator("[data-setting=seed]").select_option("3")
        step = read(page)["step"]
        page.get_by_role("button", name=change, exact=change != "Go on").click()
        wait_for_step(page, step)
        state = read(page)
        assert (state["settings"]["hidden"], state["settings"]["seed"]) == (125, trained["seed"])
        assert state["trained"] == trained
        if change == "Go on":
            press(page, "Pause")
            wait_for(page, "Paused")
    # What a step looked like is over when it goes on.
    page.locator(".vaelib-closeup").wait_for()
    press(page, "Go on")
    press(page, "Pause")
    wait_for(page, "Paused")
    assert page.locator(".vaelib-closeup").is_hidden()
    page.get_by_label("hidden units").select_option("500")
    press(page, "Start again")
    assert read(page)["trained"]["hidden"] == 500


def test_only_what_is_kept_can_be_gone_on_with_or_forgotten(page, address):
    go_on, forget = (page.get_by_role("button", name=name) for name in ("Go on with", "Forget it"))
    visit(page, address, SMALL)
    assert go_on.count() == forget.count() == 0
    press(page, "Train")
    wait_for(page, "Finished")
    forget.wait_for()
    page.reload()
    visit(page, address, f"{SMALL},seed:2")
    assert go_on.count() == forget.count() == 1
    press(page, "▶ Train")
    wait_for(page, "Finished")
    # What was kept before has given way to this training.
    forget.wait_for()
    assert go_on.count() == 0
    press(page, "Forget it")
    page.wait_for_timeout(300)
    assert forget.count() == 0
    page.reload()
    visit(page, address, SMALL)
    assert go_on.count() == forget.count() == 0


def test_a_pause_within_an_epoch_survives_a_reload(page, address):
    visit(page, address, f"{SMALL},count:10000,numEpochs:100")
    press(page, "Train")
    page.wait_for_function("() => document.querySelector('[data-live=train]').live.read().step > 100")
    press(page, "Pause")
    wait_for(page, "Paused")
    before, memory = read(page), (data._WEB / "train_memory.js").read_text()
    page.wait_for_function(
        f"async step => {{ {memory} return (await recall())?.kept.step === step; }}", arg=before["step"]
    )
    # Without the full MNIST there are fewer batches.
    assert len(before["posteriors"]) == 4 * ((before["step"] - 1) % before["numBatches"] + 1)
    page.reload()
    visit(page, address)
    press(page, "Go on with")
    page.wait_for_function(
        "step => document.querySelector('[data-live=train]').live.read().step > step", arg=before["step"]
    )
    press(page, "Pause")
    wait_for(page, "Paused")
    after = read(page)
    assert after["mine"]["steps"][: len(before["mine"]["steps"])] == before["mine"]["steps"]
    assert len(after["posteriors"]) == 4 * ((after["step"] - 1) % after["numBatches"] + 1)


COUNT_KEPT = """
window.kept = 0;
const { put } = IDBObjectStore.prototype;
IDBObjectStore.prototype.put = function (...all) { window.kept++; return put.apply(this, all); };
"""


def test_weights_are_not_kept_after_every_epoch(page, address):
    # Let the page's clock stand still: the first epoch is kept, and then the end.
    page.add_init_script(COUNT_KEPT + "performance.now = () => 1e6;")
    visit(page, address, SMALL)
    press(page, "Train")
    wait_for(page, "Finished")
    page.wait_for_function("() => window.kept === 2")
    page.wait_for_timeout(300)
    assert page.evaluate("() => window.kept") == 2


def test_a_training_is_kept_when_its_page_is_hidden(page, address):
    page.add_init_script(COUNT_KEPT + "performance.now = () => 1e6;")
    visit(page, address, f"{SMALL},numEpochs:400")
    press(page, "Train")
    page.wait_for_function("() => window.kept === 1")
    page.evaluate(
        """() => {
          Object.defineProperty(document, "hidden", { value: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    page.wait_for_function("() => window.kept === 2")
    assert read(page)["phase"] == "running"


@pytest.fixture(scope="module")
def functions(browser):
    """Return a page with the functions of the trained network as globals."""
    page = browser.new_page()
    for name in ("train_network.js", "train_closeup.js"):
        page.add_script_tag(content=(data._WEB / name).read_text())
    yield page
    page.close()


@pytest.mark.parametrize("spread", [0.1, 1.0])
def test_digits_reach_as_far_as_the_library_says(spread, functions):
    rng = np.random.default_rng(1)
    posteriors = PosteriorTrace(rng.standard_normal((2000, 2)), rng.uniform(0.5, 1, (2000, 2)) * spread)
    # Take the draws of the library.
    draws = posteriors.mean + posteriors.std * np.random.default_rng(0).standard_normal((2000, 2), "float32")
    parts = {"means": posteriors.mean, "stds": posteriors.std, "draws": draws}
    found = functions.evaluate("reachOf", {name: part.ravel().tolist() for name, part in parts.items()})
    assert found == pytest.approx(measures.reach(posteriors), rel=0.03)


@pytest.mark.parametrize(
    ("std", "centre", "expected"),
    [(0.05, (2.0, 1.0), 0.5), (0.3, (2.0, 1.0), 1), (1.0, (2.0, 1.0), 4), (0.05, (0.5, 1.0), 2)],
)
def test_a_step_is_shown_as_near_as_it_fits(std, centre, expected, functions):
    """The posterior is at (2, 1); the true one is Gaussian, somewhere, and may be elsewhere."""
    axis = np.linspace(-7, 7, 141)
    squares = ((axis - centre[0]) ** 2)[None, :] + ((axis - centre[1]) ** 2)[:, None]
    truth = {"side": 141, "reach": 7, "density": np.exp(-squares / (2 * std**2)).ravel().tolist()}
    before = {"mean": [2.0, 1.0], "std": [std, std], "z": [2.0 + std, 1.0]}
    after = {"mean": [2.0 + std, 1.0], "std": [std, std]}
    limit = functions.evaluate("([before, after, truth]) => closeupLimit(before, after, truth)", [before, after, truth])
    assert limit == expected


def test_digits_come_to_the_middle_of_a_collapsed_network(page, address):
    visit(page, address, f"{SMALL},klWeight:0.1")
    press(page, "Train")
    wait_for(page, "Finished")
    press(page, "Explore and draw with it")
    explorer = page.locator("[data-own=explorer]")
    page.locator("[data-own=explorer][data-state=ready]").wait_for()
    assert "z = (0.00, 0.00)" in explorer.inner_text()
    assert "The nearest posterior of a test digit" in explorer.inner_text()
    assert "o digit comes here" not in explorer.inner_text()
