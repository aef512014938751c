"""Rules over what users of a model feel, and what it costs: PromQL, from tables.

Burn rates: Site Reliability Workbook, "Alerting on SLOs", table of parameters (2018): 2 % of the
budget of a month in an hour, 5 % in 6 hours, 10 % in 3 days, each with a short window of a twelfth
of the long one, by which an alert ends soon after its reason.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import Field

from ..args import Args, Fault
from ..catalog.labels import INSTANCE_TYPE
from ..catalog.metrics import QUANTILE, SERIES, PodLabels, bucket_around, selected, ttft_buckets
from ..catalog.vllm.table import Release, read_version, release
from ..crds.monitoring import GroupRule, RuleGroup
from ..quantity import plain

_DAY: Final = 24
_TTFT: Final = "vllm:time_to_first_token_seconds"
_QUEUE: Final = "vllm:request_queue_time_seconds"


@dataclass(frozen=True)
class Burn:
    """How fast a budget goes, and over which windows that is seen."""

    long: str
    hours: int
    """Length of the long window."""
    short: str
    share: float
    """Part of the budget that is gone in the long window."""
    is_page: bool
    """Whether somebody is woken."""

    def factor(self, window_days: int) -> float:
        """Times the rate at which the budget would last its window."""
        return self.share * window_days * _DAY / self.hours


BURNS: Final = (
    Burn("1h", 1, "5m", 0.02, is_page=True),
    Burn("6h", 6, "30m", 0.05, is_page=True),
    Burn("3d", 72, "6h", 0.1, is_page=False),
)
_WINDOWS: Final = tuple(dict.fromkeys(w for burn in BURNS for w in (burn.short, burn.long)))


class ModelObjective(Args):
    """What users of a model were promised."""

    ttft_seconds: float = Field(gt=0, examples=[2.5])
    """Time in which the first token comes, in seconds: the upper bound of a bucket of vLLM's, such
    as 0.25, 0.5, 0.75, 1, 2.5, 5 or 10."""
    percent: float = Field(default=95, gt=0, lt=100)
    """Share of the requests for which it does."""
    window_days: int = Field(default=30, ge=7, le=90)
    """Time over which the share is meant, in days."""
    price_per_million_tokens: float | None = Field(default=None, gt=0)
    """What a million tokens, read and written, may cost, in the currency of the prices. Left out,
    it is recorded, and nobody is told."""

    def _faults(self) -> Iterator[Fault]:
        factor = max(burn.factor(self.window_days) for burn in BURNS)
        least = 100 - 100 / factor
        if self.percent <= least:
            want = f"more than {plain(round(least, 2))} with window_days {self.window_days}"
            why = f"an alert at {plain(round(factor, 2))} times the budget would need more requests"
            yield Fault("percent", self.percent, want, f"{why} than there are")

    @property
    def budget(self) -> float:
        """Share of requests that may be late."""
        return round(1 - self.percent / 100, 6)


class InstancePrice(Args):
    """What a replica costs on one kind of node."""

    instance_type: str
    """Type of the node."""
    hourly: float = Field(ge=0)
    """Price of the part of the node that a replica takes, by its cards, per hour."""


class AlertedModel(Args):
    """A model, as rules see it."""

    name: str
    """Name of the model."""
    namespace: str
    """Namespace of its pods."""
    pods: str
    """Names of its pods, as a regular expression."""
    replicas: str
    """Series of how many replicas are asked for: of Deployments or of StatefulSets."""
    workload: str
    """Names of these, as a regular expression."""
    max_replicas: int | None = None
    """Most replicas, where it is scaled."""
    vllm: str | None = None
    """Release of vLLM; left out, another server, or one that is not known."""
    objective: ModelObjective | None = None
    """What users were promised. Left out, nothing."""
    dataset: str | None = None
    """Dataset of Fluid that it reads through."""
    spot: bool = False
    """Whether its nodes may be taken away."""
    prices: list[InstancePrice] = []
    """What a replica costs, by the nodes that it may be on."""
    currency: str = "CNY"
    """Currency of the prices."""

    @property
    def release(self) -> Release | None:
        """What its release of vLLM reports; None where that is not known."""
        return release(read_version(self.vllm)) if self.vllm else None


@dataclass(frozen=True)
class Thresholds:
    """What is too much, for all models."""

    queue_seconds: float
    idle_minutes: int
    limit_minutes: int


@dataclass(frozen=True)
class RuleSubject:
    """What a rule is made of."""

    model: AlertedModel
    gpu: PodLabels
    thresholds: Thresholds

    @property
    def where(self) -> str:
        """What selects the model's pods."""
        return f'namespace="{self.model.namespace}",pod=~"{self.model.pods}"'

    @property
    def own(self) -> str:
        """What selects the model's recorded series."""
        return f'namespace="{self.model.namespace}",model="{self.model.name}"'

    def vllm(self, series: str, form: str = "{0}{1}") -> str:
        """A series of vLLM of all the model's pods, by its names in the model's release."""
        release = self.model.release
        reported = None if release is None else release.series
        return selected(SERIES[series], self.where, form, reported)

    def has(self, series: str) -> bool:
        """Whether the model's release reports a series."""
        release = self.model.release
        return release is None or bool(release.series & set(SERIES[series].names))


@dataclass(frozen=True)
class AlertKind:
    """An alert that each model may have."""

    name: str
    severity: str
    """critical wakes somebody, warning is for the day, info is to know."""
    lasts: Callable[[Thresholds], str]
    """How long it has to be so."""
    expression: Callable[[RuleSubject], str]
    """Empty where the model cannot have it."""
    summary: str
    """{model} is its name."""
    description: str
    """What it means, and what to look at first. {target} is what users were promised."""

    @property
    def anchor(self) -> str:
        """Its heading in docs/guides/troubleshooting.md."""
        return self.name.lower()


def _fixed(duration: str) -> Callable[[Thresholds], str]:
    return lambda _: duration


def _ttft_high(subject: RuleSubject) -> str:
    objective = subject.model.objective
    if objective is None:
        return ""
    return f"model:ttft_seconds:p95{{{subject.own}}} > {plain(objective.ttft_seconds)}"


def _burning(is_page: bool) -> Callable[[RuleSubject], str]:
    def expression(subject: RuleSubject) -> str:
        objective = subject.model.objective
        if objective is None:
            return ""
        pairs = []
        for burn in BURNS:
            if burn.is_page is is_page:
                most = plain(round(burn.factor(objective.window_days) * objective.budget, 6))
                long, short = (
                    f'model:ttft_slow:ratio{{{subject.own},window="{window}"}} > {most}'
                    for window in (burn.long, burn.short)
                )
                pairs.append(f"({long} and ignoring (window) {short})")
        # One alert, whichever pair says so.
        return f"max without (window) ({' or '.join(pairs)})"

    return expression


def _queue_old(subject: RuleSubject) -> str:
    if not subject.has(_QUEUE):
        return ""
    rates = subject.vllm(_QUEUE, "rate({0}_bucket{1}[5m])")
    most = plain(subject.thresholds.queue_seconds)
    return f"histogram_quantile({QUANTILE}, sum by (le) ({rates})) > {most}"


def _queue_stuck(subject: RuleSubject) -> str:
    waiting = subject.vllm("vllm:num_requests_waiting", "min_over_time({0}{1}[10m])")
    written = subject.vllm("vllm:generation_tokens", "rate({0}_total{1}[10m])")
    return f"sum by (pod) ({waiting}) > 0 and sum by (pod) ({written}) == 0"


def _gpu_idle(subject: RuleSubject) -> str:
    gpu, model = subject.gpu, subject.model
    where = f'{gpu.namespace}="{model.namespace}",{gpu.pod}=~"{model.pods}"'
    busiest = f"max_over_time(DCGM_FI_DEV_GPU_UTIL{{{where}}}[10m])"
    return f"max by ({gpu.pod}) ({busiest}) < 5"


def _cache_miss(subject: RuleSubject) -> str:
    model = subject.model
    if model.dataset is None:
        return ""
    where = f'runtime_type="jindo",runtime="{model.namespace}/{model.dataset}"'
    return f"increase(runtime_sync_healthcheck_error_total{{{where}}}[10m]) > 0"


def _limit_reached(subject: RuleSubject) -> str:
    model = subject.model
    if model.max_replicas is None:
        return ""
    return f"{_replicas(model)} >= {model.max_replicas}"


def _replicas(model: AlertedModel) -> str:
    kind = model.replicas.split("_")[1]
    return f'sum({model.replicas}{{namespace="{model.namespace}",{kind}=~"{model.workload}"}})'


def _spot_lost(subject: RuleSubject) -> str:
    if not subject.model.spot:
        return ""
    before = f'kube_pod_info{{{subject.where},node!=""}} offset 10m'
    return f"count({before} unless on (node) kube_node_info) > 0"


def _tokens_dear(subject: RuleSubject) -> str:
    objective = subject.model.objective
    if objective is None or objective.price_per_million_tokens is None or not subject.model.prices:
        return ""
    most = plain(objective.price_per_million_tokens)
    return f"model:million_tokens:price{{{subject.own}}} > {most}"


ALERTS: Final = (
    AlertKind(
        "ModelFirstTokenLate",
        "warning",
        _fixed("10m"),
        _ttft_high,
        "First tokens of {model} come late",
        "Of the requests of the last 5 minutes, 5 % waited longer than {target} s for their first "
        "token. Look at the queue, then at whether replicas are still starting.",
    ),
    AlertKind(
        "ModelErrorBudgetBurnsFast",
        "critical",
        _fixed("2m"),
        _burning(is_page=True),
        "The error budget of {model} is gone in days",
        "So many requests wait longer than {target} s for their first token that the budget of "
        "the whole window is gone in a few days. Look at what changed last.",
    ),
    AlertKind(
        "ModelErrorBudgetBurnsSlowly",
        "warning",
        _fixed("1h"),
        _burning(is_page=False),
        "The error budget of {model} will not last",
        "Over 3 days more requests waited longer than {target} s for their first token than were "
        "promised. More replicas, or a lower target of the autoscaler, help for good.",
    ),
    AlertKind(
        "ModelQueueOld",
        "warning",
        _fixed("10m"),
        _queue_old,
        "Requests to {model} wait in the queue",
        "Of the requests of the last 5 minutes, 5 % waited too long before vLLM began. More "
        "replicas take this away, a faster card does not.",
    ),
    AlertKind(
        "ModelQueueStuck",
        "critical",
        _fixed("5m"),
        _queue_stuck,
        "A replica of {model} answers nobody",
        "Requests wait in the queue of pod {{{{ $labels.pod }}}}, and it has written no token for "
        "10 minutes. Look at its log, then delete it.",
    ),
    AlertKind(
        "ModelGpuIdle",
        "info",
        lambda thresholds: f"{thresholds.idle_minutes}m",
        _gpu_idle,
        "A GPU of {model} does nothing",
        "The cards of a pod have been idle for long, and cost what busy ones cost. Look at the "
        "fewest replicas, and at the hours in which they are needed.",
    ),
    AlertKind(
        "ModelCacheMiss",
        "warning",
        _fixed("10m"),
        _cache_miss,
        "The cache of {model} is broken",
        "Fluid finds the cache of the model's files broken, so starts read the store, and take as "
        "long as without a cache. Look at the JindoRuntime and at the nodes of its workers.",
    ),
    AlertKind(
        "ModelScaleLimitReached",
        "warning",
        lambda thresholds: f"{thresholds.limit_minutes}m",
        _limit_reached,
        "{model} has as many replicas as it may have",
        "The autoscaler wants at least the most replicas that it may have. Look at whether first "
        "tokens come late; if so, raise scale.max and that of the node pool.",
    ),
    AlertKind(
        "ModelSpotNodeLost",
        "info",
        _fixed("0s"),
        _spot_lost,
        "{model} has lost a spot node",
        "Nodes that had pods of the model 10 minutes ago are gone. If it happens often, put an "
        "on-demand pool behind the spot pool, or other instance types beside it.",
    ),
    AlertKind(
        "ModelTokensDear",
        "info",
        _fixed("1h"),
        _tokens_dear,
        "Tokens of {model} cost more than planned",
        "A million tokens, read and written, cost {{{{ $value }}}} over the last hour. Mostly too "
        "many replicas have too little to do.",
    ),
)
"""All alerts, in the order in which they come."""


def rule_groups(
    model: AlertedModel, gpu: PodLabels, thresholds: Thresholds, runbook: Mapping[str, str]
) -> Iterator[RuleGroup]:
    """The rules of a model: what is recorded, then the alerts on it.

    Args:
        model: The model.
        gpu: Labels of GPU series.
        thresholds: What is too much.
        runbook: Name of the annotation that leads to a page, and that page.
    """
    subject = RuleSubject(model, gpu, thresholds)
    name = f"{model.namespace}-{model.name}"
    labels = {"namespace": model.namespace, "model": model.name}
    recorded = [
        GroupRule(record=r, expr=e, labels={**labels, **more}) for r, e, more in _records(subject)
    ]
    yield RuleGroup(name=f"{name}-figures", rules=recorded)
    yield RuleGroup(name=f"{name}-alerts", rules=list(_alerts(subject, labels, runbook)))


def _alerts(
    subject: RuleSubject, labels: Mapping[str, str], runbook: Mapping[str, str]
) -> Iterator[GroupRule]:
    objective = subject.model.objective
    words = {
        "model": subject.model.name,
        "target": plain(objective.ttft_seconds) if objective else "",
    }
    for kind in ALERTS:
        if not (expression := kind.expression(subject)):
            continue
        lasts = kind.lasts(subject.thresholds)
        yield GroupRule(
            alert=kind.name,
            expr=expression,
            for_=None if lasts == "0s" else lasts,
            labels={**labels, "severity": kind.severity},
            annotations={
                "summary": kind.summary.format(**words),
                "description": kind.description.format(**words),
                **{name: f"{page}#{kind.anchor}" for name, page in runbook.items()},
            },
        )


def _records(subject: RuleSubject) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Series, their expressions, and what labels they have beside the model's."""
    objective, model = subject.model.objective, subject.model
    buckets = subject.vllm(_TTFT, "rate({0}_bucket{1}[5m])")
    yield "model:ttft_seconds:p95", f"histogram_quantile({QUANTILE}, sum by (le) ({buckets}))", {}
    if objective is not None:
        # As Python writes it, 2.0, and as others do, 2.
        bound = plain(objective.ttft_seconds)
        le = "|".join(dict.fromkeys((bound, str(float(bound)))))
        for window in _WINDOWS:
            within = subject.vllm(_TTFT, f"increase({{0}}_bucket{{1}}[{window}])")
            within = within.replace(f"{{{subject.where}}}", f'{{{subject.where},le=~"{le}"}}')
            every = subject.vllm(_TTFT, f"increase({{0}}_count{{1}}[{window}])")
            expression = f"1 - sum({within}) / (sum({every}) > 0)"
            yield "model:ttft_slow:ratio", expression, {"window": window}
    tokens = " + ".join(
        f"sum({subject.vllm(f'vllm:{kind}_tokens', 'rate({0}_total{1}[1h])')})"
        for kind in ("prompt", "generation")
    )
    yield "model:tokens:rate1h", tokens, {}
    if model.prices:
        currency = {"currency": model.currency}
        yield "model:replicas:price_hourly", _price(subject), currency
        hourly = f"avg_over_time(model:replicas:price_hourly{{{subject.own}}}[1h])"
        tokens = f"(model:tokens:rate1h{{{subject.own}}} > 0)"
        expression = f"{hourly} / ignoring (currency) ({tokens} * 3600 / 1e6)"
        yield "model:million_tokens:price", expression, currency


def _price(subject: RuleSubject) -> str:
    """What the pods on nodes cost per hour; by the type of each node where prices differ."""
    prices = {entry.instance_type: entry.hourly for entry in subject.model.prices}
    pods = f'kube_pod_info{{{subject.where},node!=""}}'
    amounts = sorted(set(prices.values()))
    if len(amounts) == 1:
        return f"count({pods}) * {plain(amounts[0])}"
    label = "label_" + INSTANCE_TYPE.replace(".", "_").replace("/", "_").replace("-", "_")
    nodes = " or ".join(
        f'{plain(price)} * max by (node) (kube_node_labels{{{label}="{type_}"}})'
        for type_, price in prices.items()
    )
    return f"sum(count by (node) ({pods}) * on (node) ({nodes}))"


def bucket_faults(field: str, seconds: float, release: Release | None) -> Iterator[Fault]:
    """Refuses a time that no bucket ends at: the share below it is then known to nobody.

    Args:
        field: The field that says it.
        seconds: The time.
        release: Of vLLM; None where it is not known.
    """
    below, above = bucket_around(seconds, ttft_buckets(release.version if release else None))
    if seconds == above:
        return
    near = " or ".join(plain(bound) for bound in (below, above) if bound is not None)
    whose = f"vLLM {release.name}" if release else "vLLM"
    why = f"{whose} counts first tokens by such bounds, and an alert on another one stays silent"
    yield Fault(field, seconds, f"the bound of a bucket, {near}", why)
