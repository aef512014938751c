"""What a stack has to know of a runtime that serves models."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import pulumi

from components.serving import CanaryRouteArgs, ModelArgs

from ..arguments.namespaces import namespace_of
from ..arguments.placement import pod_labels
from ..platforms import Platform
from ..sections.environment import Environment
from ..sections.models import ModelSection

A = TypeVar("A", bound=ModelArgs)


class Served(Protocol):
    """The component of a model's service."""

    host: pulumi.Output[str]
    """Host name of the service, for the Host header of a request."""


@dataclass(frozen=True)
class CanaryPart:
    """A share of a model's requests that another model gets."""

    model: str
    """Name of the other model."""
    args: CanaryRouteArgs


def service_url(environment: Environment, model: ModelSection) -> str:
    """Address of a Service that is called as the model."""
    return f"http://{model.name}.{namespace_of(environment, model)}.svc.cluster.local"


@dataclass(frozen=True)
class Endpoints:
    """Where a gateway sends the requests of a model."""

    labels: Mapping[str, str] | None
    """Labels of the pods that answer at the server's port, and of no others; None where what is
    behind the Service chooses them."""
    service: str
    """Service before them."""
    service_port: int = 80
    """Its port."""


@dataclass(frozen=True)
class Runtime(Generic[A]):
    """One way to serve models; the section of the stack file belongs to its component."""

    args: Callable[[Environment, ModelSection, ModelArgs], A]
    """Arguments of a model's component: those that every model has, and its own beside them."""
    component: Callable[[str, A, pulumi.ResourceOptions], Served]
    """The component, which declares the service of a model under its name."""
    render: Callable[[str, A], object]
    """Renders what the component would declare, and raises what it would refuse."""
    fields: Mapping[str, str]
    """Fields of what is rendered, and what the same ones are called in an entry of `models`."""
    needs: Callable[[ModelSection], Sequence[Platform]] = lambda _model: ()
    """What has to be installed for a model that it serves."""
    pod_labels: Callable[[ModelSection], dict[str, str]] = pod_labels
    """Labels by which a policy selects a model's pods: ours, or those of a controller."""
    canary: Callable[[Environment, ModelSection, A], CanaryPart | None] = lambda *_: None
    """What shares a model's requests with another one; None where nothing has to."""
    path: Callable[[str, ModelSection], str] = lambda _namespace, _model: ""
    """Path of a model behind its gateway, by its namespace, where several share a host."""
    url: Callable[[Environment, ModelSection], str] = service_url
    """Address of a model inside the cluster: its Service's, or one that a controller makes."""
    endpoints: Callable[[ModelSection], Endpoints | None] = lambda _model: None
    """Where a gateway sends its requests; None where none may. It refuses a route whose requests
    would pass by what chooses a pod."""
