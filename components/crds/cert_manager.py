"""Certificate of cert-manager.

API: https://cert-manager.io/docs/reference/api-docs/#cert-manager.io/v1.Certificate
"""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from ..args import Because
from ..hosts import WildcardName
from ..names import ObjectName
from .custom_resource import CustomResource
from .model import CrdModel

API_VERSION: Final = "cert-manager.io/v1"


class IssuerKind(StrEnum):
    """Where an issuer is."""

    ISSUER = "Issuer"
    """In the certificate's namespace."""
    CLUSTER_ISSUER = "ClusterIssuer"
    """In the cluster."""


class IssuerReference(CrdModel):
    """Who issues a certificate."""

    name: ObjectName
    """Name of the issuer."""
    kind: IssuerKind = IssuerKind.ISSUER
    """Where it is."""


class CertificateSpec(CrdModel):
    """A certificate that cert-manager gets, and renews."""

    secret_name: ObjectName
    """Name of the Secret that it is kept in."""
    dns_names: list[Annotated[WildcardName, Because("the certificate is for it")]] = Field(
        min_length=1
    )
    """Hosts that it is for, or `*.` and a domain for those right below it."""
    issuer_ref: IssuerReference
    """Who issues it."""

    @classmethod
    def of_cluster_issuer(cls, host: str, secret: str, issuer: str) -> "CertificateSpec":
        """The certificate of a host, from a ClusterIssuer, in a Secret."""
        reference = IssuerReference(name=issuer, kind=IssuerKind.CLUSTER_ISSUER)
        return cls(secret_name=secret, dns_names=[host], issuer_ref=reference)


class Certificate(CustomResource[CertificateSpec], api_version=API_VERSION):
    """A certificate in a Secret."""
