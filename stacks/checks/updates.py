"""Updates of a model: room for new pods, and time for old ones."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from components.args import Fault
from components.cloud.node_upgrade import MOST_AT_ONCE, UPDATE_MINUTES, PausePolicy
from components.serving import Rollout
from components.serving.shutdown import (
    FLAG,
    GRACE_SECONDS,
    KNATIVE_SECONDS,
    QUIET_SECONDS,
    finishes_requests,
    standard_shutdown,
)

from ..needs import Needs
from ..sections.environment import Environment
from ..sections.models import (
    ModelSection,
    PlacementSection,
    RuntimeSection,
    nodes_of,
    scales_of,
)
from ..sections.pools import PoolSection
from .rules import check, warning, warning_by_needs
from .views import commands, fewest_replicas, highest_size, own_pools, sections


@warning_by_needs
def updates_have_a_spare_card(environment: Environment, needs: Needs) -> Iterator[str]:
    """A new pod that waits for the card of an old one, which waits for the new one, for good."""
    held = _held_cards(environment)
    for path, model, section in sections(environment):
        placement = model.placement_of(section)
        cards = _cards(model, section)  # Of parts, a card has room for several.
        pools = own_pools(environment, placement)
        if not cards or len(pools) < len(placement.pools):
            continue
        least = section.scale.min
        reserved = _held_within(held, placement) - least * cards
        most = sum(most_cards(environment, pool) // cards for pool in pools)
        most -= -(-reserved // cards)
        others = "models" if len(scales_of(section)) == 1 else "models and roles"
        beside = f", cards for the fewest pods of other {others} left aside" if reserved else ""
        top = max(least, min(section.scale.max, most))
        rollout = None if needs.on_knative(model) else _rollout(section)
        full = _full_at(rollout, least, top, most)
        spare = _spare_pods(rollout, least, full) if full is not None else 0
        if full is None or not spare:
            continue
        when = (
            f"with scale.min {least} it never ends"
            if full <= least
            else f"with {_replicas(full)} or more it waits until load falls"
        )
        yield (
            f"{path}: an update needs room for {_replicas(spare, ' more')} before it ends an old "
            f"one, and the pools {', '.join(placement.pools)} hold {max(0, most)}{beside}: {when}. "
            f"{_remedy(section, rollout)}"
        )


def _replicas(count: int, kind: str = "") -> str:
    return f"{count}{kind} replica{'' if count == 1 else 's'}"


@warning_by_needs
def drains_end_before_their_pod(environment: Environment, needs: Needs) -> Iterator[str]:
    """A drain of one's own that the kubelet ends."""
    for path, model, command in commands(environment):
        drain = command.number(FLAG)
        if not drain:
            continue
        for kind, section in model.serve.sections.items():
            if needs.on_knative(model):
                field, default = "request_seconds", KNATIVE_SECONDS
                pause = QUIET_SECONDS
            elif hasattr(section, "grace_seconds"):
                field, default = "grace_seconds", GRACE_SECONDS
                pause = standard_shutdown(model.server, section.grace_seconds).pause_seconds
            else:
                continue  # Its runtime has no such setting to be told of.
            grace = getattr(section, field) or default
            if drain + pause > grace:
                yield (
                    f"{path}.server gives vLLM {drain} s after SIGTERM by {FLAG}, but "
                    f"serve.{kind}.{field} {grace} ends the pod {max(0, grace - pause)} s after "
                    f"it: {drain + pause} would do, or the flag left out, which follows from it "
                    "then."
                )


@warning_by_needs
def knative_ends_answers_in_hand(environment: Environment, needs: Needs) -> Iterator[str]:
    """Knative waits for requests that begin, and counts none that are in hand.

    Whoever says how long a request may take, has long ones:
    findings/knative-drain-forgets-answers.sh.
    """
    for path, model, _ in commands(environment):
        if not needs.on_knative(model) or finishes_requests(model.server):
            continue
        for kind, section in (("knative", model.serve.knative), ("kserve", model.serve.kserve)):
            if section is None or "request_seconds" not in section.model_fields_set:
                continue
            if (seconds := section.request_seconds or 0) <= QUIET_SECONDS:
                continue
            yield (
                f"{path}.serve.{kind}.request_seconds is {seconds}, but when a pod ends, Knative "
                f"stops its server once no request has begun for {QUIET_SECONDS} s, and vLLM "
                "aborts what it has in hand: longer answers may be cut off at each update and "
                f"scale-down. From 0.18 on it finishes them, told by {FLAG}."
            )


@check
def nodes_are_upgraded_to_their_cluster(environment: Environment) -> Iterator[Fault]:
    """Nodes have no other version than the control plane, and an upgrade that is over is noticed.

    Whatever stays in a stack file is refused here with the next version of the cluster.
    """
    version = environment.cluster.version
    for pool in environment.pools:
        wanted = pool.upgrade.kubernetes_version if pool.upgrade else None
        if wanted and version and not _is_of(wanted, version):
            field = f"pools[{pool.name}].upgrade.kubernetes_version"
            want = f"{version}, as cluster.version is, or upgrade left out"
            why = "nodes follow the control plane, and an upgrade that is done is taken out again"
            yield Fault(field, wanted, want, why)


def _is_of(version: str, other: str) -> bool:
    """Whether two versions may be one: 1.35 is 1.35.1-aliyun.1 said shorter."""
    return f"{version}.".startswith(f"{other}.") or f"{other}.".startswith(f"{version}.")


@warning
def upgrades_are_taken_out_again(environment: Environment) -> Iterator[str]:
    """An upgrade that is done once more with each change of its pool."""
    for pool in environment.pools:
        if pool.upgrade is None:
            continue
        yield (
            f"pools[{pool.name}].upgrade rolls the nodes of the pool with the next `pulumi up`, "
            "and once more with each that changes anything of the pool: take it out as soon as "
            "that is done."
        )
        if pool.rolling and pool.rolling.pause_policy is not PausePolicy.NOT_PAUSE:
            yield (
                f"pools[{pool.name}].rolling.pause_policy is "
                f"{pool.rolling.pause_policy.value}: `pulumi up` waits for whoever goes on in "
                f"ACK's console, {UPDATE_MINUTES} minutes at most, and has failed then."
            )


@warning
def batches_are_of_a_size_that_ack_takes(environment: Environment) -> Iterator[str]:
    """More nodes at once than ACK's pages name."""
    for pool in environment.pools:
        most = pool.rolling.max_parallelism if pool.rolling else 0
        if most > MOST_AT_ONCE:
            yield (
                f"pools[{pool.name}].rolling.max_parallelism is {most}: ACK's "
                f"pages name {MOST_AT_ONCE} nodes at once as the most."
            )


def _held_cards(environment: Environment) -> Mapping[frozenset[str], int]:
    """Cards that models always hold, by the pools that they may take."""
    held: Counter[frozenset[str]] = Counter()
    for model in environment.models:
        for section in model.serve.sections.values():
            fewest = sum(map(fewest_replicas, scales_of(section).values()))
            held[frozenset(model.placement_of(section).pools)] += fewest * _cards(model, section)
    return held


def _held_within(held: Mapping[frozenset[str], int], placement: PlacementSection) -> int:
    """Cards that models always hold, and hold nowhere but in the pools of a placement."""
    return sum(cards for pools, cards in held.items() if pools.issubset(placement.pools))


def _cards(model: ModelSection, section: RuntimeSection) -> int:
    """Whole cards of a replica, on all its nodes."""
    return model.resources_of(section).whole_cards * nodes_of(section)


def spare_replicas(needs: Needs, model: ModelSection) -> int:
    """Replicas beyond the fewest that an update of a model cannot go on without."""
    spare = (
        _spare_pods(None if needs.on_knative(model) else _rollout(section), least, max(1, least))
        for section in model.serve.sections.values()
        for least in (section.scale.min,)
    )
    return max(spare, default=0)


def _rollout(section: RuntimeSection) -> Rollout:
    """How a Deployment replaces pods: as its section says, or as Kubernetes does by itself."""
    return getattr(section, "rollout", None) or Rollout()


def _full_at(rollout: Rollout | None, least: int, top: int, most: int) -> int | None:
    """Fewest replicas with which an update has no room; None where it always has."""
    counts = range(max(1, least), top + 1)
    return next((n for n in counts if n + _spare_pods(rollout, least, n) > most), None)


def _spare_pods(rollout: Rollout | None, least: int, replicas: int) -> int:
    """Pods that an update starts before it ends an old one.

    Knative, which has no rollout, starts a new revision with the fewest replicas, and waits for all
    of them.
    """
    return rollout.spare_pods(replicas) if rollout else max(1, least)


def _remedy(section: RuntimeSection, rollout: Rollout | None) -> str:
    if rollout is None:
        return (
            "Give a pool one more node for each (an autoscaled pool that is empty costs nothing), "
            "or scale.min 0 where a cold start will do: Knative ends no old revision before."
        )
    said = vars(section)
    if "max_surge" in said:
        return "Set max_surge to 0, or give a pool the nodes of one more group."
    if "update" in said:
        return "Give update max_surge 0 and max_unavailable 1, or a pool one more node."
    if "rollout" not in said:
        return "Give a pool one more node."
    return (
        "Set rollout to type Recreate, or to max_surge 0 with max_unavailable 1, or give a pool "
        "one more node."
    )


def most_cards(
    environment: Environment,
    pool: PoolSection,
    choose: Callable[[Sequence[int]], int] = min,
) -> int:
    """Cards that a pool has at its largest, of the type with the fewest or with the most."""
    instances = environment.instances
    cards = [instances[name].gpus for name in pool.instance_types if name in instances]
    return highest_size(pool) * choose(cards or [0])
