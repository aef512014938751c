"""Cases of the rules of `stacks.platforms.front_door`."""

from typing import Any

from ..environments import Raw, existing, hybrid
from .cases import Case, refusals, surprises

ON_KSERVE = {"kserve": {"scale": {"metric": "cpu", "target": 80, "max": 2}}}


def limits(cpu: str) -> Raw:
    """Values of KServe's chart for a container without a CPU limit."""
    return {"kserve": {"inferenceservice": {"resources": {"limits": {"cpu": cpu}}}}}


LIMITS_2 = limits("2")


def gateway(**values: Any) -> Raw:
    """Values of KServe's chart for what stands before the models."""
    return {"chart": {"values": {"kserve": {"controller": {"gateway": values}}}}}


CASES = [
    Case(
        "values_agree_with_fields",
        "a domain of the chart that is none of the stack",
        hybrid,
        {"kserve": {"domain": "example.org", **gateway(domain="example.net")}},
        (
            "kserve.chart.values.kserve.controller.gateway.domain is 'example.net', but it must be "
            "left out, and kserve.domain set: kserve.domain says example.org, and hosts and "
            "time-outs follow that."
        ),
        {"kserve": {"domain": "example.org", **gateway(domain="example.org")}},
    ),
    Case(
        "values_agree_with_fields",
        "an IngressClass of the chart that is none of the stack",
        hybrid,
        {"kserve": gateway(ingressGateway={"className": "alb"})},
        (
            "kserve.chart.values.kserve.controller.gateway.ingressGateway.className is 'alb', but "
            "it must be left out, and kserve.ingress_class set: kserve.ingress_class says nginx, "
            "and hosts and time-outs follow that."
        ),
        {"kserve": gateway(ingressGateway={"className": "nginx"})},
    ),
    Case(
        "values_agree_with_fields",
        "a mode of the chart in which the models have no autoscaler",
        hybrid,
        {
            "kserve": {
                "chart": {"values": {"kserve": {"controller": {"deploymentMode": "Knative"}}}}
            }
        },
        (
            "kserve.chart.values.kserve.controller.deploymentMode is 'Knative', but it must be "
            "left out: each model's scale.metric decides its mode, and Standard is that of the "
            "others."
        ),
        {
            "kserve": {
                "chart": {"values": {"kserve": {"controller": {"deploymentMode": "Standard"}}}}
            }
        },
    ),
    Case(
        "values_agree_with_fields",
        "a limit that KServe's webhook cannot read",
        hybrid,
        {"kserve": {"chart": {"values": limits("two")}}},
        (
            "kserve.chart.values.kserve.inferenceservice.resources.limits.cpu is 'two', but it "
            "must be a quantity such as '2', or empty for none: KServe's webhook reads it for each "
            "model."
        ),
        {"kserve": {"chart": {"values": limits("")}}},
    ),
    Case(
        "values_agree_with_fields",
        "values of the chart that are no section",
        hybrid,
        {"kserve": {"chart": {"values": {"kserve": "x"}}}},
        (
            "kserve.chart.values.kserve is 'x', but it must be a section of keys and values: the "
            "chart has all of its own there."
        ),
        {"kserve": {"chart": {"values": {"kserve": {}}}}},
    ),
    Case(
        "ingress_controllers_are_installed_once",
        "ACK's add-on for a class that it does not answer to",
        hybrid,
        {"kserve": {"ingress_controller": "addon", "ingress_class": "traefik"}},
        (
            "kserve.ingress_controller is 'addon', but it must be 'present': ACK's add-ons answer "
            "to nginx and alb, and kserve.ingress_class is another."
        ),
        {"kserve": {"ingress_controller": "present", "ingress_class": "traefik"}},
    ),
    Case(
        "alb_stands_in_several_zones",
        "an ALB instance in one zone",
        hybrid,
        {"kserve": {"ingress_controller": "addon", "ingress_class": "alb"}},
        (
            "kserve.ingress_class is 'alb', but it must be nginx, or network.zones of 2 zones or "
            "more: an ALB instance stands in as many."
        ),
        {
            "kserve": {"ingress_controller": "addon", "ingress_class": "alb"},
            "network.zones[+]": {"id": "cn-hangzhou-j", "cidr": "10.16.16.0/20"},
        },
    ),
    Case(
        "ingresses_have_a_controller",
        "a class that nobody answers to in a new cluster",
        hybrid,
        {"kserve": {"ingress_class": "alb"}},
        (
            "kserve.ingress_controller is missing, but it must be 'addon' for ACK's "
            "alb-ingress-controller, or 'present', or kserve.ingress_class nginx: cluster.addons "
            "names no add-on that could answer to alb, and without one the models are reached "
            "inside the cluster alone."
        ),
        {
            "kserve": {"ingress_class": "alb"},
            "cluster.addons": [{"name": "alb-ingress-controller"}],
        },
    ),
    Case(
        "default_limits_leave_room",
        "a default limit of KServe below a request",
        hybrid,
        {"kserve": {"chart": {"values": LIMITS_2}}},
        (
            "models[qwen-queue].server.resources.cpu_limit is left out, but it must be 4 or more: "
            "by kserve.chart.values a container without one is given 2, below the request, and the "
            "API server refuses the Deployment."
        ),
        {"kserve": {"chart": {"values": LIMITS_2}}, "models[qwen-queue].server.resources.cpu": "2"},
    ),
]
SURPRISES = [
    Case(
        "hosts_follow_the_template",
        "hosts of another template than KServe's",
        hybrid,
        {"kserve": gateway(domainTemplate="{{ .Name }}.{{ .IngressDomain }}")},
        (
            "kserve.chart.values.kserve.controller.gateway.domainTemplate is given: KServe makes "
            "other addresses by it, or none, and the outputs of the stack have those that KServe "
            "makes as it ships."
        ),
        {"kserve": gateway(disableIngressCreation=False)},
    ),
    Case(
        "existing_clusters_have_a_controller",
        "an existing cluster of which nobody says that it has an ingress controller",
        existing,
        {"models[qwen].serve": ON_KSERVE},
        (
            "KServe makes Ingresses of class nginx, and calls them ready also where nobody answers "
            "to them: have a controller for it, and say kserve.ingress_controller: present."
        ),
        {"models[qwen].serve": ON_KSERVE, "kserve": {"ingress_controller": "present"}},
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
test_it_is_a_warning, test_what_is_just_inside_is_none = surprises(SURPRISES)
