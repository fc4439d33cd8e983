"""Give every kind of images to everything that takes images, and compare with the table of the book."""

import inputs
import pytest


@pytest.mark.slow
def test_the_table_of_the_book_is_what_happens():
    page = inputs.PAGE.read_text()
    assert inputs.BEGIN + inputs.table() + inputs.END in page


def test_a_sentence_is_what_was_raised():
    def refuse(images):
        raise ValueError(f"{images}\n  are none")

    assert inputs.said(refuse, "these") == "these are none"
    assert inputs.said(len, "these") is None


def test_another_error_is_no_answer():
    with pytest.raises(TypeError):
        inputs.said(len, 5)
