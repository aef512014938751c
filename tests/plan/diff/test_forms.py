"""A diff as Markdown, JSON and text for a terminal."""

import io
import json
import re
from functools import cache
from typing import Any, Final

import pytest
from rich.console import Console

from plan.diff.compare import compare
from plan.diff.document import to_json
from plan.diff.markdown import LIMIT, MARK, to_markdown
from plan.diff.page import render_page
from plan.diff.report import PlanRefusal, Report, StackReport
from plan.diff.terminal import render_report
from plan.diff.text import LONGEST, counts, excerpt
from plan.model import SECRET, UNKNOWN, Marker, Plan
from tests.stacks.environments import dev, merged, planned

from .prepared import diff_of
from .test_compare import CLUSTER, POOL, of, plan, resource

HOSTILE: Final = "`]*_<b>&|#@everyone\n```\n![x](http://example.com/x.png)"


def report(*sections: StackReport) -> Report:
    return Report("main", "working tree", sections)


def section(before: Plan | None, after: Plan | None, stack: str = "dev") -> StackReport:
    return StackReport(stack, compare(before, after))


def grown(old: Any, new: Any, key: str = "size") -> StackReport:
    return section(plan(resource(POOL, "t4", {key: old})), plan(resource(POOL, "t4", {key: new})))


def printed(report_: Report) -> str:
    file = io.StringIO()
    render_report(report_, Console(file=file, width=80, markup=False, emoji=False, highlight=False))
    return file.getvalue()


@cache
def cluster_replaced() -> StackReport:
    return StackReport("dev", diff_of("dev", {"network.service_cidr": "172.30.0.0/16"}))


def test_a_comment_opens_with_the_worst_that_happens() -> None:
    quiet = StackReport("aaa", grown(1, 2).diff)
    lines = to_markdown(report(quiet, cluster_replaced())).splitlines()
    assert lines[0] == MARK
    alerts = [line for line in lines[1:] if line]
    assert alerts[0] == "> [!CAUTION]"
    assert alerts[1].startswith("> - **dev**: This replaces the cluster cluster-cluster ")
    headings = [line for line in lines if line.startswith("### ")]
    assert [heading.split(":")[0] for heading in headings] == ["### dev", "### aaa"]


def test_on_a_terminal_the_worst_of_a_stack_stands_above_its_rows() -> None:
    lines = printed(report(cluster_replaced())).splitlines()
    assert lines[2] == "dev: 26 replaced, 1 updated, 22 unchanged"
    assert lines[3].startswith("  This replaces the cluster cluster-cluster ")
    assert lines[4] == "  replaced cluster-cluster  cs.ManagedKubernetes"
    assert lines[5] == "            serviceCidr  192.168.0.0/20 -> 172.30.0.0/16  replaces"


def test_what_is_dragged_along_says_why_and_repeats_no_unknown_value() -> None:
    lines = printed(report(cluster_replaced())).splitlines()
    at = lines.index("  replaced a10-pool  cs.NodePool  because cluster-cluster is replaced")
    assert lines[at + 1].startswith("  replaced ")


def test_a_row_that_is_only_updated_shows_whose_unknown_value_it_takes() -> None:
    first, second = resource(POOL, "a10", {}), resource(POOL, "t4", {})
    users = [resource(CLUSTER, "user", {"pool": of(owner)}) for owner in (first, second)]
    pools_section = section(plan(first, second, users[0]), plan(first, second, users[1]))
    assert "pool  [unknown] of a10 -> [unknown] of t4" in printed(report(pools_section))


def test_a_comment_stays_under_the_limit_and_says_what_it_leaves_out() -> None:
    pools = [resource(POOL, f"pool-{number}", {"a": "x" * 150}) for number in range(4000)]
    text = to_markdown(report(section(None, plan(*pools)), cluster_replaced()))
    assert len(text) <= LIMIT
    assert re.search(r"^\d+ changes find no room here", text, re.MULTILINE)
    assert "! cluster-cluster  cs.ManagedKubernetes" in text
    assert text.count("<details") == text.count("</details>") == text.count("```diff")


@pytest.mark.parametrize(("stacks", "phrase"), [(100, "stacks are"), (15, "stack is")])
def test_a_comment_shows_as_many_stacks_as_have_room_and_counts_the_others(
    stacks: int, phrase: str
) -> None:
    refusal = PlanRefusal("main", ["x" * 300] * 50)
    text = to_markdown(report(*[StackReport(f"s{n}", None, [refusal]) for n in range(stacks)]))
    assert len(text) <= LIMIT
    [rest] = re.findall(rf"^(\d+) more {phrase} left out", text, re.MULTILINE)
    blocks = text.count("and 30 more")
    assert blocks + int(rest) == stacks
    assert LIMIT - len(text) < len(text) / blocks + 1000
    assert text.count("```") % 2 == 0


def test_nothing_in_a_comment_is_taken_for_markdown() -> None:
    hostile = resource(POOL, HOSTILE, {HOSTILE: HOSTILE})
    sections = [
        section(plan(hostile), plan(), HOSTILE),
        StackReport("b", None, [PlanRefusal(HOSTILE, [HOSTILE])]),
    ]
    text = to_markdown(Report(HOSTILE, HOSTILE, sections))
    outside = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    outside = re.sub(r"(?<!\\)`[^`\n]*(?<!\\)`", "", outside)
    assert not re.search(r"(?<!\\)(!\[|\]\(|<b>|\*_)", outside)
    assert "@everyone" not in outside
    inside = re.findall(r"^```(?:diff|text)$(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    assert len(inside) == text.count("\n```diff") + text.count("\n```text")


@pytest.mark.parametrize("form", [to_markdown, to_json, printed])
def test_a_stack_that_cannot_be_compared_says_why_in_every_form(form: Any) -> None:
    text = form(
        report(StackReport("dev", None, [PlanRefusal("main", ["size is 3, but it must be 2."])]))
    )
    assert "size is 3, but it must be 2." in text
    assert "main" in text


@pytest.mark.parametrize("form", [to_markdown, to_json, printed])
def test_a_secret_and_an_unknown_value_are_shown_as_such(form: Any) -> None:
    before, after = Marker(SECRET, digest="0123456789abcdef"), Marker(UNKNOWN, ["urn:x::owner"])
    text = form(report(grown(before, after)))
    assert "[secret]" in text
    assert "[unknown]" in text
    assert "0123456789abcdef" not in text


def test_json_leaves_out_the_end_that_is_not_there() -> None:
    before, after = (plan(resource(POOL, "t4", values)) for values in ({"a": 1}, {"b": None}))
    [stack] = json.loads(to_json(report(section(before, after))))["stacks"]
    [change] = stack["changes"]
    assert (change["kind"], change["name"], change["component"]) == ("updated", "t4", False)
    assert change["properties"] == [
        {"path": "a", "old": 1, "replaces": False},
        {"path": "b", "new": None, "replaces": False},
    ]


def test_values_are_shown_on_one_line_and_cut_where_they_are_long() -> None:
    assert excerpt("a b") == "a b"
    assert excerpt("") == '""'
    assert excerpt("a\nb\x1b[31m") == '"a\\nb\\u001b[31m"'
    assert excerpt({"你": [1, None]}) == '{"你": [1, null]}'
    assert len(excerpt("x" * 1000)) == LONGEST
    assert excerpt("x" * 1000).endswith("...")


def test_counts_are_in_one_line() -> None:
    assert counts(compare(plan(), plan())) == "nothing changes"
    pools = plan(resource(POOL, "t4", {}), resource(POOL, "a10", {}))
    assert counts(compare(pools, plan(pools.resources[0]))) == "1 deleted, 1 unchanged"


@pytest.mark.parametrize("form", [to_markdown, to_json, printed, render_page])
def test_policies_speak_in_every_form(form: Any) -> None:
    diff = grown(1, 2).diff
    text = form(report(StackReport("dev", diff, (), ["disk open [rule]"], ["much money [cost]"])))
    for words in ("disk open", "much money"):
        assert words in text
    assert Report("a", "b", [StackReport("dev", diff, (), ["x"])]).refused
    assert not Report("a", "b", [StackReport("dev", diff, (), (), ["x"])]).refused


@pytest.mark.parametrize("form", [to_markdown, printed, render_page])
def test_money_that_no_pool_changes_is_in_every_form(form: Any) -> None:
    text = " ".join(form(larger_disks()).split())
    assert "720..1,200 → 1,480..1,960 GiB, not priced" in text


def test_disks_without_a_price_are_data_too() -> None:
    [stack] = json.loads(to_json(larger_disks()))["stacks"]
    [disks] = stack["cost"]["unpricedDisks"]
    assert disks["kind"] == "cloud_essd PL1"
    assert disks["beforeGib"] != disks["afterGib"]


def larger_disks() -> Report:
    larger = merged(dev(), {"pools[a10].system_disk_gib": 500})
    return report(StackReport("dev", compare(planned(dev()), planned(larger)), ()))
