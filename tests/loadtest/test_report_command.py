import shlex
from typing import Any

import pytest

import cli
from components.serving.scenarios import ColdStart, Prompt, Scenario, Steady, Tide
from loadtest.command import scenario
from loadtest.report_words import command
from loadtest.results import Run, Target
from tests.loadtest.made import SPIKE, run

FIELDS = ("rate", "clients", "seconds", "peak_rate", "idle_seconds")


def parsed(one: Run) -> dict[str, Any]:
    """What the command line makes of the command that a report shows."""
    verb = cli.main.commands["loadtest"].commands["run"]  # type: ignore[attr-defined]
    words = shlex.split(" ".join(command(one)))
    assert words[:3] == ["ack-inference", "loadtest", "run"]
    found: dict[str, Any] = verb.make_context("run", words[3:]).params
    return found


@pytest.mark.parametrize(
    "asked",
    [
        SPIKE,
        Scenario(steady=Steady(rate=2.5, seconds=30)),
        Scenario(steady=Steady(rate=1234.56789, seconds=86399.125)),
        Scenario(steady=Steady(clients=3)),
        Scenario(tide=Tide(peak_rate=12)),
        Scenario(cold_start=ColdStart(idle_seconds=60, timeout_seconds=900)),
    ],
    ids=lambda asked: asked.kind,
)
def test_the_command_of_a_report_asks_what_the_run_asked(asked: Scenario) -> None:
    target = Target(url="http://gateway.example.com/v1", model="qwen", host="qwen.example.com")
    one = run("a b", asked, prompt=Prompt(words=9, max_tokens=8), seed=3, target=target,
              arrivals="constant", timeout_seconds=77)  # fmt: skip
    given = parsed(one)
    fields = {name: given[name] for name in FIELDS}
    if asked.cold_start:
        fields["timeout_seconds"] = given["timeout_seconds"]
    else:
        assert given["timeout_seconds"] == 77
    assert scenario(given["kind"], fields) == asked
    assert (given["url"], given["model"], given["host"]) == (target.url, "qwen", target.host)
    assert (given["prompt_words"], given["max_tokens"], given["seed"]) == (9, 8, 3)
    assert given["label"] == "a b"
    if asked.tide or (asked.steady and asked.steady.rate):
        assert given["arrivals"] == "constant"
