"""`ack-inference simulate`: reads a stack and its traffic, simulates it, and shows the result."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import Final

import numpy as np
from rich.console import Console

from loadtest.results import load
from plan.refused import Refused
from plan.stack_file import stack_path

from .calibrate import CalibrationResult, model_asked
from .calibrate import calibrate as fit
from .calibration import Calibration, Factors, calibrated, save
from .calibration import read as read_calibration
from .comparison import StrategyComparison
from .document import to_json
from .kpa import KpaSettings
from .objective import limit_of, objectives
from .page import render
from .parallel import Pending, SimulationJob, workers
from .reading import MACHINES, read_scene
from .results import SimulationResults
from .scene import Model, Scene
from .slo import SloResult, attempts, search
from .stack_edit import change_diff
from .staging import Changes, StackSettings, Staged, read_settings, stage
from .strategies import SLO, Variant, VariantLeftOut, choose, strategies
from .strategies import compare as compare_variants
from .terminal import show, show_calibration, show_search
from .traffic import DAY, Lengths, Traffic, joined, measured, read_trace, spike, tide
from .world import BandPoint

SHAPES: Final = ("tide", "spike")
"""Traffic that is drawn; anything else is a file."""
FILLED: Final = 0.8
"""Part of what a model's most pods can take, in the busiest hour of traffic that is drawn."""
DEFAULT_IN_HAND: Final = 4
"""Requests in hand of a busy pod, where its autoscaler does not count them."""
LONGEST_DAYS: Final = 31
MOST_LOSSES: Final = 60
"""How often a spot node may be taken in an hour: more is most likely a mistake."""
MOST_TOKENS: Final = 1_000_000


class Format(StrEnum):
    """How a comparison is shown."""

    TERMINAL = "terminal"
    JSON = "json"
    HTML = "html"


@dataclass(frozen=True)
class SimulationOptions:
    """What is simulated, as the command line has it."""

    traffic: str = "tide"
    """`tide`, `spike`, a trace (CSV) or the file of a load test (JSON)."""
    rate: float | None = None
    """Requests per second: of the busiest hour of a tide, of the time around a spike. Default: what
    fills the model's most pods to four fifths."""
    lengths: Lengths = field(default_factory=Lengths)
    """Of prompts and answers that are drawn."""
    days: float | None = None
    """How long traffic is that is drawn. Default: 1."""
    models: Sequence[str] = ()
    """Names of the models that get requests. Default: all."""
    variants: Sequence[str] = ()
    """Keys or groups of variants. Default: the main ones."""
    slo: str | None = None
    """What is promised, as `objective.objectives` reads it."""
    seed: int = 0
    """Of all that is left to chance."""
    machines: int = MACHINES
    """Machines of an edge pool, and nodes of each group of an existing cluster."""
    losses_per_hour: float = 0.0
    """How often a spot node is taken in an hour, on average."""
    calibrations: Sequence[Path] = ()
    """Files of factors, from load tests."""

    @property
    def drawn_days(self) -> float:
        """How long traffic is that is drawn."""
        return 1.0 if self.days is None else self.days


def compare(
    stack: str,
    root: Path,
    options: SimulationOptions,
    kind: Format,
    output: Path | None,
    console: Console,
    said: Console,
) -> None:
    """Holds variants of a stack side by side, and shows them.

    Args:
        stack: Name of the stack.
        root: Folder of the project.
        options: What is simulated.
        kind: How it is shown.
        output: Where it is written. Default: to the terminal.
        console: The terminal.
        said: Where progress is told.

    Raises:
        Refused: A file or an option is wrong; one sentence per fault.
    """
    _writable(output)
    simulation = Simulation(stack, root, options)
    result = simulation.search(said)
    comparison = simulation.compare(said, result)
    diff = simulation.diff(result.best.changes) if result else None
    if kind is Format.TERMINAL:
        with _file_or(output, console) as target:
            show(comparison, target)
            if result is not None:
                target.print()
                show_search(result, diff, target)
        return
    written = render if kind is Format.HTML else to_json
    text = written(comparison, result, diff) + "\n"
    if output is None:
        console.file.write(text)
    else:
        _write(output, text)
        said.print(f"Wrote {output}.")


def calibrate(
    stack: str,
    root: Path,
    options: SimulationOptions,
    path: Path,
    output: Path | None,
    console: Console,
) -> None:
    """Fits times to a load test of a stack, and says how far off they were.

    Args:
        stack: Name of the stack.
        root: Folder of the project.
        options: What is simulated.
        path: File of the load test.
        output: Where the factors are written. Default: nowhere.
        console: The terminal.

    Raises:
        Refused: A file or an option is wrong, or the load test cannot calibrate the stack.
    """
    _writable(output)
    result = Simulation(stack, root, options).calibrate(path)
    show_calibration(result, console)
    if output is not None and result.is_better:
        save(result.calibration, output)
        console.print(f"Wrote {output}; --calibration {output} uses it.")


def lengths_of(prompt_tokens: float | None, answer_tokens: float | None) -> Lengths:
    """Lengths by their means; each spreads as widely, in relation, as the default one does.

    Raises:
        Refused: One of them is out of bounds.
    """
    usual = Lengths()
    means = {"--prompt-tokens": prompt_tokens, "--answer-tokens": answer_tokens}
    faults = [
        f"{name} is {tokens:g}, but it must be between 1 and {MOST_TOKENS}."
        for name, tokens in means.items()
        if tokens is not None and not 1 <= tokens <= MOST_TOKENS
    ]
    if faults:
        raise Refused("The simulation", *faults)
    prompt, answer = prompt_tokens or usual.prompt_tokens, answer_tokens or usual.answer_tokens
    return Lengths(
        prompt,
        usual.prompt_deviation * prompt / usual.prompt_tokens,
        answer,
        usual.answer_deviation * answer / usual.answer_tokens,
    )


class Simulation:
    """A stack with its traffic, to be simulated in one variant after another."""

    def __init__(self, stack: str, root: Path, options: SimulationOptions) -> None:
        """Reads both.

        Args:
            stack: Name of the stack.
            root: Folder of the project.
            options: What is simulated.

        Raises:
            Refused: A file or an option is wrong; one sentence per fault.
        """
        if faults := _faults(options):
            raise Refused("The simulation", *faults)
        self.options = options
        self.promised = objectives(options.slo) if options.slo else []
        self.stack: StackSettings = read_settings(root, stack)
        self.path = stack_path(root, stack)
        self.calibrations = [read_calibration(path) for path in options.calibrations]
        self.as_is: Staged = stage(self.stack)
        self.scene = self._scene(self.as_is)
        self.traffic = self._read_traffic()

    def compare(self, said: Console, result: SloResult | None = None) -> StrategyComparison:
        """Holds variants side by side, and with them the cheapest that keeps a promise.

        Args:
            said: Where progress is told.
            result: What a search for it came to, if there was one.

        Raises:
            Refused: A variant that is asked for is none.
        """
        options = self.options
        every = strategies(self.stack, self.as_is.environment, list(self.traffic))
        chosen = choose(every, options.variants)
        variants = [each for each in chosen if isinstance(each, Variant)]
        if result and result.best.changes:
            words = "the cheapest that keeps" if result.best.holds else "the closest to"
            variants.append(Variant(SLO, f"{words} what is promised", result.best.changes))
        outcomes = []
        with workers(len(variants) * len(BandPoint)) as submit:

            def begin(staged: Staged, case: BandPoint) -> Pending:
                return submit(self._job(self._scene(staged), self.traffic, case))

            for outcome in compare_variants(self.stack, variants, begin):
                outcomes.append(outcome)
                words = f"{len(outcomes)} of {len(variants)}: {outcome.variant.key}"
                said.print(words, style="dim")
        return StrategyComparison(
            stack=self.stack.stack,
            seed=options.seed,
            limit=limit_of(self.promised),
            traffic=joined(self.traffic),
            outcomes=outcomes,
            left_out=[each for each in chosen if isinstance(each, VariantLeftOut)],
            calibrated=", ".join(path.name for path in options.calibrations),
        )

    def search(self, said: Console) -> SloResult | None:
        """Looks for the cheapest setting that keeps what is promised; None where nothing is.

        Args:
            said: Where progress is told.
        """
        if not self.promised:
            return None
        said.print("Looking for the cheapest setting ...", style="dim")
        attempt = attempts(self.stack, self._simulate)
        names = list(self.traffic)
        return search(self.stack, self.as_is.environment, names, self.promised, attempt)

    def diff(self, changes: Changes) -> str | None:
        """Changes to the stack file as a diff; None where there are none, or it is not possible."""
        text = self.path.read_text(encoding="utf-8")
        return change_diff(self.path.name, text, self.stack.project, changes) if changes else None

    def calibrate(self, path: Path) -> CalibrationResult:
        """Fits times to a load test of the stack.

        Raises:
            Refused: The file cannot calibrate it.
        """
        run = load(path)
        section = model_asked(run, path.name, self.as_is.environment)
        traffic = {section.name: measured(path)}
        scene = self._scene(self.as_is)

        def simulated(factors: Factors) -> SimulationResults:
            changed = _with(scene, section.name, factors)
            return self._job(changed, traffic, BandPoint.LIKELY).run()

        return fit(run, path.name, section, scene, simulated)

    def _simulate(self, staged: Staged, case: BandPoint) -> SimulationResults:
        return self._job(self._scene(staged), self.traffic, case).run()

    def _job(self, scene: Scene, traffic: Mapping[str, Traffic], case: BandPoint) -> SimulationJob:
        last = max((each.seconds for each in traffic.values()), default=0.0)
        drawn = self.options.traffic in SHAPES and traffic is self.traffic
        seconds = self.options.drawn_days * DAY if drawn else last + 60
        return SimulationJob(scene, traffic, seconds, self.options.seed, case)

    def _scene(self, staged: Staged) -> Scene:
        scene = read_scene(staged, self.options.machines)
        scene = replace(scene, losses_per_hour=self.options.losses_per_hour)
        return calibrated(scene, self.calibrations)

    def _read_traffic(self) -> Mapping[str, Traffic]:
        options = self.options
        models = {model.name: model for model in self.scene.models}
        if unknown := [name for name in options.models if name not in models]:
            raise Refused(
                "--model",
                *(
                    f"--model is {name!r}, but it must be one of {', '.join(models)}: the stack "
                    "has no other that can be simulated."
                    for name in unknown
                ),
            )
        names = [name for name in models if name in options.models or not options.models]
        if options.traffic in SHAPES:
            traffic = {name: self._drawn(models[name]) for name in names}
            if not any(map(len, traffic.values())):
                raise Refused(
                    "The simulation",
                    f"{options.traffic} comes to 0 requests in {options.drawn_days:g} days, but it "
                    "must have at least 1: a higher --rate or more --days have some.",
                )
            return traffic
        path = Path(options.traffic)
        if path.suffix != ".json":
            return read_trace(path, names)
        section = model_asked(load(path), path.name, self.as_is.environment)
        return {section.name: measured(path)}

    def _drawn(self, model: Model) -> Traffic:
        options = self.options
        rate = options.rate if options.rate is not None else FILLED * most_rate(model, options)
        shape = tide if options.traffic == "tide" else spike
        if options.traffic == "spike" and options.rate is None:
            rate /= 10  # Which is what a spike multiplies.
        return _cut(shape(rate, options.drawn_days, options.seed, options.lengths), model)


def most_rate(model: Model, options: SimulationOptions) -> float:
    """Requests per second that a model's most pods take, each filled as its autoscaler wants it."""
    engine = next(iter(model.engines.values())).likely
    in_hand = float(DEFAULT_IN_HAND)
    if isinstance(model.scaler, KpaSettings):
        in_hand = min(model.scaler.target, engine.max_sequences)
    prompt, answer = options.lengths.prompt_tokens, options.lengths.answer_tokens
    step = engine.tpot(max(1, round(in_hand)), in_hand * (prompt + answer / 2))
    seconds = engine.prefill(min(round(prompt), engine.longest - 1)) + answer * step
    return model.most * in_hand / seconds


def _cut(traffic: Traffic, model: Model) -> Traffic:
    """What was drawn, cut to what the model takes, as its users do."""
    longest = min(engine.likely.longest for engine in model.engines.values())
    answers = np.minimum(traffic.answers, max(1, longest // 2))
    prompts = np.minimum(traffic.prompts, longest - answers).clip(1)
    return replace(traffic, prompts=prompts, answers=answers)


@contextmanager
def _file_or(path: Path | None, console: Console) -> Iterator[Console]:
    """A console that writes to a file, or the terminal where there is none."""
    if path is None:
        yield console
        return
    text = StringIO()
    yield Console(file=text, width=console.width, highlight=False)
    _write(path, text.getvalue())


def _writable(path: Path | None) -> None:
    """Refuses a file that cannot be written, before anything is simulated for it."""
    if path is not None and not path.absolute().parent.is_dir():
        raise Refused(
            path.name,
            f"--output is {path}, but its folder must exist: {path.parent} is none.",
        )


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refused(path.name, f"{path} cannot be written: {error.strerror}.") from None


def _with(scene: Scene, model: str, factors: Factors) -> Scene:
    return calibrated(scene, [Calibration(model, "", factors)])


def _faults(options: SimulationOptions) -> list[str]:
    faults = []
    if options.rate is not None and not 0 < options.rate <= 10_000:
        faults.append(f"--rate is {options.rate:g}, but it must be above 0, and 10000 at most.")
    if not 0 < options.drawn_days <= LONGEST_DAYS:
        faults.append(f"--days is {options.days:g}, but it must be above 0, and 31 at most.")
    if options.traffic not in SHAPES:
        usual, lengths = Lengths(), options.lengths
        faults += [
            f"{name} is given with a file, but it must be left out: the file says {what}."
            for name, is_given, what in (
                ("--rate", options.rate is not None, "when"),
                ("--days", options.days is not None, "how long"),
                ("--prompt-tokens", lengths.prompt_tokens != usual.prompt_tokens, "how many"),
                ("--answer-tokens", lengths.answer_tokens != usual.answer_tokens, "how many"),
            )
            if is_given
        ]
    if not 0 <= options.losses_per_hour <= MOST_LOSSES:
        faults.append(
            f"--spot-losses is {options.losses_per_hour:g}, but it must be 0 or more, and "
            f"{MOST_LOSSES} at most."
        )
    if options.seed < 0:
        faults.append(f"--seed is {options.seed}, but it must be 0 or more.")
    return faults
