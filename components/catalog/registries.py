"""Registries of container images: where one is, and from where it can be reached."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from .regions import is_mainland

DOCKER_HUB: Final = "docker.io"
"""Registry of an image reference that names none."""

# All are abroad, and pulls from mainland China may fail: ACR, "Sync images from sources outside
# China using artifact subscription", 2025-12-04,
# https://www.alibabacloud.com/help/en/acr/user-guide/subscribe-to-image-tags
# Registries of other clouds are where their regions are: those of ECR in China end in .cn.
_ABROAD: Final = re.compile(
    r"docker\.io|quay\.io|ghcr\.io|nvcr\.io|gcr\.io|[a-z0-9]+\.gcr\.io|registry\.k8s\.io"
    r"|[a-z0-9-]+-docker\.pkg\.dev|public\.ecr\.aws|\d+\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com"
    r"|mcr\.microsoft\.com|[a-z0-9]+\.azurecr\.io|registry\.gitlab\.com|lscr\.io|cgr\.dev"
)
_ALIASES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "index.docker.io": DOCKER_HUB,
        "registry-1.docker.io": DOCKER_HUB,
        "registry.hub.docker.com": DOCKER_HUB,
    }
)

# Endpoints of ACR's personal instances, old and new, of its Enterprise Edition, and of ACK's own
# images, read 2026-11:
# https://www.alibabacloud.com/help/en/acr/user-guide/individual-edition-instance-independent-domain-name-capacity-limit
# https://www.alibabacloud.com/help/en/acr/user-guide/configure-access-over-vpcs
# https://www.alibabacloud.com/help/en/ack/product-overview/aliyun-acr-acceleration-suite
_ALIBABA: Final = re.compile(
    r"registry(-intl)?(?P<old>-vpc|-internal)?\.(?P<old_region>[a-z0-9-]+)\.aliyuncs\.com"
    r"|(?P<instance>crpi-[a-z0-9]+)(?P<personal>-vpc)?\.(?P<personal_region>[a-z0-9-]+)"
    r"\.personal\.cr\.aliyuncs\.com"
    r"|[a-z0-9-]+-registry(?P<enterprise>-vpc)?\.(?P<enterprise_region>[a-z0-9-]+)"
    r"\.cr\.aliyuncs\.com"
    r"|registry-(?P<ack_region>[a-z0-9-]+?)(?P<ack>-vpc)?\.ack\.aliyuncs\.com"
)
_KINDS: Final = ("old", "personal", "enterprise", "ack")


@dataclass(frozen=True)
class ImageRegistry:
    """A registry, by its host."""

    host: str
    """As an image reference has it, with a port where one is given."""

    @property
    def name(self) -> str:
        """The host without a port."""
        return self.host.partition(":")[0]

    @property
    def is_abroad(self) -> bool:
        """Whether it is outside mainland China, as far as its host says so."""
        region = self.region
        return not is_mainland(region) if region else _ABROAD.fullmatch(self.name) is not None

    @property
    def region(self) -> str | None:
        """Region of a registry of Alibaba Cloud; None for others."""
        match = _ALIBABA.fullmatch(self.name)
        regions = (match[f"{kind}_region"] for kind in _KINDS) if match else ()
        return next((region for region in regions if region), None)

    @property
    def vpc_region(self) -> str | None:
        """Region whose VPCs alone it answers in; None where it answers elsewhere too."""
        match = _ALIBABA.fullmatch(self.name)
        return self.region if match and any(match[kind] for kind in _KINDS) else None

    @property
    def is_personal(self) -> bool:
        """Whether it is an instance of the Personal Edition made since 2024-09-09.

        Its public endpoint cannot be used to pull images.
        """
        match = _ALIBABA.fullmatch(self.name)
        return match is not None and match["instance"] is not None

    @property
    def vpc_host(self) -> str | None:
        """Host of a personal instance inside VPCs, where this is its public one."""
        instance, dot, rest = self.host.partition(".")
        public = self.is_personal and self.vpc_region is None
        return f"{instance}-vpc{dot}{rest}" if public else None


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
        "gateway-helm": (DOCKER_HUB,),
        "lws": ("registry.k8s.io",),
    }
)
"""Registries that a chart pulls from unless its values say otherwise, by key of `CHARTS`."""
