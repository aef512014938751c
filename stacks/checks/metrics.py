"""Metrics: who collects and serves what autoscalers and alerts read, and what is asked of them."""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from components.args import MISSING, Fault, Words
from components.catalog.metrics import (
    HPA_TOLERANCE,
    METRICS,
    QUANTILE,
    QUEUE_BUCKETS,
    TTFT_P95,
    bucket_around,
    offered,
    ttft_buckets,
)
from components.catalog.vllm import vllm_image
from components.catalog.vllm.table import any_release, release
from components.quantity import plain
from components.serving.keda_scale import KedaMetric, pod_series
from components.serving.kserve_model import KServeMetric
from components.serving.promql import (
    divisors,
    does_not_add_up,
    equal_patterns,
    gathers,
    is_scalar,
    range_mistakes,
)

from ..arguments.metrics import (
    DEFAULT_PORT,
    is_scaled_on_vllm,
    metrics_flavor,
    replica_prices,
    signals_of,
)
from ..needs import Needs
from ..sections.environment import Environment
from ..sections.models import ModelSection, scales_of
from .rules import check, warning, warning_by_needs
from .views import commands, keda_scales, models, scales, server_field

_ALIBABA: Final = ".aliyuncs.com"
_FILLED_IN: Final = r"\{\{.*?\}\}|\$\(?\{?[A-Za-z_]\w*[})]?"
"""What Helm, Grafana or a shell fills in; `$1` is of PromQL."""
_LONG_SECONDS: Final = 60
"""A time to the first token, or in the queue, that is rather meant in milliseconds."""
_SUFFIXES: Final = ("_total", "_bucket", "_sum", "_count", "_created")
NO_STATS: Final = "--disable-log-stats"
"""Flag without which vLLM publishes its series: vllm/v1/engine/async_llm.py, 0.9.2 to 0.33.0."""


@check
def signals_are_collected(environment: Environment) -> Iterator[Fault]:
    """KEDA asks Prometheus, which has to ask the pods."""
    if environment.gpu_metrics is not None:
        return
    for path, model in models(environment):
        if fields := signals_of(model):
            field, metric = fields[0]
            want = f"given, for {path}.{field} ({metric}); with install false where the cluster "
            want += "collects vLLM's metrics by itself"
            why = "its PodMonitor has Prometheus ask the pods, whose series KEDA asks for"
            yield Fault("gpu_metrics", MISSING, want, why)


@check
def queries_name_series_that_there_are(environment: Environment) -> Iterator[Fault]:
    """Of a series that no pod reports KEDA reads 0, and the model never scales."""
    for field, model, query in _queries(environment):
        if image := vllm_image(model.server.image):
            reported = release(image.version)
            for name in pod_series(query):
                base = _base(name)
                if not name.startswith("vllm:") or base in reported.series:
                    continue
                others = base in any_release().series
                what = "which another release does" if others else "and no release ever did"
                want = f"one about a series of vLLM {reported.name}"
                why = f"that does not report {name}, {what}"
                yield Fault(field, Words(query), want, why)


def _base(name: str) -> str:
    """A series without what its kind adds to its name."""
    return next((name.removesuffix(end) for end in _SUFFIXES if name.endswith(end)), name)


def _queries(environment: Environment) -> Iterator[tuple[str, ModelSection, str]]:
    """Queries of one's own: the field path, the model that is scaled by it, and the query."""
    for path, model, scale in keda_scales(environment):
        if scale.query is not None:
            yield f"{path}.query.query", model, scale.query.query
        for index, trigger in enumerate(scale.keda.triggers if scale.keda else []):
            if trigger.query is not None:
                yield f"{path}.keda.triggers[{index}].query", model, trigger.query


@warning
def queries_name_series_as_vllm_does(environment: Environment) -> Iterator[str]:
    """Names with `_` for `:` are those of figures here, or of another collector."""
    for field, model, query in _queries(environment):
        image = vllm_image(model.server.image)
        reported = release(image.version) if image else any_release()
        for name in re.findall(r"(?<![\w:])vllm_\w+(?![\w:])", query):
            meant = name.replace("vllm_", "vllm:", 1)
            if _base(meant) in reported.series:
                yield (
                    f"{field} asks for {name}, and vLLM reports {meant}: unless whoever "
                    "collects its series renames them, there is no answer, KEDA takes it for "
                    "0, and the model never scales."
                )


@warning
def queries_come_to_one_number(environment: Environment) -> Iterator[str]:
    """KEDA fails on an answer of several elements, and pods report a series each."""
    for field, model, query in _queries(environment):
        if model.most_replicas > 1 and (names := pod_series(query)) and not gathers(query):
            yield (
                f"{field} is {query}, which has an element for each pod that reports "
                f"{names[0]}: KEDA fails on more than one, so with two replicas the model "
                "stops scaling. sum(...) over all of it makes one."
            )


@warning
def queries_grow_with_replicas(environment: Environment) -> Iterator[str]:
    """KEDA divides the answer by the target, whoever says so: how many there are, it leaves out.

    KServe calls the target a Value, and hands KEDA none of that: findings/kserve-value-for-keda.sh.
    """
    for field, model, query in _queries(environment):
        if model.most_replicas > 1 and pod_series(query) and does_not_add_up(query):
            yield (
                f"{field} is {query}, which is no more with more replicas: KEDA wants the answer "
                "divided by target, so while each replica has twice its target it wants two, "
                "however many there are. sum(...) is of all."
            )


@warning
def queries_have_answers_that_keda_reads(environment: Environment) -> Iterator[str]:
    """KEDA reads a list of one element, and makes 0 of infinity."""
    for field, _, query in _queries(environment):
        if is_scalar(query):
            yield (
                f"{field} is {query}, whose answer is a scalar: of Prometheus KEDA "
                "reads vectors alone, so the model never scales. Leave scalar(...) out, or "
                f"write vector({query})."
            )
        for divisor in dict.fromkeys(divisors(query)):
            yield (
                f"{field} divides by {divisor}: while that is 0, the answer is "
                "infinite, and KEDA takes it for 0, so load that has no replica yet counts as "
                f"none. Divide by clamp_min({divisor}, 1), or by the least that it is while it "
                "is not 0."
            )


@warning
def queries_say_all_of_it(environment: Environment) -> Iterator[str]:
    """Nothing fills in a query, and a text that is compared as it stands is no pattern."""
    for field, _, query in _queries(environment):
        for text in dict.fromkeys(re.findall(_FILLED_IN, query)):
            yield (
                f"{field} has {text} in it, which nothing fills in here: Prometheus "
                "gets it as it stands. Write what it stands for."
            )
        for written, meant in equal_patterns(query):
            yield (
                f"{field} compares {written} letter by letter. Where a pattern is "
                f"meant, write {meant}, or there is no answer."
            )
        for mistake in range_mistakes(query):
            yield (
                f"{field} has {mistake}: Prometheus answers with an error, or nothing "
                "that KEDA reads. VictoriaMetrics takes a range of its own."
            )


@warning
def times_of_first_tokens_are_in_seconds(environment: Environment) -> Iterator[str]:
    """Dashboards show milliseconds, and Prometheus counts in seconds."""
    for field, seconds in _first_token_times(environment):
        if seconds >= _LONG_SECONDS:
            yield (
                f"{field} is {plain(seconds)}, in seconds: {plain(round(seconds / 60, 1))} minutes "
                "pass before anything happens. Where milliseconds are meant, give "
                f"{plain(seconds / 1000)}."
            )


@warning
def latencies_are_held_at_bounds(environment: Environment) -> Iterator[str]:
    """Within a bucket Prometheus takes times to be spread evenly, be they all at its beginning.

    See findings/vllm-quantiles-and-buckets.sh.
    """
    for field, model, seconds in _latency_targets(environment):
        image = vllm_image(model.server.image)
        bounds = ttft_buckets(image.version if image else None)
        if seconds > bounds[-1]:
            if image is None:
                continue  # Later releases have longer ones.
            yield (
                f"{field} is {plain(seconds)}, and vLLM counts first tokens up to "
                f"{plain(bounds[-1])} s: no p95 is above that, and nothing scales on it. Give "
                f"{plain(bounds[-1])} or less."
            )
        elif bucket := _misread(seconds, bounds, HPA_TOLERANCE):
            yield (
                f"{field} is {plain(seconds)}, within a bucket of vLLM's: of first tokens that all "
                f"come soon after {bucket.begins} s Prometheus makes a p95 of {bucket.p95}, so "
                "that replicas are added up to max where nobody waits longer than the target. Give "
                f"{bucket.bounds}, a bound of the bucket."
            )


@warning
def who_gives_up_is_counted(environment: Environment) -> Iterator[str]:
    """Of a request that its client gives up vLLM counts neither its wait nor its end.

    See findings/vllm-forgets-who-gives-up.sh.
    """
    for path, _, scale in keda_scales(environment):
        triggers = scale.keda.triggers if scale.keda else []
        metrics = {str(scale.metric), *(str(trigger.metric) for trigger in triggers)}
        if metrics == {TTFT_P95}:
            yield (
                f"{path} is by {TTFT_P95} alone, and vLLM counts no wait of a request that its "
                "client gives up: where all give up before their first token, it is 0, and "
                "replicas go. Add vllm_num_requests_waiting, which has them while they wait."
            )


@warning
def queues_are_alerted_on_at_bounds(environment: Environment) -> Iterator[str]:
    """As above: an alert would tell of requests that wait for less than it says."""
    if environment.alerts is None:
        return
    seconds = environment.alerts.queue_seconds
    if bucket := _misread(seconds, QUEUE_BUCKETS, Fraction()):
        yield (
            f"alerts.queue_seconds is {plain(seconds)}, within a bucket of vLLM's: of requests "
            f"that all wait for little more than {bucket.begins} s Prometheus makes a p95 of "
            f"{bucket.p95}, and the alert fires. Give {bucket.bounds}, a bound of the bucket."
        )


class _Bucket(NamedTuple):
    """A bucket in which Prometheus puts a p95 beyond a time that nothing took."""

    begins: str
    p95: str
    """What Prometheus makes of times that are all at its beginning."""
    bounds: str


def _misread(seconds: float, bounds: Sequence[float], within: Fraction) -> _Bucket | None:
    """The bucket that a time is in; None where it ends there, or what is read is within a share."""
    below, above = bucket_around(seconds, bounds)
    low, high = below or 0, above or seconds
    read = round(low + QUANTILE * (high - low), 3)
    if read <= seconds * (1 + float(within)):
        return None
    near = " or ".join(plain(bound) for bound in (below, above) if bound)
    return _Bucket(plain(low), plain(read), near)


def _latency_targets(environment: Environment) -> Iterator[tuple[str, ModelSection, float]]:
    """Targets of the p95 that KEDA scales on, each with its field and model."""
    for path, model, scale in keda_scales(environment):
        if scale.metric is KServeMetric.VLLM_TTFT_P95 and scale.target is not None:
            yield f"{path}.target", model, scale.target
        for index, trigger in enumerate(scale.keda.triggers if scale.keda else []):
            if trigger.metric is KedaMetric.VLLM_TTFT_P95:
                yield f"{path}.keda.triggers[{index}].target", model, trigger.target


def _first_token_times(environment: Environment) -> Iterator[tuple[str, float]]:
    """Times that are said of first tokens, or of the queue before them, each with its field."""
    for field, _, seconds in _latency_targets(environment):
        yield field, seconds
    for path, model in models(environment):
        if model.slo is not None:
            yield f"{path}.slo.ttft_seconds", model.slo.ttft_seconds
    if environment.alerts is not None:
        yield "alerts.queue_seconds", environment.alerts.queue_seconds


@check
def managed_prometheus_is_signed_in_to(environment: Environment) -> Iterator[Fault]:
    """KEDA takes an address from the ScaledObject alone, where everybody reads it."""
    for path, _, scale in keda_scales(environment):
        if scale.keda is None or scale.keda.authentication is not None:
            continue
        for field, server in (
            ("keda.server", scale.keda.server),
            ("query.server", scale.query.server if scale.query else None),
        ):
            if (urlsplit(server or "").hostname or "").endswith(_ALIBABA):
                want = "given with the name of a TriggerAuthentication"
                why = (
                    f"{field} is that of Managed Service for Prometheus: either it asks who KEDA "
                    "is, or its address opens it, and that stands in the ScaledObject in clear"
                )
                yield Fault(f"{path}.keda.authentication", MISSING, want, why)
                break


@warning
def windows_leave_room(environment: Environment) -> Iterator[str]:
    """What happens each day is no alert."""
    for path, _, scale in keda_scales(environment) if environment.alerts else ():
        schedule = scale.keda.schedule if scale.keda else None
        for index, window in enumerate(schedule.windows if schedule else ()):
            if window.replicas >= scale.max:
                yield (
                    f"{path}.keda.schedule.windows[{index}].replicas is {window.replicas}, and so "
                    "is max: the alert ModelScaleLimitReached comes with each such window, though "
                    "nobody waits. A higher max leaves room."
                )


@check
def promises_are_watched(environment: Environment) -> Iterator[Fault]:
    """A promise that no rule knows is kept by chance."""
    promised = [path for path, model in models(environment) if model.slo is not None]
    if promised and environment.alerts is None:
        yield Fault("alerts", MISSING, f"given, for {promised[0]}.slo", "its rules watch it")
    if environment.alerts is not None and environment.gpu_metrics is None:
        want = "given, for alerts; with install false where the cluster collects vLLM's metrics"
        why = "rules over series that nobody collects stay silent"
        yield Fault("gpu_metrics", MISSING, want, why)


@check
def first_tokens_are_of_one_pod(environment: Environment) -> Iterator[Fault]:
    """A prompt that one pod reads, and whose answer another one writes, is counted by both."""
    for path, model in models(environment):
        if model.slo is not None and model.serve.is_split:
            want = "left out where prefill is apart, and promises watched at what clients ask"
            why = (
                "vLLM counts a first token from when a pod has the request: decode has it after "
                "prefill, and no series is the time that a user waits"
            )
            yield Fault(f"{path}.slo", Words("given"), want, why)


@warning_by_needs
def watched_models_are_collected(environment: Environment, needs: Needs) -> Iterator[str]:
    """Rules stay silent over what no one collects, or has no price."""
    for path, model in models(environment):
        if environment.alerts is None or model.slo is None:
            continue
        metrics = environment.gpu_metrics
        if needs.on_knative(model) and metrics and metrics.install:
            yield (
                f"{path}.slo is given, but the PodMonitor of gpu_metrics asks pods that carry "
                "KServe's label, and Knative's have another: have Prometheus ask pods with "
                "serving.knative.dev/service yourself, or the alerts stay silent."
            )
        if model.slo.price_per_million_tokens and not replica_prices(environment, model):
            yield (
                f"{path}.slo.price_per_million_tokens is given, but of a node of its pools no "
                "price is known, or no part of one that a replica takes: give "
                "prices.nodes_hourly, or nobody is told."
            )


@check
def metrics_have_an_adapter(environment: Environment) -> Iterator[Fault]:
    """An HPA whose metric nobody serves never adds a pod."""
    names = [metric.name for metric in offered(metrics_flavor(environment))]
    for path, scale in scales(environment):
        metric = scale.metric
        if metric not in METRICS or getattr(scale, "keda", None):
            continue
        if environment.gpu_metrics is None:
            want = f"given, for {path}.metric"
            why = f"without its adapter nobody tells the autoscaler {metric}"
            yield Fault("gpu_metrics", MISSING, want, why)
        elif metric not in names:
            want = f"one of {', '.join(names)}"
            why = "only ACK's GPU exporter reports it"
            yield Fault(f"{path}.metric", metric, want, why)


@check
def metrics_have_a_source(environment: Environment) -> Iterator[Fault]:
    """The adapter asks one Prometheus."""
    section = environment.gpu_metrics
    if section is None or not section.install:
        return
    if not section.adapter:
        for field in ("prometheus_url", "prometheus_token"):
            if getattr(environment, field) is not None:
                want = "left out, or gpu_metrics.adapter true"
                yield Fault(field, Words("given"), want, "the adapter alone asks there")
        return
    if not environment.existing:
        if environment.prometheus_url is None:
            want = "set, by `pulumi config set --secret ack-inference:prometheus_url`"
            why = "the adapter asks Managed Service for Prometheus, whose address opens it"
            yield Fault("prometheus_url", MISSING, want, why)
        if section.url is not None:
            # Not shown: whoever has that of Managed Service for Prometheus is let in.
            why = "the adapter asks Managed Service for Prometheus, at the secret prometheus_url"
            yield Fault("gpu_metrics.url", Words("given"), "left out", why)
        return
    if section.url is None:
        why = "the adapter asks the Prometheus of the cluster"
        yield Fault("gpu_metrics.url", MISSING, "given", why)
    for field in ("prometheus_url", "prometheus_token"):
        if getattr(environment, field) is not None:
            why = "the adapter asks the Prometheus of the cluster, at gpu_metrics.url"
            yield Fault(field, Words("given"), "left out", why)


@check
def metrics_come_from_one_port(environment: Environment) -> Iterator[Fault]:
    """One PodMonitor collects the metrics of all models."""
    ports = {
        path: model.port or DEFAULT_PORT
        for path, model in models(environment)
        if is_scaled_on_vllm(model)
    }
    for path, port in ports.items():
        if port != (first := min(ports.values())):
            want = f"{first}, as of the other models that are scaled on vLLM's metrics"
            why = "these are collected at one port, and a model without them never scales"
            yield Fault(f"{path}.server.port", port, want, why)


@warning
def one_adapter_serves_external_metrics(environment: Environment) -> Iterator[str]:
    """Two owners of one API group undo each other."""
    metrics = environment.gpu_metrics
    installs = metrics is not None and metrics.install and metrics.adapter
    if environment.keda and installs and not environment.existing:
        yield (
            "keda is true and gpu_metrics is given: ack-alibaba-cloud-metrics-adapter registers "
            "external.metrics.k8s.io as KEDA does, and the last one to be installed has it. Where "
            "KEDA scales all models, set gpu_metrics.adapter to false."
        )


@check
def scaled_metrics_are_published(environment: Environment) -> Iterator[Fault]:
    """Without its statistics vLLM publishes no series, and nothing scales on them."""
    for path, model, command in commands(environment):
        if NO_STATS not in command.flags:
            continue
        for kind, section in model.serve.sections.items():
            asks = {field: str(metric) for field, metric in signals_of(model)}
            for field, scale in scales_of(section).items():
                if (scale.metric or "").startswith("vllm"):
                    asks[f"serve.{kind}.{field}.metric"] = scale.metric or ""
            if model.slo is not None:
                asks["slo"] = "given"
            if asks:
                [field, value], *_ = asks.items()
                why = f"vLLM then publishes no series, and {path}.{field} is {value}"
                place = f"{path}.server.{server_field(model, 'extra_args')}"
                yield Fault(place, NO_STATS, "left out", why)
