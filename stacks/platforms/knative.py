"""Knative, for models of its own and for those that KServe runs on it."""

from collections.abc import Sequence
from typing import Final

import pulumi

from components.crds.knative import RevisionTemplate
from components.crds.knative_features import features
from components.platform import Knative, KnativeArgs, KnativeInstaller
from components.serving.pod import model_pod

from ..arguments import model_args, placement_pools
from ..sections.environment import Environment
from ..sections.models import ModelSection
from .platform import Platform


def knative_args(
    environment: Environment, models: Sequence[ModelSection], cluster_id: pulumi.Input[str] | None
) -> KnativeArgs:
    """Knative, with exactly the flags that the pods of its models need, whoever serves them."""
    any_ids = {pool.name: "" for pool in environment.all_pools}
    flags: dict[str, str] = {}
    for model in models:
        pools = placement_pools(environment, model, any_ids)
        pod = model_pod(model_args(environment, model, pools), None)
        flags |= features(RevisionTemplate.model_validate({"spec": pod}))
    return KnativeArgs(
        installer=KnativeInstaller.OPERATOR if cluster_id is None else KnativeInstaller.ADDON,
        cluster_id=cluster_id,
        features=flags,
        version=environment.knative.version,
        domain=environment.knative.domain,
        skip_tag_resolving=environment.knative.skip_tag_resolving or None,
        max_request_seconds=environment.knative.max_request_seconds,
    )


KNATIVE: Final = Platform("knative", knative_args, Knative)
