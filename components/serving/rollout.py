"""How an update replaces the pods of a model."""

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from ..args import MISSING, Args, Fault, left_out_faults
from ..crds.kserve_annotations import StrategyType


class Rollout(Args):
    """How an update replaces pods."""

    type: StrategyType = StrategyType.ROLLING_UPDATE
    """RollingUpdate keeps answering; Recreate ends all old pods before it starts new ones."""
    max_surge: int | None = Field(default=None, ge=0)
    """Pods beyond the wanted ones, each with cards of its own. Left out, a quarter, rounded up: at
    least 1. 0 needs no spare card."""
    max_unavailable: int | None = Field(default=None, ge=0)
    """Pods that may be missing. Left out, a quarter, rounded down: 0 below 4 pods."""

    def _faults(self) -> Iterator[Fault]:
        if self.recreates:
            want, why = "left out, or type RollingUpdate", "Recreate ends all pods first"
            yield from left_out_faults(self, ("max_surge", "max_unavailable"), want, why)
        elif self.max_surge == 0 and not self.max_unavailable:
            got = MISSING if self.max_unavailable is None else 0
            why = "with max_surge 0, a pod is only replaced where one may be missing"
            yield Fault("max_unavailable", got, "1 or more", why)

    @property
    def recreates(self) -> bool:
        """Whether all old pods end first."""
        return self.type is StrategyType.RECREATE

    def spare_pods(self, replicas: int) -> int:
        """Pods beyond the replicas that an update cannot go on without, 0 or 1."""
        missing = replicas // 4 if self.max_unavailable is None else self.max_unavailable
        return 0 if self.recreates or missing else 1

    def strategy(self) -> dict[str, Any]:
        """The deploymentStrategy of a predictor."""
        amounts = {"max_surge": self.max_surge, "max_unavailable": self.max_unavailable}
        chosen = {field: amount for field, amount in amounts.items() if amount is not None}
        return {"type": self.type, "rolling_update": chosen or None}
