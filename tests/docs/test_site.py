"""Where pages stand in the site, and what a staged page and a built one have to be.

Does not prove that the generator takes them: `make site` does, and `python -m proof site` looks.
"""

import importlib.util
import json
import os
from pathlib import Path

import pytest
import yaml

from proof.site import faults as seen_faults
from website import built, versions
from website.layout import ORDER, SECTIONS, Homeless, placed
from website.pages import ROOT, anchors, language, pages
from website.stage import MOST_BYTES, Staging, settings

PAGE = "<html><body><h1 id=a>A</h1>{}</body></html>"


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Staging:
    stage = Staging(ROOT, tmp_path_factory.mktemp("site") / "pages")
    stage.write()
    return stage


def site(folder: Path, body: str, **files: str) -> list[str]:
    """What is wrong with a site of one page."""
    (folder / "index.html").write_text(PAGE.format(body))
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return [*built.faults(folder)]


def test_every_page_stands_in_one_section() -> None:
    sections = placed(ROOT, pages())
    assert sorted(page for names in sections.values() for page in names) == sorted(pages())
    assert set(sections) <= set(ORDER) == {section.title for section in SECTIONS}


def test_pages_of_packages_that_an_example_has_installed_are_none_of_ours(tmp_path: Path) -> None:
    for name in ("a/README.md", "a/node_modules/b/README.md", "a/.venv/c/README.md"):
        path = tmp_path / "examples" / name
        path.parent.mkdir(parents=True)
        path.write_text("# A\n")
    assert pages(tmp_path) == [tmp_path / "examples" / "a" / "README.md"]


def test_a_new_guide_is_found_by_itself(tmp_path: Path) -> None:
    guide = tmp_path / "docs" / "guides" / "gateway.md"
    guide.parent.mkdir(parents=True)
    guide.write_text("# Gateway\n")
    assert placed(tmp_path, [guide]) == {"Guides": [guide]}


def test_a_page_without_a_section_is_refused_with_the_place_to_give_it_one(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "elsewhere" / "page.md"
    page.parent.mkdir(parents=True)
    page.write_text("# Page\n")
    with pytest.raises(Homeless, match=r"docs/elsewhere/page\.md is in no section.*layout\.py"):
        placed(tmp_path, [page])


def test_headings_have_the_names_that_github_gives_them(staged: Staging) -> None:
    text = (staged.folder / "sandbox.md").read_text()
    for anchor in anchors((ROOT / "docs" / "sandbox.md").read_text()):
        assert f"{{#{anchor}}}" in text


def test_a_file_that_a_page_links_to_becomes_a_page_that_shows_it(staged: Staging) -> None:
    page = staged.folder / "files" / "examples" / "stacks" / "Pulumi.alb.yaml.md"
    stack = (ROOT / "examples" / "stacks" / "Pulumi.alb.yaml").read_text().strip()
    assert stack in page.read_text()
    assert (
        "(../../files/examples/stacks/Pulumi.alb.yaml.md)"
        in (staged.folder / "examples" / "stacks" / "index.md").read_text()
    )


def test_files_that_are_shown_are_not_searched_and_large_ones_are_linked(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# A\n\n[b](b.txt) [c](c.txt) [d](d/notes.md)\n")
    (tmp_path / "b.txt").write_text("b")
    (tmp_path / "c.txt").write_text("c" * (MOST_BYTES + 1))
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "notes.md").write_text("# D\n")
    for folder in ("docs/images", "examples"):
        (tmp_path / folder).mkdir(parents=True)
    stage = Staging(tmp_path, tmp_path / "pages")
    stage.write()
    files = tmp_path / "pages" / "files"
    assert (files / "c.txt").stat().st_size == MOST_BYTES + 1
    for name in ("b.txt.md", "d/notes.md.md"):
        assert (files / name).read_text().startswith("---\nsearch: {exclude: true}\n---\n")
    assert "search:" not in (tmp_path / "pages" / "index.md").read_text()


def test_pages_offer_other_versions_only_where_these_lie_beside_them(staged: Staging) -> None:
    plain, versioned = (
        yaml.safe_load(settings(staged, {}, versioned=choice)) for choice in (False, True)
    )
    assert "version" not in plain["extra"]
    assert versioned["extra"]["version"] == {"provider": "mike"}


def test_links_in_code_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# A\n\n[b](b.md) `[b](b.md)`\n\n```sh\n[b](b.md)\n```\n")
    (tmp_path / "docs").mkdir()
    (tmp_path / "b.md").write_text("# B\n")
    stage = Staging(tmp_path, tmp_path / "pages")
    text = stage.text(tmp_path / "README.md")
    assert text.count("[b](b.md)") == 3
    assert text.startswith("# A {#a}")


def test_a_picture_follows_the_switch_of_the_site(staged: Staging) -> None:
    text = (staged.folder / "index.md").read_text()
    assert "<picture>" not in text
    assert "-light.png#only-light)" in text
    assert "-dark.png#only-dark)" in text


def test_a_page_in_chinese_says_so(staged: Staging) -> None:
    for name, mark in (("index.zh-cn.md", "zh-CN"), ("zh/sandbox-to-pull-request.md", "zh")):
        text = (staged.folder / name).read_text()
        assert text.startswith(f'<div lang="{mark}" markdown>\n\n')
        assert text.endswith("\n\n</div>\n")
    assert "<div lang=" not in (staged.folder / "index.md").read_text()


@pytest.mark.parametrize(
    ("name", "tongue"),
    [
        ("README.md", "en"),
        ("README.zh-CN.md", "zh-CN"),
        ("docs/zh/page.md", "zh"),
        ("docs/plan.md", "en"),
        ("docs/guides/gateway.md", "en"),
    ],
)
def test_the_name_of_a_page_or_its_folder_says_its_language(name: str, tongue: str) -> None:
    assert language(ROOT / name) == tongue


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ('<a href="none/">x</a>', "index.html: none/ leads nowhere."),
        ('<a href="#b">x</a>', "index.html: #b leads to no heading."),
        ('<a href="https://a b/">x</a>', "index.html: https://a b/ is no address."),
        ('<a href="../outside">x</a>', "index.html: ../outside leads nowhere."),
        ('<script src="none.js"></script>', "index.html loads none.js, which is not there."),
        (
            '<script src="https://example.com/x.js"></script>',
            "index.html loads https://example.com/x.js, but it must load nothing from elsewhere.",
        ),
        ("<p>```sh</p>", "index.html shows the fence of a code block"),
        ("<h1>B</h1>", "index.html has 2 first headings, but it must have one."),
        ("x" * 300_000, "but it must be 300,000 at most."),
    ],
)
def test_what_is_wrong_with_a_page_is_a_sentence(tmp_path: Path, body: str, sentence: str) -> None:
    assert any(sentence in fault for fault in site(tmp_path, body))


def test_a_link_out_of_the_site_is_told_though_something_is_there(tmp_path: Path) -> None:
    (tmp_path / "outside.html").write_text(PAGE)
    (tmp_path / "site").mkdir()
    faults = site(tmp_path / "site", '<a href="../outside.html">x</a>')
    assert faults == ["index.html: ../outside.html leads out of the site."]


def test_what_a_page_loads_counts_as_it_is_sent(tmp_path: Path) -> None:
    loads = '<script src="a.js"></script>'
    (tmp_path / "a.js").write_text("x" * built.MOST_BYTES)
    assert site(tmp_path, loads) == []
    (tmp_path / "a.js").write_bytes(os.urandom(built.MOST_BYTES))
    [fault] = site(tmp_path, loads)
    assert fault.endswith("with what it loads, but it must be 300,000 at most.")


def test_a_page_that_is_right_has_no_fault(tmp_path: Path) -> None:
    body = '<a href="#a">x</a> <a href="https://example.com/none">x</a> <img src="a.png">'
    body += "<code>```</code><script src=a.js></script>"
    assert site(tmp_path, body, a_png="", a_js="") == []


def test_the_selector_of_versions_leads_to_the_newest_release_first() -> None:
    catalogue = versions.catalogue(["v0.10.0", "v0.9.0"])
    assert [entry["version"] for entry in catalogue] == ["v0.10.0", "v0.9.0", "next"]
    assert [entry["aliases"] for entry in catalogue] == [["latest"], [], []]
    assert sorted(["v0.9.0", "v0.10.0"], key=versions._order) == ["v0.9.0", "v0.10.0"]


def test_releases_that_have_a_site_are_built_and_candidates_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def git(*command: str) -> str:
        if command[0] == "tag":
            return "v0.9.0\nv0.10.0\nv0.11.0-rc\nv0.1.0"
        return "" if "v0.1.0" in command else "website/mkdocs.yml"

    monkeypatch.setattr(versions, "_git", git)
    assert versions.releases() == ["v0.10.0", "v0.9.0"]


def test_what_a_browser_sees_wrong_is_told() -> None:
    finding = {"id": "x", "help": "X", "nodes": 1, "targets": ["a"]}
    visit = {
        **{"page": "/", "screen": "phone", "scheme": "dark", "width": 400, "most_width": 390},
        "violations": [{**finding, "impact": "serious"}, {**finding, "impact": "minor"}],
        "elsewhere_or_missing": ["https://example.com/"],
    }
    assert len([*seen_faults(visit)]) == 3
    right = {**visit, "width": 390, "violations": [], "elsewhere_or_missing": []}
    assert [*seen_faults(right)] == []


def test_the_drawings_are_what_their_program_draws() -> None:
    path = ROOT / "docs" / "images" / "drawings.py"
    specification = importlib.util.spec_from_file_location("drawings", path)
    assert specification
    assert specification.loader
    drawings = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(drawings)
    assert drawings.stale() == []


def test_axe_core_is_pinned_by_its_hash_and_by_no_address() -> None:
    lock = json.loads((ROOT / "website" / "package-lock.json").read_text())
    entry = lock["packages"]["node_modules/axe-core"]
    assert entry["integrity"].startswith("sha512-")
    assert "resolved" not in entry
