"""Node pools and the types in them."""

from collections.abc import Iterator

from components.args import MISSING, Fault, repeated
from components.catalog.gpus import GPUS, same_card
from components.catalog.instances import family
from components.catalog.labels import KUBELET_DOMAINS, KUBERNETES_DOMAINS, SET_BY_KUBERNETES
from components.versions import version_numbers

from ..sections.environment import Environment
from ..sections.pools import GpuSection, NodesSection
from .rules import check, warning
from .views import guess, section_of


@check
def instance_types_are_known(environment: Environment) -> Iterator[Fault]:
    """Fit and node-hours need the size of each type."""
    instances = environment.instances
    for pool in environment.pools:
        for name in pool.instance_types:
            if name not in instances:
                # Of another family, a type has another card, though its name is much alike.
                meant = guess(name, [kind for kind in instances if family(kind) == family(name)])
                want = f"a type of the catalogue{meant}, or described under instance_types"
                why = "whether pods fit depends on its size"
                yield Fault(f"pools[{pool.name}].instance_types", name, want, why)


@check
def cards_are_known(environment: Environment) -> Iterator[Fault]:
    """A card is of the catalogue, or described."""
    cards = environment.cards
    named = [(section_of(pool), pool.gpu) for pool in environment.all_pools]
    named += [(f"instance_types[{entry.name}]", entry.gpu) for entry in environment.instance_types]
    for section, name in named:
        if name is not None and name not in cards:
            label = next((key for key, card in cards.items() if name == card.label), None)
            card = label or same_card(name, cards)
            meant = f" (did you mean {card!r}?)" if card else ""
            want = f"one of {', '.join(cards)}{meant}, or described under gpus"
            why = "its memory and compute capability decide what runs on it"
            yield Fault(f"{section}.gpu", name, want, why)


@warning
def labels_have_a_domain_of_their_own(environment: Environment) -> Iterator[str]:
    """A kubelet that is told a label of Kubernetes' own does not start."""
    pools = (pool for pool in environment.all_pools if not isinstance(pool, NodesSection))
    for pool in pools:
        for key in pool.labels:
            is_own = key in SET_BY_KUBERNETES or KUBELET_DOMAINS.match(key)
            if KUBERNETES_DOMAINS.match(key) and not is_own:
                yield (
                    f"{section_of(pool)}.labels has {key}, and Kubernetes keeps kubernetes.io and "
                    "k8s.io for itself: a kubelet that is told it by --node-labels exits, and the "
                    "node does not join. Take a domain of your own, or node.kubernetes.io."
                )


@check
def described_cards_are_new(environment: Environment) -> Iterator[Fault]:
    """A description adds a card, and changes none."""
    for entry in environment.gpus:
        row = GPUS.get(entry.name)
        if row is not None:
            yield from _differences(entry)
        elif (twin := _catalogued(entry.label)) is not None:
            why = f"nodes with that label have {twin} cards, of the catalogue"
            want = f"the label of another card, or gpu {twin} used"
            yield Fault(f"gpus[{entry.name}].label", entry.label, want, why)
    for label in repeated(entry.label for entry in environment.gpus if entry.label):
        twins = [entry.name for entry in environment.gpus if entry.label == label]
        why = f"{' and '.join(twins)} have it, and pods of one would land on the other"
        yield Fault(f"gpus[{twins[-1]}].label", label, "that of one card", why)


def _differences(entry: GpuSection) -> Iterator[Fault]:
    """What a description says otherwise than the catalogue."""
    row, card = GPUS[entry.name], entry.card()
    fields = ("label", "memory_gib", "compute_capability", "bandwidth_gbs", "tflops", "mig")
    for field in fields:
        got, want = getattr(card, field), getattr(row, field)
        if got not in (None, {}, want):
            why = f"the catalogue has {entry.name}; another card has another name"
            yield Fault(f"gpus[{entry.name}].{field}", got, f"{want!r}", why)


def _catalogued(label: str | None) -> str | None:
    """The card of the catalogue with a label."""
    return next((name for name, row in GPUS.items() if label and row.label == label), None)


@warning
def cards_that_nobody_names(environment: Environment) -> Iterator[str]:
    """Cards of machines that are told by their number alone."""
    for pool in environment.all_pools:
        if pool.has_gpus and pool.gpu is None:
            section = section_of(pool)
            yield (
                f"{section}.gpu is left out, though {section}.allocatable has GPUs: whether models "
                "fit their memory, and what their compute capability and driver can run, is not "
                "checked. Name the card, or describe it under gpus."
            )


@check
def instance_types_have_the_card(environment: Environment) -> Iterator[Fault]:
    """The card that a pool claims is the one its nodes have."""
    for pool in environment.pools:
        if pool.gpu is not None and environment.card(pool) is None:
            continue  # Another rule says that nobody knows it.
        for name in pool.instance_types:
            instance = environment.instances.get(name)
            if instance is None or instance.gpu == pool.gpu:
                continue
            if instance.gpus and instance.gpu is None:
                continue  # Its own section says that the kind of card is missing.
            have = f"has {instance.gpu}" if instance.gpu else "has no GPU"
            want = instance.gpu or "left out"
            field = f"pools[{pool.name}].gpu"
            yield Fault(field, pool.gpu or MISSING, want, f"{name} {have}")


@check
def drivers_run_the_cards(environment: Environment) -> Iterator[Fault]:
    """A card that says which driver it needs."""
    for pool in environment.all_pools:
        card = environment.card(pool)
        minimum = card.driver if card else None
        if minimum and pool.driver and version_numbers(pool.driver) < version_numbers(minimum):
            why = f"gpus[{pool.gpu}].driver says that older ones do not run the card"
            yield Fault(f"{section_of(pool)}.driver", pool.driver, f"{minimum} or later", why)
