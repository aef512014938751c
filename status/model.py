"""What is said of a model: how far it is, and the link of its way that breaks it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

UP_AGAIN: Final = "`pulumi up --refresh --run-program`"
"""Makes again what somebody deleted or changed: `pulumi up` alone compares a program with its own
state, and sees nothing of it. The program is run for the connection to the cluster, whose stored
one has expired."""


class Stage(IntEnum):
    """How far something is; the worst of several is the highest."""

    READY = 0
    UNSEEN = 2
    """Nothing can be said of it: the kubeconfig may not read what it is made of."""
    COMING = 3
    """On its way: nothing has to be done."""
    BROKEN = 4
    """It stays so until somebody does something."""


@dataclass(frozen=True)
class Finding:
    """What keeps a model from being ready."""

    state: Stage
    link: str
    """Which link of the way: `priority`, `volume`, `cache`, `policy`, `service`, `pods` ..."""
    subject: str
    """The object, e.g. `Pod qwen-0`."""
    why: str
    """A clause that says what is so, without a full stop."""
    remedy: str = ""
    """What to do, likewise; empty where it is to wait."""
    row: str = ""
    """The check, or the row of the troubleshooting page, that explains it."""


@dataclass(frozen=True)
class PodPlace:
    """Pods of a model on nodes that are alike."""

    pool: str
    ready: int
    pods: int


@dataclass(frozen=True)
class Autoscaling:
    """What an autoscaler does with a model now."""

    desired: int
    current: int
    metrics: Sequence[str] = ()
    """Each as `metric 12 of 8`."""
    limit: str = ""
    """What keeps it from more, or from fewer, pods."""


@dataclass(frozen=True)
class Way:
    """A model or a job, and what its way through the cluster looks like."""

    name: str
    namespace: str
    title: str
    state: Stage
    findings: Sequence[Finding] = ()
    """In the order of the way; the worst of them is the state."""
    places: Sequence[PodPlace] = ()
    autoscaling: Autoscaling | None = None
    note: str = ""
    """That it has completed, or that an older revision still answers."""

    @property
    def first(self) -> Finding | None:
        """The first broken link; without one, the first that is on its way."""
        return next((finding for finding in self.findings if finding.state == self.state), None)


@dataclass(frozen=True)
class Status:
    """What became of a stack."""

    stack: str
    ways: Sequence[Way]
    drift: Sequence[str] = ()
    """Sentences: what stands in the cluster that the stack file does not say."""
    unseen: Sequence[str] = ()
    """Sentences: what could not be read, so that nothing is said of it."""

    @property
    def state(self) -> Stage:
        """The worst of all ways."""
        return max((way.state for way in self.ways), default=Stage.READY)
