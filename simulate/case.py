"""The ends of what is not known for sure."""

from enum import Enum


class Case(Enum):
    """How long things take, of the bands that are known of them; three cases make a band."""

    LOW = 0.0
    """All of them as little as has been seen."""
    LIKELY = 0.5
    """All of them as usual."""
    HIGH = 1.0
    """All of them as much as has been seen."""

    @property
    def place(self) -> float:
        """The place in a band, as `Band.at` takes it."""
        return self.value
