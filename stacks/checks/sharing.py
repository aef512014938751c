"""Cards that are shared: nodes of which no pod gets a whole one."""

from collections.abc import Iterator, Mapping
from typing import Final

from components.args import Fault
from components.catalog.labels import GPU_RESOURCE, GPU_SCHEDULE, SHARING_SWITCHES, WHOLE_CARDS

from ..sections.environment import Environment
from ..sections.pools import AnyPoolSection, EdgePoolSection, NodesSection, PoolSection
from .rules import check
from .views import placed, resources_of, workloads

SCHEDULING_DOCS: Final = "https://www.alibabacloud.com/help/doc-detail/191140.html"


@check
def pools_offer_whole_cards(environment: Environment) -> Iterator[Fault]:
    """A node hands out its cards in one way, and pods here ask for whole ones."""
    askers: dict[str, list[str]] = {}
    for path, workload in workloads(environment):
        if resources_of(workload).gpus:
            for pool in placed(environment, workload.placement):
                askers.setdefault(pool.name, []).append(path)
    for pool in environment.all_pools:
        paths = askers.get(pool.name, [])
        why = f"have no {GPU_RESOURCE}, which {', '.join(paths)} "
        why += f"{'asks' if len(paths) == 1 else 'ask'} for; sharing a card is not offered yet"
        field, labels = _labels(pool)
        mode = labels.get(GPU_SCHEDULE, WHOLE_CARDS)
        if paths and mode != WHOLE_CARDS:
            want, nodes = f"{WHOLE_CARDS!r}, or left out", "nodes of any other mode"
            yield Fault(f"{field}[{GPU_SCHEDULE}]", mode, want, f"{nodes} {why}", SCHEDULING_DOCS)
        for switch in SHARING_SWITCHES:
            if paths and labels.get(switch) == "true":
                nodes = "nodes with this label share their cards, and"
                yield Fault(f"{field}[{switch}]", "true", "left out", f"{nodes} {why}")


def _labels(pool: AnyPoolSection) -> tuple[str, Mapping[str, str]]:
    """Field and value of the labels that a pool's nodes have."""
    match pool:
        case PoolSection():
            return f"pools[{pool.name}].labels", pool.labels
        case NodesSection():
            return f"nodes[{pool.name}].node_selector", pool.node_selector
        case EdgePoolSection():
            return "", {}
