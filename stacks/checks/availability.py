"""Replicas that are kept apart, and running."""

from collections.abc import Iterator

from components.args import Fault
from components.serving import Topology

from ..sections.environment import Environment
from ..sections.models import PlacementSection
from .rules import check, warning
from .views import models, own_pools


@check
def budgets_can_be_kept(environment: Environment) -> Iterator[Fault]:
    """A budget of more replicas than there can be lets no pod go, ever."""
    for path, model in models(environment):
        budget = model.pod_disruption_budget
        least = budget.min_available if budget else None
        if least is not None and least > model.most_replicas:
            want = f"at most {max(0, model.most_replicas - 1)}, one less than scale.max"
            why = "no node with a replica could be drained or upgraded"
            yield Fault(f"{path}.pod_disruption_budget.min_available", least, want, why)


@warning
def budgets_let_nodes_go(environment: Environment) -> Iterator[str]:
    """A drain waits for a replica that nobody starts."""
    for path, model in models(environment):
        budget = model.pod_disruption_budget
        kept = budget.min_available if budget else None
        sections = model.serve.sections.values()
        replicas = min((section.scale.min for section in sections), default=0)
        if kept is not None and replicas <= kept <= model.most_replicas and kept:
            yield (
                f"{path}.pod_disruption_budget.min_available is {kept}, and scale.min {replicas}: "
                f"with {kept} replica{'' if kept == 1 else 's'} no node that has one is drained, "
                f"upgraded or scaled in. scale.min {kept + 1} would do."
            )


@warning
def budgets_do_not_turn_priorities_round(environment: Environment) -> Iterator[str]:
    """The scheduler spares budgets first, and looks at priorities then.

    findings/scheduler-spares-budgets-before-priorities.sh
    """
    values = {entry.name: entry.value for entry in environment.priorities}
    preempting = {entry.name for entry in environment.priorities if entry.preempts}
    ranks = {model.name: values.get(model.priority or "", 0) for model in environment.models}
    for path, spared in models(environment):
        if spared.pod_disruption_budget is None:
            continue
        for ended in environment.models:
            over = [
                model.name
                for model in environment.models
                if model.priority in preempting
                and ranks[spared.name] < ranks[ended.name] < ranks[model.name]
                and all({*model.pools} & {*other.pools} for other in (spared, ended))
            ]
            if over and ended.pod_disruption_budget is None:
                yield (
                    f"{path}.pod_disruption_budget has models[{ended.name}], of a higher priority, "
                    f"make room for {', '.join(over)} first, wherever no replica of {spared.name} "
                    "may go just now: the scheduler spares budgets before it looks at priorities. "
                    f"A budget of models[{ended.name}] too would have it go by priorities."
                )


@warning
def spreading_has_room(environment: Environment) -> Iterator[str]:
    """Spreading that does nothing."""
    for path, model in models(environment):
        zones = zones_of(environment, model.placement)
        topologies = {constraint.topology for constraint in model.topology_spread}
        if Topology.ZONE in topologies and len(zones) == 1:
            yield (
                f"{path}.topology_spread is over zones, and its pools have nodes in "
                f"{', '.join(zones)} alone."
            )
        if topologies and model.most_replicas < 2:
            yield f"{path}.topology_spread does nothing: scale.max is {model.most_replicas}."


def zones_of(environment: Environment, placement: PlacementSection) -> list[str]:
    """Zones of a placement's nodes, in order; none where a pool does not say."""
    pools = own_pools(environment, placement)
    if environment.network is None or len(pools) < len(environment.placed(placement)):
        return []
    every = environment.network.zone_ids
    return list(dict.fromkeys(zone for pool in pools for zone in pool.zones or every))
