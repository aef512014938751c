"""Text formats of the Kubernetes API: images, amounts, durations, schedules."""

import re
from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final

from pydantic import PlainSerializer

from ..args import Because, Fault, TextForm, Words
from ..quantity import canonical, is_quantity, parse

# https://github.com/distribution/reference/blob/main/regexp.go; a word without dot or port is no
# host, but a folder of Docker Hub.
_WORD: Final = r"[A-Za-z0-9-]+"
_HOST: Final = rf"(?:(?:localhost|{_WORD}(?:\.{_WORD})+)(?::\d+)?|{_WORD}:\d+)"
_PART_OF_NAME: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_IMAGE: Final = re.compile(
    rf"(?:{_HOST}/)?{_PART_OF_NAME}(?:/{_PART_OF_NAME})*"
    r"(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)
_UNREADABLE: Final = "Kubernetes reads nothing else"
_NO_PULL: Final = "no node could pull it, and Knative refuses the Service"
_HAS_LOGIN: Final = re.compile(r"[^/\s@]*:[^/\s@]+@(?!sha256:)")
"""User and password before a registry, as `docker login` does not want them."""
_IMAGE_PREFIX: Final = re.compile(rf"(?:{_HOST}|{_PART_OF_NAME})(?:/{_PART_OF_NAME})*")
_DURATION: Final = re.compile(
    r"(?P<sign>[+-]?)(?P<parts>0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+)"
)
_PART: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
_SECONDS: Final = {
    "ns": Decimal("1e-9"),
    "us": Decimal("1e-6"),
    "µs": Decimal("1e-6"),
    "ms": Decimal("1e-3"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
}
_CRON_FIELD: Final = re.compile(r"[\d*/,?A-Za-z-]+")
_CRON_NAMES: Final = frozenset(
    {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}
)


def image_faults(field: str, image: str, why: str = _NO_PULL) -> Iterator[Fault]:
    """Refuses what is no reference to an image."""
    if not _IMAGE.fullmatch(image):
        want = "[host[:port]/]name[:tag][@sha256:digest], the name in lower case"
        got = Words("given with a password in it") if _HAS_LOGIN.match(image) else image
        yield Fault(field, got, want, why)


def image_prefix_faults(field: str, prefix: str, why: str) -> Iterator[Fault]:
    """Refuses what images cannot be pulled below."""
    if not _IMAGE_PREFIX.fullmatch(prefix):
        want = "a registry path such as registry.example.com/mirror, without scheme, tag or '/' at "
        yield Fault(field, prefix, f"{want}the end", why)


def is_amount(text: str) -> bool:
    """Whether Kubernetes reads the text as a quantity of 0 or more."""
    return is_quantity(text) and parse(text) >= 0


def quantity_faults(field: str, amount: str, why: str = _UNREADABLE) -> Iterator[Fault]:
    """Refuses an amount that is not a quantity of 0 or more."""
    if not is_amount(amount):
        yield Fault(field, amount, "a quantity of 0 or more, such as 15Gi, 500m or 2", why)


ImageReference = Annotated[str, TextForm(image_faults), Because(_NO_PULL)]
"""Type of a reference to an image."""
ImagePrefix = Annotated[str, TextForm(image_prefix_faults), Because("images are called after it")]
"""Type of a registry path that images are pulled below."""
Amount = Annotated[str, TextForm(quantity_faults), Because(_UNREADABLE), PlainSerializer(canonical)]
"""Type of a quantity of 0 or more in a custom resource, rendered as webhooks store it.

Pulumi compares a custom resource with what is stored, text by text: another form of the same
amount would be an update in each preview. findings/pulumi-and-what-webhooks-store.sh
"""


def seconds(duration: str) -> Decimal | None:
    """Reads a Go duration such as `1h30m` or `600s`, in seconds; None if it is not one."""
    match = _DURATION.fullmatch(duration)
    if match is None:
        return None
    total = sum(
        (Decimal(n) * _SECONDS[unit] for n, unit in _PART.findall(match["parts"])), Decimal()
    )
    return -total if match["sign"] == "-" else total


def is_cron(schedule: str) -> bool:
    """Whether the text has the shape of a CronJob schedule, such as `0 3 * * *` or `@daily`."""
    fields = schedule.split()
    return schedule in _CRON_NAMES or (len(fields) == 5 and all(map(_CRON_FIELD.fullmatch, fields)))


class PullPolicy(StrEnum):
    """When an image is pulled."""

    ALWAYS = "Always"
    IF_NOT_PRESENT = "IfNotPresent"
    NEVER = "Never"
