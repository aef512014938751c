"""Variants as one HTML page: what is in it, and that nothing comes from elsewhere."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from simulate import plots
from simulate.comparison import VariantRow
from simulate.objective import objectives
from simulate.page import finding, render
from simulate.results import DAY, CountChange, Ending
from simulate.slo import search
from simulate.world import BandPoint
from tests.page import Page, assert_self_contained
from tests.simulate.comparisons import TRAFFIC, comparison, outcome, two_models
from tests.simulate.made import A10, cases, day, model, requests, results
from tests.simulate.stacks import HandSimulator, environment_of, stack_of

HOSTILE: Final = "</style><script>alert('x')</script>\"><img src=x onerror=y>{{ 7*7 }}$\\frac{1}$"
TEMPLATE: Final = (Path(__file__).parents[2] / "simulate" / "page.html.j2").read_text()


@pytest.fixture(scope="module")
def html() -> str:
    return render(comparison())


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_the_page_nests_and_takes_nothing_from_elsewhere(page: Page) -> None:
    assert_self_contained(page)
    assert not re.search(r"url\((?!#)|@import", TEMPLATE)


def test_nothing_of_a_stack_is_taken_for_html_or_for_a_formula() -> None:
    hostile = cases()
    hostile = {
        case: replace(
            result,
            notes=(HOSTILE,),
            models=[replace(m, name=HOSTILE) for m in result.models],
            jobs=[replace(job, name=HOSTILE) for job in result.jobs],
            nodes=[replace(node, what=HOSTILE) for node in result.nodes],
        )
        for case, result in hostile.items()
    }
    text = render(
        comparison(
            outcome(HOSTILE, hostile),
            outcome("bad", None, HOSTILE),
            stack=HOSTILE,
            traffic={HOSTILE: TRAFFIC["qwen"]},
        )
    )
    page = Page(text)
    assert {"script", "img"}.isdisjoint(tag for tag, _ in page.elements)
    assert text.count("</style>") == 1
    assert r"{1}$" in page.text


def test_no_two_elements_have_one_id_and_every_reference_has_its_own(html: str, page: Page) -> None:
    ids = [element["id"] for _, element in page.elements if "id" in element]
    assert len(set(ids)) == len(ids)
    referred = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', html))
    referred |= {
        element["aria-labelledby"] for _, element in page.elements if "aria-labelledby" in element
    }
    assert referred <= set(ids)


def test_every_picture_has_words_that_say_the_same(page: Page) -> None:
    pictures = [element for element in page.of("div") if element.get("role") == "img"]
    captions = [element["id"] for element in page.of("figcaption")]
    assert len(pictures) == 1 + 3 * 4
    assert [element["aria-labelledby"] for element in pictures] == captions
    for words in (
        "Median of each: as-is 508 ms, always-on 489 ms, zero+cache+reserve 544 ms.",
        "Pods wanted: up to 3; ready: 2 to 3. Met no pod: 3.",
        "A day: a10 48.0 node-h, CNY 639; t4 24.0 node-h, CNY 413.",
        "of training, which gave way once.",
    ):
        assert words in page.text


def test_pictures_have_text_and_colours_that_the_page_sets(html: str) -> None:
    pictures = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    assert len(pictures) == 13
    for picture in pictures:
        assert "<text" in picture
        colours = re.findall(r"(?:fill|stroke): (#\w+|var\(--[\w-]+)", picture)
        assert colours
        assert not [colour for colour in colours if colour.startswith("#")]


def test_the_table_has_every_figure_and_marks_the_best(page: Page, html: str) -> None:
    heads = [element for element in page.of("th") if element.get("scope") == "col"]
    assert len(heads) == 10 + 3
    assert "<strong>790 ms</strong>" in html
    assert "<strong>508 ms</strong>" not in html
    assert "772..845 ms" in page.text
    for part in ("Strategies side by side", "words of always-on", "answered", "4,000"):
        assert part in page.text


def test_what_was_not_simulated_says_why(page: Page) -> None:
    assert "a10+1 cannot be deployed. pools[a10].size is too large." in page.text
    assert "cache: It has no volume." in page.text


def test_a_search_is_above_with_its_change_and_what_stands_in_the_way() -> None:
    stack = stack_of("dev")
    environment, simulator = environment_of(stack), HandSimulator(stack)
    result = search(stack, environment, ["qwen"], objectives("ttft_p95=2s"), simulator)
    page = Page(render(comparison(outcome("as-is", cases())), result, "-a\n+<b>"))
    assert "Promised: TTFT p95 at most 2 s." in page.text
    assert "-a +<b>" in page.text
    missed = search(stack, environment, ["qwen"], objectives("ttft_p50=1ms"), simulator)
    assert "which is the engine itself" in Page(render(comparison(), missed)).text


def test_nothing_is_called_measured(page: Page) -> None:
    assert "Nothing here was measured: times are published ones" in page.text
    calibrated = Page(render(comparison(outcome("as-is", cases()), calibrated="cal.json")))
    assert "times are those of cal.json" in calibrated.text


def test_the_finding_names_the_fastest_and_the_cheapest() -> None:
    dear = cases(0.2, hourly={("a10", A10): 40})
    rows = (outcome("as-is", cases()), outcome("fast", dear), outcome("cheap", cases(30, nodes=())))
    [sentence] = finding(comparison(*rows))
    assert sentence == (
        "As it is, TTFT p95 is 1.31 s (978 ms..1.98 s), for CNY 1,067 a day; fastest is fast: "
        "790 ms (772..845 ms), for CNY 1,935 a day; cheapest is cheap: 25.7 s (15.6..45.9 s), "
        "for CNY 15 a day."
    )
    both = comparison(outcome("as-is", cases()), outcome("both", cases(0.2, nodes=())))
    assert "fastest and cheapest is both: 790 ms" in next(finding(both))
    assert [*finding(comparison(outcome("as-is", None, "No.")))] == []


def test_a_stack_of_two_models_has_pictures_and_lines_of_both() -> None:
    page = Page(render(two_models()))
    pictures = [element for element in page.of("div") if element.get("role") == "img"]
    assert len(pictures) == 2 + 2 * (2 * 2 + 2)
    assert "Qwen: as it is" in page.text
    assert "Embed: as it is" in page.text


def test_only_the_first_variants_have_pictures_and_the_page_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("simulate.page.PICTURED", 1)
    page = Page(render(comparison()))
    assert "Pictures are of the first 1 strategies." in page.text
    pictures = [element for element in page.of("div") if element.get("role") == "img"]
    assert len(pictures) == 1 + 4


def test_a_page_of_a_hundred_thousand_requests_stays_small() -> None:
    crowd = results(day(count=100_000))
    text = render(comparison(outcome("as-is", dict.fromkeys(BandPoint, crowd))))
    assert len(text) < 700_000


def test_a_model_without_requests_or_without_answers_has_a_page_too() -> None:
    lost = requests([1.0] * 20, endings=dict.fromkeys(range(20), Ending.REJECTED))
    for arrivals in (requests([]), lost):
        quiet = results(model(requests=arrivals, pods=(), desired=(), ready=()), jobs=(), nodes=())
        page = Page(render(comparison(outcome("as-is", dict.fromkeys(BandPoint, quiet)))))
        assert "as-is" in page.text
    assert "never" in page.text
    assert "rejected" in page.text


def test_counts_over_time_begin_at_zero_and_end_at_the_end() -> None:
    times, counts = plots.counted([(-10, 5), (0, 10), (8, 30), (40, 50)], 20)
    assert times.tolist() == [0, 0, 0, 5, 8, 10, 20]
    assert counts.tolist() == [0, 1, 2, 1, 2, 1, 1]


def test_a_line_of_many_steps_keeps_the_most_of_each_stretch() -> None:
    times = np.arange(100_000, dtype=np.float64)
    values = np.zeros(100_000)
    values[54_321] = 9
    _, thin = plots.thinned(times, values)
    assert thin.size <= 241
    assert thin.max() == 9


def test_a_pool_without_a_price_has_no_amount() -> None:
    amounts = plots.money_by_pool(results(hourly={("a10", A10): 10}))
    assert amounts == {"a10": pytest.approx(480), "t4": None}
    assert "no known price" in plots.nodes_and_money(results(hourly={}), "x")


def test_a_simulation_that_begins_before_its_traffic_shows_what_there_is_at_its_start() -> None:
    late = model(
        desired=[CountChange(-3600, 1), CountChange(-60, 4)],
        ready=[CountChange(-3500, 1), CountChange(-30, 4)],
    )
    row = VariantRow(1, outcome("as-is", dict.fromkeys(BandPoint, results(late))), 2.0)
    assert plots.frame([row], "qwen") == (0.5, 0.5)
    hours, values = plots._steps(late.desired, DAY)
    assert (hours[0], values[0]) == (0, 4)
