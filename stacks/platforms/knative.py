"""Knative, for models of its own and for those that KServe runs on it."""

from collections.abc import Sequence
from typing import Final

from components.crds.knative import RevisionTemplate
from components.crds.knative_features import features
from components.platform import Knative, KnativeArgs, KnativeInstaller
from components.serving import ModelArgs
from components.serving.pod import model_pod

from ..arguments import cluster_id
from ..sections.environment import Environment
from .platform import Platform


def knative_args(environment: Environment, models: Sequence[ModelArgs]) -> KnativeArgs:
    """Knative, with exactly the flags that the pods of its models need, whoever serves them."""
    flags: dict[str, str] = {}
    for model in models:
        flags |= features(RevisionTemplate.model_validate({"spec": model_pod(model, None)}))
    return KnativeArgs(
        installer=KnativeInstaller.OPERATOR if environment.existing else KnativeInstaller.ADDON,
        cluster_id=cluster_id(environment),
        features=flags,
        version=environment.knative.version,
        domain=environment.knative.domain,
        skip_tag_resolving=environment.knative.skip_tag_resolving or None,
        max_request_seconds=environment.knative.max_request_seconds,
    )


KNATIVE: Final = Platform("knative", knative_args, Knative, section="knative")
