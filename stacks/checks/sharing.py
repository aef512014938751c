"""Cards that are shared: nodes of which no pod gets a whole one."""

from collections.abc import Iterator
from typing import Final

from components.args import Fault
from components.catalog.labels import GPU_RESOURCE, GPU_SCHEDULE, WHOLE_CARDS

from ..sections.environment import Environment
from ..sections.pools import AnyPoolSection, EdgePoolSection, NodesSection, PoolSection
from .rules import check
from .views import placed, resources_of, workloads

SCHEDULING_DOCS: Final = "https://www.alibabacloud.com/help/doc-detail/191140.html"


@check()
def pools_offer_whole_cards(environment: Environment) -> Iterator[Fault]:
    """A node hands out its cards in one way, and pods here ask for whole ones."""
    askers: dict[str, list[str]] = {}
    for path, workload in workloads(environment):
        if resources_of(workload).gpus:
            for pool in placed(environment, workload.placement):
                askers.setdefault(pool.name, []).append(path)
    for pool in environment.all_pools:
        paths = askers.get(pool.name, [])
        field, mode = scheduling_mode(pool)
        if paths and mode != WHOLE_CARDS:
            want = f"{WHOLE_CARDS!r}, or left out"
            why = f"nodes of any other mode have no {GPU_RESOURCE}, which {', '.join(paths)} "
            why += f"{'asks' if len(paths) == 1 else 'ask'} for; sharing a card is not offered yet"
            yield Fault(field, mode, want, why, SCHEDULING_DOCS)


def scheduling_mode(pool: AnyPoolSection) -> tuple[str, str]:
    """Field and value of the label by which a pool's nodes hand out their cards."""
    match pool:
        case PoolSection():
            field, labels = f"pools[{pool.name}].labels", pool.labels
        case NodesSection():
            field, labels = f"nodes[{pool.name}].node_selector", pool.node_selector
        case EdgePoolSection():
            field, labels = "", {}
    return f"{field}[{GPU_SCHEDULE}]", labels.get(GPU_SCHEDULE, WHOLE_CARDS)
