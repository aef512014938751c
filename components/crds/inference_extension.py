"""Inference extension of the Gateway API: pods that serve one model, and how urgent requests are.

CRDs: sigs.k8s.io/gateway-api-inference-extension, config/crd/bases: InferencePool v1 and
InferenceObjective of v1.5.0, InferencePool v1alpha2 of v1.0.2. ACKTrafficFilter: ACK, "Component
configuration for Gateway with Inference Extension", read 2026-11-29.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from pydantic import Field

from ..args import MISSING, SECRET, Fault, Input, Words
from ..names import LabelKey, LabelValue, ObjectName
from .custom_resource import CustomResource
from .gateway_api import Port
from .model import CrdModel

GROUP: Final = "inference.networking.k8s.io"
"""API group of InferencePool from v1 on."""
OLD_GROUP: Final = "inference.networking.x-k8s.io"
"""API group of InferencePool v1alpha2, and still that of InferenceObjective."""
POOL_VERSION: Final = "inference.networking.k8s.io/v1"
OLD_VERSION: Final = "inference.networking.x-k8s.io/v1alpha2"
ACK_VERSION: Final = "inferenceextension.alibabacloud.com/v1alpha1"
ROUTING: Final = "inference.networking.x-k8s.io/routing-strategy"
"""Annotation of an InferencePool by which ACK's picker chooses a pod: ACK, "Custom inference
extension configuration", 2026-03."""


class FailureMode(StrEnum):
    """What becomes of requests while the picker does not answer."""

    FAIL_OPEN = "FailOpen"
    """They go to any pod."""
    FAIL_CLOSE = "FailClose"
    """They are refused."""


class PortNumber(CrdModel):
    """A port."""

    number: Port
    """Its number."""


class PoolSelector(CrdModel):
    """Pods of the pool's namespace."""

    match_labels: dict[LabelKey, LabelValue] = Field(min_length=1, max_length=64)
    """Labels that they have, all of them."""


class EndpointPickerReference(CrdModel):
    """Who picks a pod for each request: a Service of the pool's namespace."""

    name: ObjectName
    """Its name."""
    port: PortNumber | None = None
    """Its port, that of the Service."""
    failure_mode: FailureMode | None = None
    """What becomes of requests without it. Default FailClose."""

    def _faults(self) -> Iterator[Fault]:
        if self.port is None:
            why = "the API server refuses a Service without it"
            yield Fault("port", MISSING, "the port at which the picker's Service answers", why)


class InferencePoolSpec(CrdModel):
    """Pods that serve one model, and who picks among them."""

    selector: PoolSelector
    """The pods."""
    target_ports: list[PortNumber] = Field(min_length=1, max_length=8)
    """Ports at which each answers; each is an endpoint of its own."""
    endpoint_picker_ref: EndpointPickerReference
    """Who picks."""

    def _faults(self) -> Iterator[Fault]:
        ports = [port.number for port in self.target_ports]
        for index, port in enumerate(ports):
            if ports.index(port) != index:
                yield Fault(f"target_ports[{index}].number", port, "another one", "it is given")


class ExtensionReference(CrdModel):
    """Who picks a pod for each request: a Service of the pool's namespace."""

    name: ObjectName
    """Its name."""
    port_number: Port | None = None
    """Its port. Default 9002."""
    failure_mode: FailureMode | None = None
    """What becomes of requests without it. Default FailClose."""


class OldInferencePoolSpec(CrdModel):
    """An InferencePool of v1alpha2, which releases of ACK's gateway before 1.4.0-apsara.4 know."""

    selector: dict[LabelKey, LabelValue] = Field(min_length=1, max_length=64)
    """Labels of the pods: a plain mapping, without the matchLabels of v1."""
    target_port_number: Port
    """The one port at which each answers."""
    extension_ref: ExtensionReference
    """Who picks."""


class PoolReference(CrdModel):
    """An InferencePool of the same namespace."""

    group: str = GROUP
    """Its API group: that of v1 is the default."""
    name: ObjectName
    """Its name."""


class InferenceObjectiveSpec(CrdModel):
    """How urgent requests are that name it."""

    priority: int | None = None
    """The higher, the sooner where requests wait; below 0 the first to be refused. Default 0."""
    pool_ref: PoolReference
    """Pool whose requests it is about."""


class AiContentSecurity(CrdModel):
    """Content moderation of Alibaba Cloud for questions and answers."""

    access_key: Input[str] = Field(json_schema_extra=SECRET)
    """AccessKey ID, a secret Output: the object has it in clear."""
    secret_key: Input[str] = Field(json_schema_extra=SECRET)
    """AccessKey secret, a secret Output: the object has it in clear."""
    aliyun_endpoint: str
    """Address of the service, e.g. green-cip-vpc.cn-hangzhou.aliyuncs.com."""
    check_request: bool | None = None
    """Whether questions are moderated."""
    check_response: bool | None = None
    """Whether answers are."""

    def _faults(self) -> Iterator[Fault]:
        for field in ("access_key", "secret_key"):
            if isinstance(getattr(self, field), str):
                want = "a secret Output, such as config.require_secret gives"
                why = "in clear it would stand in the program, in its state and in every plan"
                yield Fault(field, Words("given in plain"), want, why)


class AckTrafficFilterSpec(CrdModel):
    """What ACK's gateway does with requests of a route, named by its filter ExtensionRef."""

    ai_content_security: AiContentSecurity
    """Content moderation."""


class InferencePool(CustomResource[InferencePoolSpec], api_version=POOL_VERSION):
    """Pods that serve one model, in API version v1."""


class OldInferencePool(
    CustomResource[OldInferencePoolSpec], api_version=OLD_VERSION, kind="InferencePool"
):
    """Pods that serve one model, in API version v1alpha2."""


class InferenceObjective(CustomResource[InferenceObjectiveSpec], api_version=OLD_VERSION):
    """How urgent requests are that name it."""


class AckTrafficFilter(
    CustomResource[AckTrafficFilterSpec], api_version=ACK_VERSION, kind="ACKTrafficFilter"
):
    """What ACK's gateway does with requests of a route."""
