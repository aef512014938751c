"""What a stack file says of the gateway before the models.

It stands apart from the component, whose custom resources nobody needs who has no gateway.
"""

import re
from collections.abc import Iterator
from typing import Final

from pydantic import Field

from ..args import Args, Fault, Words, one_of_faults
from ..crds.formats import ImagePrefix
from ..names import SecretName
from .releases import HelmChart

GATEWAY_API_ADDON: Final = "gateway-api"
"""ACK's add-on of the Gateway API's resource types."""


class EnvoyGatewayChart(HelmChart):
    """Which chart installs Envoy Gateway."""

    image_prefix: ImagePrefix | None = None
    """Registry path that has the images `gateway`, `envoy` and `ratelimit`, e.g. a mirror."""


_ADDRESS: Final = re.compile(r"(redis://)?[A-Za-z0-9.-]+:\d{1,5}(/\d+)?")
"""What envoyproxy/ratelimit connects to: radix v4.1.4, conn.go, which adds no port."""


class LimitStore(Args):
    """The Redis in which limits are counted."""

    url: str | None = Field(default=None, examples=["redis.redis.svc:6379"])
    """Host and port. Exactly one of this and `secret`."""
    secret: SecretName | None = None
    """Name of an existing Secret in the namespace envoy-gateway-system whose `url` is its address
    with the password: redis://:PASSWORD@HOST:PORT."""

    def _faults(self) -> Iterator[Fault]:
        yield from one_of_faults(self, ("url", "secret"), "limits are counted in one place")
        if self.url is not None and "@" in self.url:
            want = "an address without a password, or secret in its place"
            yield Fault(
                "url", Words("given with a password"), want, "it would be in state in clear"
            )
        elif self.url is not None and not _ADDRESS.fullmatch(self.url):
            want = "a host and a port, such as redis.redis.svc:6379"
            why = "while the rate limit service cannot connect, nothing is limited"
            yield Fault("url", Words("given otherwise"), want, why)
