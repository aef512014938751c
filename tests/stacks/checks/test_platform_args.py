"""Rules within sections that are arguments of what models need in a cluster."""

from ..environments import dev, existing, hybrid
from .cases import Case, refusals
from .parts import ACK_KSERVE, PROMETHEUS

CASES = [
    Case(
        "KServeChart",
        "ack-kserve without its address",
        hybrid,
        {"kserve": {"chart": {"flavor": "ack", "version": "1.0.0"}}},
        (
            "kserve.chart.chart is missing, but it must be given with flavor ack: ack-kserve has "
            "no address that we could know."
        ),
        {"kserve": {"chart": ACK_KSERVE}},
    ),
    Case(
        "FluidChart",
        "null in the values of Fluid",
        dev,
        {"fluid": {"values": {"csi": {"tolerations": None}}}},
        (
            "fluid.values.csi.tolerations is null, but it must be left out, or a value that "
            "does the same, such as [], false or '': Pulumi drops it before Helm sees it, and the "
            "chart's own default stays."
        ),
        {"fluid": {"values": {"csi": {"tolerations": []}}}},
    ),
    Case(
        "KServeChart",
        "null in the values of KServe",
        hybrid,
        {"kserve": {"chart": {"values": {"csi": {"tolerations": None}}}}},
        (
            "kserve.chart.values.csi.tolerations is null, but it must be left out, or a value that "
            "does the same, such as [], false or '': Pulumi drops it before Helm sees it, and the "
            "chart's own default stays."
        ),
        {"kserve": {"chart": {"values": {"csi": {"tolerations": []}}}}},
    ),
    Case(
        "GpuLabels",
        "a label that Prometheus does not have",
        hybrid,
        {"gpu_metrics.labels": {"namespace": "NamespaceName", "pod": "pod-name"}},
        (
            "gpu_metrics.labels.pod is 'pod-name', but it must be letters, digits and '_', no "
            "digit first: Prometheus has no other labels."
        ),
        {"gpu_metrics.labels": {"namespace": "NamespaceName", "pod": "pod_name"}},
    ),
    Case(
        "GpuMetricsArgs",
        "a setting of NVIDIA's exporter for ACK's",
        hybrid,
        {"gpu_metrics.gpu_node_label": "gpu"},
        (
            "gpu_metrics.gpu_node_label is 'gpu', but it must be left out with flavor arms: ACK "
            "chooses exporter and images."
        ),
        {"gpu_metrics.labels": {"namespace": "namespace", "pod": "pod"}},
    ),
    Case(
        "PrometheusEndpoint",
        "an address of Prometheus with a password in it",
        existing,
        {"gpu_metrics": {"url": "http://me:CANARY@prometheus:9090"}},
        (
            "gpu_metrics.url is given with a password in it, but it must be an address alone: it "
            "ends up in the state in plain."
        ),
        {"gpu_metrics": PROMETHEUS},
    ),
    Case(
        "DashboardsArgs",
        "a namespace for dashboards that Kubernetes does not take",
        hybrid,
        {"gpu_metrics.dashboards_namespace": "Grafana"},
        (
            "gpu_metrics.dashboards_namespace is 'Grafana', but it must be lower-case letters, "
            "digits and '-', '-' neither first nor last, at most 63: it names a namespace. See "
            "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
        ),
        {"gpu_metrics.dashboards_namespace": "grafana"},
    ),
    Case(
        "PriorityClass",
        "a priority that Kubernetes keeps for itself",
        dev,
        {"priorities[+]": {"name": "system-high", "value": 1}},
        (
            "priorities[system-high].name is 'system-high', but it must be without system- in "
            "front: Kubernetes reserves it."
        ),
        {"priorities[+]": {"name": "our-system-high", "value": 1}},
    ),
    Case(
        "FluidChart",
        "ack-fluid without its address",
        dev,
        {"fluid": {"flavor": "ack", "version": "1.0.11"}},
        (
            "fluid.chart is missing, but it must be given with flavor ack: ack-fluid has no "
            "address that we could know."
        ),
        {"fluid": {"flavor": "ack", "version": "1.0.11", "chart": "oci://registry/ack-fluid"}},
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
