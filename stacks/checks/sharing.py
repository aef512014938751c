"""Cards that are shared, and further resources of nodes: what pods ask for, and pools offer."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from components.args import Fault, Words
from components.catalog.gpus import Gpu
from components.catalog.instances import has_erdma
from components.catalog.labels import (
    GPU_CARD,
    GPU_RESOURCE,
    GPU_SCHEDULE,
    NODE_POOL_ID,
    SHARING_SWITCHES,
    WHOLE_CARDS,
)
from components.catalog.sharing import BY_MEMORY, ERDMA, GpuSharing, mig_gib
from components.serving.server import ModelServer, Resources

from ..arguments.workloads import SHARE_OF_A_PART, memory_share
from ..sections.cluster import Profile
from ..sections.environment import Environment
from ..sections.pools import AnyPoolSection, EdgePoolSection, NodesSection, PoolSection
from .rules import check, warning
from .views import containers, models, section_of

SCHEDULING_DOCS: Final = "https://www.alibabacloud.com/help/doc-detail/191140.html"
SHARE_FLAG: Final = "--gpu-memory-utilization"


@check
def pools_are_labelled_as_they_share(environment: Environment) -> Iterator[Fault]:
    """A node hands out its cards in one way, and its pool says which."""
    askers: dict[str, list[str]] = {}
    for path, container, placement in containers(environment):
        if container.resources.needs_card:
            for pool in environment.placed(placement):
                askers.setdefault(pool.name, []).append(path.removesuffix(".server"))
    for pool in environment.all_pools:
        paths = askers.get(pool.name, [])
        if not paths or pool.gpu_sharing is not GpuSharing.EXCLUSIVE:
            continue
        verb = "asks" if len(paths) == 1 else "ask"
        why = f"have no {GPU_RESOURCE}, which {', '.join(paths)} {verb} for"
        field, labels = _labels(pool)
        mode = labels.get(GPU_SCHEDULE, WHOLE_CARDS)
        if mode != WHOLE_CARDS:
            want, nodes = f"{WHOLE_CARDS!r}, or left out", "nodes of any other mode"
            want += _instead(mode, pool)
            yield Fault(f"{field}[{GPU_SCHEDULE}]", mode, want, f"{nodes} {why}", SCHEDULING_DOCS)
        for switch in SHARING_SWITCHES:
            if labels.get(switch) == "true":
                want, nodes = f"left out{_instead('cgpu', pool)}", "nodes with this label share"
                yield Fault(f"{field}[{switch}]", "true", want, f"{nodes} their cards, and {why}")


@check
def pools_have_the_labels_that_pods_look_for(environment: Environment) -> Iterator[Fault]:
    """What ACK says of a node, pods find it by: said otherwise, they find none."""
    for pool in environment.all_pools:
        if isinstance(pool, NodesSection):
            continue
        field, labels = _labels(pool)
        card = environment.card(pool) if isinstance(pool, PoolSection) else None
        if NODE_POOL_ID in labels:
            why = "ACK sets it to the ID of the pool, by which pods find their nodes"
            yield Fault(f"{field}[{NODE_POOL_ID}]", labels[NODE_POOL_ID], "left out", why)
        label = card.label if card else None
        if label is not None and labels.get(GPU_CARD, label) != label:
            want = f"{label!r}, or left out"
            why = f"ACK sets it on nodes with {pool.gpu}, and pods find their nodes by it"
            yield Fault(f"{field}[{GPU_CARD}]", labels[GPU_CARD], want, why)


@check
def pods_ask_for_what_pools_hand_out(environment: Environment) -> Iterator[Fault]:
    """A node that hands out parts of cards has no whole ones, and the other way round."""
    for path, container, placement in containers(environment):
        resources = container.resources
        for pool in environment.placed(placement) if resources.needs_card else []:
            field, got, modes = _asked(resources)
            if pool.gpu_sharing not in modes:
                instead = _ASKED_OF[pool.gpu_sharing]
                names = ", ".join(modes)
                want = f"left out, and {instead} given, or pool {pool.name} of gpu_sharing {names}"
                why = f"its cards are handed out by gpu_sharing {pool.gpu_sharing.value}"
                yield Fault(f"{path}.resources.{field}", got, want, why, SCHEDULING_DOCS)
            elif resources.gpu_cores and pool.gpu_sharing is not GpuSharing.CORE_MEM:
                want = f"left out, or gpu_sharing core_mem on pool {pool.name}"
                why = "no other way to share a card counts its compute"
                got = resources.gpu_cores
                yield Fault(f"{path}.resources.gpu_cores", got, want, why, SCHEDULING_DOCS)


@check
def parts_fit_their_cards(environment: Environment) -> Iterator[Fault]:
    """A part is of one card."""
    for path, container, placement in containers(environment):
        resources = container.resources
        for pool in environment.placed(placement):
            card = environment.card(pool)
            if card is None:
                continue
            if resources.gpu_gib > card.memory_gib:
                want = f"at most {card.memory_gib}Gi on pool {pool.name}"
                why = f"a card of {pool.gpu} has no more, and a part is of one card"
                yield Fault(f"{path}.resources.gpu_memory", resources.gpu_memory, want, why)
            if resources.mig is not None and resources.mig not in card.mig:
                names = f"one of {', '.join(card.mig)}" if card.mig else "left out"
                want = f"{names} on pool {pool.name}"
                has = "has no such profile" if card.mig else "has no MIG"
                yield Fault(f"{path}.resources.mig", resources.mig, want, f"{pool.gpu} {has}")


@check
def servers_keep_to_their_part(environment: Environment) -> Iterator[Fault]:
    """Where memory is not isolated, a program sees the whole card, and vLLM takes a share of it."""
    for path, server, pool, card in _unisolated(environment):
        most = memory_share(server.resources.gpu_gib, card.memory_gib, 1)
        share = _share_taken(server)
        if share is None or share <= most:
            continue
        why = f"on pool {pool.name} vLLM sees all {card.memory_gib} GiB of the card, of which "
        why += f"gpu_memory {server.resources.gpu_memory} is its part: others would lose theirs"
        if server.vllm is not None:
            field = f"{path}.server.vllm.gpu_memory_utilization"
            yield Fault(field, share, f"{most} or less, or left out", why)
        else:
            got = Words(f"one by which vLLM takes {share} of a card")
            yield Fault(f"{path}.server.command", got, f"one with {SHARE_FLAG} {most}", why)


@check
def sharing_suits_the_cluster(environment: Environment) -> Iterator[Fault]:
    """What counts parts of cards is part of ACK's managed Pro clusters."""
    for pool in environment.pools if environment.cluster.profile is Profile.EDGE else []:
        if pool.gpu_sharing is not GpuSharing.EXCLUSIVE:
            why = "ACK shares cards on managed Pro clusters alone"
            field, want = f"{section_of(pool)}.gpu_sharing", "'exclusive', or left out"
            yield Fault(field, pool.gpu_sharing, want, why, SCHEDULING_DOCS)


@check
def machines_offer_what_is_asked(environment: Environment) -> Iterator[Fault]:
    """Nodes that say which further resources they offer."""
    for path, container, placement in containers(environment):
        for pool in environment.placed(placement):
            offer = None if isinstance(pool, PoolSection) else pool.allocatable
            if offer is None or offer.extended is None:
                continue
            for name, count in (container.resources.extended or {}).items():
                room = offer.extended.get(name, 0)
                if count > room:
                    want = f"at most {room} on pool {pool.name}" if room else "left out"
                    why = f"{section_of(pool)}.allocatable.extended offers {room or 'none of it'}"
                    yield Fault(f"{path}.resources.extended[{name}]", count, want, why)


@warning
def nodes_may_lack_what_is_asked(environment: Environment) -> Iterator[str]:
    """Further resources of which nothing says that the nodes have them."""
    for path, container, placement in containers(environment):
        for name in container.resources.extended or {}:
            for pool in environment.placed(placement):
                if (doubt := _doubt(name, pool)) is not None:
                    yield (
                        f"{path}.resources.extended asks for {name}, and {doubt}: on pool "
                        f"{pool.name} pods stay pending unless its nodes have it."
                    )


@warning
def parts_under_mps_are_set(environment: Environment) -> Iterator[str]:
    """MPS refuses what is beyond the part, of which no page says whether a program sees it."""
    for path, model in models(environment):
        vllm = model.server.vllm
        chosen = vllm is None or "gpu_memory_utilization" in vllm.model_fields_set
        for pool in environment.placed(model.reach):
            card = environment.card(pool)
            part = model.server.resources.gpu_gib
            if pool.gpu_sharing is GpuSharing.MPS and part and card and not chosen:
                yield (
                    f"{path} has {part} GiB of a card on pool {pool.name} by MPS, and no page says "
                    "whether vLLM sees these or the whole card: if it fails to start for want of "
                    "memory, set vllm.gpu_memory_utilization to "
                    f"{memory_share(part, card.memory_gib)}."
                )


@warning
def types_have_mig(environment: Environment) -> Iterator[str]:
    """MIG divides the cards of bare metal; a virtual machine may not let it.

    ECS, "GPU-accelerated compute-optimized instance families", 2026: "Support for MIG"; ACK, "Use a
    node pool to partition an NVIDIA A100 GPU", 2021, says that ecs.gn7 has none.
    """
    for pool in environment.pools:
        virtual = [name for name in pool.instance_types if not name.startswith("ecs.ebm")]
        if pool.gpu_sharing is GpuSharing.MIG and virtual:
            yield (
                f"pools[{pool.name}].gpu_sharing is mig, and ECS says of bare metal alone that it "
                f"has MIG, not of {virtual[0]}: where its cards are not divided, pods stay pending."
            )


def memory_gib(resources: Resources, pool: AnyPoolSection, card: Gpu) -> float:
    """Memory of which vLLM takes its share, in GiB: of a part, or of all cards of a replica.

    Where nothing isolates a part, the share is one of the card, and so is the memory.
    """
    if resources.mig is not None:
        return mig_gib(resources.mig)
    if resources.gpu_gib and pool.gpu_sharing is not GpuSharing.SHARE:
        return resources.gpu_gib
    return card.memory_gib * max(1, resources.gpus)


def _unisolated(
    environment: Environment,
) -> Iterator[tuple[str, ModelServer, AnyPoolSection, Gpu]]:
    """Models with a part of a card that nothing isolates, and each pool where that is so."""
    for path, model in models(environment):
        for pool in environment.placed(model.reach):
            card = environment.card(pool)
            shared = pool.gpu_sharing is GpuSharing.SHARE
            if shared and card is not None and model.server.resources.gpu_gib:
                yield path, model.server, pool, card


def _share_taken(server: ModelServer) -> float | None:
    """The share of a card that vLLM takes; None where it is worked out, or not known."""
    if server.vllm is not None:
        chosen = "gpu_memory_utilization" in server.vllm.model_fields_set
        return server.vllm.gpu_memory_utilization if chosen else None
    command = server.vllm_command
    if command is None or not command.is_whole:
        return None
    text = command.flags.get(SHARE_FLAG, str(SHARE_OF_A_PART))
    return float(text) if re.fullmatch(r"[0-9]*\.?[0-9]+", text) else None


_ASKED_OF: Final[Mapping[GpuSharing, str]] = {
    **dict.fromkeys(BY_MEMORY, "gpu_memory"),
    GpuSharing.EXCLUSIVE: "gpus",
    GpuSharing.MIG: "mig",
}
"""Field of `resources` by which pods ask for what nodes of a mode hand out."""


def _asked(resources: Resources) -> tuple[str, object, tuple[GpuSharing, ...]]:
    """The field that asks for a card, what it says, and the modes that hand that out."""
    if resources.gpu_memory is not None:
        return "gpu_memory", resources.gpu_memory, BY_MEMORY
    if resources.mig is not None:
        return "mig", resources.mig, (GpuSharing.MIG,)
    return "gpus", resources.gpus, (GpuSharing.EXCLUSIVE,)


def _instead(mode: str, pool: AnyPoolSection) -> str:
    """What to write for cards that are to be shared; nothing where none can be."""
    if mode not in list(GpuSharing) or isinstance(pool, EdgePoolSection):
        return ""
    asked = _ASKED_OF[GpuSharing(mode)]
    return f", with gpu_sharing {mode} on the pool and resources.{asked} in place of gpus"


def _doubt(name: str, pool: AnyPoolSection) -> str | None:
    """Why nodes of a pool may lack a resource; None where they have it, or a check refuses it."""
    if not isinstance(pool, PoolSection):
        offer = pool.allocatable
        lists = offer is not None and offer.extended is not None
        return None if lists else f"{section_of(pool)}.allocatable.extended does not offer it"
    if name != ERDMA:
        return "nothing here installs what offers it"
    lacking = [kind for kind in pool.instance_types if not has_erdma(kind)]
    return f"no page says that {lacking[0]} has an elastic RDMA interface" if lacking else None


def _labels(pool: AnyPoolSection) -> tuple[str, Mapping[str, str]]:
    """Field and value of the labels that a pool's nodes have."""
    match pool:
        case PoolSection():
            return f"pools[{pool.name}].labels", pool.labels
        case NodesSection():
            return f"nodes[{pool.name}].node_selector", pool.node_selector
        case EdgePoolSection():
            return f"edge_pools[{pool.name}].labels", pool.labels
