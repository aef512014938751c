"""Every part of an environment is worked out once, however many ask for it."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any
from unittest.mock import patch

import pytest

from components.serving import knative_model
from components.serving import placement as resource_policy
from plan.record import record
from stacks import Secrets, deploy, platforms, resolution
from stacks.arguments import claims, folders, placement
from stacks.arguments.base import required
from stacks.sections.environment import Environment
from stacks.validation import validate

from .environments import dev, merged, raw_of


@contextmanager
def counted(
    functions: dict[str, tuple[ModuleType, Callable[..., str]]],
) -> Iterator[dict[str, Counter[str]]]:
    """Counts calls, by function and by what each is called for."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in functions}
    with ExitStack() as patches:
        for name, (module, key) in functions.items():
            function = getattr(module, name)

            def call(
                *args: Any,
                _name: str = name,
                _function: Callable[..., Any] = function,
                _key: Callable[..., str] = key,
                **options: Any,
            ) -> Any:
                counts[_name][_key(*args)] += 1
                return _function(*args, **options)

            patches.enter_context(patch.object(module, name, call))
        yield counts


def claim_owners(environment: Environment) -> list[str]:
    """Owners of the claims that a stack makes of its stores."""
    owners = [
        *((model.name, model.volume) for model in environment.models),
        *((folders.checkpoint(job), job.checkpoint) for job in environment.training),
        *((folders.base_model(job), job.volume) for job in environment.training if job.volume),
        *((folders.results(test), test.results) for test in environment.load_tests),
    ]
    return [
        owner
        for owner, volume in owners
        if volume is not None and not required(environment.store(volume.store)).claim
    ]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_plan_works_out_every_part_once(stack: str) -> None:
    functions: dict[str, tuple[ModuleType, Callable[..., str]]] = {
        "service_spec": (knative_model, lambda args: args.labels["release"]),
        "policy_spec": (resource_policy, lambda args: args.selector["release"]),
        "placement_pools": (placement, lambda _environment, workload: workload.name),
        "claim_args": (resolution, lambda _environment, owner, *_: owner),
        "model_pod": (platforms.knative, lambda args: args.labels["release"]),
    }
    with counted(functions) as counts:
        parts = validate(raw_of(stack)).resolved
        assert parts is not None
        plan = record(lambda: deploy(parts, Secrets()), stack=stack)
    environment = parts.environment
    models = [model.name for model in environment.models]
    workloads = [*models, *(job.name for job in environment.training)]
    assert plan.manifests("Service")
    assert counts == {
        "service_spec": Counter(models),
        "policy_spec": Counter(workloads),
        "placement_pools": Counter(workloads),
        "claim_args": Counter(claim_owners(environment)),
        # Knative's flags are read off the services.
        "model_pod": Counter(),
    }


def test_a_source_is_digested_once_also_where_its_store_has_a_list() -> None:
    environment = merged(dev(), {"stores[models].oss.mount_options": ["umask=022"]})
    parts = validate(environment).resolved
    assert parts is not None
    claims._source_digest.cache_clear()
    for _ in range(2):
        for model in parts.environment.models:
            claims.dataset_name(parts.environment, model)
    digests = claims._source_digest.cache_info()
    assert digests.misses == len(parts.environment.models) < digests.misses + digests.hits


def test_dev_has_a_claim_of_each_kind_that_is_counted() -> None:
    parts = validate(dev()).resolved
    assert parts is not None
    assert len(claim_owners(parts.environment)) > len(parts.models)
