from typing import Any

import pytest

from components.platform import Fluid, FluidArgs
from components.platform.fluid import fluid_values
from components.platform.releases import merged
from tests.recording import assert_is_a_good_parent, only, outputs, planned, refused

RELEASE = "kubernetes:helm.sh/v3:Release"
ACK = {"flavor": "ack", "chart": "oci://registry/ack-fluid", "version": "1.0.8"}
TAINT = {"key": "nvidia.com/gpu", "operator": "Exists"}
IMAGE_KEYS = [
    "crdUpgrade",
    "dataset.controller",
    "csi.registrar",
    "csi.plugins",
    "runtime.jindo.controller",
    "runtime.jindo.init",
    "runtime.jindo.smartdata",
    "runtime.jindo.fuse",
    "webhook",
    "webhook.filePrefetcher",
    "fluidapp.controller",
]
"""Where the chart reads imagePrefix; its top-level one is an anchor that does nothing."""


def release(chart: dict[str, Any] | None = None) -> dict[str, Any]:
    return dict(only(planned(Fluid, "it", {"chart": chart or {}}).of(RELEASE)).inputs)


def values(chart: dict[str, Any] | None = None, **args: Any) -> dict[str, Any]:
    return fluid_values(FluidArgs.of({"chart": chart or {}, **args}))


def prefixes(tree: dict[str, Any], path: str = "") -> dict[str, str]:
    by_key: dict[str, str] = {}
    for key, value in tree.items():
        if key == "imagePrefix":
            by_key[path] = value
        elif isinstance(value, dict):
            by_key |= prefixes(value, f"{path}.{key}".strip("."))
    return by_key


def test_the_chart_of_the_project_is_installed_pinned_under_a_fixed_name():
    inputs = release()
    assert (inputs["name"], inputs["namespace"]) == ("fluid", "fluid-system")
    assert inputs["createNamespace"] is True
    assert (inputs["chart"], inputs["version"]) == ("fluid", "1.0.8")
    assert inputs["repositoryOpts"] == {"repo": "https://fluid-cloudnative.github.io/charts"}


@pytest.mark.parametrize(
    ("values", "allowed"),
    [
        ({"csi": {"tolerations": []}}, True),
        ({"csi": {"tolerations": [{"operator": "Exists"}]}, "labels": {}}, None),
    ],
)
def test_an_empty_list_in_values_reaches_helm(values: dict[str, Any], allowed: bool | None):
    assert release({"values": values}).get("allowNullValues") is allowed


def test_an_installation_that_failed_is_removed_and_has_time():
    assert (release()["atomic"], release()["timeout"]) == (True, 900)
    assert release({"timeout_seconds": 60})["timeout"] == 60
    assert not {"skipAwait", "disableCRDHooks", "disableWebhooks"} & set(release())


def test_the_controller_of_jindo_runs_all_the_time():
    assert values()["runtime"]["jindo"]["enabled"] is True


def test_the_csi_plugin_tolerates_the_taints_of_the_nodes_that_mount():
    assert values(tolerations=[TAINT])["csi"] == {"tolerations": [TAINT]}


@pytest.mark.parametrize("tolerations", [None, []])
def test_without_taints_the_plugin_keeps_the_tolerations_of_the_chart(tolerations: Any):
    """The chart's own value tolerates everything; an empty list would tolerate nothing."""
    assert "csi" not in values(tolerations=tolerations)


def test_a_mirror_reaches_every_image_and_not_the_anchor():
    rendered = values({"image_prefix": "mirror/fluid"}, tolerations=[TAINT])
    assert prefixes(rendered) == dict.fromkeys(IMAGE_KEYS, "mirror/fluid")
    assert rendered["csi"]["tolerations"] == [TAINT]
    assert rendered["runtime"]["jindo"]["enabled"] is True


def test_without_a_mirror_images_are_the_charts():
    assert prefixes(values()) == {}


def test_values_of_the_user_are_laid_over_ours_and_beside_them():
    user = {"runtime": {"jindo": {"replicas": 2}}, "csi": {"tolerations": []}, "workdir": "/x"}
    rendered = values({"values": user}, tolerations=[TAINT])
    assert rendered["runtime"]["jindo"] == {"enabled": True, "replicas": 2}
    assert rendered["csi"] == {"tolerations": []}
    assert rendered["workdir"] == "/x"


def test_the_user_can_turn_off_what_we_turn_on():
    user = {"runtime": {"jindo": {"enabled": False}}}
    assert values({"values": user}) == user


def test_merging_changes_neither_tree():
    base, over = {"a": {"b": 1}}, {"a": {"c": 2}}
    assert merged(base, over) == {"a": {"b": 1, "c": 2}}
    assert (base, over) == ({"a": {"b": 1}}, {"a": {"c": 2}})
    assert merged({"a": {"b": 1}}, {"a": None}) == {"a": None}


def test_ack_fluid_gets_only_the_values_of_the_user():
    assert values(ACK, tolerations=[TAINT]) == {}
    assert values({**ACK, "values": {"region": "cn-beijing"}}) == {"region": "cn-beijing"}


def test_an_oci_chart_has_no_repository():
    inputs = release(ACK)
    assert (inputs["chart"], inputs["version"]) == ("oci://registry/ack-fluid", "1.0.8")
    assert "repositoryOpts" not in inputs
    [sentence] = refused(Fluid, "it", {"chart": {**ACK, "repository": "https://charts"}})
    assert sentence.startswith("chart.repository is 'https://charts', but it must be left out")


def test_a_chart_of_another_repository_is_taken_from_there():
    inputs = release({"chart": "fluid", "repository": "https://charts", "version": "2"})
    assert inputs["repositoryOpts"] == {"repo": "https://charts"}
    assert inputs["version"] == "2"


@pytest.mark.parametrize("flavor", ["upstream", "ack"])
def test_a_chart_that_is_an_address_needs_neither_repository_nor_version(flavor: str):
    inputs = release({"flavor": flavor, "chart": "https://charts/fluid-1.0.8.tgz"})
    assert not {"repositoryOpts", "version"} & inputs.keys()


def test_a_registry_is_no_repository_of_charts():
    [sentence] = refused(Fluid, "it", {"chart": {"repository": "oci://registry/charts"}})
    want = "an http(s):// address: a chart of an OCI registry is named by `chart`."
    assert sentence == f"chart.repository is 'oci://registry/charts', but it must be {want}"


def test_ack_fluid_without_an_address_is_refused():
    first, second = refused(Fluid, "it", {"chart": {"flavor": "ack"}})
    assert first.startswith("chart.chart is missing, but it must be given with flavor ack")
    assert second.startswith("chart.version is missing, but it must be given with flavor ack")


def test_an_installation_without_time_is_refused():
    [sentence] = refused(Fluid, "it", {"chart": {"timeout_seconds": 59}})
    assert sentence.startswith("chart.timeout_seconds is 59, but it must be 60 or more")


def test_the_name_of_the_release_is_published():
    assert outputs(Fluid, "it", {"chart": {}}, "release_name") == {"release_name": "fluid"}


def test_the_release_belongs_to_its_component():
    assert_is_a_good_parent(Fluid, "Fluid", {"chart": {}}, {"release"})
