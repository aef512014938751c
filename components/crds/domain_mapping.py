"""DomainMapping of Knative Serving: a host of one's own, and the claim on it.

CRDs: https://github.com/knative/serving/blob/main/config/core/300-resources/domain-mapping.yaml
and https://github.com/knative/networking/blob/main/config/domain-claim.yaml
"""

from typing import Final

from ..args import Input
from ..names import ObjectName
from .custom_resource import CustomResource
from .knative import API_VERSION as SERVING
from .model import CrdModel

API_VERSION: Final = "serving.knative.dev/v1beta1"
CLAIM_API_VERSION: Final = "networking.internal.knative.dev/v1alpha1"


class KReference(CrdModel):
    """What a host leads to."""

    kind: str
    """Kind of it, e.g. Service."""
    name: Input[str]
    """Name of it, in the mapping's namespace."""
    api_version: str
    """API of it."""


class SecretTls(CrdModel):
    """A certificate of one's own."""

    secret_name: ObjectName
    """Name of a Secret of type kubernetes.io/tls in the mapping's namespace."""


class DomainMappingSpec(CrdModel):
    """What the host leads to that is the mapping's name."""

    ref: KReference
    """What it leads to."""
    tls: SecretTls | None = None
    """Its certificate. Left out, as the cluster's Knative is set."""

    @classmethod
    def to_service(cls, service: str, secret: str | None) -> "DomainMappingSpec":
        """A host that leads to a Knative Service, with the certificate of a Secret."""
        ref = KReference(kind="Service", name=service, api_version=SERVING)
        return cls(ref=ref, tls=SecretTls(secret_name=secret) if secret else None)


class DomainMapping(CustomResource[DomainMappingSpec], api_version=API_VERSION):
    """A host that leads to a Knative Service."""


class ClusterDomainClaimSpec(CrdModel):
    """Who may map the host that is the claim's name."""

    namespace: Input[str]
    """Namespace of its mapping."""


class ClusterDomainClaim(CustomResource[ClusterDomainClaimSpec], api_version=CLAIM_API_VERSION):
    """The right of a namespace to a host."""
