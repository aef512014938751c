from typing import Any

import pytest

from components.catalog.charts import CHARTS, Chart
from components.platform import HelmChart
from components.platform.releases import located
from tests.cloud.refusals import refusal

OCI = Chart("oci://quay.io/charts/one", "v1.0.0", "one")
HTTP = Chart("one", "1.0.0", "one", "https://charts.example.com")
ARCHIVE = Chart("https://example.com/one-1.0.0.tgz", "1.0.0", "one")


@pytest.mark.parametrize(
    ("chart", "chosen", "location"),
    [
        (OCI, {}, ("oci://quay.io/charts/one", "v1.0.0", None)),
        (OCI, {"version": "v1.1.0"}, ("oci://quay.io/charts/one", "v1.1.0", None)),
        (OCI, {"chart": "oci://mirror/one"}, ("oci://mirror/one", "v1.0.0", None)),
        (OCI, {"repository": "https://mirror"}, ("one", "v1.0.0", "https://mirror")),
        (HTTP, {}, ("one", "1.0.0", "https://charts.example.com")),
        (HTTP, {"chart": "oci://mirror/one"}, ("oci://mirror/one", "1.0.0", None)),
        (HTTP, {"repository": "https://mirror"}, ("one", "1.0.0", "https://mirror")),
        (
            HTTP,
            {"chart": "two", "repository": "https://mirror", "version": "2.0.0"},
            ("two", "2.0.0", "https://mirror"),
        ),
        (ARCHIVE, {}, ("https://example.com/one-1.0.0.tgz", None, None)),
        (ARCHIVE, {"version": "1.3.7"}, ("https://example.com/one-1.3.7.tgz", None, None)),
        (ARCHIVE, {"chart": "https://mirror/a.tgz"}, ("https://mirror/a.tgz", None, None)),
        (ARCHIVE, {"repository": "https://mirror"}, ("one", "1.0.0", "https://mirror")),
    ],
)
def test_a_chart_is_fetched_from_where_the_user_says(
    chart: Chart, chosen: dict[str, Any], location: tuple[str, str | None, str | None]
) -> None:
    assert located(chart, HelmChart.of(chosen)) == location


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        (
            {"chart": "oci://quay.io/one", "repository": "https://mirror"},
            "repository is 'https://mirror', but it must be left out",
        ),
        (
            {"chart": "https://example.com/one.tgz", "repository": "https://mirror"},
            "repository is 'https://mirror', but it must be left out",
        ),
        (
            {"repository": "oci://mirror"},
            "repository is 'oci://mirror', but it must be an http(s):// address",
        ),
        (
            {"values": {"csi": {"tolerations": [{"operator": None}], "labels": {}}}},
            "values.csi.tolerations[0].operator is null, but it must be left out, or a value that "
            "does the same, such as [], false or '': Pulumi drops it before Helm sees it, and the "
            "chart's own default stays",
        ),
        (
            {"chart": "https://example.com/one.tgz", "version": "1.0.0"},
            "version is '1.0.0', but it must be left out",
        ),
        ({"timeout_seconds": 59}, "timeout_seconds is 59, but it must be"),
    ],
)
def test_a_chart_that_helm_would_not_find_is_refused(chosen: dict[str, Any], sentence: str) -> None:
    assert refusal(HelmChart, chosen).startswith(sentence)


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
def test_every_known_chart_is_pinned_and_says_where_it_is(chart: Chart) -> None:
    """Does not prove that it is there."""
    assert chart.version.lstrip("v").count(".") == 2
    assert chart.repository or chart.chart.startswith(("oci://", "https://"))


@pytest.mark.parametrize("name", ["cert-manager", "kserve-crd", "dcgm-exporter"])
def test_a_chart_knows_its_bare_name(name: str) -> None:
    assert CHARTS[name].name == name


def test_the_name_of_an_archive_is_without_its_version() -> None:
    adapter = "ack-alibaba-cloud-metrics-adapter"
    assert CHARTS[adapter].name == adapter
