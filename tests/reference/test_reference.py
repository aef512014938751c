"""What the reference says is what the code says, and says all of it."""

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from reference import markdown, pages
from reference.describe import Component, Field, Library, Structure, library
from reference.stack_file import DocumentedSection, sections
from stacks.sections.environment import Environment

REFERENCE = pages.ROOT / "docs" / "reference"
FIELD = Field("hours", "int", required=False, default="1", description="Hours a | b.")
COMPONENT = Component(
    name="Pool",
    room="cloud",
    token="ack-inference:index:Pool",  # noqa: S106  a type token
    description="A pool.",
    inputs=[FIELD, Field("zones", "list[Zone]", required=True, default="", description="Zones.")],
    outputs=[Field("id", "Output[str]", required=True, default="", description="Its ID.")],
)
ZONE = Structure("Zone", "A zone.", [], {"h": "Zone H.", "i": ""})


@pytest.fixture(scope="module")
def api() -> Library:
    return library()


@pytest.fixture(scope="module")
def keys() -> dict[str, DocumentedSection]:
    return {section.name: section for section in sections()}


def test_no_page_says_something_else_than_the_code() -> None:
    assert [str(path) for path in pages.stale()] == [], "run `make reference`"


def test_what_somebody_writes_between_marks_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "docs" / "page.md"
    page.parent.mkdir()
    page.write_text("Mine.\n<!-- generated: stack-file -->\nMine too.\n<!-- end -->\nMine.\n")
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    assert pages.stale() == [page]
    pages.write()
    assert pages.stale() == []
    assert "Mine too." not in page.read_text()
    assert page.read_text().startswith("Mine.\n<!-- generated: stack-file -->\n\n## The conf")
    assert page.read_text().endswith("\n<!-- end -->\nMine.\n")


def test_a_mark_that_names_nothing_is_refused_with_what_there_is() -> None:
    with pytest.raises(ValueError, match=r"'stackfile'.* one of component-index, .*stack-file\."):
        pages.generated("<!-- generated: stackfile -->\n<!-- end -->")


def test_a_component_is_a_table_of_inputs_and_one_of_outputs() -> None:
    text = markdown.components(Library([COMPONENT], [ZONE]))
    assert text.splitlines()[4:] == [
        "### Pool",
        "",
        "A pool.",
        "",
        "Type token: `ack-inference:index:Pool`",
        "",
        "| Input | Type | Required | Default | Description |",
        "|---|---|---|---|---|",
        "| `hours` | `int` |  | `1` | Hours a \\| b. |",
        "| `zones` | `list[`[`Zone`](types.md#zone)`]` | yes |  | Zones. |",
        "",
        "| Output | Type | Description |",
        "|---|---|---|",
        "| `id` | `Output[str]` | Its ID. |",
        "",
        "## platform",
        "",
        "`from pulumi_ack_inference.platform import ...`",
        "",
        "## serving",
        "",
        "`from pulumi_ack_inference.serving import ...`",
    ]


def test_a_type_is_a_section_of_a_page_of_its_own() -> None:
    assert markdown.types(Library([COMPONENT], [ZONE])).splitlines() == [
        "## Zone",
        "",
        "A zone.",
        "",
        "| Value | Meaning |",
        "|---|---|",
        "| `h` | Zone H. |",
        "| `i` |  |",
    ]


def test_every_public_input_and_output_is_described(api: Library) -> None:
    silent = [
        f"{component.name}.{field.name}"
        for component in api.components
        for field in (*component.inputs, *component.outputs)
        if not field.description
    ]
    assert silent == []


def test_the_model_of_an_input_gives_the_default_that_the_analyzer_does_not_see(
    api: Library,
) -> None:
    [placement] = [component for component in api.components if component.name == "Placement"]
    defaults = {field.name: field.default for field in placement.inputs}
    assert (defaults["scale_out_seconds"], defaults["enforcer"]) == ("900", '"ResourcePolicy"')


def test_the_default_of_a_field_stands_in_its_column_and_nowhere_else(
    api: Library, keys: dict[str, DocumentedSection]
) -> None:
    fields = [
        *(field for component in api.components for field in component.inputs),
        *(field for structure in api.types for field in structure.fields),
        *(key for section in keys.values() for key in section.keys),
    ]
    defaults = [field for field in fields if field.default]
    assert len(defaults) > 150
    assert [
        field.description
        for field in defaults
        if f"Default {field.default.strip(chr(34))}" in field.description.replace("`", "")
    ] == []


def test_what_is_known_at_once_is_no_output_of_the_engine(api: Library) -> None:
    [placement] = [component for component in api.components if component.name == "Placement"]
    types = {output.name: output.type for output in placement.outputs}
    assert (types["labels"], types["policy_name"]) == ("dict[str, str]", "Output[str] | None")


def test_every_key_of_a_stack_file_has_a_row(keys: dict[str, DocumentedSection]) -> None:
    assert [key.name for key in keys[""].keys] == list(Environment.model_fields)


def test_a_key_says_what_may_stand_there(keys: dict[str, DocumentedSection]) -> None:
    pool = {key.name: key for key in keys["PoolSection"].keys}
    assert (pool["size"].kind, pool["size"].bounds) == (
        ["whole number"],
        "at least 0, at most 1000",
    )
    assert pool["taints"].kind == ["list of Taint"]
    assert pool["labels"].kind == ["text by name"]
    assert pool["name"].required
    assert not pool["size"].required


def test_a_section_says_where_it_stands(keys: dict[str, DocumentedSection]) -> None:
    assert keys["PlacementSection"].paths == [
        "models[].placement",
        "training[].placement",
        "models[].serve.roles.prefill.placement",
        "models[].serve.roles.decode.placement",
    ]


def test_a_change_that_replaces_is_marked(keys: dict[str, DocumentedSection]) -> None:
    network = {key.name: key.immutable for key in keys["NetworkSection"].keys}
    assert (network["cidr"], network["dedicated_line"]) == (True, False)
    page = markdown.stack_file_keys([keys["NetworkSection"]])
    assert page.count("**A change replaces.**") == sum(network.values())


@pytest.mark.parametrize("page", sorted(REFERENCE.glob("*.md")), ids=lambda path: path.name)
def test_every_heading_of_a_page_is_another_one(page: Path) -> None:
    """Links lead to the first of one name."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    anchors = [re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-")) for heading in headings]
    assert len(set(anchors)) == len(anchors)


@pytest.mark.parametrize("page", sorted(REFERENCE.glob("*.md")), ids=lambda path: path.name)
def test_every_row_is_one_of_a_table(page: Path) -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(page.read_text())
    rows = [line for line in page.read_text().splitlines() if line.startswith("|")]
    # Of a row with too many cells Markdown drops the last: count them in the source.
    cells = [len(re.split(r"(?<!\\)\|", row)[1:-1]) for row in rows]
    assert set(cells) <= {2, 3, 5}
    assert sum(token.type == "tr_open" for token in tokens) == sum("---" not in row for row in rows)
