"""Fluid on one machine: the release's own controllers of Datasets and of Jindo caches.

They install a chart of Fluid's for each cache, with the real Helm, and ask the programs in the
master's container what they have mounted. Those programs have a stand-in (`tools/kubelet`), which
answers in the node's place; all else is Fluid's. Its webhook is left out: it changes pods with a
label of its own alone, and no pod of ours has it.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from components.catalog.charts import CHARTS
from components.platform.fluid import FluidArgs, fluid_values

from .. import binaries, charts
from ..kubernetes import records
from ..kubernetes.client import Manifest, namespace_manifest
from .controller import Controller, ControlPlane, Daemon
from .health import answers

VERSION: Final = f"v{CHARTS['fluid'].version}"
NAMESPACE: Final = CHARTS["fluid"].namespace
DEPLOYMENTS: Final[Mapping[str, str]] = {
    "dataset-controller": "fluid-dataset-controller",
    "jindoruntime-controller": "fluid-jindoruntime-controller",
}
"""Deployments of the chart that run here, and their programs."""

CACHE_CHARTS: Final = ("jindocache", "fluid-dataloader/jindocache")
"""Charts that the controllers install, for a cache and for what loads it."""
LIBRARY: Final = "library"
"""The chart that they depend on."""
ON_DEMAND: Final = "jindoruntime-controller"
"""Deployment that the controller of Datasets scales up before it goes on: it has to be there."""

_ENDED: Final = frozenset({"Deployment", "DaemonSet", "Job"})
"""Kinds that a kubelet would run."""
_UNASKED: Final = frozenset({"MutatingWebhookConfiguration"})
_REPLACED: Final = ("--enable-leader-election", "--leader-election-namespace=", "--pprof-addr=")


def rendered(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the chart installs, resource types first.

    Raises:
        Unavailable: Helm or the chart cannot be had.
    """
    manifests = charts.render("fluid", values, NAMESPACE, resource_types=True)
    return sorted(manifests, key=lambda manifest: manifest["kind"] != "CustomResourceDefinition")


def command(manifests: list[dict[str, Any]], deployment: str) -> tuple[list[str], dict[str, str]]:
    """Arguments and variables that the chart gives a controller, but for what is of a pod alone."""
    [container] = [
        container
        for manifest in manifests
        if manifest["kind"] == "Deployment" and manifest["metadata"]["name"] == deployment
        for container in manifest["spec"]["template"]["spec"]["containers"]
    ]
    arguments = [word for word in container["args"] if not word.startswith(_REPLACED)]
    variables = {entry["name"]: entry.get("value") for entry in container.get("env", ())}
    return arguments, {name: value for name, value in variables.items() if value is not None}


def _manifests(plane: ControlPlane) -> Iterator[Manifest]:
    yield namespace_manifest(NAMESPACE)
    for manifest in rendered(_values(plane)):
        if manifest["kind"] not in _ENDED | _UNASKED:
            yield manifest
        elif manifest["metadata"]["name"] == ON_DEMAND:
            # A paused Deployment makes no pod.
            yield {**manifest, "spec": {**manifest["spec"], "paused": True}}


def _values(plane: ControlPlane) -> Mapping[str, Any]:
    values = records.values(plane.client, "fluid")
    return fluid_values(FluidArgs.of({"chart": {}})) if values is None else values


def _daemons(plane: ControlPlane) -> list[Daemon]:
    manifests = rendered(_values(plane))
    return [
        Daemon("kubelet", "kubelet", [f"--address=127.0.0.1:{plane.port('kubelet')}"]),
        *(_daemon(plane, manifests, name) for name in DEPLOYMENTS),
    ]


def _daemon(plane: ControlPlane, manifests: list[dict[str, Any]], deployment: str) -> Daemon:
    arguments, variables = command(manifests, deployment)
    home = _home(plane.folder / "fluid")
    address = f"--metrics-addr=127.0.0.1:{plane.port(deployment)}"
    environment = {
        **variables,
        "HOME": str(home),
        "KUBECONFIG": str(plane.kubeconfig),
        "MY_POD_NAMESPACE": NAMESPACE,
        "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "TMPDIR": str(home / "tmp"),
    }
    return Daemon(deployment, DEPLOYMENTS[deployment], ["start", *arguments, address], environment)


def _home(folder: Path) -> Path:
    """A home with what the image of a controller has: the charts of caches, and Helm."""
    if not (folder / "charts").is_dir():
        _copy_charts(charts.folder("fluid").parent.parent, folder / "charts")
    for name in ("bin", "tmp"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "bin" / "ddc-helm").unlink(missing_ok=True)
    (folder / "bin" / "ddc-helm").symlink_to(binaries.find("helm"))
    return folder


def _copy_charts(source: Path, target: Path) -> None:
    """The charts of caches, each with the one that it depends on, as Fluid's images have them."""
    new = target.with_name("charts.new")
    shutil.rmtree(new, ignore_errors=True)
    for chart in CACHE_CHARTS:
        _copy(source / chart, new / chart)
        # As `helm dependency build` does, which wants to write into what is read-only.
        _copy(source / LIBRARY, new / chart / "charts" / LIBRARY)
    new.replace(target)


def _copy(source: Path, target: Path) -> None:
    """A folder without its permissions: modules are read-only."""
    for path in source.rglob("*"):
        if path.is_file():
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())


def _ready(plane: ControlPlane) -> str:
    waits = [name for name in DEPLOYMENTS if not answers(plane.port(name), "/metrics")]
    return ", ".join(waits)


CONTROLLER: Final = Controller(
    "Fluid",
    VERSION,
    _daemons,
    _manifests,
    kinds=frozenset(
        ("data.fluid.io/v1alpha1", kind) for kind in ("Dataset", "JindoRuntime", "DataLoad")
    ),
    ready=_ready,
)
