"""Helm charts that the platform installs, each with where it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True)
class Chart:
    """A chart, pinned."""

    chart: str
    """Name in `repository`, or an `oci://` reference."""
    version: str
    namespace: str
    repository: str | None = None
    """HTTP repository; None for OCI."""


CHARTS: Final[Mapping[str, Chart]] = MappingProxyType(  # newest releases seen by 2026-11
    {
        # github.com/fluid-cloudnative/charts, 2025-10-31; 1.1.0 is still an alpha.
        "fluid": Chart(
            "fluid", "1.0.8", "fluid-system", "https://fluid-cloudnative.github.io/charts"
        ),
        # github.com/knative/operator, 2026-08-04; serves Serving 1.20 to 1.23.
        "knative-operator": Chart(
            "knative-operator",
            "v1.23.0",
            "knative-operator",
            "https://knative.github.io/operator",
        ),
    }
)

KNATIVE_SERVING_VERSION: Final = "1.23"
"""Serving release that the operator installs; it needs Kubernetes 1.34 or later."""
KNATIVE_SERVING_MINIMUM: Final[Mapping[str, str]] = MappingProxyType(
    # github.com/knative/operator, release notes, 2026-08
    {"1.20": "1.32", "1.21": "1.33", "1.22": "1.34", "1.23": "1.34"}
)
"""Lowest Kubernetes version per Serving release."""
