"""Odd things done to each live picture, ten thousand times.

Those to the training take minutes: `make clients` does them.
"""

import pytest
from pictures import ALL_KINDS
from random_events import assert_stands_random_events


@pytest.mark.parametrize("kind", sorted({*ALL_KINDS} - {"train"}))
def test_ten_thousand_leave_no_error_or_memory(kind, browser, address):
    assert_stands_random_events(browser, address, kind)
