"""A copy of a model in the memory of nodes near the GPUs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import pulumi
from pydantic import Field

from .. import crds
from ..args import Args, Fault, Input, check, child_options, once, validated
from ..crds.affinity import NodeSelectorRequirement, Toleration
from ..crds.fluid_names import LONGEST_LOAD_NAME, load_name_faults, name_faults
from ..keys import snake
from ..names import ByteSize, shorter
from ..quantity import GIB, binary, parse
from .waiting import metadata

WORKER_OVERHEAD = 2 * GIB
"""Memory that a cache worker needs beside what it caches, in bytes; an estimate."""


_SHM = "/dev/shm"  # noqa: S108
"""Memory that looks like a folder."""


class Medium(StrEnum):
    """Where a worker keeps its part of the copy."""

    MEM = "MEM"
    """Memory."""
    SSD = "SSD"
    """An SSD."""
    HDD = "HDD"
    """A hard disk."""


_FLUID: Final = MappingProxyType(
    {
        "levels": "medium, path and quota, of which there is one level",
        "node_affinity": "'pool'",
        "replicas": "'workers'",
        "tieredstore": "medium, path and quota, of which there is one level",
    }
)
"""Keys of Fluid's Datasets and runtimes, by what a cache has in their place."""


class CacheTier(Args):
    """How much is cached, and where on the node."""

    workers: int = Field(ge=1, le=1000)
    """Nodes that share the copy; each has a part."""
    quota: ByteSize = Field(examples=["20Gi"])
    """Space per worker, e.g. 20Gi. Workers times quota has to hold the model."""
    medium: Medium = Medium.MEM
    """MEM, SSD or HDD."""
    path: str = Field(default=_SHM, pattern="^/", examples=[_SHM])
    """Folder of the copy on the node; with SSD and HDD one on that disk."""
    high: str = "0.9"
    """Share of the quota at which old parts are dropped."""
    low: str = "0.8"
    """Share of the quota down to which they are dropped."""
    preload: bool = True
    """Loads the model before it is first used."""

    @classmethod
    def place_of(cls, key: str) -> str | None:
        """What a runtime of Fluid calls it."""
        return _FLUID.get(snake(key))

    def _faults(self) -> Iterator[Fault]:
        if self.medium is not Medium.MEM and f"{self.path}/".startswith(f"{_SHM}/"):
            want = f"a folder on a disk with medium {self.medium}, e.g. /var/lib/fluid"
            why = f"{_SHM} is memory, which no pod has asked for"
            yield Fault("path", self.path, want, why)


class ModelCacheArgs(Args):
    """What is cached, where, and how long to wait for it."""

    namespace: Input[str]
    """Namespace of the model and of its claim."""
    source_claim: Input[str]
    """Claim that holds the model's files."""
    dataset_name: str | None = None
    """Name of the Dataset, and of the claim that Fluid makes for it. Default `<name>-dataset`. A
    new source wants a new name: a Dataset that pods read cannot be deleted before they are gone."""
    tier: CacheTier
    """How much is cached, and where on the node."""
    node_labels: dict[str, list[Input[str]]] = Field(min_length=1)
    """Labels of the cache nodes, each with its allowed values."""
    tolerations: list[Toleration] | None = None
    """Tolerations of the cache nodes' taints."""
    fuse_tolerations: list[Toleration] | None = None
    """Tolerations of the nodes that read the cache: the GPU nodes. Fluid 1.0.8 reads none of them,
    since its fuse tolerates every taint."""
    dataset_wait_seconds: int = Field(default=900, ge=0)
    """How long to wait until the Dataset is bound; 0 does not wait."""
    load_wait_seconds: int = Field(default=3600, ge=0)
    """How long to wait until the model is loaded; 0 does not wait."""

    def _faults(self) -> Iterator[Fault]:
        for key, values in self.node_labels.items():
            if not values:
                yield Fault(f"node_labels[{key}]", [], "one value or more", "no node would do")


class ModelCache(pulumi.ComponentResource):
    """A Fluid Dataset over the model's claim, its JindoRuntime, and the DataLoad that fills it."""

    claim_name: pulumi.Output[str]
    """Claim that Fluid makes once the Dataset is bound; it has the Dataset's name."""

    def __init__(
        self, name: str, args: ModelCacheArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = ModelCacheArgs.of(args)
        dataset_name = args.dataset_name or default_dataset_name(name)
        store, workers, load = validated(f"ModelCache {name}", lambda: render(name, args))
        about = metadata(
            dataset_name,
            args.namespace,
            wait_for="jsonpath={.status.phase}=Bound",
            seconds=args.dataset_wait_seconds,
        )
        check(f"ModelCache {name}", cache_name_faults(name, args))

        super().__init__("ack-inference:index:ModelCache", name, args.dump(), opts)

        # The runtime waits for the Dataset of its name inside the cluster, and then binds it: the
        # other way round, an update would wait for a Dataset that nothing binds.
        runtime = crds.JindoRuntime(
            f"{name}-runtime",
            workers,
            metadata(dataset_name, args.namespace),
            child_options(self, opts),
        )
        dataset = crds.Dataset(
            f"{name}-dataset", store, about, child_options(self, opts, depends_on=[runtime])
        )
        if args.tier.preload:
            crds.DataLoad(
                f"{name}-load",
                load,
                metadata(
                    load_name(name),
                    args.namespace,
                    wait_for="jsonpath={.status.phase}=Complete",
                    seconds=args.load_wait_seconds,
                ),
                child_options(
                    self,
                    opts,
                    depends_on=[dataset],
                    # A DataLoad runs once: a changed one has to be a new one.
                    replace_on_changes=["spec"],
                    delete_before_replace=True,
                ),
            )

        self.claim_name = pulumi.Output.from_input(dataset_name)
        self.register_outputs({"claim_name": self.claim_name})


@once
def render(
    name: str, args: ModelCacheArgs
) -> "tuple[crds.DatasetSpec, crds.JindoRuntimeSpec, crds.DataLoadSpec]":
    """Dataset, JindoRuntime and DataLoad of the cache of a name.

    Raises:
        ValidationError: Fluid takes no such objects.
    """
    dataset_name = args.dataset_name or default_dataset_name(name)
    return dataset_spec(args), runtime_spec(args), load_spec(dataset_name, args)


def default_dataset_name(name: str) -> str:
    """Name of the Dataset where none is given."""
    return f"{name}-dataset"


def load_name(name: str) -> str:
    """Name of the DataLoad."""
    return f"{name}-load"


def cache_name_faults(name: str, args: ModelCacheArgs) -> Iterator[Fault]:
    """Refuses names that are too long for what Fluid calls after them."""
    dataset = args.dataset_name or default_dataset_name(name)
    for fault in name_faults(metadata(dataset, "x")):
        yield replace(fault, field="dataset_name")
    if args.tier.preload:
        for fault in load_name_faults(metadata(load_name(name), "x")):
            room = LONGEST_LOAD_NAME - len(load_name(""))
            yield replace(fault, field="name", got=name, want=shorter(room))


def dataset_spec(args: ModelCacheArgs) -> "crds.DatasetSpec":
    """The Dataset: the model's claim, on the cache nodes."""
    return crds.DatasetSpec.model_validate(
        {
            "mounts": [
                {"mount_point": _claim_address(args.source_claim), "name": "data", "path": "/"}
            ],
            "access_modes": ["ReadOnlyMany"],
            "node_affinity": {
                "required": {
                    "node_selector_terms": [{"match_expressions": requirements(args.node_labels)}]
                }
            },
            "tolerations": args.tolerations,
            # Exclusive, the default, would keep the cache of a second model off these nodes.
            "placement": crds.Placement.SHARED,
        }
    )


def requirements(labels: Mapping[str, Sequence[Input[str]]]) -> list[NodeSelectorRequirement]:
    """One requirement per label, so that a node has to match all of them."""
    return [
        NodeSelectorRequirement.model_validate(
            {"key": key, "operator": "In", "values": list(values)}
        )
        for key, values in sorted(labels.items())
    ]


def runtime_spec(args: ModelCacheArgs) -> "crds.JindoRuntimeSpec":
    """The JindoRuntime: workers with one tier each, counted in their memory requests."""
    tier = args.tier
    level = {
        "mediumtype": tier.medium,
        "volume_type": "emptyDir" if tier.medium is Medium.MEM else "hostPath",
        "path": tier.path,
        "quota": tier.quota,
        "high": tier.high,
        "low": tier.low,
    }
    # Fluid gives master, worker and fuse the tolerations of the Dataset, so ours would come twice:
    # fluid v1.0.8, pkg/ddc/jindocache/transform.go, transformTolerations. Its fuse tolerates every
    # taint besides, whatever it is given: charts/jindocache/templates/fuse/daemonset.yaml.
    worker = {"resources": worker_resources(tier)}
    return crds.JindoRuntimeSpec.model_validate(
        {
            "replicas": tier.workers,
            "tieredstore": {"levels": [level]},
            "worker": worker,
            "fuse": {"tolerations": args.fuse_tolerations} if args.fuse_tolerations else None,
        }
    )


def worker_resources(tier: CacheTier) -> dict[str, dict[str, str]] | None:
    """Memory request of a worker: what it caches in memory counts as its own."""
    if tier.medium is not Medium.MEM:
        return None
    return {"requests": {"memory": binary(parse(tier.quota) + WORKER_OVERHEAD)}}


def load_spec(dataset_name: str, args: ModelCacheArgs) -> "crds.DataLoadSpec":
    """The DataLoad: the whole model, once."""
    return crds.DataLoadSpec.model_validate(
        {
            "dataset": {"name": dataset_name, "namespace": args.namespace},
            "load_metadata": True,
            "target": [{"path": "/", "replicas": 1}],
            "tolerations": args.tolerations,
        }
    )


def _claim_address(claim: Input[str]) -> Input[str]:
    return f"pvc://{claim}" if isinstance(claim, str) else pulumi.Output.format("pvc://{0}", claim)
