"""The Chinese pages say what the English ones say."""

from pathlib import Path

import pytest

from .translations import ROOT, Translation, sections, translations

ENGLISH = """# Tool

It works, see [there](other.md).

## Run it

```sh
make plan   # shows it
# not a heading
```

## Why

Because.
"""
CHINESE = """<!-- translation of: page.md -->
<!-- en: Tool 00000000 -->
# 工具

它能工作，参见[这里](other.md)。

<!-- en: Run it 00000000 -->
## 运行

请执行：

```sh
make plan   # 显示
# 不是标题
```

<!-- en: Why 00000000 -->
## 原因

因为。
"""  # noqa: RUF001


@pytest.mark.parametrize("translation", translations(), ids=lambda translation: translation.name)
def test_a_chinese_page_is_level_with_the_english_one(translation: Translation) -> None:
    assert [*translation.faults()] == []


def test_the_readme_is_there_in_chinese() -> None:
    assert ROOT / "README.zh-CN.md" in [translation.path for translation in translations()]


@pytest.fixture
def page(tmp_path: Path) -> Translation:
    (tmp_path / "page.md").write_text(ENGLISH)
    (tmp_path / "page.zh-CN.md").write_text(CHINESE)
    [translation] = translations(tmp_path)
    translation.accept()
    [levelled] = translations(tmp_path)
    assert [*levelled.faults()] == []
    return levelled


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (
            "Because.",
            "Because of that.",
            "page.md, section 'Why' has changed: bring page.zh-CN.md,",
        ),
        ("make plan", "make diff", "section 'Run it' has changed"),
        ("make plan", "make diff", "'Run it' has other commands or snippets in page.zh-CN.md."),
        ("(other.md)", "(others.md)", "section 'Tool' has a link that page.zh-CN.md lacks."),
        ("## Why", "## How", "page.md has a section 'How' that page.zh-CN.md does not tell."),
        ("## Why", "## How", "page.zh-CN.md tells a section 'Why' that page.md does not have."),
        ("## Why", "### Why", "section 'Why' is a heading of another level in page.zh-CN.md."),
        ("## Why\n\nBecause.\n", "", "tells a section 'Why' that page.md does not have."),
    ],
)
def test_a_change_of_the_english_page_is_named_by_its_section(
    page: Translation, before: str, after: str, sentence: str
) -> None:
    (page.root / "page.md").write_text(ENGLISH.replace(before, after))
    assert any(sentence in fault for fault in page.faults())


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("make plan", "make diff", "'Run it' has other commands or snippets"),
        ("因为。", "", "section 'Why' is not translated"),
        ("](other.md)", "](page.md)", "section 'Tool' has a link that page.zh-CN.md lacks."),
        ("## 原因", "## 原因\n\n## 更多", "has 4 headings, and says of 3 what they tell."),
        ("<!-- translation of: page.md -->\n", "", "does not say in its first line"),
    ],
)
def test_a_chinese_page_that_says_something_else_is_named(
    page: Translation, before: str, after: str, sentence: str
) -> None:
    page.path.write_text(page.text.replace(before, after))
    assert any(sentence in fault for fault in Translation(page.root, page.path).faults())


def test_sections_in_another_order_are_named(page: Translation) -> None:
    first, rest = page.text.split("<!-- en: Run it")
    run, why = rest.split("<!-- en: Why")
    page.path.write_text(f"{first}<!-- en: Why{why}\n<!-- en: Run it{run}")
    [fault] = Translation(page.root, page.path).faults()
    assert fault == "page.zh-CN.md tells the sections of page.md in another order."


def test_where_lines_break_is_no_change(page: Translation) -> None:
    (page.root / "page.md").write_text(ENGLISH.replace("It works, see", "It works,\nsee"))
    assert [*page.faults()] == []


def test_what_looks_like_a_heading_in_code_is_none() -> None:
    assert [section.title for section in sections(ENGLISH)] == ["Tool", "Run it", "Why"]
