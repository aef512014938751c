"""Rules across the sections of a stack file: each would only show as a pod that never starts.

A check is one function from an environment to faults. `CHECKS` says which sections it reads, so
that a section that is refused already is not judged again.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from components.args import Fault

from ..environment import Environment
from .cluster import (
    address_ranges_are_apart,
    enough_nodes_carry_the_platform,
    knative_release_is_served,
    kubernetes_is_new_enough,
    plugins_suit_the_profile,
    pools_use_zones_of_the_network,
    sections_suit_the_profile,
    zones_lie_in_the_region,
)
from .fit import (
    cache_nodes_have_room,
    caches_hold_their_models,
    fluid_runs_on_the_image,
    pods_fit_the_network_plugin,
    requests_fit_every_pool,
)
from .names import claims_are_unique, names_are_unique
from .pools import instance_types_are_known, instance_types_have_the_card
from .references import (
    caches_name_pools,
    nas_zones_are_known,
    oss_endpoints_are_internal,
    placements_name_pools,
    priorities_are_known,
    stores_are_known,
    stores_suit_the_profile,
    training_gives_way,
)
from .serving import (
    caches_reach_their_readers,
    keda_is_there,
    kserve_has_cert_manager,
    metrics_come_from_one_port,
    metrics_have_a_source,
    metrics_have_an_adapter,
    requests_end_in_time,
    reserve_instances_are_offered,
    reserved_names_are_free,
)
from .vllm import drivers_run_the_image, vllm_runs_on_the_cards
from .warnings import (
    machines_reach_the_stores,
    models_fill_their_cards,
    one_adapter_serves_external_metrics,
    private_clusters_need_a_way_in,
    replicas_have_cards,
    starts_take_their_time,
)

Finder = Callable[[Environment], Iterator[Fault]]


@dataclass(frozen=True)
class Check:
    """A rule, and the fields outside of lists that it depends on."""

    find: Finder
    reads: tuple[str, ...]

    def depends_on(self, fields: Iterable[str]) -> bool:
        """Whether one of the fields is, holds, or lies in one that the rule reads."""
        return any(overlaps(read, field) for read in self.reads for field in fields)


def find_faults(environment: Environment, broken: Collection[str] = ()) -> list[Fault]:
    """Everything that keeps the environment from working.

    Args:
        environment: What the stack file says.
        broken: Fields that are refused already; rules that depend on one are left out.
    """
    checks = [check for check in CHECKS if not check.depends_on(broken)]
    return [fault for check in checks for fault in check.find(environment)]


def overlaps(field: str, other: str) -> bool:
    """Whether one of two field paths is, or lies in, the other."""
    short, long = sorted((field, other), key=len)
    return long == short or long.startswith((f"{short}.", f"{short}["))


def find_warnings(environment: Environment) -> list[str]:
    """What works, but will surprise."""
    return [sentence for find in WARNINGS for sentence in find(environment)]


def _check(find: Finder, *reads: str) -> Check:
    return Check(find, reads)


CHECKS: Final = (
    _check(names_are_unique),
    _check(claims_are_unique),
    _check(sections_suit_the_profile, "cluster.profile"),
    _check(plugins_suit_the_profile, "cluster.profile", "network.plugin"),
    _check(zones_lie_in_the_region, "region", "network"),
    _check(address_ranges_are_apart, "network"),
    _check(pools_use_zones_of_the_network, "network"),
    _check(kubernetes_is_new_enough, "cluster", "knative.version"),
    _check(knative_release_is_served, "cluster", "knative.version"),
    _check(enough_nodes_carry_the_platform, "cluster.profile"),
    _check(instance_types_are_known),
    _check(instance_types_have_the_card),
    _check(placements_name_pools),
    _check(caches_name_pools),
    _check(stores_are_known),
    _check(stores_suit_the_profile, "cluster.profile"),
    _check(oss_endpoints_are_internal, "region"),
    _check(nas_zones_are_known, "network", "cluster.profile"),
    _check(priorities_are_known),
    _check(training_gives_way),
    _check(requests_fit_every_pool),
    _check(pods_fit_the_network_plugin),
    _check(caches_hold_their_models),
    _check(cache_nodes_have_room),
    _check(fluid_runs_on_the_image),
    _check(vllm_runs_on_the_cards),
    _check(drivers_run_the_image),
    _check(requests_end_in_time, "knative.max_request_seconds"),
    _check(reserved_names_are_free),
    _check(reserve_instances_are_offered, "cluster.profile"),
    _check(metrics_have_an_adapter, "cluster.profile", "gpu_metrics"),
    _check(
        metrics_have_a_source,
        "cluster.profile",
        "gpu_metrics",
        "prometheus_url",
        "prometheus_token",
    ),
    _check(metrics_come_from_one_port),
    _check(kserve_has_cert_manager, "cert_manager"),
    _check(keda_is_there, "keda"),
    _check(caches_reach_their_readers),
)

WARNINGS: Final[tuple[Callable[[Environment], Iterator[str]], ...]] = (
    models_fill_their_cards,
    replicas_have_cards,
    starts_take_their_time,
    machines_reach_the_stores,
    one_adapter_serves_external_metrics,
    private_clusters_need_a_way_in,
)
