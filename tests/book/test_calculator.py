"""The calculator of beta says what the tables of its page say: by keyboard, on a phone, under a strict policy."""

import ast

import pytest
from browsing import PHONE
from pictures import opened, opened_without_inline

import vaelib

PAGE = "book/beta.html"
NARROWEST = 320
# Fill in lines of the tables: what differs from the fields' first values, and the beta that the table has.
CROSS, SQUARE = {"likelihood": "cross"}, {"likelihood": "square"}
LINES = {
    "Chollet, 1st edition": (CROSS, "0.392"),
    "Foster, fashion": (CROSS | {"pixels": "1024", "weight": "500", "kl": "sum", "klWeight": "1"}, "2.048"),
    "Keras' guide": (SQUARE | {"latents": "32", "klWeight": "1"}, "12.25"),
    "PyTorch-VAE": (SQUARE | {"pixels": "12288", "kl": "sum", "klWeight": "0.00025"}, "1.536"),
    "pythae": (SQUARE | {"factor": "0.5", "distortion": "sum", "kl": "sum", "klWeight": "1"}, "1"),
}


def fill(page, values):
    """Give fields their values, the likelihood first: it shows or hides others."""
    for name, value in values.items():
        field = page.locator(f".beta-calculator [name={name}]")
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)


def answer(page):
    return page.locator(".beta-answer p").all_inner_texts()


def table(page):
    """Return the betas of the page's tables, as they are printed."""
    return page.locator("article table td strong").all_inner_texts()


def called(code):
    """Return what the page's line of code computes, where it is a call of the library with literals."""
    call = ast.parse(code, mode="eval").body
    given = {each.arg: ast.literal_eval(each.value) for each in call.keywords}
    return getattr(vaelib, call.func.attr)(*map(ast.literal_eval, call.args), **given)


@pytest.mark.parametrize("line", LINES)
def test_a_line_of_the_tables_gives_its_beta(line, browser, site):
    values, beta = LINES[line]
    with opened(browser, site + PAGE) as seen:
        fill(seen.page, values)
        assert beta in table(seen.page)
        assert answer(seen.page)[0] == f"β = {beta}"
        assert answer(seen.page)[1].startswith(f"{beta} × the ELBO's weight of the KL")
        code = seen.page.locator(".beta-line code").inner_text()
        assert f"{called(code):.4g}" == beta
        assert seen.errors == []


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (CROSS, "β is not above 32.23. Predicted: not every latent dimension collapses."),
        (CROSS | {"klWeight": "0.0822", "kl": "mean"}, "β is not above 32.23."),
        (CROSS | {"klWeight": "0.0411", "kl": "sum"}, "β is not above 32.23."),
        (CROSS | {"klWeight": "0.0412", "kl": "sum"}, "β is above 32.23. Predicted: every latent dimension collapses."),
        (SQUARE | {"latents": "32", "klWeight": "1"}, "β times the variance is above 5.117. Predicted: every"),
        (SQUARE | {"latents": "32", "klWeight": "1", "variance": "0.1"}, "β times the variance is above 5.117."),
        (
            CROSS | {"pixels": "1024"},
            "MNIST collapses where β is above 32.23. Images of another size differ.",
        ),
    ],
)
def test_it_predicts_what_mnist_would_do(values, said, browser, site):
    with opened(browser, site + PAGE) as seen:
        fill(seen.page, values)
        assert said in answer(seen.page)[2]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"pixels": "0"}, "Pixels times channels: a whole number from 1 is expected."),
        ({"latents": "2.5"}, "Latent dimensions: a whole number from 1 is expected."),
        ({"klWeight": "-1"}, "Weight of the KL: a number from 0 is expected."),
        ({"weight": ""}, "Weight of the error: a number above 0 is expected."),
        (SQUARE | {"variance": "0"}, "Variance of a pixel: a number above 0 is expected."),
    ],
)
def test_it_says_what_is_wrong_with_a_number(values, said, browser, site):
    with opened(browser, site + PAGE) as seen:
        fill(seen.page, values)
        assert answer(seen.page) == [said]
        assert seen.page.locator(".beta-calculator [aria-invalid=true]").count() == 1
        fill(seen.page, {name: "1" for name in values if name != "likelihood"})
        assert seen.page.locator(".beta-calculator [aria-invalid=true]").count() == 0


def test_it_is_used_by_keyboard_alone_and_says_what_it_found(browser, site):
    with opened(browser, site + PAGE) as seen:
        region = seen.page.locator(".beta-answer")
        assert region.get_attribute("aria-live") == "polite"
        seen.page.get_by_label("Over pixels").focus()
        seen.page.keyboard.press("ArrowUp")
        for key in ("Tab", "1", "0", "Enter"):
            seen.page.keyboard.press(key)
        assert answer(seen.page)[0] == "β = 0.0005"
        unnamed = "all => all.filter(each => each.labels.length !== 1 || !each.labels[0].textContent.trim()).length"
        assert seen.page.locator(".beta-calculator :is(input, select)").evaluate_all(unnamed) == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [NARROWEST, PHONE])
def test_it_fits_a_narrow_screen_and_its_page_stays_a_page(width, theme, browser, site):
    with opened(browser, site + PAGE, color_scheme=theme, viewport={"width": width, "height": 800}) as seen:
        fill(seen.page, SQUARE)
        out = "all => all.filter(each => each.getBoundingClientRect().right > innerWidth).length"
        assert seen.page.locator(".beta-calculator *").evaluate_all(out) == 0
        assert seen.page.evaluate("() => document.documentElement.scrollWidth") == width


def test_without_javascript_the_page_still_answers(browser, site):
    with opened(browser, site + PAGE, java_script_enabled=False) as seen:
        assert "The line of code above does the same" in seen.page.locator(".beta-calculator").inner_text()
        assert "vaelib.effective_beta(1e-3" in seen.page.locator("article").inner_text()
        assert seen.page.locator(".beta-calculator form").count() == 0


def test_it_needs_no_inline_script_or_style(browser, site):
    """Forbid all inline scripts and styles, the theme's own included: the calculator still answers."""
    with opened_without_inline(browser, site + PAGE) as (seen, complaints):
        fill(seen.page, CROSS | {"klWeight": "2e-3"})
        assert answer(seen.page)[0] == "β = 0.784"
        assert [each.text for each in complaints if "calculator" in each.location["url"]] == []


def test_it_works_from_a_file(browser, html):
    with opened(browser, (html / PAGE).as_uri()) as seen:
        assert answer(seen.page)[0] == "β = 0.392"


def test_other_pages_do_not_load_it(html):
    assert "calculator.js" in (html / PAGE).read_text()
    assert "calculator.js" not in (html / "book/glossary.html").read_text()
