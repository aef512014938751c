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


def parsed(run_: Run) -> dict[str, Any]:
    """What the command line makes of the command that a report shows."""
    verb = cli.main.commands["loadtest"].commands["run"]  # type: ignore[attr-defined]
    words = shlex.split(" ".join(command(run_)))
    assert words[:3] == ["ack-inference", "loadtest", "run"]
    params: dict[str, Any] = verb.make_context("run", words[3:]).params
    return params


@pytest.mark.parametrize(
    "scenario_",
    [
        SPIKE,
        Scenario(steady=Steady(rate=2.5, seconds=30)),
        Scenario(steady=Steady(rate=1234.56789, seconds=86399.125)),
        Scenario(steady=Steady(clients=3)),
        Scenario(tide=Tide(peak_rate=12)),
        Scenario(cold_start=ColdStart(idle_seconds=60, timeout_seconds=900)),
    ],
    ids=lambda scenario_: scenario_.kind,
)
def test_the_command_of_a_report_asks_what_the_run_asked(scenario_: Scenario) -> None:
    target = Target(url="http://gateway.example.com/v1", model="qwen", host="qwen.example.com")
    run_ = run("a b", scenario_, prompt=Prompt(words=9, max_tokens=8), seed=3, target=target,
              arrivals="constant", timeout_seconds=77)  # fmt: skip
    options = parsed(run_)
    fields = {name: options[name] for name in FIELDS}
    if scenario_.cold_start:
        fields["timeout_seconds"] = options["timeout_seconds"]
    else:
        assert options["timeout_seconds"] == 77
    assert scenario(options["kind"], fields) == scenario_
    assert (options["url"], options["model"], options["host"]) == (target.url, "qwen", target.host)
    assert (options["prompt_words"], options["max_tokens"], options["seed"]) == (9, 8, 3)
    assert options["label"] == "a b"
    if scenario_.tide or (scenario_.steady and scenario_.steady.rate):
        assert options["arrivals"] == "constant"
