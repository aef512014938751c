"""PriorityClasses: who gives way to whom."""

from collections.abc import Iterator
from typing import Annotated

import pulumi
from pydantic import Field

from ..args import Args, Because, Fault, child_options, repeated
from ..bindings import kubernetes
from ..names import LabelName

HIGHEST_USER_PRIORITY = 1_000_000_000
"""Kubernetes keeps higher values for its own classes."""


class PriorityClass(Args):
    """One priority."""

    name: Annotated[LabelName, Because("it names a PriorityClass")]
    """Name of the PriorityClass."""
    value: int = Field(ge=-(2**31), le=HIGHEST_USER_PRIORITY)
    """Pods of a higher value preempt those of a lower one."""
    preempts: bool = True
    """False lets pods wait for room instead of making it."""
    description: str | None = None
    """What the class is for."""

    def _faults(self) -> Iterator[Fault]:
        if self.name.startswith("system-"):
            yield Fault("name", self.name, "without system- in front", "Kubernetes reserves it")


class PrioritiesArgs(Args):
    """The priorities of a cluster."""

    classes: list[PriorityClass]
    """One entry per PriorityClass."""

    def _faults(self) -> Iterator[Fault]:
        for name in repeated(entry.name for entry in self.classes):
            yield Fault(f"classes[{name}].name", name, "unique", "it names a PriorityClass")


class Priorities(pulumi.ComponentResource):
    """PriorityClasses of the environment. None of them is the cluster's default."""

    names: pulumi.Output[list[str]]
    """Names of the classes."""

    def __init__(
        self, name: str, args: PrioritiesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = PrioritiesArgs.of(args)

        super().__init__("ack-inference:index:Priorities", name, args.dump(), opts)

        for entry in args.classes:
            kubernetes.scheduling.v1.PriorityClass(
                f"{name}-class-{entry.name}",
                metadata={"name": entry.name},
                value=entry.value,
                preemption_policy="PreemptLowerPriority" if entry.preempts else "Never",
                description=entry.description,
                opts=child_options(
                    self,
                    opts,
                    # Kubernetes forbids to change these two, and the name is the user's.
                    replace_on_changes=["value", "preemptionPolicy"],
                    delete_before_replace=True,
                ),
            )

        self.names = pulumi.Output.from_input([entry.name for entry in args.classes])
        self.register_outputs({"names": self.names})
