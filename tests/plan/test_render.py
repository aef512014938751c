from collections.abc import Callable
from io import StringIO

import pytest
from rich.console import Console

from plan.kinds import NODE_POOL
from plan.model import UNKNOWN, Plan, type_name
from plan.render import render, terminal

HEADINGS = ("Node pools", "Cost per month", "Models", "Outputs", "Warnings")


def rendered(plan: Plan, width: int = 120) -> str:
    console = Console(file=StringIO(), width=width, markup=False, emoji=False, highlight=False)
    render(plan, console)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def test_the_first_line_counts_what_is_created(example: Plan) -> None:
    [first, *_] = rendered(example).splitlines()
    assert first == (
        "example dev: 18 resources (1 components, 3 cloud, 13 Kubernetes, 1 providers)"
    )


def test_the_last_line_says_what_to_do_next(example: Plan) -> None:
    *_, last = rendered(example).splitlines()
    assert last == "Nothing was created. To create it: pulumi up -s dev"


def test_children_stand_below_their_component(example: Plan) -> None:
    text = rendered(example)
    assert "├── ack  Cluster\n│   ├── ack-a10-pool  cs.NodePool\n" in text


def test_what_is_protected_says_so_and_nothing_else_does(example: Plan) -> None:
    [line] = [line for line in rendered(example).splitlines() if "protected" in line]
    assert "ack-cluster  cs.ManagedKubernetes  protected" in line


def test_a_pool_shows_its_nodes_hours_gpus_and_money(example: Plan) -> None:
    rows = [line.split() for line in rendered(example).splitlines()]
    assert ["a10", "ecs.gn7i-c32g1.8xlarge", "2", "1,460", "2", "1,460", "19,430"] in rows
    assert ["t4", "ecs.gn6i-c24g1.6xlarge", "0..4", "0..2,920", "0..8", "0..5,840", "-"] in rows
    assert ["(spot)", "ecs.gn6i-c24g1.12xlarge"] in rows
    assert ["total", "2..6", "1,460..4,380", "2..10", "1,460..7,300", "19,430+?"] in rows


def test_a_plan_says_whence_its_prices_are_and_what_has_none(example: Plan) -> None:
    _, _, below = rendered(example, 300).partition("Cost per month\n")
    notes = dict(line.strip().split("  ", 1) for line in below.split("\n\n")[0].splitlines())
    assert {heading: text.strip() for heading, text in notes.items()} == {
        "API server load balancer": "CNY 107",
        "control plane": "CNY 467",
        "total": "CNY 20,005 + ?",
        "prices": "CNY: aliyun.com by karpenter-provider-alibabacloud, 2024-12-31; "
        "CNY: help.aliyun.com, undated",
        "not priced": "t4 (no price of ecs.gn6i-c24g1.12xlarge in cn-beijing); disks; "
        "capacity units of load balancers; public addresses and their traffic",
    }


def test_a_plan_without_pools_models_outputs_or_warnings_shows_no_such_heading(
    planned: Callable[..., Plan],
) -> None:
    text = rendered(planned(("kubernetes:core/v1:Namespace", {})))
    assert not [head for head in HEADINGS if head in text]


def test_a_policy_that_selects_nothing_is_a_warning(planned: Callable[..., Plan]) -> None:
    policy = {
        "apiVersion": "scheduling.alibabacloud.com/v1alpha1",
        "kind": "ResourcePolicy",
        "metadata": {"name": "lost"},
        "spec": {"selector": {"app": "x"}},
    }
    text = rendered(planned(("kubernetes:x:ResourcePolicy", policy)))
    assert "Warnings\n  ResourcePolicy default/lost selects no pod" in text


@pytest.mark.parametrize("width", [80, 120])
def test_nothing_is_cut_off_at_any_width(example: Plan, width: int) -> None:
    text = rendered(example, width)
    *body, _ = text.partition("Outputs")[0].splitlines()
    assert max(map(len, body)) <= width
    assert "…" not in text
    assert all(resource.name in text for resource in example.resources)
    assert "ecs.gn6i-c24g1.12xlarge" in text


def test_an_output_stays_on_one_line_to_be_copied(planned: Callable[..., Plan]) -> None:
    command = "ossutil cp " + "x" * 100
    text = rendered(planned(outputs={"upload": command, "id": 1}), width=80)
    assert f"\n  upload  {command}\n" in text
    assert "\n  id      1\n" in text


def test_markers_and_brackets_in_values_are_shown_as_they_are(
    planned: Callable[..., Plan], capsys: pytest.CaptureFixture[str]
) -> None:
    pool = {"nodePoolName": ":key:", "instanceTypes": [UNKNOWN, "[bold]"]}
    render(planned((NODE_POOL, pool), outputs={"id": UNKNOWN}), terminal())
    out, _ = capsys.readouterr()
    assert out.count("[unknown]") == 2
    assert ":key:" in out
    assert "[bold]" in out


def test_a_pipe_gets_neither_colours_nor_folded_names(
    example: Plan, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    render(example, terminal())
    out, _ = capsys.readouterr()
    assert "\x1b" not in out
    assert "-> PV qwen-weights -> oss://llm-models/Qwen-7B-Chat-Int8\n" in out


@pytest.mark.parametrize(
    ("token", "name"),
    [
        ("alicloud:cs/nodePool:NodePool", "cs.NodePool"),
        ("kubernetes:core/v1:Namespace", "core/v1 Namespace"),
        ("ack-inference:index:GpuNodePool", "GpuNodePool"),
        ("random:index/randomId:RandomId", "RandomId"),
        ("pulumi:providers:kubernetes", "kubernetes provider"),
    ],
)
def test_a_type_goes_by_its_short_name(token: str, name: str) -> None:
    assert type_name(token) == name
