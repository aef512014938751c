"""Cases of the rules of `stacks.checks.images`."""

from typing import Final

from ..environments import GONE, Raw, dev, hybrid
from .cases import Case, refusals, surprises
from .parts import groups, load_test

ROUTED: Final[Raw] = {
    "gateway": {"flavor": "envoy", "inference_types": True},
    "models[0].route": {},
}
MIRRORED: Final[Raw] = {"leader_worker_sets": {"image_prefix": "registry.example.com/lws"}}
PRIORITIZED: Final[Raw] = {
    "host": "deepseek.example.com",
    "queueing": True,
    "priorities": {"deepseek": 10},
}
CASES = [
    *(
        Case(
            "vpc_registries_are_of_the_region",
            f"an image at {host}, which answers in another region",
            dev,
            {"models[qwen].server.image": f"{host}/team/vllm:0.4.1"},
            (
                f"models[qwen].server.image is '{host}/team/vllm:0.4.1', but it must be at {vpc}, "
                f"or at a public address: {host} answers in VPCs of cn-hangzhou only."
            ),
            {"models[qwen].server.image": f"{vpc}/team/vllm:0.4.1"},
        )
        for host, vpc in (
            ("registry-vpc.cn-hangzhou.aliyuncs.com", "registry-vpc.cn-beijing.aliyuncs.com"),
            (
                "team-registry-vpc.cn-hangzhou.cr.aliyuncs.com",
                "team-registry-vpc.cn-beijing.cr.aliyuncs.com",
            ),
            (
                "team-registry-vpc.cn-hangzhou.cr.aliyuncs.com:443",
                "team-registry-vpc.cn-beijing.cr.aliyuncs.com:443",
            ),
            (
                "registry-cn-hangzhou-vpc.ack.aliyuncs.com",
                "registry-cn-beijing-vpc.ack.aliyuncs.com",
            ),
        )
    ),
    Case(
        "vpc_registries_are_of_the_region",
        "a chart's images that answer in another region",
        dev,
        {"fluid": {"image_prefix": "registry-vpc.cn-shanghai.aliyuncs.com/team"}},
        (
            "fluid.image_prefix is 'registry-vpc.cn-shanghai.aliyuncs.com/team', but it must be at "
            "registry-vpc.cn-beijing.aliyuncs.com, or at a public address: "
            "registry-vpc.cn-shanghai.aliyuncs.com answers in VPCs of cn-shanghai only."
        ),
        {"fluid": {"image_prefix": "registry.cn-shanghai.aliyuncs.com/team"}},
    ),
]
SURPRISES = [
    *(
        Case(
            "nodes_resolve_the_registry",
            f"an image at {host}",
            dev,
            {"models[qwen].server.image": f"{host}:5000/vllm:0.4.1"},
            (
                f"models[qwen].server.image is {host}:5000/vllm:0.4.1, which the nodes pull, and "
                f"to them {host} {about}. Unless they were set up for it, name a registry that "
                "they reach."
            ),
            {"models[qwen].server.image": "harbor.corp.local:5000/vllm:0.4.1"},
        )
        for host, about in (
            ("localhost", "is the node itself: no registry is there"),
            (
                "registry.kube-system.svc.cluster.local",
                "is a Service, whose name the DNS of the cluster alone knows",
            ),
        )
    ),
    Case(
        "personal_registries_are_asked_inside",
        "a public address at which a personal registry gives nothing out",
        dev,
        {"models[qwen].server.image": "crpi-x1.cn-beijing.personal.cr.aliyuncs.com/vllm:0.4.1"},
        (
            "models[qwen].server.image is at crpi-x1.cn-beijing.personal.cr.aliyuncs.com: public "
            "endpoints of ACR's personal instances made since 2024-09-09 are not for pulls. In "
            "VPCs of cn-beijing it is crpi-x1-vpc.cn-beijing.personal.cr.aliyuncs.com."
        ),
        {
            "models[qwen].server.image": (
                "crpi-x1-vpc.cn-beijing.personal.cr.aliyuncs.com/team/vllm:0.4.1"
            )
        },
    ),
    Case(
        "registries_are_in_reach",
        "images abroad, for nodes in the mainland",
        dev,
        {"models[qwen].server.image": "vllm/vllm-openai:v0.4.1", "models[qwen].cache": GONE},
        (
            "docker.io is outside mainland China, and pulls from cn-beijing are slow or fail: "
            "models[qwen].server.image, training[finetune].image. Copy the images to a registry of "
            "the region, which ACR does by artifact subscription, and name that. Where nodes have "
            "a mirror for docker.io, Knative's controller has none: knative.skip_tag_resolving: "
            "[docker.io] keeps it from asking there."
        ),
        {
            "models[qwen].server.image": "registry.example.com/vllm/vllm-openai:v0.4.1",
            "training": [],
            "fluid": {"image_prefix": "registry.example.com/fluid"},
        },
    ),
    Case(
        "registries_are_in_reach",
        "images abroad that a load test brings",
        dev,
        {"load_tests": [load_test()]},
        (
            "quay.io is outside mainland China, and pulls from cn-beijing are slow or fail: "
            "load_tests[spike].image. Copy the images to a registry of the region, which ACR does "
            "by artifact subscription, and name that."
        ),
        {"load_tests": [load_test(image="registry.example.com/inference-perf:v0.7.0")]},
    ),
    Case(
        "registries_are_in_reach",
        "the image of a controller abroad",
        groups,
        {},
        (
            "registry.k8s.io is outside mainland China, and pulls from cn-beijing are slow or "
            "fail: leader_worker_sets.image_prefix. Copy the images to a registry of the region, "
            "which ACR does by artifact subscription, and name that."
        ),
        {"leader_worker_sets": {"image_prefix": "registry.example.com/lws"}},
    ),
    Case(
        "registries_are_in_reach",
        "programs of a gateway abroad",
        groups,
        {**ROUTED, **MIRRORED},
        (
            "registry.k8s.io is outside mainland China, and pulls from cn-beijing are slow or "
            "fail: gateway.picker.image, gateway.body_router.image. Copy the images to a registry "
            "of the region, which ACR does by artifact subscription, and name that."
        ),
        {
            **ROUTED,
            **MIRRORED,
            "gateway": {
                **ROUTED["gateway"],
                "picker": {"image": "registry.example.com/epp:v1.5.0"},
                "body_router": {"image": "registry.example.com/bbr:v1.5.0"},
            },
        },
    ),
    Case(
        "registries_are_in_reach",
        "the program that reads by which name a request for a host comes first",
        groups,
        {**ROUTED, **MIRRORED, "models[0].route": PRIORITIZED},
        (
            "registry.k8s.io is outside mainland China, and pulls from cn-beijing are slow or "
            "fail: gateway.picker.image, gateway.body_router.image. Copy the images to a registry "
            "of the region, which ACR does by artifact subscription, and name that."
        ),
        {**ROUTED, **MIRRORED, "models[0].route": {"host": "deepseek.example.com"}},
    ),
    Case(
        "registries_are_in_reach",
        "images abroad that charts bring",
        hybrid,
        {},
        (
            "quay.io is outside mainland China, and pulls from cn-hangzhou are slow or fail: "
            "kserve.chart.image_prefix, cert_manager. Copy the images to a registry of the region, "
            "which ACR does by artifact subscription, and name that."
        ),
        {
            "kserve": {"chart": {"image_prefix": "registry.example.com/kserve"}},
            "cert_manager": "present",
        },
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
test_it_is_a_warning, test_what_is_just_inside_is_none = surprises(SURPRISES)
