"""Builds the arguments of every component with stand-ins, so that each refuses before `up`."""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache, partial
from typing import Final

from pydantic import ValidationError

from components.args import Fault, Refusal, rule_faults
from components.serving import PlacementPool
from components.serving.load_test import files_of, job_spec
from components.serving.model_cache import dataset_spec, load_spec, runtime_spec
from components.serving.placement import policy_spec
from components.serving.training_job import job_spec as training_spec
from components.serving.training_job import name_faults

from . import arguments
from .arguments import Issuer, given
from .checks.rules import overlaps
from .derived_names import derived_names
from .runtimes import RUNTIMES, load_test_args, models_by_platform, selected_labels
from .sections.environment import Environment
from .sections.load_tests import LoadTestSection
from .sections.models import ModelSection
from .sections.network import NetworkPlugin
from .sections.stores import VolumeSection
from .sections.training import TrainingSection

ISSUER: Final = Issuer("https://issuer", "acs:ram::1:oidc-provider/issuer")

CLUSTER: Final = {
    "version": "cluster.version",
    "pod_cidr": "network.pod_cidr",
    "service_cidr": "network.service_cidr",
    "vswitch_ids": "network.zones",
    "log_project_name": "cluster.log_project",
}
POOL: Final = {
    "node_pool_name": "name",
    "nvidia_driver_version": "driver",
    "system_disk.size_gib": "system_disk_gib",
}
STORE: Final = {"bucket": "oss.bucket"}
FILE_SYSTEM: Final = {"access_group_name": "name"}
CLAIM: Final = {"claim_name": "name", "oss.path": "volume.path", "nas.path": "volume.path"}
CHECKPOINT: Final = {key: value.replace("volume", "checkpoint") for key, value in CLAIM.items()}
RESULTS: Final = {"claim_name": "name", "oss.path": "results.path", "nas.path": "results.path"}

TRAINING: Final = {
    "checkpoint_path": "checkpoint.mount_path",
    "checkpoint_folder": "checkpoint.path",
    "model_path": "volume.mount_path",
    "model_folder": "volume.path",
}

METRICS: Final = {
    "url": "gpu_metrics.url",
    "namespaces[0]": "namespace",
    "labels": "gpu_metrics.labels",
    "honor_labels": "gpu_metrics.honor_labels",
    "gpu_node_label": "gpu_metrics.gpu_node_label",
}

CACHE: Final = {
    "tieredstore.levels[0]": "cache",
    "worker.resources": "cache.quota",
    "replicas": "cache.workers",
}

Pools = Callable[[], list[PlacementPool]]
"""Gives the pools of a workload, worked out once, or raises what is wrong with them each time."""
Part = tuple[str, Mapping[str, str], Callable[[], object]]
"""Section of a component's arguments, what they are called there, and what builds them."""


def rehearse(
    environment: Environment, prefix: str, broken: Collection[str] = ()
) -> Iterator[Fault]:
    """Everything that a component would refuse, but for names of which others are said.

    Args:
        environment: What the stack file says.
        prefix: What begins the names of what an account knows, see `arguments.name_prefix`.
        broken: Fields that are refused already; what is rendered of them would be refused again.
    """
    names = derived_names(environment, prefix)
    said = {one.name for one in names if not one.form.allows(one.name)}
    for fault in _rehearsed(environment, prefix, broken):
        if not (isinstance(fault.got, str) and fault.got in said):
            yield fault


def _rehearsed(environment: Environment, prefix: str, broken: Collection[str]) -> Iterator[Fault]:
    rendered = [
        part
        for part in _rendered_parts(environment)
        if not any(overlaps(part[0], field) for field in broken)
    ]
    for section, names, build in [*_parts(environment, prefix), *rendered]:
        try:
            build()
        except ValidationError as error:
            for fault in rule_faults(error):
                yield _called(fault, names).under(section)
        except Refusal as refusal:
            yield from (_called(fault, names).under(section) for fault in refusal.faults)
        except LookupError:
            continue  # It refers to something that is not there, and a check says so.


def _parts(environment: Environment, prefix: str) -> Iterator[Part]:
    yield from [] if environment.existing else _cloud_parts(environment, prefix)
    yield from _platform_parts(environment)
    claim = partial(_claim, environment, prefix)
    for model in environment.models:
        yield f"models[{model.name}]", CLAIM, partial(claim, model.name, model.volume)
    for job in environment.training:
        section = f"training[{job.name}]"
        yield section, CHECKPOINT, partial(claim, arguments.checkpoint(job), job.checkpoint)
        if job.volume:
            yield section, CLAIM, partial(claim, arguments.base_model(job), job.volume)
    for test in environment.load_tests:
        if test.results:
            build = partial(claim, arguments.results(test), test.results)
            yield f"load_tests[{test.name}]", RESULTS, build


def _rendered_parts(environment: Environment) -> Iterator[Part]:
    ids = {pool.name: "id" for pool in environment.all_pools}
    for model in environment.models:
        section = f"models[{model.name}]"
        pools = cache(partial(arguments.placement_pools, environment, model, ids))
        yield section, {}, partial(_placement, environment, model, pools)
        if runtime := RUNTIMES.get(model.serve.kind):
            yield section, runtime.fields, partial(_service, environment, model, pools)
        yield section, CACHE, partial(_cache, environment, model, pools)
    for job in environment.training:
        section = f"training[{job.name}]"
        pools = cache(partial(arguments.placement_pools, environment, job, ids))
        yield section, TRAINING, partial(_training, environment, job, pools)
    for test in environment.load_tests:
        yield f"load_tests[{test.name}]", {}, partial(_load_test, environment, test)


def _cloud_parts(environment: Environment, prefix: str) -> Iterator[Part]:
    zones = {zone.id: "id" for zone in environment.network.zones} if environment.network else {}
    terway = environment.network and environment.network.plugin is not NetworkPlugin.FLANNEL
    pod_zones = zones if terway else {}
    yield "", CLUSTER, partial(arguments.cluster_args, environment, prefix, zones, pod_zones)
    for edge in environment.edge_pools:
        build = partial(arguments.edge_pool_args, edge, "id")
        yield f"edge_pools[{edge.name}]", {"node_pool_name": "name"}, build
    for pool in environment.pools if zones else []:
        yield f"pools[{pool.name}]", POOL, partial(arguments.pool_args, pool, "id", zones)
    for store in environment.stores:
        section = f"stores[{store.name}]"
        yield section, STORE, partial(arguments.bucket_args, environment, store)
        if store.nas is not None and store.nas.server is None and zones:
            args = (environment, store, prefix, "id", zones)
            yield section, FILE_SYSTEM, partial(arguments.file_system_args, *args)


def _platform_parts(environment: Environment) -> Iterator[Part]:
    for platform, models in models_by_platform(environment).items():
        if platform.section is not None:
            yield platform.section, {}, partial(platform.args, environment, models, None)
    cluster, url = (None, None) if environment.existing else ("id", "https://prometheus")
    build = partial(arguments.gpu_metrics_args, environment, cluster, url, None)
    yield "", METRICS, build
    section = environment.gpu_metrics
    own = section is not None and section.dashboards_namespace is not None
    names = {**METRICS, "namespace": "gpu_metrics.dashboards_namespace" if own else "namespace"}
    ours = not environment.existing
    yield "", names, partial(arguments.dashboards_args, environment, ours=ours)


def _claim(environment: Environment, prefix: str, owner: str, volume: VolumeSection) -> object:
    if given(environment.store(volume.store)).claim:
        return None
    return arguments.claim_args(environment, owner, volume, prefix, ISSUER, "server")


def _placement(environment: Environment, model: ModelSection, pools: Pools) -> object:
    labels = selected_labels(model)
    return policy_spec(arguments.placement_args(environment, model, pools(), labels))


def _service(environment: Environment, model: ModelSection, pools: Pools) -> object:
    runtime = RUNTIMES[model.serve.kind]
    shared = arguments.model_args(environment, model, pools())
    return runtime.render(model.name, runtime.args(environment, model, shared))


def _training(environment: Environment, job: TrainingSection, pools: Pools) -> object:
    args = arguments.training_args(environment, job, pools())
    if found := list(name_faults(job.name)):
        raise Refusal(*found)
    return training_spec(job.name, args)


def _load_test(environment: Environment, test: LoadTestSection) -> object:
    args = load_test_args(environment, test)
    return job_spec(test.name, args, {}), files_of(test.job_name, args, "http://model")


def _cache(environment: Environment, model: ModelSection, pools: Pools) -> object:
    if model.cache is None:
        return None
    args = arguments.cache_args(environment, model, pools(), "id")
    return dataset_spec(args), runtime_spec(args), load_spec("dataset", args)


def _called(fault: Fault, names: Mapping[str, str]) -> Fault:
    """The same fault under the name that the stack file has for the field."""
    for ours, theirs in names.items():
        if fault.field == ours or fault.field.startswith((f"{ours}.", f"{ours}[")):
            field = theirs + fault.field.removeprefix(ours)
            return Fault(field, fault.got, fault.want, fault.why, fault.source)
    return fault
