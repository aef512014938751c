"""Where the pods of a model may run, and in which order."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

import pulumi
from pydantic import Field

from ..args import Args, Fault, Input, check, child_options, once, validated
from ..crds.affinity import (
    NodeAffinity,
    NodeOperator,
    NodeSelector,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    PreferredSchedulingTerm,
    Toleration,
)
from ..crds.scheduling import (
    WAIT_FOR_SCALING,
    Capacity,
    NextUnitPolicy,
    PreemptPolicy,
    ResourcePolicy,
    ResourcePolicySpec,
    Strategy,
    Unit,
    WhenTryNextUnits,
)
from ..names import DNS_1123_LABEL
from .waiting import metadata

_DOC: Final = (
    "https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/"
    "configure-priority-based-resource-scheduling"
)


class Enforcer(StrEnum):
    """What makes pods try the pools in order."""

    RESOURCE_POLICY = "ResourcePolicy"
    """ACK Pro's scheduler."""
    NODE_AFFINITY = "NodeAffinity"
    """Any scheduler: required on the pools, preferred in their order, which other wishes of a
    scheduler may outvote: an image that a node has, an emptier node. Preempts in no order."""


class PlacementPool(Args):
    """One pool that pods may run on."""

    name: str
    """Name of the pool in the environment."""
    node_selector: dict[str, Input[str]]
    """Labels that the pool's nodes, and no others, carry."""
    autoscaled: bool = False
    """True where nodes are added on demand: pods then wait for the scale-out."""
    max_pods: int | None = Field(default=None, ge=1)
    """Most pods of the model on this pool. Refused for an autoscaled pool."""
    tolerations: list[Toleration] | None = None
    """Tolerations of the taints that the pool's nodes carry."""

    def _faults(self) -> Iterator[Fault]:
        if not self.node_selector:
            yield Fault("node_selector", {}, "one label or more", "it tells the pool's nodes")
        if self.autoscaled and self.max_pods is not None:
            want = f"left out, as pool {self.name} is autoscaled"
            why = "the autoscaler does not know the bound, and starts nodes that stay idle"
            yield Fault("max_pods", self.max_pods, want, why, _DOC)


class PlacementArgs(Args):
    """Ordered pools for the pods that carry some labels."""

    selector: dict[str, str] = Field(min_length=1)
    """Labels of the pods. The very value that the pod template gets, see `Placement.labels`."""
    pools: list[PlacementPool] = Field(min_length=1)
    """Pools in the order in which they are tried."""
    namespace: Input[str]
    """Namespace of the pods."""
    preempt_policy: PreemptPolicy = PreemptPolicy.AFTER_ALL_UNITS
    """When pods of lower priority give way: before the next pool is tried, or after all were."""
    enforcer: Enforcer = Enforcer.RESOURCE_POLICY
    """What keeps the order. Only ACK Pro's scheduler obeys a ResourcePolicy."""
    scale_out_seconds: int = Field(default=900, ge=1)
    """How long a pod waits for new nodes of an autoscaled pool before it tries the next one. The
    default is the scheduler's own."""


class Placement(pulumi.ComponentResource):
    """Order of pools for one workload: a ResourcePolicy, and what its pod template has to carry."""

    policy_name: pulumi.Output[str] | None
    """Name of the ResourcePolicy; absent where node affinity keeps the order."""

    labels: dict[str, str]
    """Labels for the pod template: what the policy selects."""
    tolerations: list[Toleration]
    """Tolerations for the pod template, of every pool's taints, each once."""
    node_affinity: NodeAffinity
    """Node affinity for the pod template: the pools, and no other nodes."""

    def __init__(
        self, name: str, args: PlacementArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = PlacementArgs.of(args)
        check(f"Placement {name}", DNS_1123_LABEL.faults("name", name, "the policy is called so"))
        policy = validated(f"Placement {name}", lambda: render(name, args))

        super().__init__("ack-inference:index:Placement", name, args.dump(), opts)

        self.labels = dict(args.selector)
        self.tolerations = distinct_tolerations(args.pools)
        self.node_affinity = node_affinity(args.pools, args.enforcer)
        self.policy_name = None
        if policy is not None:
            ResourcePolicy(
                f"{name}-policy", policy, metadata(name, args.namespace), child_options(self, opts)
            )
            self.policy_name = pulumi.Output.from_input(name)

        self.register_outputs({"policy_name": self.policy_name})


@once
def render(_name: str, args: PlacementArgs) -> ResourcePolicySpec | None:
    """The ResourcePolicy of a placement; None where node affinity keeps the order.

    Raises:
        ValidationError: The scheduler takes no such policy.
    """
    return None if args.enforcer is Enforcer.NODE_AFFINITY else policy_spec(args)


def policy_spec(args: PlacementArgs) -> ResourcePolicySpec:
    """The ResourcePolicy of a placement: one unit per pool, in order.

    A pod that waits for new nodes goes on after a while, where there is another pool to go to: a
    zone may be sold out.
    """
    waits_before_the_last = any(pool.autoscaled for pool in args.pools[:-1])
    return ResourcePolicySpec(
        selector=args.selector,
        strategy=Strategy.PREFER,
        preempt_policy=args.preempt_policy,
        units=[unit(pool) for pool in args.pools],
        when_try_next_units=WhenTryNextUnits(
            policy=NextUnitPolicy.TIMEOUT_OR_EXCEED_MAX, timeout=f"{args.scale_out_seconds}s"
        )
        if waits_before_the_last
        else None,
    )


def unit(pool: PlacementPool) -> Unit:
    """One unit; an autoscaled pool makes pods wait for its nodes instead of moving on."""
    return Unit(
        resource=Capacity.ECS,
        node_selector=pool.node_selector,
        max=pool.max_pods,
        pod_labels={WAIT_FOR_SCALING: "true"} if pool.autoscaled else None,
    )


def distinct_tolerations(pools: list[PlacementPool]) -> list[Toleration]:
    """Tolerations of all pools, each once, in the order of the pools."""
    tolerations = [toleration for pool in pools for toleration in pool.tolerations or []]
    return [
        toleration for i, toleration in enumerate(tolerations) if toleration not in tolerations[:i]
    ]


def node_affinity(pools: list[PlacementPool], enforcer: Enforcer) -> NodeAffinity:
    """Keeps pods on the pools; without a ResourcePolicy it prefers them in order too.

    A ResourcePolicy that prefers lets pods land on other nodes after all units were tried:
    https://github.com/kubernetes-sigs/scheduler-plugins/tree/master/kep/594-resourcepolicy
    """
    terms = [_term(pool) for pool in pools]
    ordered = enforcer is Enforcer.NODE_AFFINITY and len(pools) > 1
    return NodeAffinity(
        required_during_scheduling_ignored_during_execution=NodeSelector(node_selector_terms=terms),
        preferred_during_scheduling_ignored_during_execution=_falling(terms) if ordered else None,
    )


def _falling(terms: list[NodeSelectorTerm]) -> list[PreferredSchedulingTerm]:
    """As far apart as they can be, the last one without a weight.

    The scheduler adds weights to what else it likes, so that an image which a node has outvotes
    what is closer: findings/scheduler-outvotes-the-order-of-pools.sh.
    """
    step = 100 // (len(terms) - 1)
    return [
        PreferredSchedulingTerm(weight=100 - step * index, preference=term)
        for index, term in enumerate(terms[:-1])
    ]


def _term(pool: PlacementPool) -> NodeSelectorTerm:
    return NodeSelectorTerm(
        match_expressions=[
            NodeSelectorRequirement(key=key, operator=NodeOperator.IN, values=[value])
            for key, value in sorted(pool.node_selector.items())
        ]
    )
