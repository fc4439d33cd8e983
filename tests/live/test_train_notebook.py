"""Train in a notebook, without a notebook: the widget in a real browser, and what it gets from Python."""

import json

import numpy as np
import pytest
from browsing import served
from pictures import answers_of, opened_notebook, write_notebook

import vaelib
from vaelib.live import training


@pytest.fixture(scope="module")
def widget(small):
    return vaelib.train_here(small.x_train, small.x_test, small.y_test)


@pytest.fixture(scope="module")
def answers(widget):
    return answers_of(widget)


@pytest.fixture
def address(widget, answers, tmp_path):
    write_notebook(tmp_path, widget, answers)
    with served(tmp_path) as address:
        yield address


def test_it_answers_with_each_part_once(answers, small):
    digits = training.digits_data
    assert [answer["part"] for answer in answers] == ["train-kernels", "train-digits-0", "train-digits-test"]
    assert [answer["value"] for answer in answers] == [
        training.kernels_data(),
        digits(small.x_train),
        digits(small.x_test),
    ]


def test_a_saved_notebook_holds_neither_digits_nor_kernels(widget):
    assert set(widget.data) == {"train-facts", "digits"}
    assert len(json.dumps(widget.data)) < 60_000
    # All of its images can be trained on, and each number of them has its thresholds.
    assert [size["count"] for size in widget.data["train-facts"]["sizes"]] == [1000, 2000]


def test_the_test_digits_are_spread_over_all(small):
    index = np.arange(4500)
    x_test = np.tile((index % 256 / 255).astype("float32")[:, None, None, None], (1, 28, 28, 1))
    parts = training.training_parts(small.x_train, x_test, index % 10, {})
    assert parts["train-digits-test"]() == training.digits_data(x_test[::2][:2000])
    assert parts["train-facts"]()["labels"] == "02468" * 400
    assert training.spread(index[:1999]).tolist() == index[:1999].tolist()


def test_images_of_another_kind_are_refused(small):
    with pytest.raises(ValueError, match="expected in x_test, got \\(28, 27, 1\\)"):
        vaelib.train_here(small.x_train, small.x_test[:, :, 1:], small.y_test)
    with pytest.raises(ValueError, match="As many labels as images"):
        vaelib.train_here(small.x_train, small.x_test, small.y_test[1:])


def test_it_trains_and_gives_its_network_to_the_others(browser, address):
    with opened_notebook(browser, address) as seen:
        page = seen.page
        page.get_by_label("hidden units").select_option("125")
        page.get_by_label("training digits").select_option("2,000")
        page.locator("[data-setting=numEpochs]").select_option("5")
        page.get_by_role("button", name="Train").click()
        page.locator(".vaelib-status", has_text="Finished").wait_for()
        state = page.evaluate("() => notebook.cell.firstChild.live.read()")
        assert state["step"] == 5 * 16
        assert state["mine"]["distortion"][-1] < state["mine"]["distortion"][0]
        page.get_by_role("button", name="Explore and draw with it").click()
        for kind in ("explorer", "draw"):
            page.locator(f"[data-own={kind}][data-state=ready]").wait_for()
        # A notebook has no address that others could open, and keeps nothing: its digits may be others tomorrow.
        assert page.evaluate("() => window.location.hash") == ""
        assert page.evaluate("async () => (await indexedDB.databases()).length") == 0
        # An experiment with more digits than there are takes all of them.
        page.get_by_text("Six experiments").click()
        page.get_by_role("button", name="A small network").click()
        page.locator(".vaelib-status", has_text="Epoch").wait_for()
        assert page.evaluate("() => notebook.cell.firstChild.live.read().settings.count") == 2000
        assert seen.errors == []


def test_a_kernel_that_does_not_answer_is_named(browser, address, tmp_path):
    (tmp_path / "train-kernels.json").unlink()
    script = tmp_path / "widget.js"
    script.write_text(script.read_text().replace("PATIENCE_MS = 60_000", "PATIENCE_MS = 500"))
    with opened_notebook(browser, address) as seen:
        seen.page.get_by_role("button", name="Train").click()
        seen.page.locator(".vaelib-status", has_text="kernel does not answer").wait_for()
        assert seen.page.get_by_role("button", name="Try again").is_enabled()
