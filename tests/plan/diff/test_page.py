import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from plan.changes import ABSENT
from plan.diff.compare import ChangeKind, Property, ResourceChange, StackDiff, compare
from plan.diff.page import SIGNS, breakable, coded, difference, ordinal, pieces, render_page
from plan.diff.report import PlanRefusal, Report, StackReport
from plan.diff.topology import Fact
from plan.model import SECRET, UNKNOWN, Marker, Plan, Resource
from tests.page import Page
from tests.resources import resource as resource_of
from tests.stacks.environments import GONE, NAMES, merged, planned, raw_of

CSS: Final = (Path(__file__).parents[3] / "plan/diff/page.css").read_text()
HOSTILE: Final = "</style><script>alert('x')</script>\"><img src=x onerror=y>"


def as_it_is(stack: str) -> Plan:
    return planned(raw_of(stack), stack=stack)


def diff_of(stack: str, changes: Mapping[str, Any]) -> StackDiff:
    return compare(as_it_is(stack), planned(merged(raw_of(stack), changes), stack=stack))


def html_of(*diffs: StackDiff, base: str = "main", head: str = "working tree") -> str:
    return render_page(Report(base, head, [StackReport(diff.stack, diff) for diff in diffs]))


def page_of(*diffs: StackDiff) -> Page:
    return Page(html_of(*diffs))


def of_changes(*changes: ResourceChange, **more: Any) -> StackDiff:
    plan = Plan("shop", "dev", [change.resource for change in changes])
    return StackDiff("shop", "dev", plan, plan, changes, **more)


def resource(name: str, type_: str = "alicloud:cs/nodePool:NodePool", **more: Any) -> Resource:
    return resource_of(type_, name, **more)


def prop(path: str, old: Any, new: Any, replaces: bool = False) -> Property:
    return Property(path, old, new, replaces)


@pytest.mark.parametrize("stack", NAMES)
def test_the_page_of_every_stack_nests_and_takes_nothing_from_elsewhere(stack: str) -> None:
    html = render_page(
        Report("main", "working tree", [StackReport(stack, compare(None, as_it_is(stack)))])
    )
    page = Page(html)
    for tag, attributes in page.elements:
        assert tag not in {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
        assert "src" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        assert (attributes.get("href") or "#").startswith("#")
    assert not re.search(r"url\(|@import|expression\(", CSS)
    [policy] = [element for element in page.of("meta") if "http-equiv" in element]
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"


def test_nothing_of_a_plan_is_taken_for_html() -> None:
    pool = resource(HOSTILE, inputs={"nodePoolName": HOSTILE, "instanceTypes": [HOSTILE]})
    change = ResourceChange(
        ChangeKind.UPDATED,
        pool,
        former=f"urn::{HOSTILE}",
        properties=(prop(HOSTILE, HOSTILE, f"{HOSTILE} other"),),
        because=(f"urn::{HOSTILE}",),
    )
    diff = of_changes(
        change, outputs=(prop(HOSTILE, ABSENT, HOSTILE),), unprotected=(f"u::{HOSTILE}",)
    )
    refused = StackReport(HOSTILE, None, [PlanRefusal(HOSTILE, [HOSTILE, f"`{HOSTILE}`"])])
    html = render_page(Report(HOSTILE, HOSTILE, [StackReport(HOSTILE, diff), refused]))
    page = Page(html)
    assert {"script", "img"}.isdisjoint(tag for tag, _ in page.elements)
    assert html.count("</style>") == 1
    assert page.text.count("alert('x')") > 10


def test_the_page_has_the_landmarks_that_a_screen_reader_goes_by() -> None:
    page = page_of(diff_of("dev", {"pools[t4].autoscale.max": 8}), diff_of("hybrid", {}))
    tags = [tag for tag, _ in page.elements]
    assert (tags.count("main"), tags.count("h1"), tags.count("nav")) == (1, 1, 1)
    [html] = page.of("html")
    assert html["lang"] == "en"
    assert all(element.get("scope") for element in page.of("th"))
    labels = {element["aria-labelledby"] for element in page.of("section")}
    assert labels <= {element.get("id") for element in page.of("h2")}
    boxes = [element for element in page.of("div") if element.get("class") == "scroll"]
    assert boxes
    assert all(element["tabindex"] == "0" and element["aria-label"] for element in boxes)


def test_the_page_is_called_after_its_stacks_and_revisions() -> None:
    html = html_of(diff_of("dev", {}), diff_of("hybrid", {}), base="v1", head="v2")
    assert "<title>dev, hybrid: from v1 to v2</title>" in html


def test_the_worst_comes_first_and_then_what_runs_where() -> None:
    text = page_of(diff_of("dev", {"network.service_cidr": "172.30.0.0/16"})).text
    places = [
        text.index(phrase)
        for phrase in (
            "This replaces the cluster cluster-cluster",
            "What runs where",
            "Nodes and money per month",
            "Resources, the most dangerous first",
        )
    ]
    assert places == sorted(places)
    assert "because cluster-cluster is replaced" in text


def test_what_becomes_of_a_part_is_said_in_words_and_signs_too() -> None:
    changes = {"pools[t4].autoscale.max": 8, "pools[cache]": GONE, "models[qwen].cache": GONE}
    text = page_of(diff_of("dev", changes)).text
    assert "t4 ~ updated ECS nodes nodes 0..4 → 0..8" in text
    assert "cache − deleted ECS nodes" in text  # noqa: RUF001


def test_every_coloured_part_bears_a_badge() -> None:
    html = html_of(diff_of("dev", {"network.service_cidr": "172.30.0.0/16"}))
    coloured = re.findall(r'class="(?:card|lane) (\w+)">(.*?)</(?:li|th)>', html, re.DOTALL)
    assert len(coloured) > 5
    assert all(f'class="badge {kind}"' in body for kind, body in coloured)


def test_the_order_of_pools_is_said_and_who_waits_and_who_gives_way() -> None:
    text = page_of(diff_of("dev", {"pools[t4].autoscale.max": 8})).text
    assert "1st a10 if full, finetune gives way" in text
    assert "2nd t4 if full, finetune gives way waits for new nodes" in text


def test_another_order_says_what_it_was() -> None:
    text = page_of(diff_of("dev", {"models[qwen].placement.pools": ["t4", "a10"]})).text
    assert "1st t4 ~ updated was 2nd" in text
    assert "2nd a10 ~ updated was 1st" in text


def test_pools_stand_in_the_order_in_which_they_are_tried_and_then_the_others() -> None:
    html = html_of(diff_of("hybrid", {"pools[elastic].autoscale.max": 6}))
    lanes = re.findall(r'class="lane.*?class="name">([^<]*)<', html, re.DOTALL)
    assert lanes == ["idc", "elastic", "default"]


def test_node_hours_and_money_stand_before_and_after() -> None:
    text = page_of(diff_of("dev", {"pools[t4].autoscale.max": 8})).text
    assert "t4 before 0..4 0..2,920 0..4 0..2,920 0..50,195" in text
    assert "after 0..8 0..5,840 0..8 0..5,840 0..100,390" in text
    assert "change 0..+4 0..+2,920 0..+4 0..+2,920 0..+50,195" in text


def test_a_stack_that_stays_is_short() -> None:
    page = page_of(diff_of("dev", {}))
    assert "dev stays as it is" in page.text
    assert "Nodes and money" not in page.text
    assert all("open" not in element for element in page.of("details"))


def test_a_stack_that_is_new_or_given_up_says_so() -> None:
    plan = as_it_is("existing")
    assert "existing is new" in page_of(compare(None, plan)).text
    assert "existing is given up" in page_of(compare(plan, None)).text


def test_a_stack_that_is_refused_shows_every_sentence_and_no_topology() -> None:
    refusals = [PlanRefusal("working tree", ["models[qwen].priority is 'x'.", "pools is empty."])]
    text = Page(
        render_page(Report("main", "working tree", [StackReport("dev", None, refusals)]))
    ).text
    assert "Refused in working tree models[qwen].priority is 'x'. pools is empty." in text
    assert "What runs where" not in text


def test_what_the_engine_left_out_is_not_passed_off_as_unchanged() -> None:
    text = page_of(
        of_changes(ResourceChange(ChangeKind.UPDATED, resource("a")), unchanged=None)
    ).text
    assert "others are not known" in text
    assert "--show-sames" in text


def test_secrets_and_what_only_the_cloud_knows_are_set_apart() -> None:
    cluster = "urn:pulumi:dev::shop::alicloud:cs/managedKubernetes:ManagedKubernetes::cluster"
    properties = (
        prop("token", Marker(SECRET, digest="a"), Marker(SECRET, digest="b")),
        prop("clusterId", "c1", Marker(UNKNOWN, [cluster])),
    )
    html = html_of(
        of_changes(ResourceChange(ChangeKind.UPDATED, resource("a"), properties=properties))
    )
    assert html.count('<span class="marker">[secret]</span>') == 2
    assert '<span class="marker">[unknown]</span> of cluster' in html
    assert html.count('class="marker"') == 3


def test_text_that_only_looks_like_a_secret_is_not_set_apart() -> None:
    properties = (prop("note", "[secret]", "[unknown]"),)
    html = html_of(
        of_changes(ResourceChange(ChangeKind.UPDATED, resource("a"), properties=properties))
    )
    assert 'class="marker"' not in html


def test_a_change_says_that_it_is_refused_and_what_goes_first() -> None:
    change = ResourceChange(
        ChangeKind.REPLACED,
        resource("a", protect=True),
        properties=(prop("clusterId", "c1", "c2", replaces=True),),
        deletes_first=True,
    )
    text = page_of(of_changes(change)).text
    assert "protected: the engine refuses this" in text
    assert "the old one is deleted before the new one is made" in text
    assert "clusterId ± replaces" in text


def test_of_many_changes_only_those_are_open_that_others_follow_from() -> None:
    size = (prop("size", 1, 2),)
    root = ResourceChange(ChangeKind.REPLACED, resource("root"), properties=size)
    dependents = [
        ResourceChange(kind, resource(f"{kind}{number}"), properties=size, because=because)
        for number in range(7)
        for kind, because in ((ChangeKind.UPDATED, ()), (ChangeKind.REPLACED, (root.urn,)))
    ]
    short, long = (page_of(of_changes(root, *changes)) for changes in (dependents[:4], dependents))
    assert sum("open" in fold for fold in short.of("details")) == 1 + 5
    assert sum("open" in fold for fold in long.of("details")) == 1 + 1


def test_outputs_that_differ_are_shown() -> None:
    text = page_of(of_changes(outputs=(prop("host", "a.example.com", "b.example.com"),))).text
    assert "Outputs Output Before After host before a.example.com after b.example.com" in text


@pytest.mark.parametrize(
    ("old", "new", "shared", "was", "becomes"),
    [
        ("10.0.0.0/20", "10.0.128.0/20", ("10.0.", ".0/20"), "0", "128"),
        ("vllm:0.4.1", "vllm:0.4.2", ("vllm:0.4.", ""), "1", "2"),
        (4, 8, ("", ""), "4", "8"),
        ("a", "a a", ("a", ""), "", " a"),
        (True, "true", ("true", ""), "", ""),
    ],
)
def test_of_two_values_only_the_words_that_differ_are_marked(
    old: Any, new: Any, shared: tuple[str, str], was: str, becomes: str
) -> None:
    before, after = difference(old, new)
    assert {(span.start, span.end) for span in (before, after)} == {shared}
    assert (before.differs, after.differs) == (was, becomes)


def test_what_long_values_share_is_cut_and_what_differs_is_not() -> None:
    before, after = difference(f"{'x ' * 90}one{' y' * 90}", f"{'x ' * 90}two{' y' * 90}")
    assert (before.differs, after.differs) == ("one", "two")
    assert len(before.start) < 60
    assert before.start.startswith("…")
    assert before.end.endswith("…")


def test_a_short_fact_stands_whole_and_of_a_long_one_what_differs() -> None:
    assert pieces(Fact("nodes", "0..4", "0..8")) == ("", "0..4", "0..8", "")
    scale = Fact("scale", "1..3 pods, concurrency 2 each", "1..6 pods, concurrency 2 each")
    assert pieces(scale) == ("1..", "3", "6", " pods, concurrency 2 each")


def test_a_path_may_break_after_its_parts_and_stays_escaped() -> None:
    assert breakable("spec.units[0].max") == "spec.<wbr>units[0].<wbr>max"
    assert breakable("0..4") == "0..<wbr>4"
    assert "<b>" not in breakable("<b>.x")


def test_a_sentence_shows_commands_as_code() -> None:
    assert coded("`pulumi up` refuses <this>") == "<code>pulumi up</code> refuses &lt;this&gt;"


def test_places_are_counted_as_people_do() -> None:
    ordinals = [ordinal(number) for number in (1, 2, 3, 4, 11, 12, 13, 21, 112)]
    assert ordinals == ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th"]


def colours(scheme: str) -> dict[str, str]:
    light, dark = CSS.split("@media (prefers-color-scheme: dark)")
    by_name = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light))
    if scheme == "dark":
        by_name |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", dark))
    return by_name


def luminance(colour: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(front: str, back: str) -> float:
    bright, dim = sorted([luminance(front), luminance(back)], reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def pairs(scheme: str) -> Iterator[tuple[str, str]]:
    """Colours of text, and what they stand on."""
    kinds = [kind.value for kind in ChangeKind]
    backs = ["page", "raised", *(f"{kind}-back" for kind in kinds)]
    for text in ("text", "quiet"):
        yield from ((text, back) for back in backs)
    yield ("link", "page")
    yield from ((kind, f"{kind}-back") for kind in kinds)
    # Facts before and after stand in a part of any kind.
    yield from ((kind, back) for kind in ("created", "deleted") for back in backs)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_in_dark(scheme: str) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1."""
    palette = colours(scheme)
    poor = {
        (text, back): round(ratio, 2)
        for text, back in pairs(scheme)
        if (ratio := contrast(palette[text], palette[back])) < 4.5
    }
    assert poor == {}


def test_each_kind_of_change_has_a_sign_and_a_colour_of_its_own() -> None:
    assert {*SIGNS} == {*ChangeKind}
    assert len({*SIGNS.values()}) == len(ChangeKind)
    for scheme in ("light", "dark"):
        assert len({colours(scheme)[kind] for kind in ChangeKind}) == len(ChangeKind)
