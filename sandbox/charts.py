"""Charts as their projects tag them, rendered by the real Helm: what a release would install."""

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import yaml

from . import binaries, modules

KUBERNETES: Final = "1.34.0"
"""Kubernetes version that a chart is told of."""
CHARTS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "cert-manager": ("github.com/cert-manager/cert-manager", "deploy/charts/cert-manager"),
        "fluid": ("github.com/fluid-cloudnative/fluid", "charts/fluid/fluid"),
        "kserve-crd": ("github.com/kserve/kserve", "charts/kserve-crd"),
        "kserve-llmisvc-crd": ("github.com/kserve/kserve", "charts/kserve-llmisvc-crd"),
        "kserve-llmisvc-resources": (
            "github.com/kserve/kserve",
            "charts/kserve-llmisvc-resources",
        ),
        "kserve-resources": ("github.com/kserve/kserve", "charts/kserve-resources"),
        "kserve-runtime-configs": ("github.com/kserve/kserve", "charts/kserve-runtime-configs"),
        "lws": ("sigs.k8s.io/lws", "charts/lws"),
    }
)
"""Go module that holds a chart, and its folder there. The others come in none."""

_IMAGE_ARGUMENT: Final = re.compile(r"--[a-z0-9-]*image=(\S+)")


def folder(chart: str) -> Path:
    """Folder of a chart, in a module that go.sum pins.

    Raises:
        Unavailable: Go is not there, or the module cannot be had.
    """
    module, path = CHARTS[chart]
    return modules.folder(module) / path


def render(
    chart: str, values: Mapping[str, Any], namespace: str, *, resource_types: bool = False
) -> list[dict[str, Any]]:
    """Every object of a chart, its hooks among them, as `helm template` has it.

    Args:
        chart: A key of `CHARTS`.
        values: What it is given.
        namespace: Namespace of the release.
        resource_types: Whether those of its folder `crds` are among them.

    Raises:
        ValueError: Helm refuses the values, or the chart.
        Unavailable: Helm or the chart cannot be had.
    """
    return template(folder(chart), values, namespace, resource_types=resource_types)


def template(
    chart: Path, values: Mapping[str, Any], namespace: str, *, resource_types: bool = False
) -> list[dict[str, Any]]:
    """The same of a chart in a folder."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(values, file)
        file.flush()
        options = ["--namespace", namespace, "--kube-version", KUBERNETES, "--values", file.name]
        options += ["--include-crds"] if resource_types else []
        command = [str(binaries.find("helm")), "template", chart.name, str(chart), *options]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(done.stderr.strip())
    return [manifest for manifest in yaml.load_all(done.stdout, yaml.CSafeLoader) if manifest]


def images(manifest: Any) -> Iterator[str]:
    """Every image that an object has pulled: by containers, variables, arguments and settings."""
    if isinstance(manifest, Mapping):
        yield from _images_of(manifest)
        for value in manifest.values():
            yield from images(value)
    elif isinstance(manifest, list):
        for value in manifest:
            yield from images(value)
    elif isinstance(manifest, str):
        yield from _IMAGE_ARGUMENT.findall(manifest)
        if manifest.lstrip().startswith("{") and (settings := _json(manifest)):
            yield from images(settings)


def _images_of(manifest: Mapping[str, Any]) -> Iterator[str]:
    name, value = str(manifest.get("name", "")), manifest.get("value")
    if "IMAGE" in name and isinstance(value, str) and "/" in value:
        yield value
    for key in ("image", "defaultJobImage"):
        if isinstance(image := manifest.get(key), str):
            yield image


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
