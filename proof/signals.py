"""Rules by the real promtool, and scaling on several figures and hours by the real KEDA.

Each alert fires on its case and stays silent on its counter case; each query of ours answers as a
release of vLLM reports. Then KEDA's webhook and operator take the ScaledObjects of models, and the
controller manager scales by what a real Prometheus answers. Does not prove that a pod serves.
"""

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from components.catalog.metrics import SIGNALS, MetricsFlavor, signal_query
from components.catalog.vllm.table import Version, release
from components.crds.keda import API_VERSION
from components.crds.keda_annotations import TRANSFER_HPA
from components.crds.kserve_annotations import deployment_name
from components.crds.monitoring import API_VERSION as MONITORING
from components.platform.alert_rules import InstancePrice
from components.serving import KServeModelArgs
from components.serving.keda_scale import pods_of
from components.serving.kserve_model import scaled_object_spec
from sandbox import binaries
from sandbox.controllers import core, keda, metrics, running
from sandbox.controllers.controller import ControlPlane
from sandbox.gpu_exporter import serving
from sandbox.kubernetes import crds
from sandbox.kubernetes.client import ApiClient, Manifest, namespace_manifest
from tests.serving.arguments import model as smallest
from tests.serving.arguments import server as server_of

from . import plans
from .alert_cases import CASES, MODEL, POD, rules, unit_tests
from .cluster import MANAGER, Kubelet, cluster, refusal, until
from .step import Row, Say, Skipped, Step

NAMESPACE: Final = "inference"
SECONDS: Final = 120
"""Longest until a model has as many replicas as it has to have."""
HOLDS: Final = 20
"""Seconds for which a model keeps what it has to keep."""
_WAITING: Final = "vllm:num_requests_waiting"
_CACHE: Final = "vllm:kv_cache_usage_perc"
_TTFT: Final = "vllm:time_to_first_token_seconds"


# --- rules and queries, by promtool --------------------------------------------------------------


def run(say: Say) -> Iterator[Row]:
    """A row per set of rules, per alert, per query and per model.

    Raises:
        Skipped: Go is missing, or a program cannot be had.
    """
    try:
        tool = binaries.find("promtool", say)
    except binaries.Unavailable as missing:
        raise Skipped(str(missing)) from None
    yield from _checked(tool)
    yield from _alerts(tool)
    yield _queries(tool)
    yield from _scaled(say)


def rule_sets() -> Iterator[tuple[str, Manifest]]:
    """Rules of every kind: of releases, flavors and prices, and those of accepted stacks."""
    for vllm in ("0.28.0", "0.8.5", "0.4.1", None):
        model = MODEL.model_copy(update={"vllm": vllm})
        yield f"vLLM {vllm or 'unknown'}", rules(model).manifest()
    dear = InstancePrice(instance_type="ecs.gn6e-c12g1.3xlarge", hourly=19.7)
    several = MODEL.model_copy(update={"prices": [*MODEL.prices, dear]})
    bare = MODEL.model_copy(update={"name": "bare", "objective": None, "prices": [], "vllm": None})
    yield "two prices, two models", rules(several, bare).manifest()
    yield "flavor arms", rules(flavor=MetricsFlavor.ARMS).manifest()
    for where, of in plans.cases(lambda raw: raw.get("alerts")):
        for item in of.manifests("PrometheusRule"):
            yield where, item["spec"]


def _checked(tool: Path) -> Iterator[Row]:
    sets, refused, count = list(rule_sets()), [], 0
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        for index, (where, spec) in enumerate(sets):
            file = Path(folder) / f"{index}.yaml"
            file.write_text(json.dumps(spec))
            done = _promtool(tool, "check", "rules", "--lint=all", "--lint-fatal", str(file))
            count += sum(len(group["rules"]) for group in spec["groups"])
            if done.returncode:
                refused.append(f"{where}: {done.stdout}{done.stderr}")
    yield Row("rules", f"{count} rules in {len(sets)} sets, read by Prometheus", tuple(refused))


def _promtool(tool: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([tool, *arguments], capture_output=True, text=True)  # noqa: S603  our own


def _alerts(tool: Path) -> Iterator[Row]:
    """Runs all cases at once; what promtool says of each alert is its row."""
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        spec = rules()
        (Path(folder) / "rules.json").write_text(json.dumps(spec.manifest()))
        files = []
        for index, document in enumerate(unit_tests(spec, "rules.json")):
            files.append(Path(folder) / f"test-{index}.json")
            files[-1].write_text(json.dumps(document))
        done = _promtool(tool, "test", "rules", *map(str, files))
    said = (done.stdout + done.stderr).split("    name: ")
    for alert in dict.fromkeys(case.alert for case in CASES):
        cases = [case for case in CASES if case.alert == alert]
        faults = tuple(text.strip() for text in said[1:] if text.startswith(f"{alert}:"))
        fires = sum(case.fires for case in cases)
        yield Row(alert, f"fires on {fires}, silent on {len(cases) - fires}", faults)
    if done.returncode and len(said) == 1:
        yield Row("promtool", "", (said[0],))


def query_tests() -> Iterator[dict[str, Any]]:
    """What each query has to answer, by the names of its series, and where there is none."""
    where, own = pods_of("chat", NAMESPACE), f'namespace="{NAMESPACE}",pod="{POD}"'
    other = own.replace(POD, "chatter-predictor-1-1")

    def histogram(growth: int) -> dict[str, str]:
        bounds = {"2.5": 90, "5.0": 100, "+Inf": 100}
        series = {
            f'{_TTFT}_bucket{{{own},le="{bound}"}}': f"0+{growth * share}x20"
            for bound, share in bounds.items()
        }
        return {**series, f"{_TTFT}_count{{{own}}}": f"0+{growth * 100}x20"}

    second = own.replace("x1", "x2")
    told: tuple[tuple[str, Version | None, dict[str, str], float | None], ...] = (
        ("vllm_num_requests_waiting", (0, 28, 0), {f"{_WAITING}{{{own}}}": "3x20"}, 3),
        (
            "vllm_num_requests_waiting",
            None,
            {f"{_WAITING}{{{own}}}": "3x20", f"{_WAITING}{{{other}}}": "9x20"},
            3,
        ),
        ("vllm_num_requests_waiting", None, {}, None),
        ("vllm_num_requests_running", None, {f"vllm:num_requests_running{{{own}}}": "7x20"}, 7),
        (
            "vllm_kv_cache_usage",
            (0, 8, 5),
            {f"vllm:gpu_cache_usage_perc{{{own}}}": "0.5x20"},
            0.5,
        ),
        (
            "vllm_kv_cache_usage",
            (0, 10, 0),
            {f"vllm:gpu_cache_usage_perc{{{own}}}": "0.5x20", f"{_CACHE}{{{own}}}": "0.5x20"},
            0.5,
        ),
        (
            "vllm_kv_cache_usage",
            None,
            {
                f'{_CACHE}{{{own},engine="0"}}': "0.5x20",
                f'{_CACHE}{{{own},engine="1"}}': "0.75x20",
                f"vllm:gpu_cache_usage_perc{{{second}}}": "0.25x20",
            },
            1,
        ),
        ("vllm_time_to_first_token_p95", (0, 28, 0), histogram(1), 3.75),
        ("vllm_time_to_first_token_p95", None, histogram(0), 0),
        ("vllm_time_to_first_token_p95", None, {}, None),
    )
    for name, version, series, value in told:
        reported = release(version).series if version else None
        query = signal_query(SIGNALS[name], where, reported)
        samples = [] if value is None else [{"labels": "{}", "value": value}]
        yield {
            "interval": "1m",
            "input_series": [{"series": key, "values": values} for key, values in series.items()],
            "promql_expr_test": [
                {"expr": f"round({query}, 0.001)", "eval_time": "15m", "exp_samples": samples}
            ],
        }


def _queries(tool: Path) -> Row:
    tests = list(query_tests())
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        file = Path(folder) / "test.json"
        file.write_text(json.dumps({"evaluation_interval": "1m", "tests": tests}))
        done = _promtool(tool, "test", "rules", str(file))
    faults = (done.stdout + done.stderr,) if done.returncode else ()
    return Row("queries", f"{len(tests)} answers, of the 4 figures", faults)


# --- scaling, by KEDA ----------------------------------------------------------------------------


@dataclass(frozen=True)
class ScaleStage:
    """What is reported of a model, and how many replicas it comes to, or keeps."""

    series: Mapping[str, float]
    """What its pods report, or a gateway does."""
    replicas: int
    keeps: bool = False
    """Whether it has so many already, and has to keep them."""


@dataclass(frozen=True)
class ScaledModel:
    """A model, and what it goes through."""

    name: str
    scale: Mapping[str, Any]
    stages: tuple[ScaleStage, ...] = ()
    late: bool = False
    """Whether its pods report first tokens that come within 5 s, and not within 2.5."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """A window that the checks refuse, for what KEDA makes of it."""


def _hours(begin: int, end: int, replicas: int) -> dict[str, Any]:
    """A window around now, or not, in hours from now."""
    now = datetime.now(UTC)
    start, stop = ((now.hour + offset) % 24 for offset in (begin, end))
    window = {"start": f"0 {start} * * *", "end": f"0 {stop} * * *", "replicas": replicas}
    return {"time_zone": "UTC", "windows": [window]}


def _between_ends() -> dict[str, str]:
    """A window that began 6 hours ago for this week, and ended 3 hours ago, as it does daily."""
    now = datetime.now(UTC)
    begun, ended = now - timedelta(hours=6), now - timedelta(hours=3)
    start = f"0 {begun.hour} * * {begun.isoweekday() % 7}"
    return {"timezone": "UTC", "start": start, "end": f"0 {ended.hour} * * *"}


def scaled_models() -> tuple[ScaledModel, ...]:
    """What KEDA is put through."""
    cache = {"metric": "vllm_kv_cache_usage", "target": 0.5}
    tokens = {"metric": "vllm_time_to_first_token_p95", "target": 2}
    asked = {"metric": "prometheus", "query": 'sum(gateway_requests{model="woken"})', "target": 5}
    from_zero = {
        "min": 0,
        "keda": {"triggers": [asked], "polling_seconds": 5, "cooldown_seconds": 5},
    }
    queue = {_WAITING: 9, _CACHE: 0.1}
    return (
        ScaledModel("queue", {}, (ScaleStage(queue, 3),)),
        ScaledModel(
            "cache", {"keda": {"triggers": [cache]}}, (ScaleStage({_WAITING: 1, _CACHE: 1.9}, 4),)
        ),
        ScaledModel(
            "tokens", {"keda": {"triggers": [tokens]}}, (ScaleStage({_WAITING: 0}, 6),), True
        ),
        ScaledModel(
            "open", {"keda": {"schedule": _hours(-2, 2, 3)}}, (ScaleStage({_WAITING: 0}, 3),)
        ),
        ScaledModel(
            "closed", {"keda": {"schedule": _hours(2, 4, 3)}}, (ScaleStage({_WAITING: 0}, 1),)
        ),
        ScaledModel("two-ends", {}, (ScaleStage({_WAITING: 0}, 3),), refused=_between_ends()),
        ScaledModel(
            "no-zone",
            {},
            (ScaleStage({_WAITING: 0}, 1, keeps=True),),
            refused={"timezone": "CST", "start": "0 0 * * *", "end": "59 23 * * *"},
        ),
        ScaledModel("lost", {}, (ScaleStage(queue, 3), ScaleStage({}, 3, keeps=True))),
        ScaledModel(
            "woken",
            from_zero,
            (
                ScaleStage({"gateway_requests": 0}, 0),
                ScaleStage({"gateway_requests": 8}, 2),
                ScaleStage({"gateway_requests": 0}, 0),
            ),
        ),
    )


def manifest(case: ScaledModel, server: str) -> Manifest:
    """The ScaledObject of a model, as its component renders it, that asks a Prometheus here."""
    keda_of = {"server": plans.PROMETHEUS, **case.scale.get("keda", {})}
    scale = {
        "min": 1,
        "max": 6,
        "metric": "vllm_num_requests_waiting",
        "target": 4,
        "scale_down_seconds": 0,
        **case.scale,
        "keda": keda_of,
    }
    image = "registry/vllm:0.28.0"
    served = smallest(serve={"scale": scale}, server=server_of(image=image))
    args = KServeModelArgs.of(served)
    spec = scaled_object_spec(case.name, args)
    assert spec is not None  # noqa: S101  it has a keda block
    rendered = spec.manifest()
    if case.refused:
        rendered["triggers"].append(
            {"type": "cron", "metadata": {**case.refused, "desiredReplicas": "3"}}
        )
    scaled = _object(API_VERSION, "ScaledObject", f"{case.name}-keda", rendered)
    return plans.asking(scaled, server)


def _object(api_version: str, kind: str, name: str, spec: Any) -> Manifest:
    notes = {TRANSFER_HPA: "true"} if kind == "ScaledObject" else {}
    about = {"name": name, "namespace": NAMESPACE, "annotations": notes}
    return {"apiVersion": api_version, "kind": kind, "metadata": about, "spec": spec}


class Reported:
    """What is reported of a model at a time."""

    def __init__(self, case: ScaledModel) -> None:
        self.case, self.series = case, case.stages[0].series
        self._begun = time.monotonic()

    def text(self) -> bytes:
        """The series, as Prometheus reads them."""
        lines = [
            f'{name}{{model="{self.case.name}"}} {value}' if name == "gateway_requests"
            else f"{name} {value}"
            for name, value in self.series.items()
        ]  # fmt: skip
        if self.case.late:
            count = int(10 * (time.monotonic() - self._begun))
            for bound, seen in (("2.5", 0), ("5.0", count), ("+Inf", count)):
                lines.append(f'{_TTFT}_bucket{{le="{bound}"}} {seen}')
            lines.append(f"{_TTFT}_count {count}")
        return "".join(f"{line}\n" for line in lines).encode()


def _scaled(say: Say) -> Iterator[Row]:
    """A row per model, for what KEDA refuses, and for the real definitions."""
    cases = scaled_models()
    reported = {case.name: Reported(case) for case in cases}
    with (
        cluster(say, (core.CONTROLLER_MANAGER, keda.CONTROLLER)) as plane,
        Kubelet(plane.client),
        ExitStack() as stack,
    ):
        targets = [
            metrics.ScrapeTarget(
                f"127.0.0.1:{stack.enter_context(serving(of.text))}",
                {"namespace": NAMESPACE, "pod": f"{name}-predictor-1-1"},
            )
            for name, of in reported.items()
        ]
        running.start(plane, [metrics.prometheus(targets)], say)
        client = plane.client
        client.apply(namespace_manifest(NAMESPACE), MANAGER)
        for case in cases:
            client.apply(_deployment(case.name), MANAGER)
        yield _definitions(plane)
        yield _taken_over(plane)
        for case in cases:
            client.apply(manifest(case, _server(plane)), MANAGER)
        for case in cases:
            yield _row(client, case, reported[case.name])


def _server(plane: ControlPlane) -> str:
    return f"http://127.0.0.1:{plane.port('prometheus')}"


def _deployment(name: str) -> Manifest:
    labels = {"app": deployment_name(name)}
    pod = {"containers": [{"name": "model", "image": "vllm.invalid/vllm:0"}]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return _object("apps/v1", "Deployment", deployment_name(name), spec)


def _definitions(plane: ControlPlane) -> Row:
    """Rules and ScaledObjects of all that is accepted, before definitions and webhooks."""
    client = plane.client
    crds.install(client, "monitoring.coreos.com", crds.upstream())
    items = [_object(MONITORING, "PrometheusRule", "rules", spec) for _, spec in rule_sets()]
    for _, of in plans.cases(_by_keda):
        for item in of.manifests("ScaledObject"):
            client.apply(namespace_manifest(item["metadata"]["namespace"]), MANAGER)
            items.append(item)
    refused = [text for item in items if (text := refusal(client, item))]
    return Row("definitions and webhooks", f"{len(items)} objects, 0 refused", tuple(refused))


def _by_keda(raw: Mapping[str, Any]) -> object:
    scales = [model.get("serve", {}).get("kserve", {}).get("scale") for model in raw["models"]]
    return [scale for scale in scales if scale and scale.get("keda")]


def _taken_over(plane: ControlPlane) -> Row:
    """An HPA of ours is there when a model goes over to KEDA: its webhook takes the annotation."""
    case = ScaledModel("queue", {})
    scaled = manifest(case, _server(plane))
    target = scaled["spec"]["scaleTargetRef"]
    spec = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 6}
    hpa = _object("autoscaling/v2", "HorizontalPodAutoscaler", "queue-hpa", spec)
    plane.client.apply(hpa, MANAGER)
    told = refusal(plane.client, scaled)
    scaled["metadata"]["annotations"] = {}
    silent = refusal(plane.client, scaled)
    faults = [f"with the annotation: {told}"] if told else []
    if "already managed by the hpa" not in silent:
        faults.append(f"without it KEDA says: {silent or 'nothing'}")
    return Row("from an HPA to KEDA", "taken with the annotation, refused without", tuple(faults))


def _row(client: ApiClient, case: ScaledModel, reported: Reported) -> Row:
    def replicas() -> int:
        live = client.get(_deployment(case.name)) or {"spec": {}}
        return int(live["spec"].get("replicas", -1))

    faults, figures = [], []
    for stage in case.stages:
        reported.series = stage.series
        figures.append(f"{dict(stage.series)}: {stage.replicas}")
        if stage.keeps:
            holds = until(lambda: replicas() != stage.replicas, HOLDS) is None  # noqa: B023
        else:
            holds = until(lambda: replicas() == stage.replicas, SECONDS) is not None  # noqa: B023
        if not holds:
            faults.append(f"{figures[-1]} replicas it must be, but {replicas()} there are")
    refused = "; a window that is refused here" if case.refused else ""
    return Row(f"KEDA: {case.name}", f"{'; then '.join(figures)}{refused}", tuple(faults))


STEP: Final = Step("signals", run, seconds=200)
