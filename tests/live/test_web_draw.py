"""The pad, in a real browser: what it believes, decodes and prices is what Keras does."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import vaelib


def numbers_of(draw, row, selector):
    """Return the numbers in a row of the prices, one for each network."""
    cells = draw.page.locator("tbody").nth(row).locator(f"td {selector}").all_inner_texts()
    return [[float(part.replace("−", "-")) for part in cell.split(":")[-1].split(" to ")] for cell in cells]


def test_a_seven_drawn_with_the_mouse_lands_among_the_sevens(draw, models, digits):
    draw.stroke((0.25, 0.2), (0.75, 0.2), (0.45, 0.85))
    read = draw.read("draw")
    for belief, model in zip(read["beliefs"][:2], models, strict=False):
        mean = np.array(model.encode(digits.x_test[:3000])[0])
        nearest = np.argsort(np.linalg.norm(mean - belief["mean"], axis=1))[:25]
        sevens = np.mean(digits.y_test[nearest] == 7)
        assert sevens > 0.5
        assert belief["near"] == {"digit": 7, "votes": round(25 * sevens), "count": 25}
    # The collapsed network believes the same of everything: the prior.
    np.testing.assert_allclose(read["beliefs"][2]["mean"], [0, 0], atol=0.3)
    np.testing.assert_allclose(read["beliefs"][2]["std"], [1, 1], atol=0.2)


def test_the_table_says_in_nats_what_was_computed(draw):
    draw.press("test digit 7")
    cells = np.array([numbers_of(draw, row, "span") for row in range(3)])[..., 0]
    for column, belief in zip(cells.T, draw.read("draw")["beliefs"], strict=True):
        np.testing.assert_allclose(column, [belief[name] for name in ("distortion", "rate", "elbo")], atol=0.051)
        assert belief["elbo"] == pytest.approx(-(belief["distortion"] + belief["rate"]))


def test_every_pixels_cost_is_shown_and_they_add_up_to_the_distortion(draw):
    draw.press("test digit 7")
    read = draw.read("draw")
    for i, belief in enumerate(read["beliefs"]):
        x, p = np.array(read["image"]), np.clip(belief["image"], 1e-7, 1 - 1e-7)
        np.testing.assert_allclose(belief["costs"], -(x * np.log(p) + (1 - x) * np.log1p(-p)), atol=0.02)
        assert belief["distortion"] == pytest.approx(np.sum(belief["costs"]))
        shown = (
            draw.page.locator(".vaelib-costs")
            .nth(i)
            .evaluate(
                "canvas => [...canvas.getContext('2d').getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 3)"
            )
        )
        np.testing.assert_allclose(np.divide(shown, 255), np.minimum(np.array(belief["costs"]) / 4, 1), atol=0.005)


def test_prices_stand_beside_those_of_test_digits_of_the_class(draw, models, digits):
    """Compare with what is rounded twice: to hundredths in the file, to tenths on the page."""
    x, y = digits.x_test[:3000], digits.y_test[:3000]
    sevens, compare = x[y == 7], draw.page.get_by_label("small numbers: half of")
    draw.press("test digit 7")
    assert "7s: " in draw.page.locator("tbody small").first.inner_text()
    rates = [np.array(vaelib.gaussian_kl(*model.encode(sevens))) for model in models]
    found = numbers_of(draw, 1, "small")
    np.testing.assert_allclose(found, [np.quantile(rate, [0.25, 0.75]) for rate in rates], atol=0.056)
    compare.select_option("all test digits")
    draw.settle()
    rates = [np.array(vaelib.gaussian_kl(*model.encode(x))) for model in models]
    found = numbers_of(draw, 1, "small")
    np.testing.assert_allclose(found, [np.quantile(rate, [0.25, 0.75]) for rate in rates], atol=0.056)


def test_each_price_is_explained_on_demand(draw):
    terms = draw.page.locator(".vaelib-prices details")
    assert terms.count() == 5
    for term in terms.all():
        assert not term.locator("p").is_visible()
        term.locator("summary").press("Enter")
        assert len(term.locator("p").inner_text()) > 60


def test_what_is_noise_is_called_noise(draw, models, digits):
    """The collapsed network's rate is below the limit for every test digit, that of the others far above."""
    rates = [np.array(vaelib.gaussian_kl(*model.encode(digits.x_test))) for model in models]
    assert rates[2].max() < 0.1
    assert min(rates[0].min(), rates[1].min()) > 0.5
    draw.press("test digit 3")
    answers = draw.page.locator("tbody").nth(3).locator("td").all_inner_texts()
    assert answers[2].strip() == "none: z is noise"
    assert all("of 25 are" in answer for answer in answers[:2])


def test_nine_of_25_are_rarely_of_one_class_by_chance(digits):
    shares = np.bincount(digits.y_test) / len(digits.y_test)
    most = np.random.default_rng(0).multinomial(25, shares, 100_000).max(axis=1)
    assert np.mean(most >= 9) < 0.01 < np.mean(most >= 8)


def test_sample_again_draws_new_z_from_the_same_posteriors(draw):
    draw.press("test digit 3")
    draws = []
    for _ in range(40):
        draw.page.get_by_role("button", name="Sample again").click()
        draws.append(draw.read("draw")["beliefs"])
    for run in range(3):
        z, mean, std = (np.array([beliefs[run][name] for beliefs in draws]) for name in ("z", "mean", "std"))
        assert np.ptp(mean, axis=0).max() == 0
        noise = (z - mean) / std
        assert np.abs(noise.mean(axis=0)).max() < 4 / 40**0.5
        assert np.abs(noise.std(axis=0) - 1).max() < 0.5


def exact_of(draw):
    """Return the true posteriors on the page, once all are computed."""
    done = "() => document.querySelector('[data-live]').live.read().beliefs.every(belief => belief.exact)"
    draw.page.wait_for_function(done)
    return [belief["exact"] for belief in draw.read("draw")["beliefs"]]


@pytest.mark.parametrize("digit", [1, 8])
def test_the_contours_are_those_of_the_true_posterior(digit, draw, models):
    draw.press(f"test digit {digit}")
    found = exact_of(draw)
    x = np.reshape(draw.read("draw")["image"], (1, 28, 28, 1)).astype("float32")
    for exact, model in zip(found, models, strict=True):
        (left, bottom), (across, up), side = exact["low"], exact["step"], exact["side"]
        assert exact["logEvidence"] == pytest.approx(vaelib.exact_log_likelihood(model, x, verbose=False)[0], abs=0.1)
        axes = (left + across * np.arange(side), bottom + up * np.arange(side))
        _, ax = plt.subplots()
        vaelib.plot_true_posterior(log_joint(model, x, *axes), *axes, ax=ax)
        outer, inner = (path.vertices for path in ax.collections[0].get_paths())
        plt.close(ax.figure)
        ours = [np.reshape(lines, (-1, 2)) for lines in exact["contours"]]
        # Matplotlib's contours run through the same nodes; its outer region has the inner one's edge too.
        for points, others in ((ours[0], inner), (ours[1], outer), (inner, ours[0]), (outer, np.vstack(ours))):
            away = np.linalg.norm(points[:, np.newaxis] - others, axis=2).min(axis=1)
            assert away.max() < max(across, up)


def log_joint(model, x, z_1, z_2):
    z = np.stack([axis.ravel() for axis in np.meshgrid(z_1, z_2)], axis=1).astype("float32")
    distortion = vaelib.bernoulli_distortion(np.repeat(x, len(z), axis=0), model.decode(z))
    return (-np.array(distortion) - 0.5 * np.sum(z**2, axis=1)).reshape(len(z_2), len(z_1))
