"""Rules across the sections of a stack file: each would only show as a pod that never starts.

A check is one function from an environment to faults. `CHECKS` says which sections it reads, so
that a section that is refused already is not judged again. What one runtime alone asks for stands
in its module of `stacks.runtimes`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from components.args import Fault

from ..environment import Environment
from .annotations import (
    annotations_agree_with_fields,
    annotations_have_keys,
    modes_follow_the_metric,
)
from .architecture import (
    arm_nodes_are_tainted,
    caches_are_on_x86,
    images_suit_the_architecture,
    platform_has_x86_nodes,
    pools_have_one_architecture,
)
from .autoscaling import (
    bursts_are_seen,
    nodes_come_while_they_are_wanted,
    updates_wait_for_all_replicas,
)
from .cluster import (
    address_ranges_are_apart,
    enough_nodes_carry_the_platform,
    kubernetes_is_new_enough,
    plugins_suit_the_profile,
    pools_use_zones_of_the_network,
    sections_suit_the_profile,
    zones_lie_in_the_region,
)
from .elastic import pods_are_sure_of_a_new_node, spot_pools_buy_spot
from .fit import (
    cache_nodes_have_room,
    caches_hold_their_models,
    fluid_runs_on_the_image,
    pods_fit_the_network_plugin,
    requests_fit_every_pool,
)
from .front_door import existing_clusters_have_a_controller, hosts_follow_the_template
from .images import (
    personal_registries_are_asked_inside,
    registries_are_in_reach,
    vpc_registries_are_of_the_region,
)
from .names import (
    buckets_are_made_once,
    claims_are_unique,
    load_tests_have_their_own_jobs,
    names_are_unique,
    namespaces_are_made_once,
    services_have_their_own_names,
)
from .pools import instance_types_are_known, instance_types_have_the_card
from .references import (
    caches_name_pools,
    load_tests_name_models,
    nas_zones_are_known,
    oss_endpoints_are_internal,
    placements_name_pools,
    priorities_are_known,
    stores_are_known,
    stores_suit_the_profile,
    training_gives_way,
)
from .server import (
    caches_are_written_elsewhere,
    files_are_in_the_image,
    paths_are_mounted,
    processes_see_the_cards_of_their_pod,
    scaled_metrics_are_published,
    tensor_parallel_divides_the_heads,
)
from .serving import (
    caches_reach_their_readers,
    cold_starts_begin_without_a_pod,
    metrics_have_a_source,
    metrics_have_an_adapter,
)
from .sharing import pools_offer_whole_cards
from .sums import highest_sums_fit, lowest_sums_fit
from .training import (
    cards_have_a_process,
    launchers_start_a_process_per_card,
    pods_of_a_job_reach_each_other,
    rendezvous_names_are_free,
)
from .updates import (
    drains_end_before_their_pod,
    requests_end_before_their_pod,
    updates_have_a_spare_card,
)
from .vllm import (
    drivers_run_the_image,
    first_qwen_runs_on_the_release,
    releases_are_in_the_table,
    vllm_runs_on_the_cards,
)
from .warnings import (
    machines_reach_the_stores,
    models_fill_their_cards,
    one_adapter_serves_external_metrics,
    private_clusters_need_a_way_in,
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


def overlaps(field: str, other: str) -> bool:
    """Whether one of two field paths is, or lies in, the other."""
    short, long = sorted((field, other), key=len)
    return long == short or long.startswith((f"{short}.", f"{short}["))


def find_warnings(environment: Environment) -> list[str]:
    """What works, but will surprise."""
    return [sentence for find in WARNINGS for sentence in find(environment)]


def check(find: Finder, *reads: str) -> Check:
    """A rule, and the fields outside of lists that it depends on."""
    return Check(find, reads)


CHECKS: Final = (
    check(names_are_unique),
    check(namespaces_are_made_once, "namespace"),
    check(buckets_are_made_once),
    check(annotations_agree_with_fields),
    check(annotations_have_keys),
    check(modes_follow_the_metric),
    check(claims_are_unique),
    check(load_tests_have_their_own_jobs),
    check(services_have_their_own_names),
    check(sections_suit_the_profile, "cluster.profile"),
    check(plugins_suit_the_profile, "cluster.profile", "network.plugin"),
    check(zones_lie_in_the_region, "region", "network"),
    check(address_ranges_are_apart, "network"),
    check(pools_use_zones_of_the_network, "network"),
    check(kubernetes_is_new_enough, "cluster"),
    check(enough_nodes_carry_the_platform, "cluster.profile"),
    check(pools_have_one_architecture),
    check(platform_has_x86_nodes, "cluster.profile"),
    check(arm_nodes_are_tainted),
    check(caches_are_on_x86),
    check(pools_offer_whole_cards),
    check(vpc_registries_are_of_the_region, "region"),
    check(instance_types_are_known),
    check(instance_types_have_the_card),
    check(placements_name_pools),
    check(caches_name_pools),
    check(load_tests_name_models),
    check(stores_are_known),
    check(stores_suit_the_profile, "cluster.profile"),
    check(oss_endpoints_are_internal, "region"),
    check(nas_zones_are_known, "network", "cluster.profile"),
    check(priorities_are_known, "priorities"),
    check(training_gives_way),
    check(requests_fit_every_pool),
    check(pods_fit_the_network_plugin),
    check(caches_hold_their_models),
    check(cache_nodes_have_room),
    check(lowest_sums_fit),
    check(fluid_runs_on_the_image),
    check(vllm_runs_on_the_cards),
    check(first_qwen_runs_on_the_release),
    check(drivers_run_the_image),
    check(metrics_have_an_adapter, "cluster.profile", "gpu_metrics"),
    check(
        metrics_have_a_source,
        "cluster.profile",
        "gpu_metrics",
        "prometheus_url",
        "prometheus_token",
    ),
    check(caches_reach_their_readers),
    check(cold_starts_begin_without_a_pod),
    check(paths_are_mounted),
    check(caches_are_written_elsewhere),
    check(processes_see_the_cards_of_their_pod),
    check(scaled_metrics_are_published),
    check(rendezvous_names_are_free),
    check(pods_of_a_job_reach_each_other),
    check(launchers_start_a_process_per_card),
)

WARNINGS: Final[tuple[Callable[[Environment], Iterator[str]], ...]] = (
    models_fill_their_cards,
    highest_sums_fit,
    pods_are_sure_of_a_new_node,
    spot_pools_buy_spot,
    images_suit_the_architecture,
    registries_are_in_reach,
    personal_registries_are_asked_inside,
    updates_have_a_spare_card,
    requests_end_before_their_pod,
    drains_end_before_their_pod,
    tensor_parallel_divides_the_heads,
    files_are_in_the_image,
    starts_take_their_time,
    updates_wait_for_all_replicas,
    bursts_are_seen,
    nodes_come_while_they_are_wanted,
    machines_reach_the_stores,
    one_adapter_serves_external_metrics,
    private_clusters_need_a_way_in,
    existing_clusters_have_a_controller,
    releases_are_in_the_table,
    cards_have_a_process,
    hosts_follow_the_template,
)
