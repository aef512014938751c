"""Versions: how they compare, and the forms of Kubernetes', as its makers and ACK write them."""

import re
from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import Field

from .args import Fault

KUBERNETES_VERSION: Final = r"^v?1\.\d{1,3}(\.\d{1,3}([-+][0-9A-Za-z.+-]+)?)?$"
"""Version of Kubernetes as its makers and clouds write it: 1.34, 1.34.1, 1.34.1-aliyun.1."""
KubernetesVersion = Annotated[str, Field(pattern=KUBERNETES_VERSION)]
"""Type of a version of Kubernetes, which an editor knows too."""
_VERSION: Final = re.compile(
    r"v?1\.(?P<minor>\d{1,3})(?P<patch>\.\d{1,3}(?P<build>[-+][0-9A-Za-z.+-]+)?)?"
)
_ACK_BUILD: Final = re.compile(r"-aliyun(edge)?\.\d+")
# Provider, resource cs_managed_kubernetes and data source cs_kubernetes_version, read 2026-11:
# "The ACK released kubernetes version", such as 1.26.3-aliyun.1.
_ACK_VERSIONS: Final = (
    "https://registry.terraform.io/providers/aliyun/alicloud/latest/docs/data-sources/"
    "cs_kubernetes_version"
)


def version_numbers(version: str) -> tuple[int, ...]:
    """A version as it is compared: 535.54.03 is older than 535.161.07."""
    return tuple(int(number) for number in re.findall(r"\d+", version))


def kubernetes_minor(version: object) -> int | None:
    """The minor version of Kubernetes; None where it is unknown yet, or no version."""
    match = _VERSION.fullmatch(version) if isinstance(version, str) else None
    return int(match["minor"]) if match else None


def ack_version_faults(field: str, version: object) -> Iterator[Fault]:
    """Refuses what ACK does not call a version; an Output and None pass."""
    if not isinstance(version, str):
        return
    match = _VERSION.fullmatch(version)
    minor_alone = match is not None and match["patch"] is None
    is_build = match is not None and _ACK_BUILD.fullmatch(match["build"] or "") is not None
    if not (minor_alone or is_build) or version.startswith("v"):
        want = "a version of ACK such as 1.34.1-aliyun.1, or left out"
        why = "ACK numbers its own builds of a release, and knows no other names for them"
        yield Fault(field, version, want, why, _ACK_VERSIONS)
