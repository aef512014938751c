"""A tutorial is followed: its blocks are run, its changes made, and what it shows is looked for."""

from pathlib import Path

import pytest

from proof import tutorials

PAGE = """# A page

```sh
echo hello; echo "$PWD" > place
```

<!-- output -->
```text
hello
```

<!-- instead of: one in file.txt -->
```text
two
```

<!-- exit: 3 or 4 -->
```sh
grep two file.txt; exit 3
```

<!-- with an account -->
```sh
exit 1
```
"""


def followed(folder: Path, text: str) -> list[str]:
    (folder / "file.txt").write_text("one\n")
    page = folder / "page.md"
    page.write_text(text)
    return [*tutorials.follow(page, folder)]


def test_a_page_that_says_what_happens_has_no_fault(tmp_path: Path) -> None:
    assert followed(tmp_path, PAGE) == []
    assert (tmp_path / "file.txt").read_text() == "two\n"
    assert (tmp_path / "place").exists()


@pytest.mark.parametrize(
    ("right", "wrong", "sentence"),
    [
        ("hello\n```", "good bye\n```", "this is not printed:\ngood bye"),
        ("exit 3\n", "exit 5\n", "it ends with 5, but it must be 3 or 4"),
        ("grep two", "grep three", "it ends with 1"),
        ("<!-- with an account -->\n", "", "it ends with 1, but it must be 0"),
    ],
)
def test_what_does_not_happen_is_told_with_its_line(
    tmp_path: Path, right: str, wrong: str, sentence: str
) -> None:
    [fault] = followed(tmp_path, PAGE.replace(right, wrong, 1))
    assert fault.startswith("line ")
    assert sentence in fault


def test_a_block_that_does_not_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tutorials, "SECONDS", 1)
    code, printed = tutorials.run("echo first; sleep 60", tmp_path)
    assert code != 0
    assert printed[0] == "first"
    assert "longer than 1 s" in printed[-1]


def test_the_commands_of_other_pages_that_need_no_account_are_run() -> None:
    readme = [snippet.text for snippet in tutorials.other(tutorials.ROOT / "README.md")]
    assert "make plan STACK=dev" in readme
    assert not [command for command in readme if "pulumi" in command]


def test_an_example_is_copied_before_it_is_planned() -> None:
    guide = tutorials.ROOT / "docs" / "guides" / "llm-inference-service.md"
    copied, planned = (snippet.text for snippet in tutorials.other(guide))
    assert copied == "cp examples/stacks/Pulumi.llm-inference-service.yaml ."
    assert planned == "make plan STACK=llm-inference-service"


@pytest.mark.parametrize(
    ("command", "stack"),
    [
        ("make plan STACK=llm-inference-service", "llm-inference-service"),
        ("ack-inference plan prod --format json", "prod"),
        ("make plan", "dev"),
        ("ack-inference plan --help", "dev"),
        ("cp examples/stacks/Pulumi.alb.yaml .", "dev"),
    ],
)
def test_a_command_is_about_the_stack_that_it_names(command: str, stack: str) -> None:
    assert tutorials.stack_of(command) == stack
