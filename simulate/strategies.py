"""Ways to run the same models, to be held side by side: changes to one stack file.

A variant without a cache takes the cache's pool away too where nothing else uses it, and one with
a cache brings a pool, so that each costs what it would cost. All is validated and planned as any
stack file is; what is refused is shown with its sentences.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any, Final

from pydantic import ValidationError

from components.args import Args, faults
from components.quantity import GIB, parse
from plan.refused import Refused
from stacks.checks.views import workloads
from stacks.sections.environment import Environment
from stacks.sections.models import ModelSection
from stacks.sections.pools import EdgePoolSection, PoolSection

from .parallel import Pending
from .results import SimulationResults
from .staging import LEFT_OUT, Changes, StackSettings, Staged, changed, stage
from .world import BandPoint

AS_IS: Final = "as-is"
"""Key of the stack as its file says it."""
SLO: Final = "slo"
"""Key of what a search for the cheapest setting came to."""
TARGETS: Final = range(1, 9)
"""Targets that are tried."""
MAIN: Final = (
    AS_IS,
    "always-on",
    "zero",
    "zero+cache",
    "zero+reserve",
    "zero+cache+reserve",
    "no-cache",
    "cache",
)
"""Variants that are shown where nobody asks for others."""
CACHE_TYPE: Final = "ecs.g8i.24xlarge"
"""Instance type of the nodes of a cache that a stack lacks, as the article has it (2026-11)."""
CACHE_NODES: Final = 2
"""Nodes of such a cache, and workers on them."""
LEAST_QUOTA_GIB: Final = 20
"""Memory of such a worker, in GiB; more where the model is larger."""
HIGH_MARK: Final = Decimal("0.9")
"""Share of its memory from which a worker drops what it holds: the default of `cache.high`."""
_IN_HAND: Final = ("concurrency", "vllm_num_requests_waiting", "vllm_num_requests_running")
"""Metrics that count requests in hand, of which 1 to 8 are targets."""

Begin = Callable[[Staged, BandPoint], Pending]
"""Has a stack simulated with the traffic and the seed of this comparison."""


@dataclass(frozen=True)
class Variant:
    """A way to run the models of a stack."""

    key: str
    """What it is called where one asks for it, such as `zero+cache`."""
    words: str
    """What it is."""
    changes: Changes = field(default_factory=dict)


@dataclass(frozen=True)
class VariantLeftOut:
    """A variant that makes no sense for a stack."""

    key: str
    why: str
    """One sentence."""


@dataclass(frozen=True)
class VariantOutcome:
    """What came of a variant."""

    variant: Variant
    results: Mapping[BandPoint, SimulationResults]
    """Empty where it is refused."""
    refusal: Sequence[str] = ()
    """Why it cannot be deployed, a sentence each."""


def compare(
    stack: StackSettings, variants: Sequence[Variant], begin: Begin
) -> Iterator[VariantOutcome]:
    """Plans variants and has them simulated; each comes once it and those before it are done."""
    for variant, outcome in [(variant, _begun(stack, variant, begin)) for variant in variants]:
        if isinstance(outcome, Refused):
            yield VariantOutcome(variant, {}, outcome.sentences)
        else:
            yield VariantOutcome(variant, {case: pending() for case, pending in outcome.items()})


def _begun(
    stack: StackSettings, variant: Variant, begin: Begin
) -> Mapping[BandPoint, Pending] | Refused:
    try:
        staged = stage(stack, variant.changes)
        return {case: begin(staged, case) for case in BandPoint}
    except Refused as refused:
        return refused


def choose(
    options: Sequence[Variant | VariantLeftOut], names: Sequence[str]
) -> list[Variant | VariantLeftOut]:
    """The variants that are asked for; `MAIN` where none is.

    Args:
        options: All of them.
        names: Keys, or the names of groups: main, pools, targets, all.

    Raises:
        Refused: There is none of a name.
    """
    groups: dict[str, list[str]] = {
        "main": [option.key for option in options if option.key in MAIN],
        "pools": [option.key for option in options if option.key[-2:] in ("+1", "-1")],
        "targets": [option.key for option in options if option.key.startswith("target=")],
        "all": [option.key for option in options],
    }
    keys = {option.key: [option.key] for option in options} | groups
    if unknown := [name for name in names if name not in keys]:
        raise Refused(
            "--strategy",
            *(
                f"--strategy is {name!r}, but it must be one of {', '.join(groups)}, or of "
                f"{', '.join(option.key for option in options)}."
                for name in unknown
            ),
        )
    asked_keys = {key for name in names or ["main"] for key in keys[name]}
    return [option for option in options if option.key in asked_keys or option.key == AS_IS]


def strategies(
    stack: StackSettings, environment: Environment, names: Sequence[str]
) -> list[Variant | VariantLeftOut]:
    """All variants of a stack, and what makes no sense for it.

    Args:
        stack: Its file.
        environment: What the file says.
        names: Models that get requests.
    """
    writer = _Writer(stack, environment, names)
    options: list[Variant | VariantLeftOut] = [Variant(AS_IS, "as the stack file says")]
    for option in writer.variants():
        is_same = isinstance(option, Variant) and not _differs(stack, option.changes)
        options.append(
            VariantLeftOut(option.key, "The stack file says so already.") if is_same else option
        )
    return options


def _differs(stack: StackSettings, changes: Changes) -> bool:
    return changed(stack.settings, changes) != stack.settings


class _Without(Exception):
    """A part of a variant that a stack cannot have, as a sentence."""


class _Writer:
    """Writes the variants of one stack."""

    def __init__(
        self, stack: StackSettings, environment: Environment, names: Sequence[str]
    ) -> None:
        self._stack = stack
        self._environment = environment
        self._models = [model for model in environment.models if model.name in names]

    def variants(self) -> Iterator[Variant | VariantLeftOut]:
        """All but the stack as it is."""
        bare = "no cache, no reserve instance"
        yield _variant("always-on", f"always on: min = max; {bare}", self._always_on, self._bare)
        for key, words, parts in (
            ("zero", f"to zero; {bare}", [self._bare]),
            ("zero+cache", "to zero; cache", [self._no_reserve, self._cache]),
            ("zero+reserve", "to zero; reserve instance", [self._no_cache, self._reserve]),
            ("zero+cache+reserve", "to zero; cache and reserve", [self._cache, self._reserve]),
        ):
            yield _variant(key, words, self._to_zero, *parts)
        yield _variant("no-cache", "as it is, without a cache", self._no_cache)
        yield _variant("cache", "as it is, with a cache", self._cache)
        yield from self._pools()
        for target in TARGETS:
            yield _variant(f"target={target}", f"target {target}", partial(self._target, target))

    # --- scale -----------------------------------------------------------------------------------

    def _always_on(self) -> Changes:
        return {
            f"{_scale(model)}.min": section.scale.max
            for model in self._models
            for section in model.serve.sections.values()
        }

    def _to_zero(self) -> Changes:
        return self._of_models(self._zero)

    def _zero(self, model: ModelSection) -> Changes:
        for fault in scale_faults(model, {"min": 0}):
            raise _Without(fault)
        return {f"{_scale(model)}.min": 0}

    def _target(self, target: int) -> Changes:
        return self._of_models(lambda model: self._model_target(model, target))

    def _model_target(self, model: ModelSection, target: int) -> Changes:
        [section] = model.serve.sections.values()
        if not counts_requests(section.scale.metric):
            metric = section.scale.metric or "nothing"
            raise _Without(f"{model.name} is scaled on {metric}, which does not count requests.")
        limit = getattr(section, "concurrency_limit", None)
        if limit is not None and limit < target:
            raise _Without(f"{model.name} has concurrency_limit {limit}, which counts if less.")
        for fault in scale_faults(model, {"target": target}):
            raise _Without(fault)
        return {f"{_scale(model)}.target": target}

    # --- pools -----------------------------------------------------------------------------------

    def _pools(self) -> Iterator[Variant | VariantLeftOut]:
        for name in dict.fromkeys(pool for m in self._models for pool in m.placement.pools):
            for step in (1, -1):
                resized = partial(self._resized, name, step)
                yield _variant(f"{name}{step:+}", f"pool {name}: {step:+} node", resized)

    def _resized(self, name: str, step: int) -> Changes:
        pool = self._environment.pool(name)
        if not isinstance(pool, PoolSection):
            is_edge = isinstance(pool, EdgePoolSection)
            what = "machines of an IDC" if is_edge else "nodes of a cluster that exists"
            raise _Without(f"{name} is {what}: the stack does not decide how many there are.")
        path, size = size_of(pool)
        least = fewest_nodes(pool)
        if size + step < least:
            raise _Without(f"{path} is {size}, and cannot be less than {least}.")
        return {path: size + step}

    # --- cache and reserve -----------------------------------------------------------------------

    def _bare(self) -> Changes:
        return {**self._no_cache(), **self._no_reserve()}

    def _no_reserve(self) -> Changes:
        return {
            f"models[{model.name}].serve.knative.reserve": LEFT_OUT
            for model in self._models
            if model.serve.knative and model.serve.knative.reserve
        }

    def _reserve(self) -> Changes:
        return self._of_models(self._model_reserve)

    def _model_reserve(self, model: ModelSection) -> Changes:
        for sentence in reserve_faults(self._environment, model):
            raise _Without(sentence)
        knative = model.serve.knative
        path = f"models[{model.name}].serve.knative.reserve"
        return {} if knative and knative.reserve else {path: {"replicas": 1}}

    def _no_cache(self) -> Changes:
        losing = [model for model in self._models if model.cache is not None]
        pools = {model.cache.pool for model in losing if model.cache}
        spare = pools - set(self._used(losing))
        pools_left = [entry for entry in self._entries() if entry.get("name") not in spare]
        without = {f"models[{model.name}].cache": LEFT_OUT for model in losing}
        return {**({"pools": pools_left} if pools_left != self._entries() else {}), **without}

    def _used(self, losing: Sequence[ModelSection]) -> Iterator[str]:
        """Pools that something uses once some models have no cache."""
        environment = self._environment
        for _, workload in workloads(environment):
            yield from workload.placement.pools
        for model in environment.models:
            if model.cache is not None and model not in losing:
                yield model.cache.pool

    def _cache(self) -> Changes:
        changes = self._of_models(self._model_cache)
        added = {c["pool"] for c in changes.values()} - {e.get("name") for e in self._entries()}
        pools = [
            {"name": name, "instance_types": [CACHE_TYPE], "size": CACHE_NODES} for name in added
        ]
        return {"pools": [*self._entries(), *pools], **changes} if pools else changes

    def _model_cache(self, model: ModelSection) -> Changes:
        environment = self._environment
        if model.cache is not None:
            return {}
        if model.volume is None:
            raise _Without(f"{model.name} has no volume, and a cache is a copy of a store's files.")
        if environment.existing:
            raise _Without("The stack creates no pool for a cache in a cluster that exists.")
        stands = next((entry.cache for entry in environment.models if entry.cache), None)
        workers = stands.workers if stands else CACHE_NODES
        need = math.ceil(parse(model.volume.size) / workers / HIGH_MARK / GIB)
        quota = f"{max(LEAST_QUOTA_GIB, need)}Gi"
        pool = stands.pool if stands else self._free_name()
        return {f"models[{model.name}].cache": {"pool": pool, "workers": workers, "quota": quota}}

    def _free_name(self) -> str:
        names = {pool.name for pool in self._environment.all_pools}
        free = (f"cache-{number}" for number in range(2, len(names) + 3))
        return "cache" if "cache" not in names else next(name for name in free if name not in names)

    def _entries(self) -> list[Mapping[str, Any]]:
        return list(self._stack.settings.get("pools") or [])

    def _of_models(self, change: Callable[[ModelSection], Changes]) -> Changes:
        """The change of all models that can have it.

        Raises:
            _Without: None can.
        """
        changes: dict[str, Any] = {}
        refusals = []
        for model in self._models:
            try:
                changes |= change(model)
            except _Without as without:
                refusals.append(without)
        if len(refusals) == len(self._models):
            raise refusals[0] if refusals else _Without("No model gets requests.")
        return changes


def counts_requests(metric: str | None) -> bool:
    """Whether a metric counts requests in hand, of which 1 to 8 are targets."""
    return metric in _IN_HAND


def scale_faults(model: ModelSection, fields: Mapping[str, object]) -> list[str]:
    """Why a model's scale cannot be so, a sentence each, as its section says it."""
    [section] = model.serve.sections.values()
    scale = section.scale
    if not isinstance(scale, Args):
        return []
    raw = {**scale.model_dump(exclude_unset=True), **fields}
    try:
        type(scale).model_validate(raw)
    except ValidationError as error:
        return [f"{_scale(model)}.{fault}" for fault in faults(type(scale), error, raw)]
    return []


def reserve_faults(environment: Environment, model: ModelSection) -> list[str]:
    """Why a model can have no reserve instance, a sentence each."""
    if model.serve.knative is None:
        served = {
            "kserve": "KServe",
            "leader_worker": "groups of pods",
            "llm": "an LLMInferenceService",
            "roles": "roles",
        }[model.serve.kind]
        return [f"{model.name} is served by {served}, which has no reserve instances."]
    if environment.existing:
        return ["Only ACK's Knative has reserve instances, and the cluster is not the stack's."]
    return []


def size_of(pool: PoolSection) -> tuple[str, int]:
    """Path of what bounds a pool's nodes from above, and what it is."""
    path = f"pools[{pool.name}]"
    if pool.autoscale:
        return f"{path}.autoscale.max", pool.autoscale.max
    return f"{path}.size", pool.size or 0


def fewest_nodes(pool: PoolSection) -> int:
    """The least that bounds a pool's nodes from above; without any it would be no pool."""
    return (pool.autoscale.min or 0) + 1 if pool.autoscale else 1


def _scale(model: ModelSection) -> str:
    return f"models[{model.name}].serve.{model.serve.kind}.scale"


def _variant(key: str, words: str, *parts: Callable[[], Changes]) -> Variant | VariantLeftOut:
    changes: dict[str, Any] = {}
    try:
        for part in parts:
            changes |= part()
    except _Without as without:
        return VariantLeftOut(key, str(without))
    return Variant(key, words, changes)
