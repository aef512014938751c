from typing import Any

import pytest

from components.platform import CertManager, CertManagerArgs
from components.platform.cert_manager import cert_manager_values
from plan.model import Plan
from plan.record import record
from tests.cloud.refusals import refusal

from .requests import RELEASE


def planned(**args: Any) -> Plan:
    return record(lambda: CertManager("cert-manager", CertManagerArgs.of(args)))


def values(**args: Any) -> dict[str, Any]:
    return cert_manager_values(CertManagerArgs.of(args))


def test_a_second_installation_finds_what_the_first_left_behind() -> None:
    [release] = planned().of(RELEASE)
    assert (release.inputs["name"], release.inputs["namespace"]) == ("cert-manager",) * 2
    assert release.inputs["createNamespace"] is True
    assert release.inputs["chart"] == "oci://quay.io/jetstack/charts/cert-manager"
    assert release.inputs["version"] == "v1.21.1"


def test_certificates_outlive_the_release_that_brought_their_type() -> None:
    assert values()["crds"] == {"enabled": True, "keep": True}


def test_all_images_come_from_a_mirror_where_there_is_one() -> None:
    rendered = values(image_prefix="registry.example.com/mirror")
    assert rendered["imageRegistry"] == "registry.example.com/mirror"
    assert rendered["imageNamespace"] == ""
    assert "imageRegistry" not in values()


def test_the_values_of_the_user_have_the_last_word() -> None:
    rendered = values(chart={"values": {"replicaCount": 2, "crds": {"keep": False}}})
    assert rendered == {"crds": {"enabled": True, "keep": False}, "replicaCount": 2}


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (
            {"chart": {"version": "1.21.1"}},
            "chart.version is '1.21.1', but it must be written like v1.21.1: the charts are tagged",
        ),
        (
            {"chart": {"version": "v1.19.6"}, "image_prefix": "mirror"},
            "chart.version is 'v1.19.6', but it must be v1.20.0 or later beside image_prefix",
        ),
        ({"namespace": "cert"}, "namespace is not a known key, but it must be left out"),
    ],
)
def test_what_the_chart_would_refuse_is_refused_before(args: dict[str, Any], sentence: str) -> None:
    assert refusal(CertManagerArgs, args).startswith(sentence)


@pytest.mark.parametrize(
    "args",
    [
        {"chart": {"version": "v1.19.6"}},
        {"chart": {"version": "v1.20.0"}, "image_prefix": "mirror"},
    ],
)
def test_older_releases_are_accepted_where_their_values_are_the_same(args: dict[str, Any]) -> None:
    assert CertManagerArgs.of(args)
