"""What goes wrong in the sandbox, and how long things take: set by tests and benchmarks."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


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
