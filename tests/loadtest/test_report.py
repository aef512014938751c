import re
import shlex
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from components.serving.scenarios import ColdStart, Prompt, Scenario, Spike, Steady, Tide
from loadtest import pictures, plots
from loadtest.plots import Frame, Numbered, frame, in_flight, numbered
from loadtest.report import render
from loadtest.report_words import RunEntry, by_quarter, caveats, command, differences, finding
from loadtest.results import Failure, Run, Target
from loadtest.units import rate, seconds
from tests.loadtest.made import COLD, cold_start, examples, run, sample
from tests.page import Page, assert_self_contained

ROOM: Final = Path(__file__).parents[2] / "loadtest"
CSS: Final = (ROOM / "report.css").read_text()
HOSTILE: Final = "</style><script>alert('x')</script>\"><img src=x onerror=y>{{ 7*7 }}$\\frac{1}$"
TIDE: Final = Scenario(tide=Tide(peak_rate=80))


def measured(*runs: Run) -> list[RunEntry]:
    return [RunEntry(*entry) for entry in numbered(runs)]


def load_of(label: str, waits: list[float], failed: int = 0, **changes: Any) -> Run:
    """A spike with these times to first token, one request a second."""
    answered = [sample(float(due), wait) for due, wait in enumerate(waits)]
    refused = [sample(float(due), None) for due in range(failed)]
    return run(label, **{"samples": (*answered, *refused)} | changes)


@pytest.fixture(scope="module")
def html() -> str:
    return render(examples())


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_the_page_nests_and_takes_nothing_from_elsewhere(page: Page) -> None:
    assert_self_contained(page)
    assert not re.search(r"url\(|@import|expression\(", CSS)


def test_nothing_of_a_run_is_taken_for_html_or_for_a_formula() -> None:
    hostile: dict[str, Any] = {
        "label": HOSTILE,
        "notes": (HOSTILE,),
        "target": Target(url=HOSTILE, model=HOSTILE, host=HOSTILE, headers=(HOSTILE,)),
    }
    cold = cold_start("", 1.0, 2.0).model_copy(update=hostile)
    phases = tuple(phase.model_copy(update={"source": HOSTILE}) for phase in cold.phases)
    runs = [
        cold.model_copy(update={"phases": phases}),
        load_of("", [0.5] * 20).model_copy(update=hostile),
    ]
    html = render(runs)
    page = Page(html)
    assert {"script", "img"}.isdisjoint(tag for tag, _ in page.elements)
    assert html.count("</style>") == 1
    assert page.text.count("alert('x')") > 20
    assert "49" not in page.text.replace("9.49", "")
    assert r"{1}$" in page.text


def test_the_page_is_the_same_whenever_it_is_made() -> None:
    runs = examples()[3:5]
    assert render(runs) == render(runs)


def test_no_two_elements_of_the_page_have_one_id_and_every_reference_has_its_own(
    html: str, page: Page
) -> None:
    ids = [element["id"] for _, element in page.elements if "id" in element]
    assert len(set(ids)) == len(ids)
    referred = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', html))
    referred |= {
        element["aria-labelledby"] for _, element in page.elements if "aria-labelledby" in element
    }
    assert referred <= set(ids)


def test_the_page_has_the_landmarks_that_a_screen_reader_goes_by(page: Page) -> None:
    tags = [tag for tag, _ in page.elements]
    assert (tags.count("main"), tags.count("h1"), tags.count("nav")) == (1, 1, 1)
    assert page.of("html")[0]["lang"] == "en"
    assert all(element.get("scope") for element in page.of("th"))
    boxes = [element for element in page.of("div") if element.get("class") == "scroll"]
    assert boxes
    assert all(element["tabindex"] == "0" and element["aria-label"] for element in boxes)


def test_every_picture_has_words_that_say_the_same(page: Page) -> None:
    pictures = [element for element in page.of("div") if element.get("role") == "img"]
    captions = [element["id"] for element in page.of("figcaption")]
    assert len(pictures) == 7
    assert [element["aria-labelledby"] for element in pictures] == captions
    assert "TTFT p50 by quarter: 8.19 s, 9.54 s, 849 ms, 805 ms. Failed: 26, 3, 0, 0." in page.text


def test_pictures_have_text_that_can_be_selected_and_colours_that_the_page_sets(
    html: str,
) -> None:
    pictures = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    assert len(pictures) == 8
    for picture in pictures:
        assert "<text" in picture
        colours = re.findall(r"(?:fill|stroke): (#\w+|var\(--[\w-]+)", picture)
        assert colours
        assert not [colour for colour in colours if colour.startswith("#")]


def test_the_colours_of_the_page_are_those_of_a_picture_that_is_cut_out() -> None:
    light = dict(re.findall(r"--([\w-]+): (#\w+)", CSS.partition("@media")[0]))
    assert {name: light[name] for name in pictures.NAMES.values()} == {
        name: colour for colour, name in pictures.NAMES.items() if name != "bad"
    } | {"bad": pictures.BAD}


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_all_text_has_the_contrast_that_wcag_asks_for(scheme: int) -> None:
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#\w+)", blocks[scheme]))
    runs = [f"run-{number}" for number in range(1, 7)]
    on = {
        "page": ["text", "quiet", "link", "bad", *runs],
        "raised": ["text", "quiet", *runs],
        "bad-back": ["bad", "text"],
        "warn-back": ["warn", "text"],
    }
    for back, fronts in on.items():
        for front in fronts:
            darker, lighter = sorted([luminance(colours[front]), luminance(colours[back])])
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5, f"{front} on {back}"


def test_runs_are_grouped_by_what_they_ask_the_cold_start_first(page: Page) -> None:
    places = [
        page.text.index(title) for title in ("Cold start one req", "Spike 5 cl", "Steady load 4")
    ]
    assert places == sorted(places)


def test_a_simulated_run_is_told_so_loudly_and_in_each_picture_of_it() -> None:
    html = render(examples(simulated=True))
    assert "All of this is simulated" in html
    for picture in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        assert plots.SIMULATED in picture
        assert ">SIMULATED</text>" in picture


def test_a_real_run_beside_a_simulated_one_is_not_taken_for_one() -> None:
    fake = load_of("fake", [0.2] * 20, simulated=True)
    html = render([load_of("real", [0.5] * 20), fake])
    assert "Some of this is simulated" in html
    real, made_up = re.findall(r"<svg.*?</svg>", html, re.DOTALL)[1:]
    assert plots.SIMULATED not in real
    assert plots.SIMULATED in made_up
    assert "server is a real one in run 1 and a fake one in run 2" in html


def test_real_runs_do_not_speak_of_simulation(html: str) -> None:
    assert "simulated" not in html.lower()


def test_the_difference_names_the_slowest_the_fastest_and_how_many_times() -> None:
    runs = measured(cold_start("baseline", 93.1), cold_start("a", 40), cold_start("b", 21.4))
    sentence = "Time to first token: 93.1 s (1 baseline) → 21.4 s (3 b), 4.4 times as fast."
    assert finding(runs) == sentence


def test_an_open_loop_is_told_by_its_median_and_its_slowest_tenth() -> None:
    waits = {"old": [2.0] * 9 + [9.0] * 3, "new": [1.0] * 12}
    runs = measured(*(load_of(label, of, scenario=TIDE) for label, of in waits.items()))
    assert finding(runs) == (
        "TTFT p50: 2.00 s (1 old) → 1.00 s (2 new), 2.0 times as fast; "
        "p90: 9.00 s (1 old) → 1.00 s (2 new), 9.0 times as fast."
    )


def test_a_closed_loop_is_told_by_its_slowest_since_clients_that_wait_do_not_ask() -> None:
    sentence = finding(measured(load_of("old", [24.0, *[2.0] * 90]), load_of("new", [2.0] * 90)))
    assert sentence == (
        "TTFT p50 hardly differs: 2.00 s to 2.00 s; "
        "slowest: 24.0 s (1 old) → 2.00 s (2 new), 12.0 times as fast."
    )


def test_medians_that_hardly_differ_are_not_called_a_difference() -> None:
    sentence = finding(measured(load_of("a", [1.0] * 12), load_of("b", [1.02] * 12)))
    assert sentence.startswith("TTFT p50 hardly differs: 1.00 s to 1.02 s;")


def test_an_interrupted_run_is_left_out_of_the_comparison() -> None:
    runs = measured(load_of("a", [1.0] * 12), load_of("b", [0.1] * 12, complete=False))
    assert finding(runs) == "TTFT p50: 1.00 s (1 a)."
    assert "Interrupted: run 2; what would have come later is missing." in caveats(runs)
    assert "<strong>" not in render([entry.run for entry in runs])


def test_where_all_are_interrupted_that_is_said() -> None:
    runs = measured(load_of("a", [1.0] * 12, complete=False))
    assert finding(runs) == "TTFT p50: 1.00 s (1 a), interrupted."


def test_runs_without_any_answer_have_no_figures_and_no_lines() -> None:
    runs = [load_of("a", [], failed=3), run("b", COLD, samples=(sample(0, None),)), run("c")]
    assert finding(measured(runs[0])) == "No request was answered."
    text = Page(render(runs)).text
    assert "a (no answer)" in text
    assert "no part of it was seen" in text
    assert "TTFT p50" not in text


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"scenario": Scenario(spike=Spike(clients=9))}, "clients is 5 in run 1 and 9 in run 2"),
        ({"prompt": Prompt(words=9)}, "prompt words is 200 in run 1 and 9 in run 2"),
        ({"simulated": True}, "server is a real one in run 1 and a fake one in run 2"),
    ],
)
def test_runs_that_do_not_ask_the_same_are_shown_but_not_compared(
    changes: dict[str, Any], sentence: str
) -> None:
    runs = measured(load_of("a", [1.0] * 12), load_of("b", [0.1] * 12, **changes))
    assert differences(runs) == [sentence]
    assert finding(runs) == "TTFT p50: 1.00 s (1 a), 100 ms (2 b)."
    assert any(caveat.startswith("Not compared") and sentence in caveat for caveat in caveats(runs))
    assert "<strong>" not in render([entry.run for entry in runs])


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 8},
        {"timeout_seconds": 9},
        {"target": Target(url="http://other.example.com/v1", model="qwen-cached")},
    ],
)
def test_what_does_not_change_the_question_does_not_prevent_a_comparison(
    changes: dict[str, Any],
) -> None:
    runs = measured(load_of("a", [1.0] * 12), load_of("b", [0.1] * 12, **changes))
    assert differences(runs) == []


def test_how_long_a_start_may_take_does_not_change_what_it_takes() -> None:
    patient = Scenario(cold_start=ColdStart(idle_seconds=9, timeout_seconds=99))
    runs = measured(cold_start("a", 9), cold_start("b", 3, scenario=patient))
    assert differences(runs) == []


def test_arrivals_are_a_question_of_open_loops_alone() -> None:
    first, second = load_of("a", [1.0] * 12), load_of("b", [1.0] * 12, arrivals="constant")
    assert differences(measured(first, second)) == []
    open_loop = {"scenario": Scenario(steady=Steady(rate=1))}
    runs = [entry.model_copy(update=open_loop) for entry in (first, second)]
    assert differences(measured(*runs)) == ["arrivals is poisson in run 1 and constant in run 2"]


def test_failures_are_counted_beside_the_times_by_kind() -> None:
    bad = load_of("a", [1.0] * 12, failed=4)
    cut = sample(5.0, None, failure=Failure.SERVER_ERROR)
    bad = bad.model_copy(update={"samples": (*bad.samples, cut)})
    sentence = (
        "Of run 1, 5 of 17 requests failed (4 overloaded and 1 server error); times are those"
    )
    assert any(caveat.startswith(sentence) for caveat in caveats(measured(bad)))
    text = Page(render([bad, load_of("b", [1.0] * 12)])).text
    assert "Failed 5 0 overloaded 4 0 server error 1 0" in text


def test_a_start_whose_parts_nobody_saw_is_told_as_a_whole() -> None:
    text = Page(render([run("a", COLD, samples=(sample(0, 9.5),))])).text
    assert "First tokens after: 9.50 s (1 a). Their parts are not known" in text
    assert "until" not in text


def test_one_answer_is_not_taken_for_a_law() -> None:
    sentences = caveats(measured(cold_start("a", 9.0), cold_start("b", 3.0)))
    assert sentences == ["Runs 1 and 2: one answer each, so another time may well differ."]


def test_notes_on_a_load_stand_before_its_figures_and_those_on_a_start_beside_it() -> None:
    text = Page(
        render([load_of("a", [1.0] * 12, notes=("The generator could not keep up.",))])
    ).text
    assert text.index("Run 1: The generator could not keep up.") < text.index("Requests 12")
    start = Page(render([cold_start("a", 9.0, notes=("No node was added.",))])).text
    assert start.index("How to repeat it") < start.index("No node was added.")


@pytest.mark.parametrize(
    ("answers", "missing"), [(9, ["p90", "p99"]), (10, ["p99"]), (99, ["p99"]), (100, [])]
)
def test_a_percentile_needs_as_many_answers_as_it_speaks_of(
    answers: int, missing: list[str]
) -> None:
    text = Page(render([load_of("a", [1.0] * answers)])).text
    percentiles = [name for name in ("p90", "p99") if not re.search(rf" {name} 1\.00 s", text)]
    assert percentiles == missing


def test_the_best_of_a_row_is_marked_where_it_can_be_told_apart() -> None:
    html = render([load_of("a", [2.0] * 12), load_of("b", [1.0] * 12)])
    marked = re.findall(r"<strong>(.*?)</strong>", html)
    assert "1.00 s" in marked
    assert "2.00 s" not in marked
    assert "20 ms" not in marked  # the time per output token of both


def test_quarters_tell_whether_a_spike_recovers() -> None:
    waits, failed = by_quarter(load_of("a", [8.0] * 6 + [1.0] * 6, failed=2))
    assert [wait.p50 for wait in waits if wait] == [8.0, 8.0, 1.0, 1.0]
    assert failed == [2, 0, 0, 0]


def test_requests_in_flight_are_counted_from_when_they_were_sent_until_they_ended() -> None:
    first = sample(0.0, 1.0, tokens=50)  # ends at 2.0
    second = sample(1.5, 1.0, tokens=50, sent=1.75)
    times, counts = in_flight(run(samples=(first, second)))
    assert list(zip(times.tolist(), counts.tolist(), strict=True)) == [
        (0.0, 1.0),
        (1.75, 2.0),
        (2.0, 1.0),
        (3.5, 0.0),
    ]


def test_a_short_crowd_among_many_requests_is_not_lost() -> None:
    quiet = [sample(float(due), 0.1, tokens=2) for due in range(1000)]
    crowd = [sample(500.01, 0.001, tokens=2) for _ in range(30)]
    times, counts = in_flight(run(samples=(*quiet, *crowd)))
    assert times.size <= pictures.STEPS + 2
    assert counts.max() == 31


def test_runs_side_by_side_have_the_same_axes() -> None:
    slow, fast = load_of("a", [8.0] * 12), load_of("b", [1.0] * 40)
    last = fast.samples[-1].ended
    assert frame([slow, fast]) == Frame(seconds=last, fastest=1.0, slowest=8.0, in_flight=11)


def test_runs_of_one_label_have_one_colour_and_twins_have_lines_of_their_own() -> None:
    runs = [cold_start("a", 1), load_of("b", []), load_of("a", []), load_of("a", [])]
    entries = [Numbered(*entry) for entry in numbered(runs)]
    assert [entry.colour for entry in entries] == [pictures.RUNS[at] for at in (0, 1, 0, 0)]
    assert entries[2].dash != entries[3].dash


def test_ten_thousands_of_requests_make_a_small_page() -> None:
    random = np.random.default_rng(1)
    dues = np.sort(random.uniform(0, 1440, 30_000)).tolist()
    waits = random.lognormal(-1, 0.6, 30_000).tolist()
    samples = tuple(sample(due, wait, 50) for due, wait in zip(dues, waits, strict=True))
    assert len(render([run("tide", TIDE, samples=samples)])) < 350_000


def test_a_label_between_dollars_is_no_formula() -> None:
    picture = re.findall(r"<svg.*?</svg>", render([load_of("$5 or $6", [1.0] * 12)]), re.DOTALL)[1]
    assert ">1  $5 or $6</text>" in picture


def test_a_label_in_another_script_is_drawn_without_a_warning() -> None:
    assert "很长的标签" in render([load_of("很长的标签", [1.0] * 12)])


def test_parts_of_a_start_are_told_with_what_they_took_and_who_says_so(page: Page) -> None:
    assert "node added 48.2 s until 48.2 s" in page.text
    assert "image pulled 26.4 s until 75.4 s" in page.text
    assert "image pulled Pod qwen-00001-abc: image pulled" in page.text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0204, "20 ms"), (0.9996, "1.00 s"), (9.996, "10.0 s"), (99.96, "100 s"), (1204, "1,204 s")],
)
def test_times_have_three_digits_and_a_unit(value: float, text: str) -> None:
    assert seconds(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.954, "0.95"), (12.44, "12.4"), (2073.4, "2,073")])
def test_rates_have_three_digits(value: float, text: str) -> None:
    assert rate(value) == text


def test_a_command_can_be_pasted_into_a_shell_and_holds_no_secret() -> None:
    target = Target(
        url="http://gateway.example.com/v1",
        model="qwen",
        host="qwen.example.com",
        headers=("Authorization", "X-Api-Key"),
    )
    words = command(cold_start("a 'b'; rm", 3.0, 4.0, target=target))
    assert shlex.split(" ".join(words)) == [
        *("ack-inference", "loadtest", "run", "http://gateway.example.com/v1"),
        *("--model", "qwen", "--scenario", "cold-start", "--idle-seconds", "1800"),
        *("--prompt-words", "200", "--max-tokens", "128", "--seed", "7", "--timeout", "1800"),
        *("--host", "qwen.example.com", "--header-from-env", "Authorization=AUTHORIZATION"),
        *("--header-from-env", "X-Api-Key=X_API_KEY", "--label", "a 'b'; rm"),
        *("--kubeconfig", "$KUBECONFIG"),
    ]
