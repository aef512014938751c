"""The order in which Kubernetes is upgraded under a stack, and what stands in the way."""

import json
from dataclasses import replace
from io import StringIO

import pytest
import yaml
from rich.console import Console

from plan.refused import Refused
from status.upgrade import UpgradePlan, sentences, show, upgrade_of, upgrade_plan
from tests.stacks.checks.parts import roles
from tests.stacks.environments import (
    ROOT,
    Raw,
    accepted,
    dev,
    existing,
    hybrid,
    merged,
    prod,
)


def upgrade(raw: Raw, to: str = "1.35") -> UpgradePlan:
    return upgrade_of("stack", raw, to, "ack-inference-stack")


def test_the_control_plane_skips_no_minor_version():
    of = upgrade(merged(prod(), {"cluster.version": "1.33.3-aliyun.1"}), "1.35.1-aliyun.1")
    assert of.versions == ["1.33.3-aliyun.1", "1.34", "1.35.1-aliyun.1"]
    assert "1. The cluster: 1.33.3-aliyun.1 -> 1.34 -> 1.35.1-aliyun.1." in [*sentences(of)]


def test_a_version_of_now_that_nobody_says_is_asked_for():
    of = upgrade(dev())
    assert of.versions == ["1.35"]
    assert any("`ack-inference doctor` asks the cluster" in line for line in sentences(of))


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("1.20", "never goes back"),
        ("1.34.1-aliyun.1", "is what the stack file says already"),
        ("1.34", "is what the stack file says already"),
        ("1.34.0-aliyun.1", "never goes back"),
        ("latest", "is no version of Kubernetes"),
    ],
)
def test_a_version_that_is_none_to_go_to_is_refused(to, why):
    with pytest.raises(Refused, match=why):
        upgrade(prod(), to)


def test_what_is_too_old_is_what_the_checks_say_of_the_same_file_with_that_version():
    of = upgrade(hybrid(), "1.31")
    [sentence] = of.too_old
    assert "must be 1.32 or later: the pinned KServe needs it" in sentence
    assert upgrade(hybrid(), "1.35").too_old == []


def test_a_build_that_ack_has_not_is_said_to_be_none():
    assert any("a version of ACK such as" in line for line in upgrade(prod(), "1.35.1").too_old)


def test_pools_without_cards_are_rolled_first():
    assert [batches.pool for batches in upgrade(dev()).pools] == ["system", "cache", "a10", "t4"]


def test_a_pool_that_has_no_node_to_spare_is_given_one():
    pools = {batches.pool: batches for batches in upgrade(dev()).pools}
    assert pools["cache"].spare == 1
    assert "models[qwen].cache.workers is 2, but it must be at most 1" in pools["cache"].why[0]
    assert pools["a10"].spare == 0
    wider = {b.pool: b for b in upgrade(merged(dev(), {"pools[cache].size": 3})).pools}
    assert wider["cache"].spare == 0


def test_a_pool_says_whose_pods_are_on_it():
    pools = {batches.pool: batches for batches in upgrade(dev()).pools}
    assert pools["a10"].workloads == ["qwen", "finetune"]
    assert pools["system"].workloads == []
    split = {batches.pool: batches for batches in upgrade(roles()).pools}
    assert split["l20"].workloads == ["qwen"], "where one of its roles has placement of its own"


@pytest.mark.parametrize(
    ("least", "says"),
    [(1, "none answers, until another has loaded, for 30 min"), (2, "and one less while"), (0, "")],
)
def test_models_below_their_fewest_replicas_are_named(least, says):
    raw = merged(dev(), {"models[qwen].serve.knative.scale.min": least})
    if not least:
        raw = merged(raw, {"models[qwen].serve.knative.reserve": {"type": "ecs"}})
    interrupted = upgrade(raw).interrupted
    assert bool(interrupted) is bool(says)
    assert all(says in sentence for sentence in interrupted)


def test_a_pool_says_what_to_write_and_what_to_take_out_again():
    [a10] = [batches for batches in upgrade(dev()).pools if batches.pool == "a10"]
    assert a10.fields == {
        "pools[a10].rolling": {"max_parallelism": 1},
        "pools[a10].upgrade": {"kubernetes_version": "1.35"},
    }
    text = "\n".join(sentences(upgrade(dev())))
    assert "Set pools[a10].rolling: {max_parallelism: 1}, pools[a10].upgrade: {kubern" in text
    assert "Then take pools[a10].upgrade out again, before anything else of the pool" in text
    accepted(merged(dev(), {"cluster.version": "1.35", **a10.fields}))


def test_a_pool_that_says_how_it_is_rolled_is_rolled_so():
    rolled = merged(dev(), {"pools[cache].rolling": {"max_parallelism": 2}})
    [cache] = [batches for batches in upgrade(rolled).pools if batches.pool == "cache"]
    assert (cache.at_once, cache.spare) == (2, 2)
    assert [*cache.fields] == ["pools[cache].upgrade"]
    assert any("Give it 2 nodes more" in line for line in sentences(upgrade(rolled)))


def test_nodes_follow_each_version_of_the_control_plane():
    of = upgrade(merged(prod(), {"cluster.version": "1.33.3-aliyun.1"}), "1.35.1-aliyun.1")
    text = "\n".join(sentences(of))
    assert "Set cluster.control_plane_only: true, cluster.version: 1.34, and run" in text
    assert "each to 1.34, and all of it again for 1.35.1-aliyun.1" in text
    assert "all of it again" not in "\n".join(sentences(upgrade(prod())))


def test_machines_of_an_idc_are_upgraded_by_hand():
    assert any("Machines of idc" in sentence for sentence in upgrade(hybrid()).unknown)
    assert not any("Machines" in sentence for sentence in upgrade(prod()).unknown)


def test_what_the_page_shows_of_an_upgrade_is_accepted():
    page = (ROOT / "docs" / "guides" / "upgrade.md").read_text()
    document = yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0])
    [pool] = document["ack-inference:pools"]
    settings = {f"cluster.{key}": value for key, value in document["ack-inference:cluster"].items()}
    fields = ("max_unavailable", "rolling", "upgrade")
    raw = merged(dev(), settings | {f"pools[a10].{field}": pool[field] for field in fields})
    accepted(raw)
    assert {key: pool[key] for key in pool if key not in fields} == next(
        entry for entry in dev()["pools"] if entry["name"] == "a10"
    )


def test_drivers_that_nobody_names_are_not_known():
    assert any("a10, t4 get is ACK's to say" in sentence for sentence in upgrade(dev()).unknown)
    named = merged(dev(), {"pools[a10].driver": "580.95.05", "pools[t4].driver": "580.95.05"})
    assert not any("driver" in sentence for sentence in upgrade(named).unknown)


def test_the_cluster_of_another_is_upgraded_by_its_owner():
    of = upgrade(existing())
    assert of.pools == []
    assert any("Its owner upgrades it" in line for line in sentences(of))
    assert not any("Its owner" in line for line in sentences(replace(of, by_owner=False)))


def test_a_stack_file_is_read_as_a_plan_reads_it(tmp_path):
    """Keys of providers are not the program's, and defaults of the project are the stack's."""
    region = "  ack-inference:region: cn-beijing\n"
    text = (ROOT / "Pulumi.dev.yaml").read_text()
    assert region in text
    file = text.replace(region, "  alicloud:region: cn-beijing\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(file)
    project = "name: ack-inference\nruntime: python\n"
    defaults = "config:\n  ack-inference:region:\n    value: cn-beijing\n"
    (tmp_path / "Pulumi.yaml").write_text(project + defaults)
    assert upgrade_plan("dev", tmp_path, "1.35") == upgrade_plan("dev", ROOT, "1.35")


@pytest.mark.parametrize("as_json", [False, True])
def test_the_exit_code_says_whether_something_stands_in_the_way(as_json):
    for to, code in (("1.35", 0), ("1.31", 1)):
        console = Console(file=StringIO(), width=300)
        assert show("hybrid", ROOT, to, console, as_json=as_json) == code
        text = console.file.getvalue()
        assert (json.loads(text)["versions"] if as_json else [to in text])[-1] in (to, True)
