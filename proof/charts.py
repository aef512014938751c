"""The real Helm and a real API server on the charts that stacks install, at their releases.

Every value that a component sets is one that the chart has, and changes what it renders; and the
API server takes all of it, under strict validation. Does not prove it of the charts that lie in no
Go module: the metrics adapters' and the GPU exporter's.
"""

import copy
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from components.catalog.charts import CHARTS
from components.crds.affinity import Toleration
from components.platform import CertManagerArgs, FluidArgs, KServeArgs, KServeChart
from components.platform.cert_manager import cert_manager_values
from components.platform.fluid import fluid_values
from components.platform.kserve import kserve_values, runtime_values
from components.platform.leader_worker_sets import LeaderWorkerSetsChart, controller_values
from components.platform.llm_inference_services import LLMInferenceServicesArgs
from components.platform.llm_inference_services import controller_values as llm_values
from plan.run import plan
from sandbox import binaries, charts
from sandbox.guard import guarded
from sandbox.kubernetes import server
from sandbox.kubernetes.client import ApiClient, StatusError, namespace_manifest
from tests.stacks.environments import NAMES

from .step import Row, Say, Skipped, Step

ROOT: Final = Path(__file__).parents[1]
MIRROR: Final = "registry-vpc.cn-hangzhou.aliyuncs.com/mirror"
RELEASE: Final = "kubernetes:helm.sh/v3:Release"
ORDER: Final = tuple(charts.CHARTS)
"""Charts in the order in which their resource types are needed."""

Values = Mapping[str, Any]
Leaf = tuple[str, ...]


def sets() -> Iterator[tuple[str, str, Values]]:
    """Where values are set, the chart, and the values: the stacks', and all that we can set."""
    for name in NAMES:
        for resource in plan(name, ROOT).resources:
            chart = str(resource.inputs.get("chart", "")).rpartition("/")[2]
            if resource.type == RELEASE and chart in charts.CHARTS:
                yield f"Pulumi.{name}.yaml", chart, resource.inputs.get("values") or {}
    yield from (("every setting", chart, values) for chart, values in every_setting().items())


def every_setting() -> dict[str, Values]:
    """Values of each chart with all settings of its component."""
    mirror = {"image_prefix": MIRROR}
    tolerations = [Toleration(key="team", operator="Exists", effect="NoSchedule")]
    fluid = FluidArgs.of({"chart": mirror, "tolerations": tolerations})
    kserve = {"chart": mirror, "domain": "models.example", "ingress_class": "alb"}
    return {
        "cert-manager": cert_manager_values(CertManagerArgs.of(mirror)),
        "fluid": fluid_values(fluid),
        "kserve-llmisvc-resources": llm_values(
            LLMInferenceServicesArgs.of({"chart": mirror, "inference_pools": False})
        ),
        "kserve-resources": kserve_values(KServeArgs.of(kserve)),
        "kserve-runtime-configs": runtime_values(KServeChart(image_prefix=MIRROR)),
        "lws": controller_values(LeaderWorkerSetsChart(image_prefix=MIRROR)),
    }


def leaves(values: Values, path: Leaf = ()) -> Iterator[Leaf]:
    """Path of every value that is no mapping, or an empty one."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key)


def is_declared(path: Leaf, defaults: Any) -> bool:
    """Whether a chart's own values have a path; below an empty mapping, or nothing, all is."""
    for key in path:
        if defaults is None or defaults == {}:
            return True
        if not isinstance(defaults, Mapping) or key not in defaults:
            return False
        defaults = defaults[key]
    return True


def altered(values: Values, path: Leaf) -> dict[str, Any]:
    """The values with another one at a path."""
    result = copy.deepcopy(dict(values))
    parent: Any = result
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = _another(parent[path[-1]])
    return result


def _another(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return f"{value}-altered"
    return [] if value else None


def value_faults(chart: str, values: Values) -> list[str]:
    """Values that the chart does not have, or that change nothing of what it renders."""
    defaults = yaml.safe_load((charts.folder(chart) / "values.yaml").read_text())
    rendered = _rendered(chart, values)
    faults = []
    for path in leaves(values):
        name = ".".join(path)
        if not is_declared(path, defaults):
            faults.append(f"{name} is set, and the chart has no such value")
        elif _rendered(chart, altered(values, path)) == rendered:
            faults.append(f"{name} is set, and another value renders the same")
    return faults


def _rendered(chart: str, values: Values) -> Any:
    """What a chart renders; the reason where Helm refuses the values, which is an answer too."""
    try:
        return _render(chart, values)
    except ValueError as refused:
        return str(refused)


def _render(chart: str, values: Values) -> list[dict[str, Any]]:
    return charts.render(chart, values, CHARTS[chart].namespace, resource_types=True)


def refusals(client: ApiClient, manifests: list[dict[str, Any]]) -> list[str]:
    """What an API server refuses of a chart's objects. Resource types and namespaces are kept."""
    faults = []
    for manifest in sorted(manifests, key=lambda manifest: manifest["kind"] not in _KEPT):
        try:
            client.apply(manifest, "helm", dry_run=manifest["kind"] not in _KEPT, force=True)
        except StatusError as refused:
            faults.append(f"{manifest['kind']} {manifest['metadata']['name']}: {refused}")
    return faults


_KEPT: Final = frozenset({"CustomResourceDefinition", "Namespace"})


def run(say: Say) -> Iterator[Row]:
    """A row per chart and place that sets values for it.

    Raises:
        Skipped: Go, Helm, a chart or the API server cannot be had.
    """
    try:
        binaries.find("kube-apiserver", say)
        cases = _distinct()
        folder = Path(tempfile.mkdtemp(prefix="proof-charts-"))
        with guarded(folder):
            api_server = server.start(folder / "cluster")
            for where, chart, values in cases:
                yield _row(api_server.client, where, chart, values)
    except binaries.Unavailable as missing:
        raise Skipped(str(missing)) from None


def _row(client: ApiClient, where: str, chart: str, values: Values) -> Row:
    manifests = _render(chart, values)
    client.apply(namespace_manifest(CHARTS[chart].namespace), "helm")
    faults = [*value_faults(chart, values), *refusals(client, manifests)]
    figures = f"{len(list(leaves(values)))} values, {len(manifests)} objects"
    return Row(f"{chart}: {where}", figures, tuple(faults))


def _distinct() -> list[tuple[str, str, Values]]:
    """Each set of values once, in the order in which charts are installed."""
    cases: list[tuple[str, str, Values]] = []
    for case in sets():
        if all(case[1:] != other[1:] for other in cases):
            cases.append(case)
    return sorted(cases, key=lambda case: ORDER.index(case[1]))


STEP: Final = Step("charts", run, seconds=60, in_ci=True)
