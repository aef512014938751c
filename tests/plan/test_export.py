import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from plan.cost import bill
from plan.cost_export import bill_document
from plan.export import to_json, write_manifests
from plan.model import SECRET, UNKNOWN, Plan
from plan.refused import Refused

Object = tuple[str, Mapping[str, Any]]


def declared(
    kind: str, name: str, api: str = "v1", type_: str | None = None, **more: Any
) -> Object:
    metadata = {"name": name, **more.pop("metadata", {})}
    inputs = {"kind": kind, "metadata": metadata, "apiVersion": api, **more}
    return type_ or f"kubernetes:{api}:{kind}", inputs


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_json_has_every_resource_with_its_place_and_options(example: Plan) -> None:
    document = json.loads(to_json(example))
    [cluster] = [
        resource for resource in document["resources"] if resource["name"] == "ack-cluster"
    ]
    assert len(document["resources"]) == 18
    assert cluster["type"] == "alicloud:cs/managedKubernetes:ManagedKubernetes"
    assert cluster["protect"] is True
    assert cluster["parent"].endswith("::ack")
    [pool] = [resource for resource in document["resources"] if resource["name"] == "ack-a10-pool"]
    assert pool["dependencies"] == [cluster["urn"]]
    assert pool["inputs"]["clusterId"] == "[unknown]"
    assert document["outputs"]["region"] == "cn-beijing"
    assert len(document["warnings"]) == 2


def test_json_has_the_bill(example: Plan) -> None:
    document = json.loads(to_json(example))["bill"]
    assert document == json.loads(json.dumps(bill_document(bill(example))))
    assert [pool["name"] for pool in document["pools"]] == ["a10", "t4"]


def test_json_does_not_depend_on_the_order_of_registration(planned: Callable[..., Plan]) -> None:
    plan = planned(("a:b:C", {}), ("a:b:D", {}), warnings=["b", "a"])
    reverse = Plan(plan.project, plan.stack, plan.resources[::-1], warnings=["a", "b"])
    assert to_json(plan) == to_json(reverse)


def test_each_kubernetes_object_gets_a_file_that_names_it(example: Plan, tmp_path: Path) -> None:
    written = write_manifests(example, tmp_path / "new" / "folder")
    assert [path.name for path in written] == names(tmp_path / "new" / "folder")
    assert {"namespace-models.yaml", "service-models-qwen.yaml", "priorityclass-high.yaml"} <= {
        path.name for path in written
    }
    assert len(written) == 12


def test_a_file_begins_with_its_stack_and_holds_the_object(
    planned: Callable[..., Plan], tmp_path: Path
) -> None:
    plan = planned(declared("Secret", "a", data=SECRET, metadata={"uid": UNKNOWN}))
    [path] = write_manifests(plan, tmp_path)
    text = path.read_text()
    assert text.startswith(
        "# Planned by ack-inference: stack dev of shop, resource r0\napiVersion:"
    )
    assert yaml.safe_load(text) == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "a", "uid": "[unknown]"},
        "data": "[secret]",
    }


def test_a_value_that_stands_twice_is_written_twice(
    planned: Callable[..., Plan], tmp_path: Path
) -> None:
    shared = {"gpu": "1"}
    [path] = write_manifests(planned(declared("Pod", "a", spec=[shared, shared])), tmp_path)
    assert path.read_text().count("gpu: '1'") == 2


def test_a_patch_says_how_it_is_applied_and_stands_beside_its_object(
    planned: Callable[..., Plan], tmp_path: Path
) -> None:
    patch = declared("ConfigMap", "a", type_="kubernetes:core/v1:ConfigMapPatch")
    write_manifests(planned(declared("ConfigMap", "a"), patch), tmp_path)
    assert names(tmp_path) == ["configmap-a.yaml", "configmap-patch-a.yaml"]
    assert "--server-side" in (tmp_path / "configmap-patch-a.yaml").read_text()
    assert "--server-side" not in (tmp_path / "configmap-a.yaml").read_text()


def test_a_helm_release_and_a_cloud_resource_are_no_manifests(
    planned: Callable[..., Plan], tmp_path: Path
) -> None:
    plan = planned(
        ("kubernetes:helm.sh/v3:Release", {"chart": "fluid"}),
        ("alicloud:cs/nodePool:NodePool", {"kind": "x"}),
    )
    assert write_manifests(plan, tmp_path) == []


def test_two_kinds_of_the_same_name_do_not_share_a_file(
    planned: Callable[..., Plan], tmp_path: Path
) -> None:
    knative = declared("Service", "qwen", "serving.knative.dev/v1")
    plan = planned(declared("Service", "qwen"), knative, declared("Service", "other"))
    write_manifests(plan, tmp_path)
    assert names(tmp_path) == [
        "service-other.yaml",
        "service-qwen-serving.knative.dev-r1.yaml",
        "service-qwen-v1-r0.yaml",
    ]


@pytest.mark.parametrize("name", [UNKNOWN, None])
def test_an_object_without_a_name_goes_by_its_name_in_the_program(
    planned: Callable[..., Plan], tmp_path: Path, name: str | None
) -> None:
    write_manifests(planned(declared("Pod", "", metadata={"name": name})), tmp_path)
    assert names(tmp_path) == ["pod-r0.yaml"]


def test_a_name_cannot_lead_out_of_the_folder(planned: Callable[..., Plan], tmp_path: Path) -> None:
    write_manifests(planned(declared("Role", "../../system:x")), tmp_path)
    assert names(tmp_path) == ["role-..-..-system-x.yaml"]


def test_files_of_an_earlier_plan_go_and_foreign_files_stay(
    planned: Callable[..., Plan], tmp_path: Path
) -> None:
    write_manifests(planned(declared("Pod", "old"), declared("Pod", "kept")), tmp_path)
    (tmp_path / "kustomization.yaml").write_text("resources: []\n")
    (tmp_path / "notes.txt").write_text("# Planned by ack-inference\n")
    write_manifests(planned(declared("Pod", "kept")), tmp_path)
    assert names(tmp_path) == ["kustomization.yaml", "notes.txt", "pod-kept.yaml"]


def test_a_foreign_file_in_the_way_is_refused_before_anything_is_written(
    planned: Callable[..., Plan], tmp_path: Path
) -> None:
    (tmp_path / "pod-b.yaml").write_text("kind: Pod\n")
    with pytest.raises(Refused, match=r"pod-b\.yaml was not written by a plan; move it"):
        write_manifests(planned(declared("Pod", "a"), declared("Pod", "b")), tmp_path)
    assert names(tmp_path) == ["pod-b.yaml"]
    assert (tmp_path / "pod-b.yaml").read_text() == "kind: Pod\n"


def test_a_file_is_replaced_as_a_whole(
    planned: Callable[..., Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [path] = write_manifests(planned(declared("Pod", "a")), tmp_path)
    before = path.read_text()

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space"):
        write_manifests(planned(declared("Pod", "a", spec={"new": True})), tmp_path)
    assert path.read_text() == before
