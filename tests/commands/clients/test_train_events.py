"""Ten thousand odd things done to the training in Chromium: a network is trained, asked and thrown away many times."""

from browsing import served
from random_events import assert_stands_random_events


def test_ten_thousand_leave_no_error_or_memory(browser, pictures):
    with served(pictures) as address:
        assert_stands_random_events(browser, address, "train")
