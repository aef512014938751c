"""How models are scaled, against the nodes that they are scaled onto, and how long that takes."""

import math
from collections.abc import Iterator
from typing import Final

from components.catalog.metrics import HPA_TOLERANCE
from components.crds.knative_annotations import AUTOSCALING
from components.crds.knative_autoscaling import TICK_SECONDS, PodAutoscaling, pod_autoscaling
from components.quantity import gib
from components.serving.keda_scale import COOLDOWN_SECONDS, KedaMetric
from components.serving.knative_model import annotations
from components.versions import kubernetes_minor

from ..needs import Needs
from ..sections.environment import Environment
from ..sections.models import ModelSection
from .annotations import FIELDS
from .rules import warning, warning_by_needs
from .views import keda_scales, lowest_size, models, own_pools, sections

OSS_READ_GIB_PER_SECOND: Final = 0.16
"""Rate at which a pod reads a model from OSS without a cache: article 000, 15 GB in 90 s."""
NODE_SCALE_OUT_SECONDS: Final = 170
"""From a pod that fits nowhere to a GPU node that is ready: 50 s measured, 120 s for drivers."""
WITHIN_SINCE: Final = 33
"""The first minor version of Kubernetes whose HPA takes a tenth above for within a tenth."""
LONGEST_WINDOW_SECONDS: Final = 3600
"""Longest that an HPA looks back, as Kubernetes takes it."""
USUAL_THRESHOLD_PERCENT = 200
"""Knative's own panic threshold. Whoever raised it has weighed bursts already."""


def is_elastic(environment: Environment, model: ModelSection) -> bool:
    """Whether a replica may have to wait for a new node."""
    return any(pool.autoscale for pool in own_pools(environment, model.reach))


def start_seconds(environment: Environment, model: ModelSection) -> int:
    """What a start is estimated at: a new node, and the files where no cache has them."""
    files = None if model.cache is not None else model.volume
    load = float(gib(files.size)) / OSS_READ_GIB_PER_SECOND if files else 0
    return round(load + (NODE_SCALE_OUT_SECONDS if is_elastic(environment, model) else 0))


@warning
def starts_take_their_time(environment: Environment) -> Iterator[str]:
    """A start that takes longer than it is allowed to is started over and over."""
    for path, model, section in sections(environment):
        if model.cache is not None or model.volume is None:
            continue
        need = start_seconds(environment, model)
        if section.startup_seconds and section.startup_seconds < need:
            node = ", and a new node" if is_elastic(environment, model) else ""
            yield (
                f"{path}.startup_seconds is {section.startup_seconds}, but without a cache a start "
                f"is estimated at {need} s ({model.volume.size} at {OSS_READ_GIB_PER_SECOND} GiB/s"
                f"{node}): it may never finish."
            )


@warning_by_needs
def bursts_are_seen(environment: Environment, needs: Needs) -> Iterator[str]:
    """Knative looks at the panic window every two seconds."""
    for path, model in models(environment):
        scaling = _pod_autoscaling(model, needs)
        if scaling is None or scaling.panic_window_seconds >= TICK_SECONDS:
            continue
        # Windows are rounded: 1.5 s are two.
        window = math.ceil(150 / scaling.panic_window_percent)
        percent = math.ceil(150 / scaling.window_seconds)
        yield (
            f"{path}.serve.{model.serve.kind} averages over {scaling.window_seconds} s, and sees "
            f"bursts in {scaling.panic_window_percent} % of that, rounded to 1 s: Knative looks "
            f"every {TICK_SECONDS} s, so it misses the bursts of every other second. Give "
            f"{_setting(model, 'window_seconds', window)} or more, or "
            f"{_setting(model, 'panic_window_percent', percent)} or more."
        )


@warning_by_needs
def nodes_come_while_they_are_wanted(environment: Environment, needs: Needs) -> Iterator[str]:
    """A node that comes after the wish for it is gone is paid for and never used."""
    for path, model in models(environment):
        scaling, pools = _pod_autoscaling(model, needs), own_pools(environment, model.reach)
        if scaling is None or len(pools) < len(model.reach.pools):
            continue
        elastic = [pool.name for pool in pools if pool.autoscale]
        if (
            not elastic
            or model.most_replicas <= scaling.first_pods
            or _standing_replicas(environment, model) > scaling.first_pods
            or scaling.wish_seconds >= NODE_SCALE_OUT_SECONDS
            or scaling.panic_threshold_percent > USUAL_THRESHOLD_PERCENT
        ):
            continue
        delay = int(scaling.scale_down_delay_seconds)
        longer = max(delay, TICK_SECONDS) + NODE_SCALE_OUT_SECONDS - scaling.wish_seconds
        yield (
            f"{path}.serve.{model.serve.kind} may order nodes in vain: one busy second "
            f"({scaling.burst(scaling.first_pods)} {_unit(scaling)}, with {scaling.first_pods} "
            f"ready) wants more replicas for {scaling.wish_seconds} s, and a node of "
            f"{', '.join(elastic)} takes about {NODE_SCALE_OUT_SECONDS} s. Give "
            f"{_setting(model, 'scale_down_delay_seconds', longer)} or more to wait for it, or "
            f"{_setting(model, 'panic_threshold_percent', USUAL_THRESHOLD_PERCENT + 100)} or more "
            "to pass over short bursts."
        )


def _pod_autoscaling(model: ModelSection, needs: Needs) -> PodAutoscaling | None:
    """What Knative goes by in scaling a model, be it below KServe; None where it does not scale."""
    if not needs.on_knative(model):
        return None
    if (knative := model.serve.knative) is not None:
        return pod_autoscaling(annotations(knative), knative.concurrency_limit)
    section = model.serve.sections[model.serve.kind]
    metric, target = section.scale.metric, section.scale.target
    # As KServe writes them: pkg/utils/knative of v0.20.0.
    scale = {
        "metric": metric,
        "target": None if target is None else int(target),
        "min-scale": section.scale.min,
    }
    texts = {f"{AUTOSCALING}{key}": str(value) for key, value in scale.items() if value is not None}
    return pod_autoscaling({**(section.annotations or {}), **texts})


def _standing_replicas(environment: Environment, model: ModelSection) -> int:
    """Replicas for which those pools always have cards."""
    if not model.server.gpus:
        return 0
    return sum(
        lowest_size(pool)
        * min((environment.instances[name].gpus for name in pool.instance_types), default=0)
        // model.server.gpus
        for pool in own_pools(environment, model.reach)
    )


def _unit(scaling: PodAutoscaling) -> str:
    return "requests in hand" if scaling.metric == "concurrency" else "requests"


def _setting(model: ModelSection, field: str, value: int) -> str:
    """A value of a field of the scale, which KServe has as an annotation."""
    if model.serve.knative is not None:
        return f"scale.{field} {value}"
    [annotation] = (key for key, name in FIELDS.items() if name == field)
    return f"the annotation {annotation} {value}{'s' if field.endswith('_seconds') else ''}"


@warning
def models_outlast_their_start(environment: Environment) -> Iterator[str]:
    """A model that goes sooner than it comes serves less than it starts."""
    for path, model, scale in keda_scales(environment):
        if scale.keda is None or scale.min:
            continue
        cooldown = scale.keda.cooldown_seconds
        cooldown = COOLDOWN_SECONDS if cooldown is None else cooldown
        need = start_seconds(environment, model)
        if cooldown < need:
            yield (
                f"{path}.keda.cooldown_seconds is {cooldown}, but a start is "
                f"estimated at {need} s: a pause of {cooldown} s between two users costs the "
                f"second one a whole start. Give {need} or more."
            )


@warning
def replicas_that_load_are_kept(environment: Environment) -> Iterator[str]:
    """Of a latency an HPA wants so many times the replicas that are ready, be there more.

    k8s.io/kubernetes v1.34.1, pkg/controller/podautoscaler/replica_calculator.go,
    getUsageRatioReplicaCount. See findings/hpa-value-and-replicas-that-load.sh.
    """
    for path, model, scale in keda_scales(environment):
        if scale.keda is None or scale.min == scale.max:
            continue
        metrics = {scale.metric, *(trigger.metric for trigger in scale.keda.triggers)}
        need = min(start_seconds(environment, model), LONGEST_WINDOW_SECONDS)
        if KedaMetric.VLLM_TTFT_P95 in metrics and scale.scale_down_seconds < need:
            yield (
                f"{path}.scale_down_seconds is {scale.scale_down_seconds}, but a start is "
                f"estimated at {need} s: {KedaMetric.VLLM_TTFT_P95} wants so many times the "
                "replicas that are ready, fewer than there are while others start, and those go "
                f"before they have served. Give {need} or more."
            )


@warning
def windows_are_above_the_tolerance(environment: Environment) -> Iterator[str]:
    """KEDA hands an HPA a window's replicas as a figure, and that leaves a tenth alone.

    k8s.io/kubernetes v1.34.1, pkg/controller/podautoscaler/replica_calculator.go, isWithin; before
    1.33, 11 of 10 was above a tenth for its rounding. See findings/keda-windows-within-a-tenth.sh.
    """
    most = 1 + HPA_TOLERANCE
    is_old = (kubernetes_minor(environment.cluster.version) or WITHIN_SINCE) < WITHIN_SINCE
    for path, _, scale in keda_scales(environment):
        schedule = scale.keda.schedule if scale.keda else None
        for index, window in enumerate(schedule.windows if schedule else ()):
            edge = scale.min * most
            if scale.min < window.replicas <= edge and not (is_old and window.replicas == edge):
                least = math.ceil(edge) if is_old else math.floor(edge) + 1
                yield (
                    f"{path}.keda.schedule.windows[{index}].replicas is {window.replicas}, and "
                    f"{path}.min {scale.min}: an HPA leaves alone what is within 10 %, so that "
                    f"with {scale.min} replicas the window brings none. Give {least} or more."
                )


@warning
def windows_count_at_some_time(environment: Environment) -> Iterator[str]:
    """A window changes nothing while another one is open that asks for as many replicas."""
    for path, _, scale in keda_scales(environment):
        schedule = scale.keda.schedule if scale.keda else None
        if schedule is None:
            continue
        for index, above in schedule.covered():
            window, field = schedule.windows[index], f"{path}.keda.schedule.windows"
            yield (
                f"{field}[{index}] is {window.start} to {window.end}, and all that time "
                f"windows[{above}] is open, which asks for {schedule.windows[above].replicas} "
                f"replicas: with {window.replicas} it changes nothing."
            )


@warning_by_needs
def updates_wait_for_all_replicas(environment: Environment, needs: Needs) -> Iterator[str]:
    """A revision is ready when all the replicas are that it begins with."""
    wait = environment.waits.service_seconds
    for path, model in models(environment):
        scaling = _pod_autoscaling(model, needs)
        starts = scaling.first_pods if scaling else 1
        elastic = is_elastic(environment, model)
        if not elastic or _standing_replicas(environment, model) >= starts:
            starts = 1
        for kind, section in model.serve.sections.items():
            need = starts * (section.startup_seconds or 0)
            if not 0 < wait < need:
                continue
            field = f"{path}.serve.{kind}.startup_seconds"
            reason = (
                f"{starts} starts of {field} ({section.startup_seconds}), since it is ready only "
                "with all of scale.min and nodes may come one after another"
                if starts > 1
                else f"{field} allows a start {section.startup_seconds}"
            )
            yield (
                f"waits.service_seconds is {wait}, but {path} may take {need} s: {reason}. An "
                "update would give up on a model that comes up."
            )
