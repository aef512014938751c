from typing import Any

import pulumi
import pytest

from components.platform import Knative, KnativeArgs
from components.platform.knative import configuration, serving_spec
from plan.model import Resource
from tests.recording import assert_is_a_good_parent, only, outputs, planned, refused

ADDON = "alicloud:cs/kubernetesAddon:KubernetesAddon"
PATCH = "kubernetes:core/v1:ConfigMapPatch"
SERVING = "kubernetes:operator.knative.dev/v1beta1:KnativeServing"
RELEASE = "kubernetes:helm.sh/v3:Release"
NAMESPACE = "kubernetes:core/v1:Namespace"
FLAGS = {
    "kubernetes.podspec-tolerations": "enabled",
    "kubernetes.podspec-persistent-volume-claim": "enabled",
}
PATTERN = "registry.example.com/knative/${NAME}:v1.23.0"


def addon(**changes: Any) -> dict[str, Any]:
    return {"installer": "addon", "features": FLAGS, "cluster_id": "c1", **changes}


def operator(**changes: Any) -> dict[str, Any]:
    return {"installer": "operator", "features": FLAGS, **changes}


def patches(args: dict[str, Any]) -> dict[str, Resource]:
    resources = planned(Knative, "it", args).of(PATCH)
    return {resource.inputs["metadata"]["name"]: resource for resource in resources}


def serving(**changes: Any) -> dict[str, Any]:
    return serving_spec(KnativeArgs.of(operator(**changes))).manifest()


def test_the_addon_belongs_to_the_cluster_and_has_the_version_that_ack_chooses():
    inputs = only(planned(Knative, "it", addon()).of(ADDON)).inputs
    assert inputs == {"clusterId": "c1", "name": "knative"}
    pinned = only(planned(Knative, "it", addon(version="v1.18.1.10")).of(ADDON)).inputs
    assert pinned["version"] == "v1.18.1.10"


def test_the_addon_is_patched_with_exactly_the_flags_that_are_needed():
    config_maps = patches(addon())
    assert set(config_maps) == {"config-features", "config-deployment"}
    assert config_maps["config-features"].inputs["data"] == FLAGS


def test_a_patch_takes_its_keys_over_and_waits_for_the_addon():
    plan = planned(Knative, "it", addon())
    patch = plan.of(PATCH)[0]
    assert patch.inputs["metadata"] == {
        "name": "config-features",
        "namespace": "knative-serving",
        "annotations": {"pulumi.com/patchForce": "true"},
    }
    assert only(plan.of(ADDON)).urn in patch.dependencies


def test_what_does_not_differ_is_not_patched():
    assert set(patches(addon(features={}))) == {"config-deployment"}
    same = addon(features={}, domain="example.com", max_request_seconds=600)
    assert set(patches(same)) == {"config-deployment"}
    assert set(patches(addon(features={}, max_request_seconds=300))) == {"config-deployment"}


@pytest.mark.parametrize("args", [addon, operator])
def test_replicas_that_wait_for_nodes_keep_their_bounds(args: Any):
    """findings/knative-forgets-bounds-of-what-waits-for-nodes.sh."""
    config = configuration(KnativeArgs.of(args()))
    assert config["deployment"] == {"pod-is-always-schedulable": "true"}


def test_a_domain_of_the_addon_takes_the_place_of_its_default():
    """Knative takes the first of two by name, and ACK's example.com is before most."""
    data = patches(addon(features={}, domain="llm.example.org"))["config-domain"].inputs["data"]
    assert data["llm.example.org"] == ""
    assert data["example.com"].startswith("selector:\n  ")
    assert set(data) == {"llm.example.org", "example.com"}


@pytest.mark.parametrize("args", [addon, operator])
def test_longer_requests_are_allowed_where_they_are_asked_for(args: Any):
    config = configuration(KnativeArgs.of(args(max_request_seconds=601)))
    assert config["defaults"] == {"max-revision-timeout-seconds": "601"}
    assert "defaults" not in configuration(KnativeArgs.of(args(max_request_seconds=600)))


@pytest.mark.parametrize("args", [addon, operator])
def test_tags_of_registries_out_of_reach_are_not_resolved(args: Any):
    unreached = KnativeArgs.of(args(skip_tag_resolving=["docker.io", "registry.example.com"]))
    key = "registries-skipping-tag-resolving"
    # Of an image at docker.io, Knative compares another name.
    skipped = "kind.local,ko.local,dev.local,index.docker.io,registry.example.com"
    assert configuration(unreached)["deployment"][key] == skipped
    assert key not in configuration(KnativeArgs.of(args()))["deployment"]


def test_the_operator_is_installed_pinned_under_a_fixed_name():
    inputs = only(planned(Knative, "it", operator()).of(RELEASE)).inputs
    assert (inputs["name"], inputs["namespace"]) == ("knative-operator", "knative-operator")
    assert (inputs["chart"], inputs["version"]) == ("knative-operator", "v1.23.0")
    assert inputs["repositoryOpts"] == {"repo": "https://knative.github.io/operator"}
    assert (inputs["createNamespace"], inputs["atomic"], inputs["timeout"]) == (True, True, 900)


def test_serving_is_pinned_and_behind_kourier():
    spec = serving()
    assert spec["version"] == "1.23"
    assert spec["ingress"] == {"kourier": {"enabled": True}}
    assert spec["config"]["network"] == {"ingress-class": "kourier.ingress.networking.knative.dev"}
    assert serving(version="1.22.1")["version"] == "1.22.1"


def test_the_operator_is_told_the_flags_as_it_would_undo_a_patch():
    assert serving()["config"]["features"] == FLAGS
    assert planned(Knative, "it", operator()).of(PATCH) == []


def test_the_operator_is_always_told_the_domain():
    """Knative's own default is the cluster's domain, which is not exposed."""
    assert serving()["config"]["domain"] == {"example.com": ""}
    assert serving(domain="llm.example.org")["config"]["domain"] == {"llm.example.org": ""}


def test_flags_are_in_order_so_that_a_preview_shows_no_noise():
    assert list(serving()["config"]["features"]) == sorted(FLAGS)
    assert "features" not in serving(features={})["config"]


def test_images_of_a_mirror_have_the_name_of_their_container_and_a_tag():
    assert serving(image_pattern=PATTERN)["registry"] == {"default": PATTERN}
    assert "registry" not in serving()


def test_an_update_waits_until_serving_is_ready():
    metadata = only(planned(Knative, "it", operator()).of(SERVING)).inputs["metadata"]
    assert (metadata["name"], metadata["namespace"]) == ("knative-serving", "knative-serving")
    assert metadata["annotations"] == {
        "pulumi.com/waitFor": "condition=Ready",
        "pulumi.com/timeoutSeconds": "900",
    }


def test_serving_goes_before_the_operator_that_cleans_up_after_it():
    """What depends on another is made after it and deleted before it."""
    plan = planned(Knative, "it", operator())
    needed = {only(plan.of(RELEASE)).urn, only(plan.of(NAMESPACE)).urn}
    assert needed <= set(only(plan.of(SERVING)).dependencies)
    assert only(plan.of(NAMESPACE)).inputs["metadata"] == {"name": "knative-serving"}


def test_the_two_ways_to_install_exclude_each_other():
    by_ack = {
        resource.type for resource in planned(Knative, "it", addon()).resources if resource.custom
    }
    by_operator = {
        resource.type
        for resource in planned(Knative, "it", operator()).resources
        if resource.custom
    }
    assert by_ack == {ADDON, PATCH}
    assert by_operator == {RELEASE, NAMESPACE, SERVING}


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (
            {"installer": "addon", "features": {}},
            "cluster_id is missing, but it must be given: the add-on belongs to a cluster of ACK.",
        ),
        (
            addon(image_pattern=PATTERN),
            f"image_pattern is {PATTERN!r}, but it must be left out: ACK chooses the images",
        ),
        (
            operator(version="v1.22"),
            "version is 'v1.22', but it must be one of 1.20, 1.21, 1.22, 1.23, or a patch",
        ),
        (operator(version="1.19"), "version is '1.19', but it must be one of 1.20"),
        (
            operator(image_pattern="registry.example.com:5000/knative/${NAME}"),
            "image_pattern is 'registry.example.com:5000/knative/${NAME}', but it must be a patt",
        ),
        (
            operator(image_pattern="registry.example.com/knative:v1"),
            "image_pattern is 'registry.example.com/knative:v1', but it must be a pattern such as",
        ),
        (
            addon(features={"kubernetes.podspec-affinity": "true"}),
            "features[kubernetes.podspec-affinity] is 'true', but it must be one of enabled, allow",
        ),
        (
            operator(features={"secure-pod-defaults": "allowed"}),
            "features[secure-pod-defaults] is 'allowed', but it must be one of enabled, allowroot",
        ),
        (operator(max_request_seconds=0), "max_request_seconds is 0, but it must be 1 or more"),
        (operator(installer="helm"), "installer is 'helm', but it must be one of 'addon'"),
    ],
)
def test_an_installation_that_could_not_work_is_refused(args: dict[str, Any], sentence: str):
    [fault] = refused(Knative, "it", args)
    assert fault.startswith(sentence)


def test_a_flag_is_written_in_any_case_and_may_leave_it_to_the_service():
    features = {"multi-container": "Allowed", "secure-pod-defaults": "AllowRootBounded"}
    assert serving(features=features)["config"]["features"] == features


def test_the_cluster_may_be_known_later():
    args = addon(cluster_id=pulumi.Output.from_input("c2"))
    assert only(planned(Knative, "it", args).of(ADDON)).inputs["clusterId"] == "c2"


@pytest.mark.parametrize(
    ("domain", "expected"), [(None, "example.com"), ("llm.example.org", "llm.example.org")]
)
def test_the_domain_is_published(domain: str | None, expected: str):
    published = outputs(Knative, "it", operator(domain=domain), "domain")
    assert published == {"domain": expected}


def test_the_parts_belong_to_their_component():
    parts = {"addon", "config-features", "config-deployment"}
    assert_is_a_good_parent(Knative, "Knative", addon(), parts)
    assert_is_a_good_parent(Knative, "Knative", operator(), {"operator", "namespace", "serving"})
