"""What a stack file says of a model behind a gateway.

It stands apart from the component, whose custom resources nobody needs who has no gateway.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from ..args import Args, Because, Fault, Words, one_of_faults, repeated
from ..hosts import DomainName
from ..names import ServiceName

DEFAULT_PICKER: Final = "inference-gateway-ext-proc"
"""Service of the picker that ACK's gateway brings, as its pages call it: ACK, "Custom inference
extension configuration", 2026-03."""
TELEMETRY_IMAGE: Final = (
    "registry-cn-hangzhou.ack.aliyuncs.com/acs/gen-ai-telemetry-wasmplugin:g2ad0869-aliyun"
)
"""Module that counts tokens on ACK: ACK, "Monitor generative AI requests", 2026-08."""


class RoutingStrategy(StrEnum):
    """How a pod is chosen."""

    DEFAULT = "DEFAULT"
    """The one with the shortest queue and the emptiest KV cache."""
    PREFIX_CACHE = "PREFIX_CACHE"
    """The same, and rather one that has answered a question with the same beginning."""


class GatewayFlavor(StrEnum):
    """Which gateway it is."""

    ACK = "ack"
    """ACK's Gateway with Inference Extension, an add-on that brings its pickers."""
    ENVOY = "envoy"
    """Envoy Gateway, with a picker of the inference extension for each model."""
    ROUTER = "router"
    """No gateway: a router of vLLM or SGLang before each model, inside the cluster."""


class PoolVersion(StrEnum):
    """API version of InferencePool."""

    V1 = "v1"
    """`inference.networking.k8s.io/v1`, from 1.4.0-apsara.4 of ACK's add-on on."""
    V1ALPHA2 = "v1alpha2"
    """`inference.networking.x-k8s.io/v1alpha2`, of releases before."""


class LimitPeriod(StrEnum):
    """For how long a limit counts."""

    SECOND = "second"
    """A second."""
    MINUTE = "minute"
    """A minute."""
    HOUR = "hour"
    """An hour."""
    DAY = "day"
    """A day."""

    @property
    def seconds(self) -> int:
        """Its length."""
        return {"second": 1, "minute": 60, "hour": 3600, "day": 86400}[self.value]


class RouterKind(StrEnum):
    """Whose router it is."""

    VLLM = "vllm"
    """vllm-router; its flags are those of 0.1.17."""
    SGLANG = "sglang"
    """sglang-router; its flags are those of 0.3.2."""


class RouteLimit(Args):
    """How much is let in: of each key by itself, or of all requests where nobody has one."""

    requests: int | None = Field(default=None, ge=1, le=2**32 - 1)
    """Requests. Exactly one of this and `tokens`."""
    tokens: int | None = Field(default=None, ge=1, le=2**32 - 1)
    """Tokens of questions and answers together. The answer that exceeds it is finished, and the
    next question refused."""
    per: LimitPeriod
    """In which time."""

    def _faults(self) -> Iterator[Fault]:
        yield from one_of_faults(self, ("requests", "tokens"), "a limit counts one of them")


def limit_faults(limits: Sequence[RouteLimit]) -> Iterator[Fault]:
    """Refuses two limits of one kind for the same time."""
    seen: dict[tuple[str, LimitPeriod], int] = {}
    for index, limit in enumerate(limits):
        kind = "requests" if limit.tokens is None else "tokens"
        if (first := seen.setdefault((kind, limit.per), index)) != index:
            got, want = Words(f"of {kind} per {limit.per}"), f"of another kind than limits[{first}]"
            yield Fault(f"limits[{index}]", got, want, "the lower one of the two always holds")


class RouteCanary(Args):
    """A model that gets a share of the requests of another one."""

    model: ServiceName
    """Name of the model, which has a `route` of its own."""
    percent: int = Field(ge=0, le=100)
    """Its share, 0 to 100."""


class Route(Args):
    """Requests of a gateway that are a model's, and what becomes of them."""

    host: Annotated[DomainName, Because("clients reach the model by it")] | None = Field(
        default=None, examples=["chat.example.org"]
    )
    """Host of the model alone. Left out, its requests are those whose body asks for one of its
    names: the served ones and those of its adapters."""
    routing: RoutingStrategy = RoutingStrategy.DEFAULT
    """How a pod is chosen."""
    queueing: bool = False
    """Whether requests wait in the picker while all pods are busy, and not in the pods."""
    priorities: dict[str, int] = Field(default={}, examples=[{"qwen": 10, "qwen-batch": -1}])
    """How urgent requests are, by the name that they ask for: the higher, the sooner where they
    wait. Other names have 0. With `queueing`."""
    limits: list[RouteLimit] | None = None
    """How much is let in. Left out, as the gateway says."""
    canaries: list[RouteCanary] = Field(default=[], max_length=15)
    """Models that get a share of its requests; it keeps the rest."""

    def _faults(self) -> Iterator[Fault]:
        yield from limit_faults(self.limits or [])
        if self.priorities and not self.queueing:
            why = "nothing waits without it, and what does not wait has no order"
            yield Fault("queueing", False, "true with priorities", why)
        total = sum(canary.percent for canary in self.canaries)
        if total > 100:
            want = "at most 100 percent together"
            yield Fault("canaries", total, want, "they share its requests")
        for name in repeated(canary.model for canary in self.canaries):
            yield Fault(f"canaries[{name}].model", name, "given once", "it has one share")
