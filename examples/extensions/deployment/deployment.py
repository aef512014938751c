"""A plain Deployment: nothing has to be installed for it."""

from functools import partial
from typing import Final

from components.serving import ModelArgs
from components.serving.deployment_model import DeploymentModel, DeploymentModelArgs, render

from ..arguments.base import required
from ..sections.environment import Environment
from ..sections.models import ModelSection
from .runtime import Runtime


def model_args(
    environment: Environment, model: ModelSection, args: ModelArgs
) -> DeploymentModelArgs:
    """The Deployment of a model."""
    return args.completed(partial(DeploymentModelArgs, serve=required(model.serve.deployment)))


RUNTIME: Final = Runtime(
    args=model_args,
    component=DeploymentModel,
    render=render,
    fields={
        "containers[server].env": "server.env",
        "containers[server].volume_mounts": "server.mount_path",
        "containers[server].ports": "server.port",
    },
)
