"""Times of a simulation, held against a load test and fitted to it."""

import io
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from components.serving.scenarios import ColdStart, Prompt, Scenario, Spike, Steady
from loadtest.results import Failure, Machine, Phase, Run, Sample, Target
from loadtest.results import save as save_run
from plan.refused import Refused
from simulate.calibrate import CalibrationResult, calibrate, fit, model_asked
from simulate.calibration import MOST, Calibration, Factors, calibrated, read, save, to_json
from simulate.parallel import SimulationJob
from simulate.reading import read_scene
from simulate.results import Ending, RequestResults, SimulationResults
from simulate.scene import Scene
from simulate.staging import stage
from simulate.terminal import show_calibration
from simulate.traffic import measured
from simulate.world import BandPoint
from tests.simulate.made import model, results
from tests.simulate.stacks import environment_of, stack_of

STEADY = Scenario(steady=Steady(rate=2, seconds=120))
COLD = Scenario(cold_start=ColdStart())
TRUTH = Factors(prefill=1.8, decode=0.6)


def run_of(samples: tuple[Sample, ...], **changes: Any) -> Run:
    fields: dict[str, Any] = {
        "label": "real",
        "scenario": STEADY,
        "prompt": Prompt(),
        "seed": 7,
        "target": Target(url="http://gateway.example.com/v1", model="qwen"),
        "machine": Machine(version="0.1.0", python="3.11.2", platform="Linux", cpus=2),
        "started": datetime(2026, 11, 22, tzinfo=UTC),
        "seconds": 120.0,
        "complete": True,
        "samples": samples,
    }
    return Run(**{**fields, **changes})


def sample(due: float, wait: float, token: float, tokens: int = 40, **changes: Any) -> Sample:
    last = due + wait + token * (tokens - 1)
    fields: dict[str, Any] = {
        "due": due, "sent": due, "first_token": due + wait, "last_token": last, "ended": last,
        "output_tokens": tokens, "prompt_tokens": 200,
    }  # fmt: skip
    return Sample(**{**fields, **changes})


def measured_run(factors: Factors = TRUTH, count: int = 200, **changes: Any) -> Run:
    """What a cluster answers that is by some factors slower than a simulation has it."""
    noise = np.random.default_rng(3).normal(0, 0.05, (count, 2))
    return run_of(
        tuple(
            sample(
                at * 0.5,
                0.25 * factors.prefill * math.exp(noise[at, 0]),
                0.03 * factors.decode * math.exp(noise[at, 1]),
            )
            for at in range(count)
        )
    ).model_copy(update=changes)


class Simulated:
    """Simulates a run: 0.25 s to the first token and 30 ms a token, times the factors."""

    def __init__(self, run: Run, skew: float = 1.0) -> None:
        self.run = run
        self.skew = skew
        self.factors: list[Factors] = []

    def __call__(self, factors: Factors) -> SimulationResults:
        self.factors.append(factors)
        samples = sorted((s for s in self.run.samples if s.output_tokens), key=lambda s: s.due)
        arrivals = np.array([s.due for s in samples])
        firsts = arrivals + 0.25 * factors.prefill**self.skew
        ends = firsts + 0.03 * factors.decode * np.array([s.output_tokens - 1 for s in samples])
        endings = np.full(len(samples), Ending.ANSWERED, np.int8)
        requests = RequestResults(arrivals, firsts, ends, endings, 0, 0)
        return results(model(requests=requests))


@pytest.fixture(scope="module")
def scene() -> Scene:
    return read_scene(stage(stack_of("dev")))


def fitted(run: Run, scene: Scene, skew: float = 1.0) -> CalibrationResult:
    [section] = environment_of(stack_of("dev")).models
    return calibrate(run, "real.json", section, scene, Simulated(run, skew))


def test_factors_are_found_again_and_what_was_held_out_is_closer_than_before(scene: Scene) -> None:
    result = fitted(measured_run(), scene)
    factors = result.calibration.factors
    assert factors.prefill == pytest.approx(TRUTH.prefill, rel=0.03)
    assert factors.decode == pytest.approx(TRUTH.decode, rel=0.03)
    assert (factors.node, factors.image, factors.load) == (1, 1, 1)
    before, after = result.calibration.off_before, result.calibration.off_after
    assert before is not None
    assert after is not None
    assert after < 0.1 < 0.3 < before
    assert result.is_better
    assert [deviation.name for deviation in result.before] == [
        "TTFT p50", "TTFT p90", "TPOT p50", "TPOT p90", "latency p50", "latency p90",
    ]  # fmt: skip
    assert result.before[0].off == pytest.approx(0.25 / (0.25 * 1.8) - 1, abs=0.03)
    assert result.answers == 200
    assert result.notes == []


def test_a_factor_that_does_not_act_in_proportion_is_found_in_rounds(scene: Scene) -> None:
    factors = fitted(measured_run(), scene, skew=0.5).calibration.factors
    assert factors.prefill == pytest.approx(TRUTH.prefill**2, rel=0.1)


def test_only_every_other_request_is_fitted_to(scene: Scene) -> None:
    """Held-out requests that are all wrong change no factor."""
    run = measured_run()
    samples = tuple(sample(s.due, 9.0, 0.5) if at % 2 else s for at, s in enumerate(run.samples))
    result = fitted(run.model_copy(update={"samples": samples}), scene)
    assert result.calibration.factors.prefill == pytest.approx(TRUTH.prefill, rel=0.03)
    after = result.calibration.off_after
    assert after is not None
    assert after > 0.5


def test_a_simulation_that_is_right_already_is_left_alone(scene: Scene) -> None:
    run = measured_run(Factors())
    assert fitted(run, scene).calibration.factors == Factors()


def test_few_answers_are_not_split_and_the_reader_is_told(scene: Scene) -> None:
    result = fitted(measured_run(count=6), scene)
    assert any("With less than 20 answers none is held out" in note for note in result.notes)
    assert result.calibration.factors.decode == pytest.approx(TRUTH.decode, rel=0.1)


def phases(**ends: float) -> tuple[Phase, ...]:
    return tuple(
        Phase(name=name.replace("_", " "), ended=end, source="Pod qwen")  # type: ignore[arg-type]
        for name, end in ends.items()
    )


def test_the_parts_of_a_start_give_their_factors(scene: Scene) -> None:
    [qwen] = scene.models
    start = next(iter(qwen.starts.values()))
    node = scene.node_added["a10"].likely
    first_image, load = start.first_image.likely, start.weights.likely + start.engine.likely
    ends = phases(
        node_added=2 * node,
        scheduled=2 * node + 1,
        image_pulled=2 * node + 1 + first_image / 2,
        model_loaded=2 * node + 1 + first_image / 2 + 2.9 * load,
        ready=2 * node + 1 + first_image / 2 + 3 * load,
        first_token=2 * node + 1 + first_image / 2 + 3 * load + 1,
    )
    cold = run_of((sample(0, ends[-1].ended, 0.018),), scenario=COLD, phases=ends)
    result = fitted(cold, scene)
    factors = result.calibration.factors
    assert (factors.node, factors.image, factors.load) == (2, 0.5, pytest.approx(3, rel=0.01))
    assert factors.prefill == 1
    assert factors.decode == pytest.approx(0.6, rel=0.01)
    assert [phase.name for phase in result.phases] == ["node", "image", "load"]
    assert result.is_better
    assert any("prefill is left at 1" in note for note in result.notes)
    assert any("keeps a pod of qwen (scale.min 1)" in note for note in result.notes)


def test_an_image_that_was_there_says_nothing_of_how_long_it_is_pulled(scene: Scene) -> None:
    ends = phases(scheduled=1.0, image_pulled=2.5, ready=60.0)
    cold = run_of((sample(0, 61, 0.03),), scenario=COLD, phases=ends)
    result = fitted(cold, scene)
    assert [phase.name for phase in result.phases] == ["load"]
    assert result.calibration.factors.image == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"complete": False}, "The load test was interrupted"),
        ({"scenario": Scenario(spike=Spike(clients=2, seconds=60))}, "Its clients waited"),
        ({"scenario": COLD}, "No part of the start was seen"),
    ],
)
def test_what_weakens_a_calibration_is_told(
    scene: Scene, changes: Mapping[str, Any], words: str
) -> None:
    result = fitted(measured_run(count=30, **changes), scene)
    assert any(words in note for note in result.notes)


def test_a_load_test_that_leaves_pods_nearly_empty_says_less_of_full_ones(scene: Scene) -> None:
    """A pod of dev is filled to 1.4 requests, 0.7 of two."""
    few, full = (
        fitted(run_of(tuple(sample(at * 2, wait, 0.02) for at in range(40))), scene).notes
        for wait in (0.22, 4)
    )
    words = "On average 0.5 requests were open, but a pod of qwen is filled to 1.4"
    assert any(words in note for note in few)
    assert not any("were open" in note for note in full)


def test_a_fit_ends_where_nothing_is_left_to_compare() -> None:
    tried: list[Factors] = []

    def log_errors(factors: Factors) -> Mapping[str, float]:
        tried.append(factors)
        return {"decode": 0.5} if len(tried) == 1 else {}

    assert fit(Factors(), log_errors) == Factors()
    assert [factors.decode for factors in tried] == [1, pytest.approx(math.exp(-0.5), abs=1e-4)]


def test_a_time_that_hardly_follows_its_factor_brings_it_to_its_bound() -> None:
    """A wait that is nearly all of a cold start: no number is as large as the step to its end."""

    def log_errors(factors: Factors) -> Mapping[str, float]:
        return {"prefill": -1 + 1e-4 * math.log(factors.prefill)}

    assert fit(Factors(), log_errors).prefill == MOST


def test_a_fit_learns_that_a_wait_is_partly_steps_of_other_answers() -> None:
    """Four rounds: prefill acts at a third of its size, and decode on the wait too."""
    rounds = 0

    def log_errors(factors: Factors) -> Mapping[str, float]:
        nonlocal rounds
        rounds += 1
        prefill, decode = math.log(factors.prefill / 0.4), math.log(factors.decode / 0.9)
        return {"prefill": prefill / 3 + decode / 2, "decode": decode}

    factors = fit(Factors(), log_errors)
    assert (factors.prefill, factors.decode) == pytest.approx((0.4, 0.9), rel=0.02)
    assert rounds <= 6


def test_failed_requests_are_counted_and_not_compared(scene: Scene) -> None:
    run = measured_run(count=40)
    bad = sample(3.2, 50, 0.5, failure=Failure.CUT)
    none = Sample(due=4.1, sent=4.1, ended=5, failure=Failure.OVERLOADED)
    result = fitted(run.model_copy(update={"samples": (*run.samples, bad, none)}), scene)
    assert result.answers == 40
    assert "2 of 42 requests failed, and are not compared." in result.notes


def test_answers_of_one_token_leave_decode_alone(scene: Scene) -> None:
    run = run_of(tuple(sample(at, 0.5, 0, tokens=1) for at in range(30)))
    result = fitted(run, scene)
    assert result.calibration.factors.decode == 1
    assert "No answer has two tokens, so decode is left at 1." in result.notes


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"simulated": True}, "was measured against a server that only pretends to be a model"),
        ({"target": Target(url="http://x/v1", model="llama")}, "asked the model 'llama', but"),
        ({"samples": ()}, "has no whole answer of a number of tokens"),
        (
            {"samples": (sample(0, 1, 0.1, failure=Failure.TIMEOUT),)},
            "has no whole answer of a number of tokens",
        ),
    ],
)
def test_what_cannot_calibrate_is_refused_in_a_sentence(
    changes: Mapping[str, Any], sentence: str
) -> None:
    environment = environment_of(stack_of("dev"))
    with pytest.raises(Refused) as refused:
        model_asked(measured_run(**changes), "real.json", environment)
    [only] = refused.value.sentences
    assert sentence in only
    assert only.startswith("real.json ")


def test_a_model_is_known_by_any_name_that_it_is_served_by() -> None:
    environment = environment_of(
        stack_of("dev", {"models[qwen].server.vllm.served_model_name": "chat"})
    )
    for name in ("qwen", "chat"):
        run = measured_run(target=Target(url="http://x/v1", model=name))
        assert model_asked(run, "real.json", environment).name == "qwen"


def said(result: CalibrationResult) -> str:
    file = io.StringIO()
    show_calibration(result, Console(file=file, width=120, markup=False, highlight=False))
    return file.getvalue()


def test_it_says_how_far_it_was_off_and_how_far_it_is(scene: Scene) -> None:
    text = said(fitted(measured_run(), scene))
    assert re.search(r"TTFT p50 +4\d\d ms +250 ms +-4\d% +4\d\d ms +[+-]0%", text)
    assert "Factors: prefill 1.7" in text
    assert re.search(r"Off by 4\d\.\d% on average .* by [0-9]\.\d% .* held out", text)
    brief = said(fitted(measured_run(count=6), scene))
    assert "of the same answers" in brief


def test_factors_that_bring_it_no_closer_are_told(scene: Scene) -> None:
    run = measured_run()
    samples = tuple(sample(s.due, 0.25, 0.03) if at % 2 else s for at, s in enumerate(run.samples))
    result = fitted(run.model_copy(update={"samples": samples}), scene)
    assert not result.is_better
    assert "the defaults stand, and no file is written" in said(result)


# --- the file ------------------------------------------------------------------------------------

CALIBRATION = Calibration("qwen", "real.json", Factors(node=1.5, decode=0.8), 0.4, 0.05)


def test_a_calibration_is_read_as_it_was_written_and_never_over_another(tmp_path: Path) -> None:
    path = tmp_path / "cal.json"
    save(CALIBRATION, path)
    assert read(path) == CALIBRATION
    with pytest.raises(Refused, match="stands already"):
        save(CALIBRATION, path)
    with pytest.raises(Refused, match="cannot be written"):
        save(CALIBRATION, tmp_path / "none" / "cal.json")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "cal.json is not JSON"),
        ("[]", "cal.json is no file of a calibration"),
        ('{"samples": []}', "cal.json is no file of a calibration"),
        ('{"format": 2, "factors": {}}', "format is 2, but it must be 1 or less"),
        ('{"format": true, "factors": {}}', "model is None"),
        ('{"format": 1, "model": "q", "source": "s", "factors": {"speed": 2}}', "factors.speed is"),
        ('{"format": 1, "model": "q", "source": "s", "factors": {"node": "2"}}', "be a number"),
        ('{"format": 1, "model": "q", "source": "s", "factors": {"node": 0}}', "between 0.05"),
        ('{"format": 1, "model": "q", "source": "s", "factors": {"node": 50}}', "and 20"),
    ],
)
def test_what_is_no_calibration_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "cal.json"
    path.write_text(text)
    with pytest.raises(Refused, match=sentence.replace(".", r"\.")):
        read(path)
    with pytest.raises(Refused, match="cannot be read"):
        read(tmp_path / "none.json")


def test_factors_change_the_times_of_their_model_and_of_nodes(scene: Scene) -> None:
    factors = Factors(node=2, image=3, load=4, prefill=5, decode=0.5)
    outcome = calibrated(scene, [Calibration("qwen", "x", factors)])
    [was], [now] = scene.models, outcome.models
    for name, start in was.starts.items():
        assert now.starts[name].first_image == start.first_image.times(3)
        assert now.starts[name].image == start.image
        assert now.starts[name].weights == start.weights.times(4)
        assert now.starts[name].engine == start.engine.times(4)
    for pool, engine in was.engines.items():
        assert now.engines[pool] == engine.scaled(5, 0.5)
    assert outcome.node_added == {name: band.times(2) for name, band in scene.node_added.items()}
    assert calibrated(scene, []) == replace(scene, models=[*scene.models])
    elsewhere = calibrated(scene, [Calibration("llama", "x", Factors(decode=2))])
    assert [*elsewhere.models] == [*scene.models]


def test_the_real_simulation_is_calibrated_to_a_cluster_that_is_slower(tmp_path: Path) -> None:
    """Ten minutes on the stack dev: what is measured is a simulation with other factors."""
    stack = stack_of("dev")
    staged = stage(stack)
    truth = Calibration("qwen", "x", Factors(prefill=1.4, decode=1.3))
    generator = np.random.default_rng(5)
    plain = run_of(
        tuple(
            sample(float(due), 1, 0.03, tokens=int(generator.integers(20, 200)), prompt_tokens=500)
            for due in np.sort(generator.uniform(0, 600, 60))
        )
    )
    path = save_run(plain, tmp_path / "plain.json")
    traffic = {"qwen": measured(path)}

    def with_factors(factors: Factors) -> SimulationResults:
        calibrations = [Calibration("qwen", "x", factors)]
        scene = calibrated(read_scene(staged), calibrations)
        return SimulationJob(scene, traffic, 900, 0, BandPoint.LIKELY).run()

    real = with_factors(truth.factors).models[0].requests
    run = plain.model_copy(
        update={
            "samples": tuple(
                s.model_copy(
                    update={
                        "first_token": float(first),
                        "last_token": float(end),
                        "ended": float(end),
                    }
                )
                for s, first, end in zip(plain.samples, real.first_tokens, real.ends, strict=True)
            )
        }
    )
    [section] = staged.environment.models
    result = calibrate(run, "real.json", section, read_scene(staged), with_factors)
    assert result.calibration.off_before is not None
    assert result.calibration.off_after is not None
    assert result.calibration.off_after < 0.05 < 0.15 < result.calibration.off_before
    assert result.calibration.factors.decode == pytest.approx(1.3, rel=0.05)
    assert Decimal(to_json(result.calibration).count("decode")) == 1
