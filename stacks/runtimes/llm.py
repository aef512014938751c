"""LLMInferenceServices of KServe: models with an endpoint picker, and pods by role."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from components.crds.llm_inference_service_labels import PORT
from components.serving import LLMModel, LLMModelArgs, ModelArgs
from components.serving.llm_model import at_port, cluster_host, render

from ..arguments import namespace_of, required
from ..platforms import LEADER_WORKER_SETS, LLM_INFERENCE_SERVICES, Platform
from ..platforms.ingress import ingress_class
from ..sections.environment import Environment
from ..sections.models import ModelSection
from .runtime import Runtime


def model_args(environment: Environment, model: ModelSection, args: ModelArgs) -> LLMModelArgs:
    """The LLMInferenceService of a model."""
    return args.model_copy(update={"server": at_port(args.server)}).completed(
        partial(
            LLMModelArgs,
            serve=required(model.serve.llm),
            ingress_class=ingress_class(environment),
        )
    )


def model_url(environment: Environment, model: ModelSection) -> str:
    """Address of the Service of its pods, past the endpoint picker."""
    return f"http://{cluster_host(model.name, namespace_of(environment, model))}:{PORT}"


def model_path(namespace: str, model: ModelSection) -> str:
    """What its route has before the paths of vLLM, behind a Gateway."""
    routed = required(model.serve.llm).router is not None and model.ingress is None
    return f"/{namespace}/{model.name}" if routed else ""


def platforms(model: ModelSection) -> Sequence[Platform]:
    """The controller, and that of groups for a replica on several nodes."""
    groups = (LEADER_WORKER_SETS,) if model.pods_per_replica > 1 else ()
    return (*groups, LLM_INFERENCE_SERVICES)


RUNTIME: Final = Runtime(
    args=model_args,
    component=LLMModel,
    render=render,
    fields={
        "metadata.name": "name",
        "serve": "serve.llm",
        "template.containers[main].command": "server",
        "template.containers[main].env": "server.env",
        "template.containers[main].volume_mounts": "server.mount_path",
        "template.containers[main].ports": "server.port",
        "template.volumes": "volumes",
        "template.init_containers": "init_containers",
        "annotations": "serve.llm.annotations",
    },
    needs=platforms,
    url=model_url,
    path=model_path,
)
