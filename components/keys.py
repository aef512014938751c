"""Where a key belongs that stands in a section which does not know it."""

import difflib
import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

UNIONS: Final = (typing.Union, types.UnionType)
TYPO: Final = 0.8
"""Likeness from which a word is another one, mistyped."""
ALIKE: Final = 0.7
"""Likeness from which a word may be another one, where nothing else is."""
SAME: Final = 0.9
"""The same of a word that belongs further inside."""
DEPTH: Final = 4
"""How many sections deep a key is looked for."""
MOST_PLACES: Final = 3
"""Most places that are named; a key that has more is a common word, and says nothing."""
COMMON: Final = frozenset({"labels", "name", "path", "size", "type", "version"})
"""Keys of so many sections that they tell nothing of where they belong."""
FOREIGN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "access_key_id": "secret",
        "access_key_secret": "secret",
        "ak_id": "secret",
        "ak_secret": "secret",
        "allow_list": "allow_cidrs",
        "auto_scaling": "autoscale",
        "backoff_limit": "retries",
        "canary": "traffic",
        "whitelist": "allow_cidrs",
        "whitelist_source_range": "allow_cidrs",
        "certificate": "tls",
        "cluster_spec": "spec",
        "completions": "parallelism",
        "container_concurrency": "concurrency_limit",
        "cooldown_period": "cooldown_seconds",
        "count": "size",
        "desired_size": "size",
        "domain": "host",
        "enabled": "install",
        "endpoint_public_access_enabled": "public_endpoint",
        "env_from": "secret_env",
        "mount_target": "server",
        "new_nat_gateway": "nat",
        "node_count": "size",
        "node_pools": "pools",
        "nvidia.com/gpu": "gpus",
        "gpu_count": "gpus",
        "hf": "huggingface",
        "hostname": "host",
        "idle_replica_count": "min",
        "key_pair": "key_name",
        "kubernetes_version": "version",
        "max_replica_count": "max",
        "max_replicas": "max",
        "max_scale": "max",
        "max_size": "max",
        "medium": "memory",
        "min_replica_count": "min",
        "min_replicas": "min",
        "min_scale": "min",
        "min_size": "min",
        "other_opts": "mount_options",
        "pdb": "pod_disruption_budget",
        "persistent_volume_claim": "claim",
        "polling_interval": "polling_seconds",
        "preemption_policy": "preempts",
        "pvc": "claim",
        "progress_deadline": "startup_seconds",
        "ram_role_name": "worker_role_name",
        "rate_limit": "requests_per_second",
        "replicas": "min",
        "requests.nvidia.com/gpu": "gpus",
        "rps": "requests_per_second",
        "scale_metric": "metric",
        "scale_to_zero_grace_period": "zero_retention_seconds",
        "scale_to_zero_pod_retention_period": "zero_retention_seconds",
        "scale_target": "target",
        "scaling_config": "autoscale",
        "shm_size": "shared_memory",
        "size_limit": "size",
        "slb_internet_enabled": "public_endpoint",
        "stable_window": "window_seconds",
        "threshold": "target",
        "timeout": "request_seconds",
        "timeout_seconds": "request_seconds",
        "token": "secret",
        "url": "endpoint",
        "vswitch_cidr": "cidr",
        "vswitches": "zones",
        "weight": "percent",
    }
)
"""What Kubernetes, Knative, NGINX and Terraform call keys of ours."""

PODS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(
            ("affinity", "node_affinity", "node_name", "node_selector"),
            "placement.pools, which says where pods run",
        ),
        **dict.fromkeys(
            ("liveness_probe", "readiness_probe", "startup_probe"), "health_path, which probes ask"
        ),
        "args": "command, or extra_args of server.vllm",
        "uri": "volume of the model, or model of server.vllm for a hub's",
        "storage_uri": "volume of the model, or model of server.vllm for a hub's",
        "tolerations": "taints of the pools, which pods tolerate by themselves",
        "volume_mounts": "volumes of the model, each with its mount_path",
    }
)
"""What a pod says by a key of Kubernetes, and a stack file elsewhere or not at all."""


def place_in_pods(key: str) -> str | None:
    """Where a stack file says what a key of a pod does, in words; None of any other key."""
    return PODS.get(snake(key))


Models = Sequence[type[BaseModel]]


def nearest(word: str, words: Iterable[str], likeness: float = 0.6) -> str | None:
    """The known word that the reader most likely meant, if any is close.

    Args:
        word: What was written.
        words: What might have been meant.
        likeness: How close it has to be, from 0 to 1.
    """
    return next(iter(difflib.get_close_matches(word, list(words), n=1, cutoff=likeness)), None)


def snake(name: str) -> str:
    """A name as our keys are written, e.g. `node_selector` for `nodeSelector`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """The models that an annotation speaks of, however deep."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from models_in(inner)


def meant_key(key: str, keys: Sequence[str]) -> str | None:
    """The key of the same section that a word is, but for its spelling."""
    word = snake(key)
    exact = (name for name in (word, FOREIGN.get(word)) if name in keys)
    return next(exact, None) or nearest(key, keys, TYPO) or nearest(word, keys, TYPO)


def meant_places(
    around: Sequence[Models], key: str, value: object, is_there: Callable[[int, str], bool | None]
) -> tuple[int, Sequence[str]]:
    """The innermost of some sections that has a key deeper inside, by number, and its paths there.

    Args:
        around: The models of a section, then those of each section around it.
        key: The unknown key. `tls_secret` is taken for `tls.secret` too.
        value: What it was given; a key whose value is made otherwise is not meant.
        is_there: Whether the section that has a path is given, by the number of the one around it:
            of several paths, these are meant. None where another one stands in its place.
    """
    words = {word := snake(key).replace(".", "_"), FOREIGN.get(word, word)}
    if words <= COMMON:
        return 0, []
    for number, models in enumerate(around):
        likeness = 1 if number else SAME  # Further away, more words are alike.
        candidates = dict.fromkeys(_places(models, words, value, likeness))
        places = [place for place in candidates if is_there(number, place) is not None]
        least = min((place.count(".") for place in places), default=0)
        if nearby := [place for place in places if place.count(".") == least]:
            nearby = [place for place in nearby if is_there(number, place)] or nearby
            return number, nearby if len(nearby) <= MOST_PLACES else []
    return 0, []


def mappings(models: Models) -> list[str]:
    """The keys of a section below which any key may stand, as those of labels."""
    fields = ((name, info) for model in models for name, info in model.model_fields.items())
    return [name for name, info in fields if dict in _kinds(info.annotation)]


def beginning(key: str, keys: Sequence[str]) -> str | None:
    """The key that a longer one begins with, word for word: `data_disk` for `data_disk_gib`."""
    word = snake(key)
    shorter = [name for name in keys if word.startswith(f"{name}_") and name not in COMMON]
    return max(shorter, key=len, default=None)


def related_key(key: str, keys: Sequence[str]) -> str | None:
    """The key that is a longer one or ends it, else the nearest: `size_gib` for `size`.

    Keys that are the ends of many, such as a name, tell nothing.
    """
    word = snake(key)
    tails = [name for name in keys if word.endswith(f"_{name}") and name not in COMMON]
    parts = [*tails, *(name for name in keys if name.startswith(f"{word}_"))]
    return parts[0] if len(parts) == 1 else nearest(key, keys, ALIKE)


def _places(
    models: Models, words: set[str], value: object, likeness: float, above: tuple[str, ...] = ()
) -> Iterator[str]:
    for model in models:
        for name, info in model.model_fields.items():
            place = (*above, info.alias or name)
            names = [step.removesuffix("[]") for step in place]
            tails = {"_".join(names[start:]) for start in range(len(names))}
            is_meant = words & tails or any(nearest(word, [name], likeness) for word in words)
            if is_meant and _is_shaped(info, value):
                yield ".".join(place)
            elif len(place) < DEPTH:
                step = f"{place[-1]}[]" if list in _kinds(info.annotation) else place[-1]
                yield from _places(
                    [*models_in(info.annotation)], words, value, likeness, (*above, step)
                )


def _is_shaped(info: FieldInfo, value: object) -> bool:
    """Whether a value is of the kind that a field takes: a list, a section, or neither."""
    return any(
        isinstance(value, list)
        if kind is list
        else isinstance(value, Mapping)
        if kind is dict or (isinstance(kind, type) and issubclass(kind, BaseModel))
        else not isinstance(value, list | Mapping)
        for kind in _kinds(info.annotation)
    )


def _kinds(annotation: object) -> Iterator[object]:
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        yield from _kinds(typing.get_args(annotation)[0])
    elif origin in UNIONS:
        for part in typing.get_args(annotation):
            if part is not types.NoneType:
                yield from _kinds(part)
    else:
        yield origin or annotation
