"""Helm charts that the platform installs, each with where it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True)
class Chart:
    """A chart, pinned."""

    chart: str
    """Name in `repository`, an `oci://` reference, or the URL of a .tgz."""
    version: str
    namespace: str
    repository: str | None = None
    """HTTP repository; None where `chart` is a full address."""

    @property
    def name(self) -> str:
        """What the chart calls itself."""
        return self.chart.rpartition("/")[2].removesuffix(f"-{self.version}.tgz")


CHARTS: Final[Mapping[str, Chart]] = MappingProxyType(  # releases that were read, by 2026-11-29
    {
        # github.com/fluid-cloudnative/charts, 2025-10-31; 1.1.0 is still an alpha.
        "fluid": Chart(
            "fluid", "1.0.8", "fluid-system", "https://fluid-cloudnative.github.io/charts"
        ),
        # github.com/knative/operator, 2026-08-04; serves Serving 1.20 to 1.23, as v1.23.1
        # of 2026-08-26 does.
        "knative-operator": Chart(
            "knative-operator",
            "v1.23.0",
            "knative-operator",
            "https://knative.github.io/operator",
        ),
        # github.com/cert-manager/cert-manager, 2026-07-29; supports Kubernetes 1.33 to 1.36. The
        # chart of v1.21.2, 2026-09-10, is the same but for its version.
        "cert-manager": Chart(
            "oci://quay.io/jetstack/charts/cert-manager", "v1.21.1", "cert-manager"
        ),
        # github.com/kserve/kserve, 2026-08-06; needs Kubernetes 1.32. The types of 0.21.0, of
        # 2026-09-25, have further fields and lack none: kserve 0.21.0 of PyPI. No other namespace
        # works: the CRDs name this one in their webhooks.
        "kserve-crd": Chart("oci://ghcr.io/kserve/charts/kserve-crd", "v0.20.0", "kserve"),
        "kserve-resources": Chart(
            "oci://ghcr.io/kserve/charts/kserve-resources", "v0.20.0", "kserve"
        ),
        "kserve-runtime-configs": Chart(
            "oci://ghcr.io/kserve/charts/kserve-runtime-configs", "v0.20.0", "kserve"
        ),
        "kserve-llmisvc-crd": Chart(
            "oci://ghcr.io/kserve/charts/kserve-llmisvc-crd", "v0.20.0", "kserve"
        ),
        "kserve-llmisvc-resources": Chart(
            "oci://ghcr.io/kserve/charts/kserve-llmisvc-resources", "v0.20.0", "kserve"
        ),
        # github.com/kubernetes-sigs/lws, 2026-06-17; 0.10.0 is of 2026-08-11. Of 0.7 and before the
        # resource type is no part of the folder crds: an upgrade from there by Helm may delete it
        # (issue 880).
        "lws": Chart("oci://registry.k8s.io/lws/charts/lws", "0.9.0", "lws-system"),
        # github.com/envoyproxy/gateway, 2026-11. It brings the Gateway API's resource types, but
        # none of the inference extension.
        "gateway-helm": Chart(
            "oci://docker.io/envoyproxy/gateway-helm", "v1.9.1", "envoy-gateway-system"
        ),
        # github.com/sgl-project/rbg, 2026-06-04; 0.8.0 is still an alpha.
        "rbgs": Chart(
            "https://github.com/sgl-project/rbg/releases/download/v0.7.0/rbgs-0.7.0.tgz",
            "0.7.0",
            "rbgs-system",
        ),
        # github.com/NVIDIA/dcgm-exporter, 2026-05-05.
        "dcgm-exporter": Chart(
            "dcgm-exporter",
            "4.8.2",
            "monitoring",
            "https://nvidia.github.io/dcgm-exporter/helm-charts",
        ),
        # github.com/prometheus-community/helm-charts, 2026-02-19.
        "prometheus-adapter": Chart(
            "oci://ghcr.io/prometheus-community/charts/prometheus-adapter", "5.3.0", "monitoring"
        ),
        # The address is from an example of Resource Orchestration Service, read 2026-11; 1.3.7
        # is said to exist.
        "ack-alibaba-cloud-metrics-adapter": Chart(
            "https://aliacs-app-catalog.oss-cn-hangzhou.aliyuncs.com/charts-incubator/"
            "ack-alibaba-cloud-metrics-adapter-1.3.3.tgz",
            "1.3.3",
            "kube-system",
        ),
    }
)

CERT_MANAGER_ONE_REGISTRY: Final = (1, 20)
"""First cert-manager release whose chart has one value for the registry of all its images."""
KSERVE_RBAC_PROXY: Final = "kube-rbac-proxy:v0.18.0"
"""Image beside KServe's own that kserve-resources v0.20.0 uses."""
KSERVE_RUNTIME_IMAGES: Final[Mapping[str, str]] = MappingProxyType(
    # github.com/kserve/kserve v0.20.0, charts/kserve-runtime-configs/values.yaml
    {
        "autogluonserver": "autogluonserver",
        "huggingfaceserver": "huggingfaceserver",
        "lgbserver": "lgbserver",
        "mlserver": "mlserver",
        "paddleserver": "paddleserver",
        "pmmlserver": "pmmlserver",
        "predictiveserver": "predictiveserver",
        "sklearnserver": "sklearnserver",
        "tensorflow": "serving",
        "torchserve": "torchserve-kfs",
        "tritonserver": "tritonserver",
        "vllmserver": "vllm-openai",
        "xgbserver": "xgbserver",
    }
)
"""Images of KServe's own serving runtimes by their name in kserve-runtime-configs' values: what
follows the last `/` of each, whoever publishes it."""
KSERVE_RENAMED: Final = (0, 17)
"""First KServe release whose controller chart is called kserve-resources: pull 4829."""

KNATIVE_SERVING_VERSION: Final = "1.23"
"""Serving release that the operator installs; it needs Kubernetes 1.34 or later."""
KNATIVE_SERVING_MINIMUM: Final[Mapping[str, str]] = MappingProxyType(
    # github.com/knative/operator, release notes, 2026-08
    {"1.20": "1.32", "1.21": "1.33", "1.22": "1.34", "1.23": "1.34"}
)
"""Lowest Kubernetes version per Serving release."""
KNATIVE_SERVING_PATCHES: Final[Mapping[str, int]] = MappingProxyType(
    # knative.dev/operator v0.50.0, cmd/operator/kodata/knative-serving, read 2026-11-29; Serving
    # 1.24 of 2026-10-26 is none of them.
    {"1.20": 3, "1.21": 3, "1.22": 1, "1.23": 0}
)
"""Last patch per Serving release that the pinned operator has; of a release it takes the last."""
KNATIVE_SERVING_WANTED: Final = (
    f"one of {', '.join(KNATIVE_SERVING_PATCHES)}, or a patch of theirs up to "
    + ", ".join(f"{release}.{last}" for release, last in KNATIVE_SERVING_PATCHES.items())
)
"""These versions in words."""


def serving_release(version: str) -> str | None:
    """The release of Serving that a version is of, e.g. 1.22 of 1.22.1.

    None of one that the pinned operator does not have: it then installs nothing.
    """
    release, dot, patch = version[:4], version[4:5], version[5:]
    last = KNATIVE_SERVING_PATCHES.get(release)
    is_there = not version[4:] or (dot == "." and patch.isdecimal() and int(patch) <= (last or 0))
    return release if last is not None and is_there else None
