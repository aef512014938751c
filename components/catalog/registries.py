"""Registries of container images: where one is, and from where it can be reached."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

DOCKER_HUB: Final = "docker.io"
"""Registry of an image reference that names none."""

# All are abroad, and pulls from mainland China may fail: ACR, "Sync images from sources outside
# China using artifact subscription", 2025-12-04,
# https://www.alibabacloud.com/help/en/acr/user-guide/subscribe-to-image-tags
_ABROAD: Final = re.compile(
    r"docker\.io|quay\.io|ghcr\.io|nvcr\.io|gcr\.io|[a-z0-9]+\.gcr\.io|registry\.k8s\.io"
    r"|[a-z0-9-]+-docker\.pkg\.dev|public\.ecr\.aws"
)
_ALIASES: Final[Mapping[str, str]] = MappingProxyType(
    {"index.docker.io": DOCKER_HUB, "registry-1.docker.io": DOCKER_HUB}
)

# Endpoints of ACR's personal instances, old and new, and of its Enterprise Edition, read 2026-11:
# https://www.alibabacloud.com/help/en/acr/user-guide/individual-edition-instance-independent-domain-name-capacity-limit
# https://www.alibabacloud.com/help/en/acr/user-guide/configure-access-over-vpcs
_VPC: Final = re.compile(
    r"(?P<old>registry-(?:vpc|internal)\.(?P<old_region>[a-z0-9-]+)\.aliyuncs\.com)"
    r"|(?P<personal>[a-z0-9-]+-vpc\.(?P<personal_region>[a-z0-9-]+)\.personal\.cr\.aliyuncs\.com)"
    r"|(?P<enterprise>[a-z0-9-]+-registry-vpc\.(?P<region>[a-z0-9-]+)\.cr\.aliyuncs\.com)"
)


@dataclass(frozen=True)
class ImageRegistry:
    """A registry, by its host."""

    host: str

    @property
    def is_abroad(self) -> bool:
        """Whether it is a public one outside mainland China."""
        return _ABROAD.fullmatch(self.host) is not None

    @property
    def vpc_region(self) -> str | None:
        """Region whose VPCs alone it answers in; None where it answers elsewhere too."""
        match = _VPC.fullmatch(self.host)
        return match and (match["old_region"] or match["personal_region"] or match["region"])


def registry_of(reference: str) -> ImageRegistry:
    """The registry that an image reference points to.

    A first word without dot and port is a folder of Docker Hub, and a name without a folder is its
    own: https://github.com/distribution/reference/blob/main/regexp.go
    """
    first, slash, _ = reference.lower().partition("/")
    named = slash and ("." in first or ":" in first or first == "localhost")
    host = first if named else DOCKER_HUB
    return ImageRegistry(_ALIASES.get(host, host))


CHART_REGISTRIES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    # Defaults of the pinned charts' values, read 2026-11.
    {
        "fluid": (DOCKER_HUB,),
        "cert-manager": ("quay.io",),
        "kserve-resources": (DOCKER_HUB, "quay.io"),
    }
)
"""Registries that a chart pulls from unless its values say otherwise, by key of `CHARTS`."""
