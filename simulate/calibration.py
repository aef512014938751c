"""Factors that bring simulated times to those of a real cluster, and the file that keeps them."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

from plan.refused import Refused

from .scene import Model, PodStart, Scene

FORMAT: Final = 1
"""Version of the file; a change that an older reader would misread raises it."""
LEAST: Final = 0.05
MOST: Final = 20.0
"""Bounds of a factor: beyond, something else is wrong than a time."""


@dataclass(frozen=True)
class Factors:
    """What times are multiplied by; 1 leaves them as they are."""

    node: float = 1.0
    """Until a node is ready."""
    image: float = 1.0
    """Pulling an image onto a node that lacks it."""
    load: float = 1.0
    """Reading the weights and starting the engine."""
    prefill: float = 1.0
    """Reading prompts."""
    decode: float = 1.0
    """Writing answers."""


@dataclass(frozen=True)
class Calibration:
    """Factors of one model, and what they were taken from."""

    model: str
    """Name of the entry of `models`."""
    source: str
    """Name of the file of the load test."""
    factors: Factors
    off_before: float | None = None
    """How far times were off before, as the mean of their relative errors; None: not known."""
    off_after: float | None = None
    """The same with the factors, of requests that they were not taken from."""


def calibrated(scene: Scene, calibrations: Sequence[Calibration]) -> Scene:
    """A scene with other times.

    Args:
        scene: What is simulated.
        calibrations: Of models of the scene; those of no model of it change nothing but nodes.
    """
    by_model = {calibration.model: calibration.factors for calibration in calibrations}
    node = math.prod(factors.node for factors in by_model.values()) ** (1 / max(1, len(by_model)))
    return replace(
        scene,
        models=[_model(model, by_model.get(model.name, Factors())) for model in scene.models],
        node_added={pool: band.times(node) for pool, band in scene.node_added.items()},
    )


def _model(model: Model, factors: Factors) -> Model:
    if factors == Factors():
        return model

    def start(start: PodStart) -> PodStart:
        return replace(
            start,
            first_image=start.first_image.times(factors.image),
            weights=start.weights.times(factors.load),
            engine=start.engine.times(factors.load),
        )

    return replace(
        model,
        starts={name: start(times) for name, times in model.starts.items()},
        engines={
            name: engine.scaled(factors.prefill, factors.decode)
            for name, engine in model.engines.items()
        },
        reserve=model.reserve and model.reserve.scaled(factors.prefill, factors.decode),
    )


def to_json(calibration: Calibration) -> str:
    """The file of a calibration."""
    return json.dumps({"format": FORMAT, **asdict(calibration)}, indent=1) + "\n"


def save(calibration: Calibration, path: Path) -> None:
    """Writes the file of a calibration, never over another file.

    Raises:
        Refused: It stands already, or cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(to_json(calibration))
    except FileExistsError:
        sentence = f"{path} stands already; name another file, or remove it."
        raise Refused(path.name, sentence) from None
    except OSError as error:
        raise Refused(path.name, f"{path} cannot be written: {error.strerror}.") from None


def read(path: Path) -> Calibration:
    """Reads the file of a calibration.

    Raises:
        Refused: It cannot be read, or is none.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Refused(path.name, f"{path} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise Refused(path.name, f"{path.name} is not JSON, {_WRITTEN}") from None
    if not isinstance(document, Mapping) or not isinstance(document.get("factors"), Mapping):
        raise Refused(path.name, f"{path.name} is no file of a calibration, {_WRITTEN}")
    format_ = document.get("format")
    if not isinstance(format_, int) or not 1 <= format_ <= FORMAT:
        raise Refused(
            path.name,
            f"format is {format_!r}, but it must be {FORMAT} or less: a later ack-inference wrote "
            "the file. Read it with that one.",
        )
    names = [field.name for field in fields(Factors)]
    faults = [*_factor_faults(document["factors"], names)]
    faults += [
        f"{key} is {document.get(key)!r}, but it must be a name."
        for key in ("model", "source")
        if not isinstance(document.get(key), str)
    ]
    if faults:
        raise Refused(path.name, *faults)
    return Calibration(
        document["model"],
        document["source"],
        Factors(**{name: float(value) for name, value in document["factors"].items()}),
        document.get("off_before"),
        document.get("off_after"),
    )


_WRITTEN: Final = "but it must be one that `simulate --calibrate` wrote."


def _factor_faults(factors: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    faults = []
    for name, value in factors.items():
        if name not in names:
            faults.append(f"factors.{name} is no factor, but it must be one of {', '.join(names)}.")
        elif isinstance(value, bool) or not isinstance(value, int | float):
            faults.append(f"factors.{name} is {value!r}, but it must be a number.")
        elif not LEAST <= value <= MOST:
            faults.append(
                f"factors.{name} is {value:g}, but it must be between {LEAST:g} and {MOST:g}: "
                "beyond, something else is wrong than a time."
            )
    return faults
