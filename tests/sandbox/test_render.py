from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, Final

import pytest
from rich.console import Console

from sandbox.cloud.cloud_file import Existing
from sandbox.engine import EngineStep, Outcome
from sandbox.kubernetes.client import Manifest
from sandbox.render import kubectl_lines, render, step_line, summary

URN: Final = "urn:pulumi:dev::shop::"
STACK: Final = f"{URN}pulumi:pulumi:Stack::shop-dev"
CLUSTER: Final = f"{URN}ack-inference:index:AckCluster::ack"
BUCKET: Final = f"{URN}alicloud:oss/bucket:Bucket::llm-models"
LONG: Final = "n" * 60

CANARY: Final = "CANARY"
STATE: Final = {
    "secrets_providers": {"type": "passphrase", "state": {"salt": CANARY}},
    "resources": [
        {"urn": STACK, "type": "pulumi:pulumi:Stack", "custom": False, "outputs": {"a": CANARY}},
        {"urn": CLUSTER, "type": "ack-inference:index:AckCluster", "custom": False},
        {
            "urn": f"{URN}ack-inference:index:AckCluster$alicloud:cs/nodePool:NodePool::ack-a10",
            "type": "alicloud:cs/nodePool:NodePool",
            "custom": True,
            "parent": CLUSTER,
            "protect": True,
            "inputs": {"password": {"ciphertext": CANARY}},
            "outputs": {"password": CANARY},
        },
        {"urn": BUCKET, "type": "alicloud:oss/bucket:Bucket", "custom": True, "parent": STACK},
    ],
}


def shown(
    state: Mapping[str, Any] = STATE,
    outputs: Mapping[str, Any] | None = None,
    cloud: Sequence[Existing] = (),
    objects: Mapping[str, Sequence[Manifest]] | None = None,
    width: int = 100,
) -> str:
    out = StringIO()
    render(Console(file=out, width=width), state, outputs or {}, cloud, objects or {})
    return out.getvalue()


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def manifest(kind: str, name: str, namespace: str = "", **more: Any) -> dict[str, Any]:
    about = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": "v1", "kind": kind, "metadata": about, **more}


@pytest.mark.parametrize(
    ("op", "word"),
    [
        ("create", "created"),
        ("update", "updated"),
        ("replace", "replaced"),
        ("delete", "deleted"),
    ],
)
def test_a_step_that_changes_something_is_a_line(op: str, word: str) -> None:
    line = step_line(EngineStep(op, BUCKET))
    assert line is not None
    assert line.plain == f"  {word:9}llm-models  oss.Bucket"


@pytest.mark.parametrize(
    "step",
    [
        EngineStep("same", BUCKET),
        EngineStep("refresh", BUCKET),
        EngineStep("create-replacement", BUCKET),
        EngineStep("delete-replaced", BUCKET),
        EngineStep("create", STACK),
        EngineStep("delete", STACK),
    ],
)
def test_a_step_that_changes_nothing_a_reader_knows_is_no_line(step: EngineStep) -> None:
    assert step_line(step) is None


def test_a_step_inside_a_component_goes_by_its_own_type() -> None:
    inside = f"{URN}ack-inference:index:AckCluster$alicloud:cs/nodePool:NodePool::ack-a10"
    line = step_line(EngineStep("create", inside))
    assert line is not None
    assert line.plain.endswith("ack-a10  cs.NodePool")


@pytest.mark.parametrize(
    ("ops", "words"),
    [
        ([], "nothing to do"),
        (["same", "same"], "2 unchanged"),
        (["create", "create", "create"], "3 created"),
        (["delete", "same", "create", "update"], "1 created, 1 updated, 1 deleted, 1 unchanged"),
        (["create-replacement", "replace", "delete-replaced"], "1 replaced"),
        (["refresh"], "nothing to do"),
    ],
)
def test_a_summary_counts_each_resource_once_and_the_stack_never(
    ops: list[str], words: str
) -> None:
    steps = [
        EngineStep("create", STACK),
        EngineStep("same", STACK),
        *(EngineStep(op, BUCKET) for op in ops),
    ]
    assert summary("dev", Outcome(tuple(steps))).plain == f"dev in the sandbox: {words}"


def test_children_stand_below_their_component_and_the_stack_is_left_out() -> None:
    text = shown()
    assert "├── ack  AckCluster\n│   └── ack-a10  cs.NodePool  protected\n" in text
    assert "└── llm-models  oss.Bucket\n" in text
    assert "shop-dev" not in text


def test_a_stack_without_resources_has_an_empty_tree_and_no_other_heading() -> None:
    assert shown({}).split() == ["Resources"]
    assert shown({"resources": None}).split() == ["Resources"]


def test_a_resource_in_the_cloud_goes_by_type_name_and_id() -> None:
    cloud = [
        Existing("alicloud:vpc/network:Network", "vpc-2", "net-vpc", {}, {}),
        Existing("alicloud:oss/bucket:Bucket", "llm-models", "store", {}, {}),
    ]
    text = shown(cloud=cloud)
    assert "\nIn the cloud (simulated)\n" in text
    assert rows(text)[-3:] == [
        ["TYPE", "NAME", "ID"],
        ["oss.Bucket", "store", "llm-models"],
        ["vpc.Network", "net-vpc", "vpc-2"],
    ]


def test_each_cluster_shows_its_objects_and_how_they_are() -> None:
    ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    unready = {
        "status": {
            "conditions": [
                {"type": "RoutesReady", "status": "True"},
                {"type": "Ready", "status": "False"},
            ]
        }
    }
    text = shown(
        objects={
            "c1": [
                manifest("Service", "qwen", "models", **ready),
                manifest("Service", "llama", "models", **unready),
                manifest("Dataset", "qwen", "models", status={"phase": "Bound"}),
                manifest("Namespace", "models"),
            ],
            "c2": [manifest("ConfigMap", "empty", "models", status=None)],
        }
    )
    first, second = text.split("\nIn cluster ")[1:]
    assert rows(first) == [
        ["c1", "(a", "real", "API", "server)"],
        ["KIND", "NAMESPACE", "NAME", "STATUS"],
        ["Dataset", "models", "qwen", "Bound"],
        ["Namespace", "models"],
        ["Service", "models", "llama", "NotReady"],
        ["Service", "models", "qwen", "Ready"],
    ]
    assert rows(second)[0][0] == "c2"
    assert rows(second)[-1] == ["ConfigMap", "models", "empty"]


@pytest.mark.parametrize("width", [60, 100])
def test_a_row_is_never_cut_off_however_narrow_the_terminal(width: int) -> None:
    cloud = [Existing("alicloud:cs/nodePool:NodePool", f"c-{LONG}:np", f"p-{LONG}", {}, {})]
    service = manifest("InferenceService", f"m-{LONG}", f"n-{LONG}", status={"phase": "Ready"})
    text = shown(cloud=cloud, objects={"c1": [service]}, width=width)
    assert ["cs.NodePool", f"p-{LONG}", f"c-{LONG}:np"] in rows(text)
    assert ["InferenceService", f"n-{LONG}", f"m-{LONG}", "Ready"] in rows(text)
    assert [
        heading for heading in ("TYPE", "KIND", "NAMESPACE", "STATUS") if heading not in text
    ] == []


def test_a_name_in_the_tree_is_never_cut_off() -> None:
    """Does not prove that a name stays on one line where it is longer than the terminal is wide."""
    type_ = "kubernetes:serving.kserve.io/v1beta1:InferenceService"
    state = {"resources": [{"urn": f"{URN}{type_}::a-{LONG}-z", "type": type_, "custom": True}]}
    text = shown(state)
    assert f"a-{LONG}-z" in text
    assert "…" not in text
    assert text.split()[-2:] == ["serving.kserve.io/v1beta1", "InferenceService"]


def test_an_output_stays_on_one_line_to_be_copied() -> None:
    command = "ossutil cp " + "x" * 120
    text = shown(outputs={"upload": command, "id": 1})
    assert f"\n  upload  {command}\n" in text
    assert "\n  id      1\n" in text


def test_a_secret_output_shows_as_one_and_nothing_of_the_state_shows() -> None:
    cloud = [Existing("alicloud:cs/nodePool:NodePool", "c1:np1", "a10", {"p": CANARY}, {})]
    secret = manifest("Secret", "token", "models", data={"token": CANARY})
    text = shown(outputs={"token": "[secret]"}, cloud=cloud, objects={"c1": [secret]})
    assert "\n  token  [secret]\n" in text
    assert "ack-a10" in text
    assert CANARY not in text


def test_a_cluster_is_looked_into_with_a_kubeconfig_of_its_own() -> None:
    assert kubectl_lines({"c1": Path("a/c1.kubeconfig"), "c2": Path("a/c2.kubeconfig")}) == [
        "kubectl --kubeconfig a/c1.kubeconfig get all -A",
        "kubectl --kubeconfig a/c2.kubeconfig get all -A",
    ]
