"""What runs: models, training jobs and load tests."""

import math
from typing import Any, Final

from components import serving
from components.catalog.sharing import GpuSharing
from components.serving.placement import distinct_tolerations, node_affinity

from ..sections.environment import Environment
from ..sections.load_tests import LoadTestSection
from ..sections.models import ModelSection, PodVolumeSection
from ..sections.training import TrainingSection
from .base import made_of, required
from .claims import claim_and_folder, dataset_name
from .folders import base_model, checkpoint, results, volume_owner
from .namespaces import namespace_of
from .placement import enforcer, pod_labels

SHARE_OF_A_PART: Final = 0.9
"""What vLLM takes of its part of a card where the stack file says nothing."""


def model_args(
    environment: Environment, model: ModelSection, pools: list[serving.PlacementPool]
) -> serving.ModelArgs:
    """What a model is given whoever serves it: on its cache, or else on its claim."""
    claim, folder = (
        (dataset_name(environment, model), None)
        if model.cache
        else claim_and_folder(environment, model.name, model.volume and model.volume.read)
    )
    return made_of(
        serving.ModelArgs,
        model,
        server=server(environment, model),
        namespace=namespace_of(environment, model),
        labels=pod_labels(model),
        claim=claim,
        sub_path=folder,
        volumes=[pod_volume(environment, model, volume) for volume in model.volumes] or None,
        tolerations=distinct_tolerations(pools) or None,
        node_affinity=node_affinity(pools, enforcer(environment)),
        priority_class=model.priority,
        disruption_budget=model.pod_disruption_budget,
        cluster_local=environment.is_behind_gateway(model) or None,
        wait_seconds=environment.waits.service_seconds,
    )


def pod_volume(
    environment: Environment, model: ModelSection, volume: PodVolumeSection
) -> serving.PodVolume:
    """A further volume of a model's pod: a store's folder is a claim of it."""
    claim, folder = volume.claim, None
    if volume.store is not None:
        files = required(volume.files).read
        claim, folder = claim_and_folder(environment, volume_owner(model, volume), files)
    return made_of(serving.PodVolume, volume, claim=claim, folder=folder)


def training_args(
    environment: Environment, job: TrainingSection, pools: list[serving.PlacementPool]
) -> serving.TrainingJobArgs:
    """The Job of a training, with its checkpoint."""
    claim, folder = claim_and_folder(environment, checkpoint(job), job.checkpoint)
    model, part = claim_and_folder(environment, base_model(job), job.volume and job.volume.read)
    return made_of(
        serving.TrainingJobArgs,
        job,
        namespace=namespace_of(environment, job),
        labels=pod_labels(job),
        priority_class=job.priority,
        checkpoint_claim=claim,
        checkpoint_folder=folder,
        checkpoint_path=job.checkpoint.mount_path,
        checkpoint_per_rank=job.checkpoint.per_rank or None,
        model_claim=model,
        model_folder=part,
        model_path=job.volume.mount_path if job.volume else None,
        tolerations=distinct_tolerations(pools) or None,
        node_affinity=node_affinity(pools, enforcer(environment)),
    )


def server(environment: Environment, model: ModelSection) -> serving.ModelServer:
    """The container of a model, with its part of a card, and the Secret of its key."""
    update: dict[str, Any] = {}
    secret, secrets = model.api_key_secret, model.server.secret_env or []
    if secret is not None and secret not in secrets:
        update["secret_env"] = [*secrets, secret]
    share = _share_of_a_card(environment, model)
    if share is not None and model.server.vllm is not None:
        update["vllm"] = model.server.vllm.model_copy(update={"gpu_memory_utilization": share})
    return model.server.model_copy(update=update) if update else model.server


def memory_share(part_gib: int, card_gib: int, share: float = SHARE_OF_A_PART) -> float:
    """The share of a card that a share of a part of it is, rounded down to a percent."""
    return math.floor(100 * share * part_gib / card_gib) / 100


def _share_of_a_card(environment: Environment, model: ModelSection) -> float | None:
    """What vLLM takes of a card of which it has a part that nothing isolates; None elsewhere.

    A pod may land on any of its pools, so that the largest of their cards counts.
    """
    vllm, part = model.server.vllm, model.server.resources.gpu_gib
    if vllm is None or not part or "gpu_memory_utilization" in vllm.model_fields_set:
        return None
    sizes = [
        card.memory_gib
        for pool in environment.placed(model.placement)
        if pool.gpu_sharing is GpuSharing.SHARE and (card := environment.card(pool))
    ]
    return memory_share(part, max(sizes)) if sizes else None


def load_test_args(
    environment: Environment, test: LoadTestSection, url: str, labels: dict[str, str]
) -> serving.LoadTestArgs:
    """The Job of a load test, next to its model.

    Args:
        environment: What the stack file says.
        test: The load test.
        url: Address of the model inside the cluster.
        labels: Labels that the model's pods have, and no others.
    """
    model = required(environment.model(test.model))
    # The tokenizer is small: the store has it on every node, and no cache has to come there.
    claim, folder = claim_and_folder(environment, model.name, model.volume and model.volume.read)
    results_claim, results_folder = claim_and_folder(environment, results(test), test.results)
    vllm = model.server.vllm
    return made_of(
        serving.LoadTestArgs,
        test,
        url=test.url or url,
        served_model_name=test.served_name or model.server.served_name or model.name,
        namespace=namespace_of(environment, model),
        model_claim=claim,
        model_folder=folder,
        trust_remote_code=vllm.trust_remote_code if vllm else None,
        api_key_secret=model.api_key_secret,
        pod_labels=labels,
        results_claim=results_claim,
        results_folder=results_folder,
    )
