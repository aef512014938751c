"""Elastic LLM inference on Alibaba Cloud ACK, as typed Pulumi components.

Here are all components with their arguments, and `ResourcePolicy` with its spec. They live in
rooms: `cloud` (what Alibaba Cloud runs), `platform` (what is installed once per cluster), `serving`
(what is declared per model), and `crds` (custom resources, also of the other kinds).

A room is loaded when one of its names is first asked for, for it loads the Pulumi SDKs it needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cloud import *  # noqa: F403
    from .crds import Capacity as Capacity
    from .crds import ConsumerRef as ConsumerRef
    from .crds import LabelOperator as LabelOperator
    from .crds import LabelSelectorRequirement as LabelSelectorRequirement
    from .crds import NextUnitPolicy as NextUnitPolicy
    from .crds import NodeAffinity as NodeAffinity
    from .crds import NodeOperator as NodeOperator
    from .crds import NodeSelector as NodeSelector
    from .crds import NodeSelectorRequirement as NodeSelectorRequirement
    from .crds import NodeSelectorTerm as NodeSelectorTerm
    from .crds import PreemptPolicy as PreemptPolicy
    from .crds import PreferredSchedulingTerm as PreferredSchedulingTerm
    from .crds import ResourcePolicy as ResourcePolicy
    from .crds import ResourcePolicySpec as ResourcePolicySpec
    from .crds import Strategy as Strategy
    from .crds import StrategyType as StrategyType
    from .crds import TaintEffect as TaintEffect
    from .crds import Toleration as Toleration
    from .crds import TolerationOperator as TolerationOperator
    from .crds import Unit as Unit
    from .crds import WhenTryNextUnits as WhenTryNextUnits
    from .platform import *  # noqa: F403
    from .serving import *  # noqa: F403

_ROOMS = ("serving", "platform", "cloud")  # Those that load less come first.
_RESOURCES = (
    "Capacity",
    "ConsumerRef",
    "LabelOperator",
    "LabelSelectorRequirement",
    "NextUnitPolicy",
    "NodeAffinity",
    "NodeOperator",
    "NodeSelector",
    "NodeSelectorRequirement",
    "NodeSelectorTerm",
    "PreemptPolicy",
    "PreferredSchedulingTerm",
    "ResourcePolicy",
    "ResourcePolicySpec",
    "Strategy",
    "StrategyType",
    "TaintEffect",
    "Toleration",
    "TolerationOperator",
    "Unit",
    "WhenTryNextUnits",
)
"""Of the custom resources, those that the components are made of, and the policy."""


def __dir__() -> list[str]:
    return [*globals(), *import_module(__name__).__all__]


if not TYPE_CHECKING:  # A type checker would take any name for granted.

    def __getattr__(name: str) -> Any:
        rooms = (import_module(f".{room}", __name__) for room in _ROOMS)
        if name == "__all__":
            member = sorted({*_RESOURCES, *(each for room in rooms for each in room.__all__)})
        elif name in _RESOURCES:
            member = getattr(import_module(".crds", __name__), name)
        else:
            # Only classes are offered: whoever asks for a module loads no room by that.
            holders = (room for room in rooms if name in room.__all__)
            room = next(holders, None) if name[:1].isupper() else None
            if room is None:
                raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
            member = getattr(room, name)
        globals()[name] = member
        return member
