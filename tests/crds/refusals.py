"""How these tests read what a model refuses."""

from collections.abc import Iterable
from typing import Any

import pulumi
import pytest

from components.args import Fault
from components.crds.model import CrdModel


def refused(model: type[CrdModel], **fields: Any) -> str:
    """The sentences with which a model refuses its fields."""
    with pytest.raises(pulumi.RunError) as refusal:
        model.of(fields)
    return str(refusal.value)


def sentences(faults: Iterable[Fault]) -> list[str]:
    """The sentences of faults."""
    return [str(fault) for fault in faults]
