from pathlib import Path

import pytest

from loadtest.prompts import read
from plan.refused import Refused

from .runs import run_of


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("prompts.txt", "one two\n\nthree\n"),
        ("prompts.jsonl", '{"prompt": "one two", "id": 1}\n\n{"prompt": "three"}\n'),
    ],
)
def test_prompts_are_read_line_by_line(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    prompts = read(tmp_path / name)
    assert prompts.texts == ("one two", "three")
    assert (prompts.about.file, prompts.about.lines) == (name, 2)


def test_another_file_of_the_same_name_is_told_from_it(tmp_path: Path) -> None:
    path = tmp_path / "prompts.txt"
    digests = set()
    for text in ("one", "two"):
        path.write_text(text)
        digests.add(read(path).about.sha256)
    assert len(digests) == 2


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("prompts.txt", b"\n \n", "prompts.txt must have a prompt on each line, but it has none."),
        ("prompts.txt", b"\xff", "prompts.txt must be text in UTF-8, but it is not."),
        ("none.txt", None, "cannot be read: No such file or directory."),
        ("p.jsonl", b'{"prompt": "a"}\n{"text": "secret"}', "p.jsonl, line 2, must be a JSON obj"),
        ("p.jsonl", b'"secret"', "p.jsonl, line 1, must be a JSON object such as"),
        ("p.jsonl", b'{"prompt": ["secret"]}', "p.jsonl, line 1, must be a JSON object such as"),
        ("p.jsonl", b'{"prompt": " "}', "p.jsonl, line 1, must be a JSON object such as"),
    ],
)
def test_a_file_without_prompts_is_refused(
    name: str, content: bytes | None, sentence: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(Refused) as refused:
        read(tmp_path / name)
    assert sentence in str(refused.value)
    assert "secret" not in str(refused.value)


def test_prompts_of_a_file_are_asked_in_turn_and_named_in_the_results(tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_text("one\none two three\n")
    scenario = {"steady": {"rate": 40, "seconds": 0.1}}
    run = run_of(scenario, prompts=read(tmp_path / "prompts.txt"))
    assert [sample.prompt_tokens for sample in run.samples] == [1, 3, 1, 3]
    assert run.prompts is not None
    assert run.prompts.lines == 2
