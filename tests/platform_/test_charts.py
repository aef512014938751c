"""The real Helm on the real charts of KServe, Fluid and cert-manager, with what the platform gives.

Does not prove it of the charts that come in no Go module: Knative's operator, the metrics adapters
and the GPU exporter.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
import yaml

from components.catalog.charts import CHARTS, KSERVE_RUNTIME_IMAGES
from components.platform import CertManagerArgs, FluidArgs, KServeArgs, KServeChart
from components.platform.cert_manager import cert_manager_values
from components.platform.fluid import fluid_values
from components.platform.kserve import kserve_values, runtime_values
from components.platform.leader_worker_sets import LeaderWorkerSetsChart, controller_values
from components.platform.llm_inference_services import LLMInferenceServicesArgs
from components.platform.llm_inference_services import controller_values as llm_values
from sandbox import binaries, charts, modules

MIRROR: Final = "registry-vpc.cn-hangzhou.aliyuncs.com/mirror"
ON_DEMAND: Final = re.compile(r"(alluxio|efc|goosefs|juicefs|thin|vineyard)runtime-controller")
"""Controllers of Fluid's other runtimes, which run once there is such a runtime; we make none."""
ALLUXIO: Final = "alluxio/alluxio-dev:"
"""In a variable of Fluid's dataset-controller too, which pulls it to back Alluxio up."""


def chart_values(image_prefix: str | None) -> dict[str, dict[str, Any]]:
    """Values of each chart, as its component has them."""
    kserve = KServeChart(image_prefix=image_prefix)
    mirror = {"image_prefix": image_prefix} if image_prefix else {}
    return {
        "cert-manager": cert_manager_values(CertManagerArgs.of(mirror)),
        "fluid": fluid_values(FluidArgs.of({"chart": mirror})),
        "kserve-crd": {},
        "kserve-llmisvc-crd": {},
        "kserve-llmisvc-resources": llm_values(LLMInferenceServicesArgs.of({"chart": mirror})),
        "kserve-resources": kserve_values(KServeArgs.of({"chart": mirror})),
        "kserve-runtime-configs": runtime_values(kserve),
        "lws": controller_values(LeaderWorkerSetsChart.of(mirror)),
    }


def rendered(chart: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    try:
        return charts.render(chart, values, CHARTS[chart].namespace)
    except binaries.Unavailable as missing:
        pytest.skip(str(missing))


def pulled(chart: str, image_prefix: str | None) -> set[str]:
    objects = rendered(chart, chart_values(image_prefix)[chart])
    return {image for manifest in objects if _runs(manifest) for image in charts.images(manifest)}


def _runs(manifest: Mapping[str, Any]) -> bool:
    idle = manifest["kind"] == "Deployment" and manifest["spec"].get("replicas") == 0
    if idle:
        assert ON_DEMAND.fullmatch(manifest["metadata"]["name"]), manifest["metadata"]["name"]
    return not idle


@pytest.mark.parametrize("chart", [*charts.CHARTS])
def test_a_mirror_has_every_image_that_a_chart_pulls(chart: str) -> None:
    elsewhere = {image for image in pulled(chart, MIRROR) if not image.startswith(f"{MIRROR}/")}
    assert {image for image in elsewhere if not image.startswith(ALLUXIO)} == set()


@pytest.mark.parametrize(
    ("chart", "image"),
    [
        ("cert-manager", "quay.io/jetstack/cert-manager-controller:"),
        ("cert-manager", "quay.io/jetstack/cert-manager-acmesolver:"),
        ("cert-manager", "quay.io/jetstack/cert-manager-startupapicheck:"),
        ("fluid", "fluidcloudnative/fluid-csi:"),
        ("fluid", "registry.cn-shanghai.aliyuncs.com/jindofs/smartdata:"),
        ("fluid", "registry.cn-shanghai.aliyuncs.com/jindofs/jindo-fuse:"),
        ("kserve-llmisvc-resources", "kserve/llmisvc-controller:"),
        ("kserve-resources", "quay.io/brancz/kube-rbac-proxy:"),
        ("kserve-resources", "kserve/storage-initializer:"),
        ("kserve-resources", "kserve/agent:"),
        ("kserve-runtime-configs", "nvcr.io/nvidia/tritonserver:"),
        ("kserve-runtime-configs", "vllm/vllm-openai:"),
        ("lws", "registry.k8s.io/lws/lws:"),
    ],
)
def test_without_a_mirror_these_images_are_seen_elsewhere(chart: str, image: str) -> None:
    """So that the test above cannot pass for want of looking."""
    assert any(reference.startswith(image) for reference in pulled(chart, None)), sorted(
        pulled(chart, None)
    )


@pytest.mark.parametrize("module", sorted({module for module, _ in charts.CHARTS.values()}))
def test_the_charts_are_of_the_releases_that_are_installed(module: str) -> None:
    names = [name for name, (of, _) in charts.CHARTS.items() if of == module]
    versions = {CHARTS[name].version.removeprefix("v") for name in names}
    assert versions == {modules.version(module).removeprefix("v")}


def test_every_runtime_of_kserve_with_an_image_of_its_own_is_known() -> None:
    values = rendered_values("kserve-runtime-configs")["kserve"]["servingruntime"]
    images = {
        name: value["image"].rpartition("/")[2]
        for name, value in values.items()
        if isinstance(value, dict) and "image" in value and name != "art"
    }
    assert images == dict(KSERVE_RUNTIME_IMAGES)


def rendered_values(chart: str) -> Any:
    try:
        return yaml.safe_load((charts.folder(chart) / "values.yaml").read_text())
    except binaries.Unavailable as missing:
        pytest.skip(str(missing))


def settings() -> Iterator[tuple[str, Any]]:
    for manifest in rendered("kserve-resources", chart_values(None)["kserve-resources"]):
        if manifest["metadata"]["name"] == "inferenceservice-config":
            yield from manifest["data"].items()


def test_kserve_gives_a_container_no_cpu_limit() -> None:
    """Its webhook leaves an empty one alone: setResourceRequirementDefaults of v0.20.0."""
    limits = json.loads(dict(settings())["inferenceService"])["resource"]
    assert limits == {
        "cpuLimit": "",
        "cpuRequest": "1",
        "memoryLimit": "2Gi",
        "memoryRequest": "2Gi",
    }


def test_the_fuse_of_a_cache_tolerates_every_taint_whatever_it_is_given() -> None:
    """The chart that Fluid's controller installs for each cache. Does not prove what ack-fluid's
    does, for which the tolerations are still given."""
    try:
        runtime = charts.folder("fluid").parent.parent / "jindocache"
    except binaries.Unavailable as missing:
        pytest.skip(str(missing))
    fuse = (runtime / "templates/fuse/daemonset.yaml").read_text()
    assert re.search(r"tolerations:\n +- operator: Exists\n", fuse)
    assert ".Values.fuse.tolerations" not in fuse
