"""Train in the page as a reader does: press, pause, change the weight, keep, reload."""

import os
import signal
import time
from contextlib import contextmanager

import numpy as np
import pytest
from training_page import SMALL, press, read, visit, wait_for

import vaelib
from vaelib.live import data
from vaelib.live.training import spread
from vaelib.training import load_download

# Count the workers that were started and not stopped.
COUNT_WORKERS = """
window.workers = 0;
window.Worker = class extends Worker {
  constructor(address) { super(address); workers++; }
  terminate() { super.terminate(); workers--; }
};
"""


def test_it_trains_when_asked_and_not_before(page, address):
    visit(page, address, SMALL)
    assert not [name for name in page.asked if name.startswith(("train-digits", "train-kernels"))]
    press(page, "Train")
    wait_for(page, "Finished")
    assert {"train-kernels.js", "train-digits-0.js", "train-digits-test.js"} <= set(page.asked)
    assert "train-digits-1.js" not in page.asked
    seen = read(page)
    assert seen["mine"]["steps"] == [0, 8, 16, 24, 32, 40]
    first, *_, last = seen["mine"]["distortion"]
    assert 540 < first < 548
    assert last < 300
    assert len(seen["posteriors"]) == 4 * 8
    assert page.locator(".vaelib-runs tbody tr").count() == 4


def test_it_ends_alike_again_and_after_a_sleep(page, address):
    """The second time its processes stand still for two seconds, as those of a laptop that is closed."""
    ends = []
    for sleeps in (False, True):
        page.goto("about:blank")
        visit(page, address, SMALL)
        press(page, "Train")
        page.wait_for_function("() => document.querySelector('[data-live=train]').live.read().step > 3")
        if sleeps:
            with stopped(page.context.browser):
                time.sleep(2)
        wait_for(page, "Finished")
        ends.append(read(page)["mine"])
    assert ends[0] == ends[1]


@contextmanager
def stopped(browser):
    """Stop the processes of the pages and their workers for a while."""
    found = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    renderers = [int(each["id"]) for each in found if each["type"] == "renderer"]
    assert renderers
    for process in renderers:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in renderers:
            os.kill(process, signal.SIGCONT)


# Draw nothing, as a browser does for a tab in the background, until `comeBack` is called.
IN_THE_BACKGROUND = """() => {
  const plain = window.requestAnimationFrame, waiting = [];
  window.requestAnimationFrame = call => waiting.push(call);
  window.comeBack = () => { window.requestAnimationFrame = plain; waiting.forEach(call => plain(call)); };
}"""


def test_a_tab_in_the_background_trains_on(page, address):
    visit(page, address, SMALL)
    page.evaluate(IN_THE_BACKGROUND)
    press(page, "Train")
    page.wait_for_function("() => document.querySelector('[data-live=train]').live.read().step === 40", polling=200)
    assert page.locator(".vaelib-status", has_text="Finished").count() == 0
    page.evaluate("() => comeBack()")
    wait_for(page, "Finished")


def test_the_weight_moves_while_it_trains(page, address):
    visit(page, address, SMALL.replace("numEpochs:5", "numEpochs:100"))
    press(page, "Train")
    page.wait_for_function("() => document.querySelector('[data-live=train]').live.read().step > 16")
    slider = page.locator(".vaelib-weight")
    slider.focus()
    for _ in range(5):
        page.keyboard.press("PageUp")
    beta = 784 * read(page)["settings"]["klWeight"]
    assert beta > 2
    page.wait_for_function(
        "beta => Math.abs(document.querySelector('[data-live=train]').live.read().beta / beta - 1) < 1e-6", arg=beta
    )
    press(page, "Pause")
    wait_for(page, "Paused")
    step = read(page)["step"]
    press(page, "One step")
    page.wait_for_function(
        "step => document.querySelector('[data-live=train]').live.read().step === step", arg=step + 1
    )
    assert page.locator(".vaelib-closeup").is_visible()
    assert "true posterior" in page.locator(".vaelib-closeup").inner_text()
    press(page, "Go on")
    page.wait_for_function("step => document.querySelector('[data-live=train]').live.read().step > step", arg=step + 9)
    # The last weight alone would be no name for it.
    assert "moved on the way" in page.locator(".vaelib-runs tbody").inner_text()


def test_a_reload_goes_on_where_it_was(page, address):
    visit(page, address, SMALL)
    press(page, "Train")
    wait_for(page, "Finished")
    before = read(page)["mine"]
    page.wait_for_timeout(500)
    page.reload()
    visit(page, address)
    press(page, "Go on with")
    wait_for(page, "Finished")
    assert read(page)["mine"] == before
    press(page, "Train on")
    page.wait_for_function("() => document.querySelector('[data-live=train]').live.read().step === 80")
    page.reload()
    visit(page, address)
    press(page, "Forget it")
    page.wait_for_timeout(300)
    page.reload()
    visit(page, address)
    assert page.get_by_role("button", name="Go on with").count() == 0


# What a page of before kept: weights in another layout.
KEEP_OLD = """() => new Promise((done, fail) => {
  const request = indexedDB.open("vaelib", 1), settings = { klWeight: 0.001, hidden: 125, count: 1000, seed: 1 };
  const training = { settings, kept: { step: 8 }, numBatches: 8 };
  request.onupgradeneeded = () => request.result.createObjectStore("trainings").put(training, "last");
  request.onsuccess = () => { request.result.close(); done(); };
  request.onerror = request.onblocked = () => fail(request.error ?? new Error("another page has it open"));
})"""


def test_what_was_kept_within_an_epoch_names_a_whole_one(page, address):
    visit(page, address, SMALL)
    press(page, "Train")
    wait_for(page, "Finished")
    page.wait_for_timeout(500)
    memory = (data._WEB / "train_memory.js").read_text()
    page.evaluate(
        f"""async () => {{ {memory}
          const training = await recall();
          training.kept.step = 33;
          await remember(training); }}"""
    )
    page.reload()
    visit(page, address)
    assert page.get_by_role("button", name="Go on with").inner_text().endswith(", epoch 4")


def test_a_training_in_an_older_layout_is_let_go(page, address):
    # Keep it from another page of the server: that of the training opens what is kept itself, in the layout of today.
    page.goto(f"{address}train.html.of-before")
    page.evaluate(KEEP_OLD)
    visit(page, address)
    assert page.get_by_role("button", name="Go on with").count() == 0


def test_the_trained_network_answers(page, address):
    visit(page, address, SMALL)
    press(page, "Train")
    wait_for(page, "Finished")
    press(page, "Keep this run")
    page.locator(".vaelib-runs tbody tr").nth(4).wait_for()
    assert page.locator(".vaelib-runs tbody tr").count() == 5
    press(page, "Explore and draw with it")
    for kind in ("explorer", "draw"):
        page.locator(f"[data-own={kind}][data-state=ready]").wait_for()
    # It is one network: nothing is said of others.
    said = page.locator("[data-own=explorer]").inner_text()
    assert "The plane of kl_wt 0.001" in said.replace("\xa0", " ")
    assert "planes" not in said
    assert "each network" not in said
    assert "moved" not in page.locator(".vaelib-runs tbody").inner_text()


def test_settings_for_the_next_training_say_nothing_of_the_last(page, address, tmp_path):
    visit(page, address, SMALL)
    press(page, "Train")
    wait_for(page, "Epoch 5 of 5, step 40 of 40. Finished. Its weights have the fingerprint")
    first = page.locator(".vaelib-runs tbody tr").first
    said = first.inner_text()
    page.get_by_label("hidden units").select_option("500")
    page.locator("[data-setting=numEpochs]").select_option("20")
    page.get_by_role("slider").press("End")
    page.wait_for_function("() => document.querySelector('[data-live=train]').live.read().settings.klWeight === 0.2")
    page.wait_for_timeout(200)
    assert first.inner_text() == said
    assert page.locator(".vaelib-status").inner_text() == "Epoch 5 of 5, step 40 of 40. Finished."
    with page.expect_download() as found:
        press(page, "Download")
    found.value.save_as(tmp_path / "training.npz")
    run = load_download(tmp_path / "training.npz")
    assert (run.model.encoder.hidden_dim, run.model.beta.beta) == (125, pytest.approx(0.784))
    # Trained on, it is the same network, with the new weight, by as many epochs as are chosen.
    press(page, "Train on")
    wait_for(page, "Epoch 25 of 25, step 200 of 200. Finished")
    state = read(page)
    assert (state["settings"]["hidden"], state["trained"]["hidden"], state["trained"]["klWeight"]) == (125, 125, 0.2)
    assert "moved on the way" in first.inner_text()


def test_a_download_is_the_network_of_the_page(page, address, digits, tmp_path):
    visit(page, address, SMALL)
    press(page, "Train")
    wait_for(page, "Finished")
    with page.expect_download() as found:
        press(page, "Download")
    file = tmp_path / "training.npz"
    found.value.save_as(file)
    run = load_download(file)
    seen = read(page)
    assert run.history["val_rate"] == seen["mine"]["rate"][1:]
    np.testing.assert_allclose(run.history["beta"], 0.784)
    assert run.posteriors[5].mean.shape == (8, 2)
    # Its posteriors cost the test digits the rate that the page says.
    rate = np.mean(vaelib.gaussian_kl(*run.model.encode(spread(digits.x_test))))
    np.testing.assert_allclose(rate, seen["mine"]["rate"][-1], rtol=1e-4)
    decoded = np.round(255 * np.reshape(run.model.generate(vaelib.latent_grid()), -1))
    assert np.abs(decoded - np.array(seen["pixels"])).max() <= 1


def test_another_file_is_refused(tmp_path):
    np.savez(tmp_path / "other.npz", a=1)
    with pytest.raises(ValueError, match="the page wrote"):
        load_download(tmp_path / "other.npz")
    with pytest.raises(FileNotFoundError):
        load_download(tmp_path / "none.npz")


def test_it_collapses_where_the_digits_say(page, address):
    """Train for 20 epochs of 10,000 digits: above the first threshold, beta 33.05, and below the second, 23.01."""
    page.set_default_timeout(1_200_000)
    rates = []
    for kl_wt in (40 / 784, 20 / 784):
        page.goto("about:blank")
        visit(page, address, f"#train=hidden:125,klWeight:{kl_wt}")
        press(page, "Train")
        wait_for(page, "Finished")
        rates.append(read(page)["mine"]["rate"][-1])
    assert rates[0] < 0.05
    assert rates[1] > 0.1


def test_a_link_holds_the_fingerprint_of_what_was_trained(page, address):
    visit(page, address, SMALL)
    press(page, "Train")
    wait_for(page, "yours should have it too")
    link, fingerprint = page.url, read(page)["fingerprint"]
    assert link.endswith(f"fingerprint:{fingerprint}")
    for claimed, words in ((fingerprint, "the same bits"), ("0123abcd", "some bits differ")):
        page.goto("about:blank")
        visit(page, address, "#" + link.partition("#")[2].replace(fingerprint, claimed))
        press(page, "Train")
        wait_for(page, words)


def test_a_link_put_into_the_pages_own_address_is_followed(page, address):
    visit(page, address, SMALL)
    press(page, "Train")
    wait_for(page, "Finished")
    own = page.evaluate("() => location.hash")
    # Go to a heading and back: the training stays.
    for fragment in ("#heading", own):
        page.evaluate("fragment => { location.hash = fragment; }", fragment)
    page.wait_for_timeout(300)
    assert read(page)["phase"] == "finished"
    with page.expect_navigation(wait_until="load"):
        page.evaluate("() => { location.hash = '#train=klWeight:0.03,seed:2,fingerprint:0123abcd'; }")
    page.locator("[data-live=train]").scroll_into_view_if_needed()
    page.locator("[data-live=train][data-state=ready]").wait_for()
    state = read(page)
    assert (state["phase"], state["claimed"]) == ("idle", "0123abcd")
    assert (state["settings"]["klWeight"], state["settings"]["seed"]) == (0.03, 2)
    page.get_by_role("button", name="Go on with").wait_for()


def test_the_arrow_keys_reach_every_weight(page, address):
    visit(page, address)
    slider, seen = page.get_by_role("slider"), []
    slider.press("Home")
    for _ in range(67):
        seen.append(read(page)["settings"]["klWeight"])
        slider.press("ArrowRight")
    assert seen[0] == 1e-4
    assert seen[-1] == 0.2
    assert sorted(set(seen)) == seen


def test_an_experiment_pressed_twice_leaves_one_worker(page, address):
    page.add_init_script(COUNT_WORKERS)
    visit(page, address, SMALL)
    page.evaluate("""() => {
      scrollTo(0, document.body.scrollHeight);
      const buttons = [...document.querySelectorAll("button")];
      const tryOut = text => buttons.find(node => node.textContent.includes(text)).click();
      tryOut("Does it wake up?");
      tryOut("A small network");
    }""")
    wait_for(page, "Epoch")
    assert page.evaluate("() => workers") == 1
    assert read(page)["settings"]["hidden"] == 125
    # Its button is below the pictures; what it begins comes in sight.
    page.wait_for_function("() => document.querySelector('.vaelib-weight').getBoundingClientRect().top >= 0")
    press(page, "Pause")


def test_a_weight_that_is_moved_while_the_kernels_start_counts(page, address):
    held = []
    page.route("**/train-kernels*", lambda route: held.append(route))
    visit(page, address, SMALL)
    press(page, "Train")
    while not held:
        page.wait_for_timeout(10)
    for _ in range(3):
        page.get_by_role("slider").press("ArrowRight")
    held[0].continue_()
    wait_for(page, "Finished")
    seen = read(page)
    assert seen["settings"]["klWeight"] > 1e-3
    np.testing.assert_allclose(seen["mine"]["train"]["beta"][-1], 784 * seen["settings"]["klWeight"])
    # No settings alone lead to what was moved on the way.
    assert seen["fingerprint"] is None
    assert "fingerprint" not in page.url
