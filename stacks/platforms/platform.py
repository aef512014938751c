"""What a stack has to know of a part of a cluster that runtimes share."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.args import Args, Fault, Words
from components.serving import ModelArgs

from ..arguments.base import made_of
from ..checks.rules import Check
from ..needs import Needs
from ..sections.cluster import Profile
from ..sections.environment import Environment
from ..sections.platform import KSERVE_RELEASE, InstalledChart


@dataclass(frozen=True)
class Platform:
    """Something that is installed once, whichever and however many runtimes need it."""

    name: str
    """Name of its component."""
    args: Callable[[Environment, Needs, Sequence[ModelArgs]], Any]
    """Builds its arguments for the models that need it; None where the cluster has it already."""
    component: Callable[[str, Any, pulumi.ResourceOptions], pulumi.Resource]
    """The component, which installs it."""
    needs: tuple["Platform", ...] = ()
    """What has to work before it."""
    after: tuple["Platform", ...] = ()
    """What it does not need, and comes after where a model needs both."""
    section: str = ""
    """Section of the stack file that its arguments are of."""
    nodes: int = 1
    """Worker nodes, of whatever kind, without which it is not installed."""

    def check(self, find: Callable[[Environment, Needs], Iterator[Fault]]) -> Check:
        """Makes a function a rule that refuses, asked where a model needs the platform."""

        def ask(environment: Environment, needs: Needs) -> Iterator[Fault]:
            return find(environment, needs) if needs.sections(self.name) else iter(())

        return Check(find, ask)


def controller(
    name: str,
    component: Callable[[str, Any, pulumi.ResourceOptions], pulumi.Resource],
    kind: Callable[..., Any],
    chart: type[Args],
) -> Platform:
    """A controller that is as its section has it, which is called as it is, and is its chart."""
    section = name.replace("-", "_")

    def args(environment: Environment, _needs: Needs, _models: Sequence[ModelArgs]) -> Any:
        own: InstalledChart = getattr(environment, section)
        is_given = own.model_fields_set - {"install"}
        return kind(chart=made_of(chart, own) if is_given else None) if own.install else None

    return Platform(name, args, component, section=section)


def release_faults(
    field: str, version: str | None, since: tuple[int, int], why: str
) -> Iterator[Fault]:
    """Refuses a release that is older than one; nothing that is left out, or written otherwise."""
    match = re.fullmatch(KSERVE_RELEASE, version or "")
    if match is not None and (int(match[1]), int(match[2])) < since:
        yield Fault(field, version, "v{}.{}.0 or later".format(*since), why)


def edge_faults(environment: Environment, needs: Needs, name: str, why: str) -> Iterator[Fault]:
    """Refuses models of a platform on profile edge, whose machines reach each other at best."""
    if environment.cluster.profile is not Profile.EDGE:
        return
    for path, model in needs.models(name):
        want = "left out on profile edge, or knative or kserve in its place"
        yield Fault(f"{path}.serve.{model.serve.kind}", Words("given"), want, why)
