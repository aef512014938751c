"""Cases of the rules of `stacks.platforms.present`: what a cluster has already."""

from typing import Any, Final

import pytest

from ..environments import (
    GONE,
    Raw,
    changed,
    dev,
    existing,
    hybrid,
    merged,
    planned,
    refusal,
    sentences,
    signals,
    warnings,
)
from .cases import Case, refusals, surprises
from .parts import groups, own_ack_cluster

KNATIVE: Final[Raw] = {"knative": {"install": False}}
KSERVE: Final[Raw] = {"kserve": {"install": False}}
ON_KSERVE: Final[Raw] = {"kserve": {"scale": {"metric": "cpu", "target": 80, "max": 2}}}
INTRANET: Final[Raw] = {
    "gateway_annotations": {
        "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type": "intranet"
    }
}
ROUTED: Final[Raw] = {"gateway": {}, "models[qwen-queue].route": {}}
CASES = [
    Case(
        "addons_of_the_platform_are_installed_once",
        "an add-on that the stack installs, named once more",
        dev,
        {"cluster.addons": [{"name": "knative"}]},
        (
            "cluster.addons[knative] is 'knative', but it must be left out, or knative.install "
            "false: the stack installs it by itself, and a cluster has it once."
        ),
        {"cluster.addons": [{"name": "knative"}], **KNATIVE},
    ),
    Case(
        "addons_of_the_platform_are_installed_once",
        "the Gateway API twice",
        hybrid,
        {**ROUTED, "cluster.addons": [{"name": "gateway-api"}]},
        (
            "cluster.addons[gateway-api] is 'gateway-api', but it must be left out, or "
            "gateway.install false: the stack installs it by itself, and a cluster has it once."
        ),
        {**ROUTED, "gateway": {"install": False}, "cluster.addons": [{"name": "gateway-api"}]},
    ),
    Case(
        "InstalledChart",
        "a chart of a Fluid that nobody installs",
        dev,
        {"fluid": {"install": False, "chart": "fluid"}},
        (
            "fluid.chart is given, but it must be left out with install false: the cluster has "
            "Fluid, and nothing is installed."
        ),
        {"fluid": {"install": False, "version": "1.0.8"}},
    ),
    Case(
        "KServeSection",
        "a chart of a KServe that nobody installs",
        hybrid,
        {"kserve": {"install": False, "chart": {"version": "v0.20.0"}}},
        (
            "kserve.chart is given, but it must be left out with install false: the cluster has "
            "KServe, and nothing is installed."
        ),
        {"kserve": {"install": False, "version": "v0.20.0"}},
    ),
    Case(
        "KServeSection",
        "a release of KServe that is none",
        hybrid,
        {"kserve": {"install": False, "version": "newest"}},
        (
            "kserve.version is 'newest', but it must be a release such as v0.20.0: checks of the "
            "models go by it."
        ),
        {"kserve": {"install": False, "version": "0.18"}},
    ),
    Case(
        "KServeSection",
        "the release of a KServe that a chart installs",
        hybrid,
        {"kserve": {"version": "v0.20.0"}},
        (
            "kserve.version is 'v0.20.0', but it must be left out, or install false: it says what "
            "is there already; what is installed, the chart decides."
        ),
        {"kserve": {"chart": {"version": "v0.20.0"}}},
    ),
    Case(
        "GpuMetricsSection",
        "the Prometheus of an adapter that nobody installs",
        hybrid,
        {"gpu_metrics": {"install": False, "exporter": False}},
        (
            "gpu_metrics.exporter is given, but it must be left out with install false: the "
            "cluster serves its metrics, and nothing is installed."
        ),
        {"gpu_metrics": {"install": False, "dashboards": False}},
    ),
]
SURPRISES = [
    Case(
        "present_knative_is_configured",
        "flags that nobody sets in the cluster's Knative",
        existing,
        {"knative": {"install": False, "max_request_seconds": 900}},
        (
            "knative.install is false, so nobody sets what the models need of the cluster's "
            "Knative: have in its namespace config-features (kubernetes.podspec-affinity: enabled, "
            "kubernetes.podspec-persistent-volume-claim: enabled, "
            "kubernetes.podspec-priorityclassname: enabled, kubernetes.podspec-tolerations: "
            "enabled); config-domain (example.com); config-defaults "
            "(max-revision-timeout-seconds: 900); config-deployment (pod-is-always-schedulable: "
            "true). A flag that is missing shows when Knative's "
            "webhook refuses the Service."
        ),
        {"knative": {"max_request_seconds": 900}},
    ),
    Case(
        "present_kserve_is_configured",
        "a domain that nobody sets in the cluster's KServe",
        existing,
        {
            "models[qwen].serve": ON_KSERVE,
            "kserve": {"install": False, "domain": "example.org", "ingress_class": "alb"},
        },
        (
            "kserve.install is false, so nobody sets what the models need of the cluster's KServe: "
            "have in its ConfigMap inferenceservice-config ingressDomain example.org, "
            "ingressClassName alb and disableIstioVirtualHost true. A container without a CPU "
            "limit is given its request as the limit, since the default there is not known."
        ),
        {"models[qwen].serve": ON_KSERVE},
    ),
    Case(
        "present_fluid_runs_jindo",
        "a Fluid of the cluster's",
        existing,
        {"fluid": {"install": False}},
        (
            "fluid.install is false: the cluster's Fluid needs its controller of JindoRuntimes "
            "(runtime.jindo.enabled) and its CSI plugin on every node that the models run on, "
            "taints of GPU nodes tolerated."
        ),
        {},
    ),
    Case(
        "present_metrics_are_served",
        "metrics that nobody carries to the autoscaler",
        hybrid,
        {"gpu_metrics": {"install": False}},
        (
            "gpu_metrics.install is false: the cluster has to serve DCGM_CUSTOM_PROCESS_SM_UTIL, "
            "vllm_num_requests_waiting for pods at custom.metrics.k8s.io, and its Prometheus has "
            "to collect /metrics of the models' pods."
        ),
        {},
    ),
    Case(
        "present_metrics_are_served",
        "an adapter that the cluster is said to have",
        hybrid,
        {"gpu_metrics.adapter": False, "prometheus_url": GONE},
        (
            "gpu_metrics.adapter is false: the cluster has to serve DCGM_CUSTOM_PROCESS_SM_UTIL, "
            "vllm_num_requests_waiting for pods at custom.metrics.k8s.io."
        ),
        {},
    ),
    Case(
        "present_metrics_are_served",
        "series that KEDA asks for, and nobody collects",
        signals,
        {
            "gpu_metrics": {"install": False},
            **{
                f"models[{name}].serve.kserve.scale.keda.server": "http://prometheus.monitoring"
                for name in ("chat", "batch")
            },
        },
        (
            "gpu_metrics.install is false: the Prometheus that KEDA asks has to collect /metrics "
            "of the models' pods."
        ),
        {},
    ),
    Case(
        "new_clusters_have_nothing",
        "a KServe that no cluster has that was just created",
        hybrid,
        KSERVE,
        (
            "kserve.install is false, and the stack creates the cluster: install it between the "
            "cluster and the models, or the first update ends at a resource type that the cluster "
            "does not know."
        ),
        {},
    ),
    Case(
        "new_clusters_have_nothing",
        "a controller of groups that no cluster has that was just created",
        groups,
        {"leader_worker_sets": {"install": False}},
        (
            "leader_worker_sets.install is false, and the stack creates the cluster: install it "
            "between the cluster and the models, or the first update ends at a resource type that "
            "the cluster does not know."
        ),
        {},
    ),
    Case(
        "new_clusters_have_nothing",
        "a Knative that no add-on brings",
        dev,
        KNATIVE,
        (
            "knative.install is false, and the stack creates the cluster: install it between the "
            "cluster and the models, or the first update ends at a resource type that the cluster "
            "does not know."
        ),
        {"cluster.addons": [{"name": "knative"}], **KNATIVE},
    ),
]


def test_a_cluster_that_exists_is_not_told_to_be_new() -> None:
    text = " ".join(warnings(merged(own_ack_cluster(), KNATIVE)))
    assert "knative.install is false, so nobody sets" in text
    assert "the stack creates the cluster" not in text


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
test_it_is_a_warning, test_what_is_just_inside_is_none = surprises(SURPRISES)


def _types(raw: Raw) -> set[str]:
    return {str(resource.type) for resource in planned(raw, stack="stack").resources}


def test_nothing_is_declared_of_what_the_cluster_has() -> None:
    parts: dict[str, Any] = {"knative": "Knative", "fluid": "Fluid"}
    raw = merged(existing(), {part: {"install": False} for part in parts})
    for component in parts.values():
        kind = f"ack-inference:index:{component}"
        assert kind in _types(existing())
        assert kind not in _types(raw)


def test_a_cluster_that_has_kserve_is_taken_to_have_cert_manager() -> None:
    raw = merged(hybrid(), KSERVE)
    kind = "ack-inference:index:CertManager"
    assert kind in _types(hybrid())
    assert kind not in _types(raw)


def test_metrics_that_the_cluster_serves_need_no_prometheus() -> None:
    raw = merged(hybrid(), {"gpu_metrics": {"install": False}})
    del raw["prometheus_url"]
    assert sentences(raw) == []
    assert "ack-inference:index:GpuMetrics" not in _types(raw)
    assert "ack-inference:index:Dashboards" in _types(raw)


def test_the_limit_of_a_kserve_that_is_there_is_taken_for_what_it_ships() -> None:
    """KServe's webhook gives a container without one a limit below its request."""
    raw = merged(existing(), {"models[qwen].serve": ON_KSERVE, **KSERVE})
    [service] = [r for r in planned(raw, stack="stack").resources if "InferenceService" in r.type]
    [container] = service.inputs["spec"]["predictor"]["containers"]
    assert container["resources"]["limits"]["cpu"] == container["resources"]["requests"]["cpu"]


def test_cert_manager_is_said_in_a_word_or_in_a_section() -> None:
    for setting in ("present", {"install": False}):
        assert "ack-inference:index:CertManager" not in _types(
            changed(hybrid(), "cert_manager", setting)
        )


def test_the_gateway_of_the_operators_knative_can_be_private() -> None:
    plan = planned(merged(existing(), {"knative": INTRANET}), stack="stack")
    [serving] = plan.manifests("KnativeServing")
    annotations = INTRANET["gateway_annotations"]
    assert serving["spec"]["services"] == [{"name": "kourier", "annotations": annotations}]
    [usual] = planned(existing(), stack="stack").manifests("KnativeServing")
    assert "services" not in usual["spec"]


def test_the_gateway_of_acks_knative_is_acks() -> None:
    assert refusal(merged(dev(), {"knative": INTRANET})) == (
        "knative.gateway_annotations is given, but it must be left out: ACK makes the gateway of "
        "its add-on, and its Service."
    )


@pytest.mark.parametrize("version", ["1.19", "1.22.7", "1.23", "1.24", "v1.18.1.10"])
def test_a_knative_that_is_there_may_be_of_any_release(version: str) -> None:
    texts = warnings(merged(existing(), {"knative": {"install": False, "version": version}}))
    assert any(text.startswith("knative.install is false, so nobody sets") for text in texts)
