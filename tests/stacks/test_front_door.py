"""What stands before KServe's models: an ingress controller, its time-outs, and room for the pod.

Does not prove that ACK's add-on reads its configuration so: its page is named beside it.
"""

import json
from typing import Any, Final

import pytest

from plan.model import Resource

from .environments import (
    Raw,
    accepted,
    dev,
    existing,
    hybrid,
    merged,
    planned,
    refusal,
    warnings,
)

ADDON: Final = "alicloud:cs/kubernetesAddon:KubernetesAddon"
RELEASE: Final = "kubernetes:helm.sh/v3:Release"
SERVICE: Final = "kubernetes:serving.kserve.io/v1beta1:InferenceService"
NGINX: Final = "nginx-ingress-controller"
READ: Final = "nginx.ingress.kubernetes.io/proxy-read-timeout"
SEND: Final = "nginx.ingress.kubernetes.io/proxy-send-timeout"
QUEUE: Final = "models[qwen-queue]"
CHAT: Final = "models[qwen-chat]"
ACK: Final = {"flavor": "ack", "chart": "oci://registry/ack-kserve", "version": "1.0.0"}
GATEWAY: Final = {
    "values": {
        "kserve": {"controller": {"gateway": {"ingressGateway": {"enableGatewayApi": True}}}}
    }
}
COUNTED: Final = {
    f"{model}.serve.kserve.scale": {"metric": "concurrency", "target": 4, "max": 3}
    for model in (QUEUE, CHAT)
}


def kserve(**section: Any) -> Raw:
    return merged(hybrid(), {"kserve": section})


def elsewhere(**section: Any) -> Raw:
    """A cluster that is there already, with a model of KServe."""
    scale = {"metric": "cpu", "target": 80, "max": 2}
    serve = {"kserve": {"scale": scale}}
    return merged(existing(), {"models[qwen].serve": serve, "kserve": section})


def addons(raw: Raw) -> list[Resource]:
    return [addon for addon in planned(raw).of(ADDON) if addon.inputs["name"] == NGINX]


def annotations(raw: Raw, model: str = "qwen-queue") -> Any:
    named = {service.inputs["metadata"]["name"]: service for service in planned(raw).of(SERVICE)}
    return named[model].inputs["metadata"]["annotations"]


def test_the_stack_installs_the_controller_that_its_models_need_inside_the_vpc() -> None:
    [addon] = addons(hybrid())
    assert json.loads(addon.inputs["config"]) == {"IngressSlbNetworkType": "intranet"}
    assert all(addon.urn in service.dependencies for service in planned(hybrid()).of(SERVICE))


def test_the_door_is_open_to_the_internet_only_where_that_is_asked() -> None:
    [addon] = addons(kserve(public_ingress=True))
    assert json.loads(addon.inputs["config"]) == {"IngressSlbNetworkType": "internet"}


@pytest.mark.parametrize(
    "changes",
    [
        {"kserve": {"ingress_controller": "present"}},
        {"kserve": {"ingress_controller": "present", "ingress_class": "mine"}},
        {"kserve": {"chart": GATEWAY}},
        {
            "kserve": {"ingress_class": "alb"},
            "cluster.addons": [{"name": "alb-ingress-controller"}],
        },
    ],
)
def test_a_controller_that_is_there_is_not_installed(changes: Raw) -> None:
    assert addons(merged(hybrid(), changes)) == []


def test_an_add_on_that_is_named_is_not_installed_twice() -> None:
    raw = merged(hybrid(), {"cluster.addons": [{"name": NGINX}]})
    [addon] = addons(raw)
    assert addon.name == f"cluster-addon-{NGINX}"


def test_ack_kserve_needs_the_controller_too() -> None:
    assert len(addons(kserve(chart=ACK))) == 1


def test_with_ack_kserve_a_model_says_a_limit_before_one_below_its_request_is_said_for_it() -> None:
    limits = [
        service.inputs["spec"]["predictor"]["containers"][0]["resources"]["limits"]["cpu"]
        for service in planned(kserve(chart=ACK)).of(SERVICE)
    ]
    assert limits == ["4", "4"]


def test_a_model_that_knative_runs_has_no_ingress() -> None:
    assert addons(merged(hybrid(), COUNTED)) == []


def test_a_class_that_nobody_answers_to_is_refused_in_a_new_cluster() -> None:
    assert refusal(kserve(ingress_class="alb")).startswith(
        "kserve.ingress_controller is missing, but it must be 'addon' for ACK's "
        "alb-ingress-controller, or 'present', or kserve.ingress_class "
        "nginx: cluster.addons names no add-on that could answer to alb"
    )


def test_the_add_on_of_alb_stands_in_every_zone_and_has_its_class() -> None:
    zone = {"id": "cn-hangzhou-j", "cidr": "10.16.16.0/20"}
    alb = {"ingress_controller": "addon", "ingress_class": "alb", "public_ingress": True}
    plan = planned(merged(kserve(**alb), {"network.zones[+]": zone}), preview=False)
    [addon] = [
        resource
        for resource in plan.resources
        if resource.inputs.get("name") == "alb-ingress-controller"
    ]
    assert json.loads(addon.inputs["config"])["albIngress"] == {
        "AddressType": "Internet",
        "CreateDefaultALBConfig": True,
        "ZoneMappings": {
            "cn-hangzhou-i": ["network-vswitch-cn-hangzhou-i-id"],
            "cn-hangzhou-j": ["network-vswitch-cn-hangzhou-j-id"],
        },
    }
    [ingress_class] = plan.manifests("IngressClass")
    assert ingress_class["metadata"]["name"] == "alb"
    assert ingress_class["spec"]["parameters"]["name"] == "alb"


def test_on_an_existing_cluster_a_controller_is_assumed_and_that_is_said() -> None:
    [sentence] = warnings(elsewhere())
    assert sentence.startswith("KServe makes Ingresses of class nginx, and calls them ready")
    assert warnings(elsewhere(ingress_controller="present")) == []
    assert warnings(existing()) == []


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (
            elsewhere(ingress_controller="addon"),
            "kserve.ingress_controller is 'addon', but it must be 'present': the add-on belongs",
        ),
        (
            kserve(ingress_controller="addon", ingress_class="traefik"),
            "kserve.ingress_controller is 'addon', but it must be 'present': ACK's add-ons answer",
        ),
        (
            merged(kserve(ingress_controller="addon"), {"cluster.addons": [{"name": NGINX}]}),
            "kserve.ingress_controller is 'addon', but it must be 'present', or left out: cluster",
        ),
        (
            kserve(ingress_controller="present", public_ingress=True),
            "kserve.public_ingress is True, but it must be left out: it is a setting of the add-on",
        ),
        (
            elsewhere(ingress_controller="present", public_ingress=True),
            "kserve.public_ingress is True, but it must be left out: it is a setting of the add-on",
        ),
    ],
)
def test_a_door_that_could_not_be_built_is_refused(raw: Raw, sentence: str) -> None:
    assert refusal(raw).startswith(sentence)


@pytest.mark.parametrize("seconds", [1, 60, 600])
def test_the_time_of_a_request_reaches_the_ingress(seconds: int) -> None:
    """KServe copies annotations to the Ingress, and `timeout` nowhere."""
    raw = merged(hybrid(), {f"{QUEUE}.serve.kserve.request_seconds": seconds})
    notes = annotations(raw)
    assert (notes[READ], notes[SEND]) == (str(seconds), str(seconds))
    assert READ not in annotations(raw, "qwen-chat")


@pytest.mark.parametrize("name", ["nginx", "ingress-nginx", "nginx-internal"])
def test_any_class_of_nginx_has_its_time_outs(name: str) -> None:
    changes = {f"{QUEUE}.serve.kserve.request_seconds": 300}
    raw = merged(kserve(ingress_class=name, ingress_controller="present"), changes)
    assert annotations(raw)[READ] == "300"


def test_a_time_of_ones_own_for_the_ingress_has_the_last_word() -> None:
    serve = f"{QUEUE}.serve.kserve"
    raw = merged(hybrid(), {f"{serve}.request_seconds": 300, f"{serve}.annotations": {READ: "900"}})
    notes = annotations(raw)
    assert (notes[READ], notes[SEND]) == ("900", "300")


def test_a_time_that_nobody_reads_is_refused() -> None:
    changes = {f"{QUEUE}.serve.kserve.request_seconds": 300}
    raw = merged(kserve(ingress_class="alb", ingress_controller="present"), changes)
    assert refusal(raw).startswith(
        f"{QUEUE}.serve.kserve.request_seconds is 300, but it must be left out, and set as the "
        "controller of class alb wants it"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"kserve": {"chart": GATEWAY}},
        {"kserve": {"ingress_class": "alb"}, **COUNTED},
    ],
)
def test_who_reads_the_time_by_itself_needs_no_annotation(changes: Raw) -> None:
    raw = merged(hybrid(), {**changes, f"{QUEUE}.serve.kserve.request_seconds": 300})
    assert READ not in (annotations(raw) or {})
    [service] = [
        service
        for service in planned(raw).of(SERVICE)
        if service.inputs["metadata"]["name"] == "qwen-queue"
    ]
    assert service.inputs["spec"]["predictor"]["timeout"] == 300


def test_the_queue_model_of_hybrid_keeps_no_limit() -> None:
    """Its request of 4 is above the 1 that KServe would give it as a limit."""
    [release] = [
        release
        for release in planned(hybrid()).of(RELEASE)
        if release.inputs["name"] == "kserve-resources"
    ]
    assert release.inputs["values"]["kserve"]["inferenceservice"] == {
        "resources": {"limits": {"cpu": ""}}
    }
    assert accepted(hybrid()).model("qwen-queue").server.resources.cpu_limit is None


@pytest.mark.parametrize(
    "chart",
    [
        {"values": {"kserve": {"inferenceservice": {"resources": {"limits": {"cpu": "2"}}}}}},
        {"values": {"kserve": {"inferenceservice": {"resources": {"limits": {"cpu": 3}}}}}},
    ],
)
def test_a_default_limit_below_the_request_is_refused_where_it_is_not_ours(chart: Raw) -> None:
    assert refusal(kserve(chart=chart)).startswith(
        f"{QUEUE}.server.resources.cpu_limit is left out, but it must be 4 or more: by "
        "kserve.chart.values a container without one is given"
    )


@pytest.mark.parametrize(
    ("chart", "resources"),
    [
        ({**ACK}, {"cpu_limit": "4"}),
        ({**ACK}, {"cpu": "1"}),
        (
            {
                **ACK,
                "values": {"kserve": {"inferenceservice": {"resources": {"limits": {"cpu": ""}}}}},
            },
            {},
        ),
        ({"values": {"kserve": {"inferenceservice": {"resources": {"limits": {"cpu": "4"}}}}}}, {}),
        ({"values": {"kserve": {"agent": {"tag": "mine"}}}}, {}),
    ],
)
def test_a_default_limit_that_leaves_room_is_accepted(chart: Raw, resources: Raw) -> None:
    changes = {f"{QUEUE}.server.resources.{key}": value for key, value in resources.items()}
    assert accepted(merged(kserve(chart=chart), changes))


def test_a_mirror_has_the_images_of_cert_manager_too() -> None:
    raw = kserve(chart={"image_prefix": "mirror/kserve"})
    [release] = [
        release for release in planned(raw).of(RELEASE) if release.inputs["name"] == "cert-manager"
    ]
    values = release.inputs["values"]
    assert (values["imageRegistry"], values["imageNamespace"]) == ("mirror/kserve", "")


def test_pods_of_a_model_do_not_read_the_services_of_their_namespace() -> None:
    """A Service called vllm would set VLLM_PORT, which vLLM takes for its own."""
    for service in planned(hybrid()).of(SERVICE):
        assert service.inputs["spec"]["predictor"]["enableServiceLinks"] is False


def test_below_knative_a_request_may_take_as_long_as_the_stack_lets_it() -> None:
    raw = merged(hybrid(), {**COUNTED, f"{QUEUE}.serve.kserve.request_seconds": 3600})
    assert refusal(raw) == (
        f"{QUEUE}.serve.kserve.request_seconds is 3600, but it must be at most "
        "knative.max_request_seconds (600): Knative's webhook refuses longer requests."
    )
    longer = merged(raw, {"knative": {"max_request_seconds": 3600}})
    [service] = [
        service
        for service in planned(longer).of(SERVICE)
        if service.inputs["metadata"]["name"] == "qwen-queue"
    ]
    assert service.inputs["spec"]["predictor"]["timeout"] == 3600


def test_a_mirror_of_kserve_is_one_of_cert_manager_too() -> None:
    mirror = {"chart": {"image_prefix": "registry-vpc.cn-hangzhou.aliyuncs.com/mirror"}}
    assert any("cert_manager" in sentence for sentence in warnings(hybrid()))
    assert not any("cert_manager" in sentence for sentence in warnings(kserve(**mirror)))


@pytest.mark.parametrize("name", ["docker.io", "index.docker.io"])
def test_either_name_of_docker_hub_keeps_knative_from_asking_it(name: str) -> None:
    image = {"models[qwen].server.image": "vllm/vllm-openai:v0.4.1"}
    phrase = "keeps it from asking there"
    assert any(phrase in sentence for sentence in warnings(merged(dev(), image)))
    skipped = {**image, "knative": {"skip_tag_resolving": [name]}}
    assert not any(phrase in sentence for sentence in warnings(merged(dev(), skipped)))
