"""Answer every exercise right and wrong in a real browser, by keyboard alone, and look at what is said and kept."""

import json

import pytest
from asking import all_answers, answer_in_every_way, asked, form_of, give, questions_of, reply_of, write_exercises
from axe_playwright_python.sync_playwright import Axe
from browsing import PHONE, served
from pictures import forbid_inline

from vaelib.exercises.questions import chapters

KEPT = "vaelib-exercises"
NARROWEST = 320
SCHEMES = ("light", "dark")
# What the book's theme defines.
DARK = """html[data-theme=dark] {
  --pst-color-text-base: #ced6dd; --pst-color-background: #14181e; --pst-color-surface: #222832;
  background: #14181e; color: #ced6dd;
}"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exercises")
    write_exercises(folder, *chapters())
    with served(folder) as address:
        yield address


def plain(text):
    return text.replace("`", "")


def start_over(page):
    for button in page.get_by_role("button", name="Start over").all():
        if button.is_visible():
            button.click()


def kept(page):
    return json.loads(page.evaluate(f"() => localStorage.getItem('{KEPT}') ?? '{{}}'"))


@pytest.mark.parametrize("chapter", chapters())
def test_every_answer_to_every_question_is_told_its_own_reason(chapter, browser, address):
    with asked(browser, f"{address}{chapter}.html") as seen:
        for question in questions_of(chapter):
            answer_in_every_way(seen.page, question)
        assert seen.errors == []


def spoken(session):
    """Return what a browser gives to a screen reader: each node's role and name, and the texts to be read aloud."""
    nodes = {node["nodeId"]: node for node in session.send("Accessibility.getFullAXTree")["nodes"]}

    def text(node):
        if node["role"]["value"] == "StaticText":
            return node["name"]["value"]
        return "".join(text(nodes[child]) for child in node["childIds"])

    shown = [node for node in nodes.values() if not node["ignored"]]
    named = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in shown]
    aloud = {("live", "polite"), ("atomic", True)}
    kinds = [
        {(each["name"], each["value"]["value"]) for each in node["properties"] if "value" in each["value"]}
        for node in shown
    ]
    return named, [text(node) for node, kind in zip(shown, kinds, strict=True) if aloud <= kind]


@pytest.mark.parametrize("chapter", chapters())
def test_a_screen_reader_is_given_each_question_and_each_reply(chapter, browser, address):
    with asked(browser, f"{address}{chapter}.html") as seen:
        session = seen.page.context.new_cdp_session(seen.page)
        for question in questions_of(chapter):
            form = form_of(seen.page, question)
            role = "textbox" if question["type"] == "numeric" else "group"
            for said, answer in zip(all_answers(question), question["answers"], strict=True):
                give(form, question, said)
                if "predict" in question:
                    form.get_by_role("button").press("Enter")
                named, aloud = spoken(session)
                # The name of a field for a number goes on with its unit.
                assert [kind for kind, name in named if name.startswith(plain(question["question"]))].count(role) == 1
                assert [reply for reply in aloud if plain(answer["feedback"]) in reply] != []
                if "predict" in question:
                    start_over(seen.page)


@pytest.mark.parametrize("chapter", chapters())
def test_axe_finds_nothing_whatever_was_answered(chapter, browser, address):
    for scheme in SCHEMES:
        with asked(browser, f"{address}{chapter}.html", color_scheme=scheme) as seen:
            seen.page.evaluate("theme => { document.documentElement.dataset.theme = theme }", scheme)
            seen.page.add_style_tag(content=DARK)
            for i, question in enumerate(questions_of(chapter)):
                form = form_of(seen.page, question)
                give(form, question, all_answers(question)[i % 2])
                if "predict" in question and i:
                    form.get_by_role("button").press("Enter")
            found = Axe().run(seen.page).response["violations"]
            assert {each["id"]: [node["html"][:120] for node in each["nodes"]] for each in found} == {}


def by_kind(chapter):
    """Return the number to predict, and the question to choose, that come first in a chapter."""
    asked_for = questions_of(chapter)
    number = next(each for each in asked_for if each["type"] == "numeric")
    return number, next(each for each in asked_for if "predict" not in each)


def test_a_prediction_is_kept_compared_and_not_changed(browser, address):
    number, _ = by_kind("03")
    with asked(browser, f"{address}03.html") as seen:
        form = form_of(seen.page, number)
        field = form.get_by_role("textbox")
        give(form, number, "300")
        assert "Kept: 300 nats per image." in reply_of(form)
        assert str(number["predict"]["value"]) not in reply_of(form)
        assert field.get_attribute("readonly") is not None
        seen.page.reload()
        assert field.input_value() == "300"
        assert kept(seen.page) == {number["id"]: {"first": "300", "said": "300"}}
        form.get_by_role("button", name="Compare with what came out").press("Enter")
        assert "It is 545.4 nats per image; you said 300, too low by 45\u00a0%." in reply_of(form)
        # The focus of the keyboard is not lost with the button.
        assert seen.page.evaluate("() => document.activeElement.getAttribute('role')") == "status"
        seen.page.reload()
        assert "you said 300" in reply_of(form)
        assert form.get_by_role("button").count() == 0


def test_the_first_answer_to_a_choice_is_kept_beside_the_last(browser, address):
    _, choice = by_kind("03")
    right, wrong, _ = (each["answer"] for each in choice["answers"])
    with asked(browser, f"{address}03.html") as seen:
        form = form_of(seen.page, choice)
        give(form, choice, wrong)
        assert reply_of(form).startswith("Not quite. ")
        assert plain(choice["answers"][0]["feedback"]) not in reply_of(form)
        give(form, choice, right)
        assert reply_of(form).startswith("Right. ")
        assert kept(seen.page) == {choice["id"]: {"first": wrong, "said": right}}
        seen.page.reload()
        assert form.get_by_role("radio").first.is_checked()
        start_over(seen.page)
        assert (kept(seen.page), reply_of(form)) == ({}, "")
        assert not form.get_by_role("radio").first.is_checked()


def test_what_is_no_answer_is_asked_for_again(browser, address):
    number, choice = by_kind("03")
    with asked(browser, f"{address}03.html") as seen:
        form = form_of(seen.page, number)
        give(form, number, "many")
        assert reply_of(form) == "A number is expected, such as 12, 0.5 or 1e-3."
        assert form.get_by_role("textbox").get_attribute("aria-invalid") == "true"
        assert seen.page.evaluate("() => document.activeElement.tagName") == "INPUT"
        give(form, number, "5.4e2")
        assert form.get_by_role("textbox").get_attribute("aria-invalid") is None
        other = form_of(seen.page, choice)
        other.get_by_role("button").press("Enter")
        assert reply_of(other) == "Choose one of the answers first."
        assert kept(seen.page).keys() == {number["id"]}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("545.4", "exactly that."),
        ("540", "within 2\u00a0% of it."),
        ("1,000", "too high by 83\u00a0%."),
        ("5 454", "too high by a factor of 10."),
        ("272,7", "too low by a factor of 2.0."),
        ("1e-1", "too low by a factor of 5.5e+3."),
        ("−3", "too low."),
        ("0", "too low."),
    ],
)
def test_it_says_how_far_a_number_is_off(said, words, browser, address):
    number, _ = by_kind("03")
    with asked(browser, f"{address}03.html") as seen:
        form = form_of(seen.page, number)
        give(form, number, said)
        form.get_by_role("button").press("Enter")
        assert f"you said {said}, {words}" in reply_of(form)


def picture(page):
    return page.locator("[data-exercise=intuition]")


def test_the_picture_draws_what_was_compared_on_one_axis(browser, address):
    number, _ = by_kind("03")
    other = next(each for each in questions_of("03")[1:] if each["type"] == "numeric")
    with asked(browser, f"{address}03.html", viewport={"width": 900, "height": 900}) as seen:
        assert "Nothing is compared yet." in picture(seen.page).inner_text()
        give(form_of(seen.page, number), number, "54.54")
        assert "Kept, and not compared yet: 1." in picture(seen.page).inner_text()
        form_of(seen.page, number).get_by_role("button").press("Enter")
        give(form_of(seen.page, other), other, str(other["predict"]["value"]))
        form_of(seen.page, other).get_by_role("button").press("Enter")
        assert "Of what you predicted: 1 of 2 numbers near enough." in picture(seen.page).inner_text()
        assert "loss of the untrained network: you said 54.54; it is 545.4 nats" in picture(seen.page).inner_text()
        dots = (
            picture(seen.page)
            .locator("circle")
            .evaluate_all("nodes => nodes.map(node => Number(node.getAttribute('cx')))")
        )
        ticks = (
            picture(seen.page)
            .locator("line")
            .evaluate_all("nodes => nodes.map(node => Number(node.getAttribute('x1')))")
        )
        # A tenth lies on the first tick, what is right on the third.
        assert dots == pytest.approx([ticks[0], ticks[2]])
        # Another window of the same browser has the same answers.
        again = seen.page.context.new_page()
        again.goto(f"{address}04.html")
        assert "1 of 2 numbers near enough" in picture(again).inner_text()
        again.get_by_role("button", name="Forget all that I predicted").press("Enter")
        picture(seen.page).get_by_text("Nothing is compared yet.").wait_for()
        assert kept(seen.page) == {}


def test_choices_that_were_predicted_count_as_well(browser, address):
    choice = next(each for each in questions_of("04") if each["type"] == "multiple_choice" and "predict" in each)
    wrong = next(each["answer"] for each in choice["answers"] if not each["correct"])
    with asked(browser, f"{address}04.html") as seen:
        give(form_of(seen.page, choice), choice, wrong)
        form_of(seen.page, choice).get_by_role("button").press("Enter")
        assert "not so." in reply_of(form_of(seen.page, choice))
        assert "0 of 1 choices right" in picture(seen.page).inner_text()
        assert picture(seen.page).locator("svg").count() == 0


@pytest.mark.parametrize(
    "content", ["{", "[]", "null", '"text"', '{"03-untrained-loss": 5, "03-noise": {"said": "?"}}']
)
def test_what_another_program_left_in_the_storage_does_no_harm(content, browser, address):
    prepare = f"localStorage.setItem('{KEPT}', {json.dumps(content)})"
    with asked(browser, f"{address}03.html", prepare=lambda page: page.add_init_script(prepare)) as seen:
        for question in by_kind("03"):
            assert form_of(seen.page, question).get_attribute("data-state") == "open"
        assert seen.errors == []


def test_where_nothing_may_be_stored_it_lasts_as_long_as_the_page(browser, address):
    forbid = (
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })"
    )
    number, _ = by_kind("03")
    with asked(browser, f"{address}03.html", prepare=lambda page: page.add_init_script(forbid)) as seen:
        form = form_of(seen.page, number)
        give(form, number, "540")
        form.get_by_role("button").press("Enter")
        assert "within 2" in reply_of(form)
        assert "1 of 1 numbers near enough" in picture(seen.page).inner_text()
        assert seen.errors == []


@pytest.mark.parametrize("width", [NARROWEST, PHONE])
def test_it_fits_a_narrow_screen(width, browser, address):
    with asked(browser, f"{address}04.html", viewport={"width": width, "height": 800}) as seen:
        for question in questions_of("04"):
            give(form_of(seen.page, question), question, all_answers(question)[0])
            if "predict" in question:
                form_of(seen.page, question).get_by_role("button").press("Enter")
        out = "all => all.filter(each => each.getBoundingClientRect().right > innerWidth).map(each => each.outerHTML)"
        assert seen.page.locator("[data-exercise] *").evaluate_all(out) == []
        assert seen.page.evaluate("() => document.documentElement.scrollWidth") == width
        # The picture is drawn as wide as it is shown, so its letters keep their size.
        box = picture(seen.page).locator("svg").evaluate("node => [node.viewBox.baseVal.width, node.clientWidth]")
        assert box[0] == pytest.approx(box[1], abs=2)


def test_on_paper_there_are_questions_answers_and_no_buttons(browser, address):
    with asked(browser, f"{address}03.html") as seen:
        seen.page.emulate_media(media="print")
        assert seen.page.get_by_role("button").count() == 0
        for question in by_kind("03"):
            assert form_of(seen.page, question).is_visible()
        assert seen.page.get_by_role("radio").first.is_visible()


def test_forced_colours_keep_a_line_beside_each_reply(browser, address):
    number, _ = by_kind("03")
    with asked(browser, f"{address}03.html", forced_colors="active") as seen:
        form = form_of(seen.page, number)
        give(form, number, "784")
        form.get_by_role("button").press("Enter")
        style = form.get_by_role("status").evaluate("node => getComputedStyle(node).borderLeftStyle")
        assert style == "dashed"


def test_it_needs_no_inline_script_or_style(browser, address):
    number, _ = by_kind("03")
    with asked(browser, f"{address}03.html", prepare=forbid_inline) as seen:
        form = form_of(seen.page, number)
        give(form, number, "540")
        form.get_by_role("button").press("Enter")
        assert "within 2" in reply_of(form)
        assert picture(seen.page).locator("circle").count() == 1
        assert [error for error in seen.errors if "exercise" in error] == []


def test_without_scripts_the_questions_can_be_read(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}03.html")
    text = page.locator("main").inner_text()
    for question in questions_of("03"):
        assert plain(question["question"]) in text
        options = [each["answer"] for each in question["answers"] if "answer" in each]
        assert [option for option in options if plain(option) not in text] == []
        feedback = [each["feedback"] for each in question["answers"]]
        assert [reason for reason in feedback if plain(reason) in text] == []
    context.close()
