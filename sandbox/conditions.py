"""What goes wrong in the sandbox, and how long things take: set by tests and benchmarks."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

from .private import write_private


class Operation(StrEnum):
    """What the engine asks of a plugin."""

    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    DELETE = "delete"


class Injected(Exception):
    """An operation failed because a test wanted it to, before anything was done."""


@dataclass
class Conditions:
    """Latencies and failures by type, shared by all plugins of a sandbox."""

    seconds: dict[str, float] = field(default_factory=dict)
    """How long a create or an update takes, by URN or else by type. Default: as long as it takes
    here."""
    failing: set[tuple[Operation, str]] = field(default_factory=set)
    """Operations that fail once more, before anything is done."""
    unfinished: set[tuple[Operation, str]] = field(default_factory=set)
    """Operations that fail once more, after everything is done."""
    begun: Counter[tuple[Operation, str]] = field(default_factory=Counter)
    """How often each operation was begun."""
    failed: list[tuple[Operation, str]] = field(default_factory=list)
    """What failed on purpose, in order."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _changing: int = 0
    """How many changes run now."""
    _quiet: threading.Condition = field(default_factory=threading.Condition, repr=False)

    @contextmanager
    def change(self) -> Iterator[None]:
        """While a change runs; it runs to its end also where nobody waits for it any more."""
        with self._quiet:
            self._changing += 1
        try:
            yield
        finally:
            with self._quiet:
                self._changing -= 1
                self._quiet.notify_all()

    def wait_until_quiet(self, seconds: float = 120) -> None:
        """Waits for all changes that run.

        Raises:
            TimeoutError: One still runs after so many seconds.
        """
        with self._quiet:
            if not self._quiet.wait_for(lambda: not self._changing, seconds):
                raise TimeoutError(f"{self._changing} change(s) still run after {seconds:.0f} s")

    def begin(self, operation: Operation, type_: str, urn: str = "") -> None:
        """Takes the time that it takes, and fails if it is to fail."""
        with self._lock:
            self.begun[operation, type_] += 1
            fails = self._take(self.failing, operation, type_)
        if fails:
            raise Injected(f"the sandbox was told to let {operation} of {type_} fail once")
        if operation in (Operation.CREATE, Operation.UPDATE):
            time.sleep(self.seconds.get(urn, self.seconds.get(type_, 0)))

    def leaves_unfinished(self, operation: Operation, type_: str) -> bool:
        """Whether what was just done counts as failed all the same."""
        with self._lock:
            return self._take(self.unfinished, operation, type_)

    def _take(self, planned: set[tuple[Operation, str]], operation: Operation, type_: str) -> bool:
        if (operation, type_) not in planned:
            return False
        planned.remove((operation, type_))
        self.failed.append((operation, type_))
        return True


@dataclass(frozen=True)
class NodeConditions:
    """How long nodes and pods take, and what is sold out; in a file, for others to read.

    The defaults are short, so that a day passes in minutes. On ACK a node takes some 50 s, one with
    cards minutes, an image of vLLM two minutes, and an idle node stays for ten.
    """

    node_seconds: float = 4
    """From the decision to add a node until its Node object is there. Default 4."""
    idle_seconds: float = 20
    """How long a node is idle before it is removed. Default 20."""
    image_seconds: float = 1
    """How long a pod pulls its images. Default 1."""
    start_seconds: float = 1
    """From then on until it is ready. Default 1."""
    stop_seconds: float = 1
    """From the request to end until a pod is gone, at most its grace period. Default 1."""
    job_seconds: float = 2
    """How long a pod of a Job works that asks for no card; one that does ends when told. Default
    2."""
    machines: int = 2
    """Machines of each edge pool, and nodes of each group of an existing cluster, of which no stack
    file says how many there are. Default 2."""
    sold_out: tuple[tuple[str, str], ...] = ()
    """Zones and instance types that the cloud has no more of, `ANY` for all. Default: none."""

    def write(self, path: Path) -> None:
        """Keeps them in a file; who reads it sees them within a second."""
        write_private(path, json.dumps(asdict(self)))


def read_node_conditions(path: Path) -> NodeConditions:
    """The conditions in a file; the defaults where there is none."""
    if not path.exists():
        return NodeConditions()
    values = json.loads(path.read_text())
    values["sold_out"] = tuple(map(tuple, values["sold_out"]))
    return NodeConditions(**values)
