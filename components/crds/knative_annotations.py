"""Annotations that Knative reads, and what its webhook refuses in them.

Source: https://github.com/knative/serving/blob/main/pkg/apis/autoscaling/annotation_validation.go
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from ..args import Fault, Words, nearest
from ..quantity import is_quantity
from .formats import seconds
from .model import plain_texts

AUTOSCALING: Final = "autoscaling.knative.dev/"
KPA: Final = "kpa.autoscaling.knative.dev"
HPA: Final = "hpa.autoscaling.knative.dev"
AHPA: Final = "ahpa.autoscaling.knative.dev"
"""Class of ACK's predictive autoscaler, which upstream does not know."""
PROGRESS_DEADLINE: Final = "serving.knative.dev/progress-deadline"
ROLLOUT_DURATION: Final = "serving.knative.dev/rollout-duration"
HTTP_PROTOCOL: Final = "networking.knative.dev/http-protocol"
"""Annotation of what becomes of plain HTTP: knative.dev/serving v0.50.0, pkg/networking."""
VISIBILITY: Final = "networking.knative.dev/visibility"
"""Label of a Service; with `CLUSTER_LOCAL` it has no host outside the cluster."""
CLUSTER_LOCAL: Final = "cluster-local"
DEFAULT_DOMAIN: Final = "example.com"
"""Domain of Knative, and of KServe, as they ship."""

_SOURCE: Final = (
    "https://github.com/knative/serving/blob/main/pkg/apis/autoscaling/annotation_validation.go"
)
_QUEUE: Final = "queue.sidecar.serving.knative.dev/"
_HOUR: Final = 3600


@dataclass(frozen=True)
class ServingLimits:
    """What the cluster's config-defaults and config-autoscaler allow, as Knative ships them."""

    max_revision_timeout_seconds: int = 600
    """Longest `timeout_seconds`, in seconds."""
    max_scale_limit: int = 0
    """Highest max-scale; 0 for any."""
    allow_zero_initial_scale: bool = False
    """Whether a revision may start with no pod."""


SHIPPED: Final = ServingLimits()


@dataclass(frozen=True)
class _Number:
    low: str
    high: str | None = None
    integral: bool = False
    besides: str | None = None

    @property
    def want(self) -> str:
        kind = "a whole number" if self.integral else "a number"
        reach = f"from {self.low} to {self.high}" if self.high else f"of {self.low} or more"
        return f"{kind} {reach}" + (f", or {self.besides}" if self.besides else "")

    def takes(self, text: str) -> bool:
        number = _number(text)
        if number is None or (self.integral and not text.isdecimal()):
            return False
        if self.besides is not None and number == Decimal(self.besides):
            return True
        return Decimal(self.low) <= number and (not self.high or number <= Decimal(self.high))


@dataclass(frozen=True)
class _Duration:
    low: int
    high: int
    integral: bool

    @property
    def want(self) -> str:
        unit = ", in whole seconds" if self.integral else ""
        return f"a duration from {self.low}s to {self.high}s{unit}, such as 30s"

    def takes(self, text: str) -> bool:
        span = seconds(text)
        if span is None or (self.integral and span % 1):
            return False
        return self.low <= span <= self.high


_FORMATS: Final[Mapping[str, _Number | _Duration]] = {
    "min-scale": _Number("0", integral=True),
    "max-scale": _Number("0", integral=True),
    "initial-scale": _Number("0", integral=True),
    "activation-scale": _Number("2", integral=True),
    "target": _Number("0.01"),
    "target-utilization-percentage": _Number("1", "100"),
    "target-burst-capacity": _Number("0", besides="-1"),
    "panic-window-percentage": _Number("1", "100"),
    "panic-threshold-percentage": _Number("110", "1000"),
    "window": _Duration(6, _HOUR, integral=True),
    "scale-down-delay": _Duration(0, _HOUR, integral=True),
    "scale-to-zero-pod-retention-period": _Duration(0, _HOUR, integral=False),
}
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "class": (KPA, HPA, AHPA),
    "metric": ("concurrency", "rps"),
    "metric-aggregation-algorithm": ("linear", "weighted-exponential", "weightedExponential"),
}
_KEYS: Final = (*_FORMATS, *_WORDS)
# serving v0.50.0, pkg/apis/autoscaling/register.go: of each pair the key with dashes comes first.
_OLD_SPELLINGS: Final[Mapping[str, str]] = {
    re.sub(r"-(.)", lambda match: match[1].upper(), name): name
    for name in (
        "initial-scale",
        "max-scale",
        "metric-aggregation-algorithm",
        "min-scale",
        "panic-threshold-percentage",
        "panic-window-percentage",
        "scale-down-delay",
        "scale-to-zero-pod-retention-period",
        "target-burst-capacity",
        "target-utilization-percentage",
    )
}
"""Keys that Knative reads still, where the one with dashes is missing."""


def annotation_faults(annotations: Mapping[str, object] | None) -> Iterator[Fault]:
    """Everything that the webhook refuses, or ignores, in annotations of a revision template.

    Args:
        annotations: Annotations; Outputs among their values pass unread.
    """
    texts = plain_texts(annotations)
    settings = _settings(texts)
    yield from _unknown_faults(annotations or {})
    yield from _format_faults(settings)
    yield from _word_faults(settings)
    yield from _range_faults(settings)
    yield from deadline_faults(texts, PROGRESS_DEADLINE, "a revision that is not ready then fails")
    yield from _queue_faults(texts)


def limit_faults(
    annotations: Mapping[str, object] | None, limits: ServingLimits
) -> Iterator[Fault]:
    """What the webhook refuses in annotations because of the cluster's settings.

    Args:
        annotations: Annotations of a revision template; Outputs among their values pass unread.
        limits: What the cluster allows.
    """
    settings = _settings(plain_texts(annotations))
    high, highest = _count(settings, "max-scale"), limits.max_scale_limit
    if high is not None and highest and not 0 < high <= highest:
        why = f"the cluster's max-scale-limit is {highest}"
        yield _fault("max-scale", settings, f"1 to {highest}", why)
    if _count(settings, "initial-scale") == 0 and not limits.allow_zero_initial_scale:
        why = "the cluster's allow-zero-initial-scale is off"
        yield _fault("initial-scale", settings, "1 or more, or left out", why)


def deadline_faults(texts: Mapping[str, str], key: str, why: str) -> Iterator[Fault]:
    """Refuses a duration that is negative or not in whole seconds.

    Args:
        texts: Annotations.
        key: The annotation with the duration.
        why: What the duration is for.
    """
    if key not in texts:
        return
    span = seconds(texts[key])
    if span is None or span < 0 or span % 1:
        want = "a duration in whole seconds, such as 1800s"
        yield Fault(f"annotations[{key}]", texts[key], want, why, _SOURCE)


def misplaced_faults(annotations: Mapping[str, object] | None) -> Iterator[Fault]:
    """Refuses annotations on the Service that belong on its template."""
    for key in annotations or {}:
        if key.startswith(AUTOSCALING):
            want = "moved to spec.template.metadata.annotations"
            why = "the autoscaler reads it from each revision"
            yield Fault(f"metadata.annotations[{key}]", Words("given"), want, why, _SOURCE)
    why = "new revisions take over this slowly"
    for fault in deadline_faults(plain_texts(annotations), ROLLOUT_DURATION, why):
        yield fault.under("metadata")


def _settings(texts: Mapping[str, str]) -> dict[str, str]:
    return {
        key.removeprefix(AUTOSCALING): text
        for key, text in texts.items()
        if key.startswith(AUTOSCALING)
    }


def _unknown_faults(annotations: Mapping[str, object]) -> Iterator[Fault]:
    for key in annotations:
        name = key.removeprefix(AUTOSCALING)
        if key.startswith(AUTOSCALING) and (spelling := _OLD_SPELLINGS.get(name)) is not None:
            want = f"spelled {AUTOSCALING}{spelling}"
            why = "Knative reads the old spelling only where the new one is missing"
            yield Fault(f"annotations[{key}]", Words("an old spelling"), want, why, _SOURCE)
        elif key.startswith(AUTOSCALING) and name not in _KEYS:
            close = nearest(name, _KEYS)
            want = f"left out (did you mean {AUTOSCALING}{close}?)" if close else "left out"
            why = "Knative ignores what it does not know"
            yield Fault(f"annotations[{key}]", Words("not a known annotation"), want, why, _SOURCE)


def _format_faults(settings: Mapping[str, str]) -> Iterator[Fault]:
    for name, form in _FORMATS.items():
        if name in settings and not form.takes(settings[name]):
            yield _fault(name, settings, form.want, "the autoscaler reads nothing else")


def _word_faults(settings: Mapping[str, str]) -> Iterator[Fault]:
    scaler = settings.get("class", KPA)
    if scaler.endswith(".knative.dev") and scaler not in _WORDS["class"]:
        yield _fault("class", settings, _any_of("class"), "there is no such autoscaler")
    if scaler == HPA and settings.get("metric") == "":
        yield _fault("metric", settings, "cpu, memory or the name of a metric", "HPA needs one")
    if scaler != KPA:
        return
    for name in ("metric", "metric-aggregation-algorithm"):
        if name in settings and settings[name] not in _WORDS[name]:
            yield _fault(name, settings, _any_of(name), "the class is KPA, which knows no other")


def _range_faults(settings: Mapping[str, str]) -> Iterator[Fault]:
    low, high = _count(settings, "min-scale") or 0, _count(settings, "max-scale")
    if high and high < low:
        want = f"{low} (min-scale) or more, or 0 for no bound"
        yield _fault("max-scale", settings, want, "the autoscaler needs an ordered range")
    start = _count(settings, "activation-scale")
    if start is not None and (start < low or (high and start > high)):
        want = f"{low} (min-scale) or more" + (f", {high} (max-scale) or less" if high else "")
        yield _fault("activation-scale", settings, want, "pods started together are in range too")


def _queue_faults(texts: Mapping[str, str]) -> Iterator[Fault]:
    for key, text in texts.items():
        if key.startswith(_QUEUE) and not key.endswith("percentage") and not is_quantity(text):
            why = "Knative's own sidecar is given so much"
            yield Fault(f"annotations[{key}]", text, "a quantity such as 100m", why)


def _fault(name: str, settings: Mapping[str, str], want: str, why: str) -> Fault:
    return Fault(f"annotations[{AUTOSCALING}{name}]", settings[name], want, why, _SOURCE)


def _any_of(name: str) -> str:
    return " or ".join(_WORDS[name])


def _count(settings: Mapping[str, str], name: str) -> int | None:
    text = settings.get(name, "")
    return int(text) if text.isdecimal() else None


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def default_host(name: str, namespace: str, domain: str) -> str:
    """Host of a Service, as Knative's domain template comes out of the box."""
    return f"{name}.{namespace}.{domain}"
