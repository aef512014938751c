from typing import Any

import pulumi
import pytest

from components.platform import CertManager, CertManagerArgs, KServe, KServeArgs
from components.platform.kserve import kserve_values
from plan.model import Plan, Resource
from plan.record import record
from tests.cloud.refusals import refusal, refusals

from .requests import RELEASE

ACK = {"flavor": "ack", "chart": "ack-kserve", "version": "1.0.0"}


def planned(**args: Any) -> Plan:
    def program() -> None:
        certificates = CertManager("cert-manager", CertManagerArgs())
        options = pulumi.ResourceOptions(depends_on=[certificates])
        component = KServe("kserve", KServeArgs.of(args), options)
        pulumi.export("namespace", component.namespace)
        pulumi.export("domain", component.domain)

    return record(program)


def releases(**args: Any) -> dict[str, Resource]:
    by_name = {release.inputs["name"]: release for release in planned(**args).of(RELEASE)}
    del by_name["cert-manager"]
    return by_name


def controller(**args: Any) -> Any:
    return kserve_values(KServeArgs.of(args))["kserve"]["controller"]


def waits_for(later: Resource, earlier: Resource) -> bool:
    return earlier.urn in later.dependencies


def test_types_come_before_the_controller_and_it_before_the_runtimes() -> None:
    by_name = releases(runtimes=True)
    assert waits_for(by_name["kserve-resources"], by_name["kserve-crd"])
    assert waits_for(by_name["kserve-runtime-configs"], by_name["kserve-resources"])


def test_what_runs_pods_waits_for_the_certificates_and_resource_types_for_nothing() -> None:
    plan = planned(runtimes=True)
    [first, types, *rest] = sorted(plan.of(RELEASE), key=lambda release: release.inputs["name"])
    assert [first.inputs["name"], types.inputs["name"]] == ["cert-manager", "kserve-crd"]
    assert len(rest) == 2
    assert all(waits_for(release, first) for release in rest)
    assert not types.dependencies


def test_everything_is_in_the_namespace_that_the_resource_types_name() -> None:
    by_name = releases(runtimes=True)
    assert {release.inputs["namespace"] for release in by_name.values()} == {"kserve"}
    assert all(release.inputs["createNamespace"] for release in by_name.values())
    assert planned().outputs == {"namespace": "kserve", "domain": "example.com"}


def test_all_charts_are_of_one_version() -> None:
    by_name = releases(runtimes=True, chart={"version": "v0.19.0"})
    assert {release.inputs["version"] for release in by_name.values()} == {"v0.19.0"}


def test_all_charts_come_from_a_mirror_where_there_is_one() -> None:
    by_name = releases(runtimes=True, chart={"repository": "oci://mirror/kserve/"})
    assert {name: release.inputs["chart"] for name, release in by_name.items()} == {
        name: f"oci://mirror/kserve/{name}"
        for name in ("kserve-crd", "kserve-resources", "kserve-runtime-configs")
    }


def test_an_uninstallation_does_not_take_the_models_of_others() -> None:
    """Does not prove it of `kubectl delete` and `helm uninstall`."""
    assert {name: release.protect for name, release in releases(runtimes=True).items()} == {
        "kserve-crd": True,
        "kserve-resources": False,
        "kserve-runtime-configs": False,
    }
    assert not releases(protect_crds=False)["kserve-crd"].protect


def test_runtimes_are_installed_only_where_they_are_wanted() -> None:
    assert set(releases()) == {"kserve-crd", "kserve-resources"}
    values = releases(runtimes=True)["kserve-runtime-configs"].inputs["values"]
    assert values == {"kserve": {"servingruntime": {"enabled": True}}}


def test_models_are_deployments_behind_an_ingress_without_istio_and_knative() -> None:
    assert controller() == {
        "deploymentMode": "Standard",
        "gateway": {
            "domain": "example.com",
            "disableIstioVirtualHost": True,
            "ingressGateway": {"className": "nginx"},
        },
    }


def test_domain_and_ingress_class_are_settings() -> None:
    gateway = controller(domain="models.example.com", ingress_class="alb")["gateway"]
    assert gateway["domain"] == "models.example.com"
    assert gateway["ingressGateway"] == {"className": "alb"}
    assert planned(domain="models.example.com").outputs["domain"] == "models.example.com"


def test_the_values_of_the_user_have_the_last_word() -> None:
    over = {"kserve": {"controller": {"gateway": {"urlScheme": "https"}, "tag": "mine"}}}
    config = controller(chart={"values": over})
    assert config["tag"] == "mine"
    assert config["gateway"]["urlScheme"] == "https"
    assert config["gateway"]["domain"] == "example.com"


def test_every_image_comes_from_a_mirror_where_there_is_one() -> None:
    """Rendering v0.20.0 with these values showed no other image; does not prove it of the next."""
    config = kserve_values(KServeArgs.of({"chart": {"image_prefix": "mirror/kserve"}}))["kserve"]
    assert config["controller"]["image"] == "mirror/kserve/kserve-controller"
    assert config["controller"]["rbacProxyImage"] == "mirror/kserve/kube-rbac-proxy:v0.18.0"
    assert config["storage"] == {"image": "mirror/kserve/storage-initializer"}
    assert config["localmodel"] == {"defaultJobImage": "mirror/kserve/storage-initializer"}
    assert config["servingruntime"] == {"art": {"image": "mirror/kserve/art-explainer"}}
    assert config["agent"] == {"image": "mirror/kserve/agent"}
    assert config["router"] == {"image": "mirror/kserve/router"}


def test_ack_kserve_is_one_release_with_none_of_our_values() -> None:
    chart = {**ACK, "repository": "https://charts.example.com", "values": {"a": 1}}
    by_name = releases(chart=chart)
    assert set(by_name) == {"ack-kserve"}
    inputs = by_name["ack-kserve"].inputs
    assert (inputs["chart"], inputs["version"]) == ("ack-kserve", "1.0.0")
    assert inputs["repositoryOpts"] == {"repo": "https://charts.example.com"}
    assert (inputs["namespace"], inputs["values"]) == ("kserve", {"a": 1})
    assert "domain" not in {k: v for k, v in planned(chart=ACK).outputs.items() if v}


@pytest.mark.parametrize(
    "chart",
    [
        {"flavor": "ack", "chart": "https://example.com/ack-kserve-1.0.0.tgz"},
        {"flavor": "ack", "chart": "oci://example.com/ack-kserve", "version": "1.0.0"},
        {"version": "v0.17.0"},
        {"version": "v0.21.0-rc0"},
    ],
)
def test_charts_that_say_where_they_are_are_accepted(chart: dict[str, Any]) -> None:
    assert KServeArgs.of({"chart": chart})


def test_ack_kserve_has_no_address_that_could_be_known() -> None:
    assert refusals(KServeArgs, {"chart": {"flavor": "ack"}}) == [
        f"chart.{field} is missing, but it must be given with flavor ack: ack-kserve has no "
        "address that we could know."
        for field in ("chart", "version")
    ]


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ({"chart": {"flavor": "other"}}, "chart.flavor is 'other', but it must be one of"),
        (
            {"chart": {"chart": "oci://mirror/kserve"}},
            "chart.chart is 'oci://mirror/kserve', but it must be left out, or flavor ack: KServe",
        ),
        (
            {"chart": {"repository": "https://mirror"}},
            "chart.repository is 'https://mirror', but it must be an oci:// path",
        ),
        (
            {"chart": {"version": "0.20.0"}},
            "chart.version is '0.20.0', but it must be written like v0.20.0: the charts are tagged",
        ),
        (
            {"chart": {"version": "v0.16.0"}},
            "chart.version is 'v0.16.0', but it must be v0.17.0 or later: older releases have",
        ),
        (
            {"chart": {**ACK, "image_prefix": "mirror"}},
            "chart.image_prefix is 'mirror', but it must be put into values",
        ),
        (
            {"chart": {**ACK, "chart": "oci://a/b", "repository": "https://mirror"}},
            "chart.repository is 'https://mirror', but it must be left out",
        ),
        (
            {"chart": ACK, "domain": "models.example.com"},
            "domain is 'models.example.com', but it must be left out, and put into chart.values",
        ),
        (
            {"chart": ACK, "ingress_class": "alb"},
            "ingress_class is 'alb', but it must be left out, and put into chart.values",
        ),
        (
            {"chart": ACK, "runtimes": True},
            "runtimes is True, but it must be left out, and put into chart.values",
        ),
        (
            {"domain": "https://models.example.com"},
            "domain is 'https://models.example.com', but it must be a host name such as",
        ),
        (
            {"cluster_id": "c1", "ingress_class": "alb", "alb_vswitch_ids": {"h": "vsw-1"}},
            "alb_vswitch_ids is those of 1 zone, but it must be those of 2 zones or more",
        ),
        (
            {"cluster_id": "c1", "alb_vswitch_ids": {"h": "vsw-1"}},
            "alb_vswitch_ids is given, but it must be left out: only the add-on of class alb",
        ),
        ({"ingress_class": "Nginx"}, "ingress_class is 'Nginx', but it must be lower-case letters"),
    ],
)
def test_what_could_not_be_installed_is_refused(args: dict[str, Any], sentence: str) -> None:
    assert refusal(KServeArgs, args).startswith(sentence)
