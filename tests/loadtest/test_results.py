import json
import math
from pathlib import Path

import pytest

from loadtest.results import Failure, Run, load, save
from plan.refused import Refused

from .runs import run_from, sample


def test_a_run_is_read_as_it_was_kept(tmp_path: Path) -> None:
    run = run_from(sample(), sample(1, failure=Failure.CUT, detail="half-way"), notes=("A note.",))
    path = save(run, tmp_path / "run.json")
    assert path == tmp_path / "run.json"
    assert load(path) == run
    assert [file.name for file in tmp_path.iterdir()] == ["run.json"]


def test_a_file_is_never_written_over(tmp_path: Path) -> None:
    paths = [save(run_from(sample(number)), tmp_path / "run.json") for number in range(3)]
    assert [path.name for path in paths] == ["run.json", "run-2.json", "run-3.json"]
    assert [load(path).samples[0].due for path in paths] == [0, 1, 2]


def test_a_file_that_cannot_be_written_whole_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("loadtest.results.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save(run_from(sample()), tmp_path / "run.json")
    assert list(tmp_path.iterdir()) == []


def test_a_file_can_be_read_by_people(tmp_path: Path) -> None:
    text = save(run_from(sample()), tmp_path / "run.json").read_text()
    assert '\n "label": "cache",\n' in text
    assert text.endswith("}\n")


def stored(**changes: object) -> str:
    return json.dumps({**run_from(sample()).model_dump(mode="json"), **changes})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "run.json, line 1, column 1, is not JSON: Expecting value. A run writes its file"),
        (stored()[:-20], "is not JSON: .* so it was changed or cut off since"),
        ("[]", "run.json is not a file of a run: `ack-inference loadtest run` writes one"),
        ("{}", "run.json is not a file of a run"),
        ('{"format": 1, "resources": []}', "run.json is not a file of a run"),
        (stored(format=2), "format is 2, but it must be 1 or less: a later ack-inference wrote"),
        (stored(format="one"), "run.json is not a file of a run"),
        (stored(seed="x"), "seed is 'x', but it must be a whole number"),
        (stored(samples=[{"due": 0}]), r"samples\[0\].sent is missing, but it must be given"),
        (stored(sample=1), "sample is not a known key, but it must be left out .did you mean"),
        (
            stored(scenario={"steady": {}}),
            "scenario.steady.rate is missing, but it must be given, or else clients",
        ),
        (stored(scenario={}), "scenario.steady is missing, but it must be given, or else spike"),
    ],
)
def test_another_file_is_refused_with_what_is_wrong(
    tmp_path: Path, text: str, sentence: str
) -> None:
    path = tmp_path / "run.json"
    path.write_text(text)
    with pytest.raises(Refused, match=sentence) as refused:
        load(path)
    assert str(refused.value).startswith("run.json is refused:\n")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(b"\xff\xfe")
    with pytest.raises(Refused, match="is not text in UTF-8"):
        load(tmp_path / "run.json")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"run\.json cannot be read: No such file or directory\."):
        load(tmp_path / "run.json")


def test_a_sample_counts_from_when_it_was_due() -> None:
    late = sample(10, sent=10.5, first_token=11.0, last_token=12.0)
    assert (late.time_to_first_token, late.latency) == (1.0, 2.0)
    assert late.time_per_output_token == pytest.approx(0.1)


def test_a_file_says_which_version_of_it_this_is() -> None:
    assert Run.model_fields["format"].default == 1


@pytest.mark.parametrize(
    ("field", "value", "want"),
    [
        ("due", -5.0, "0 or"),
        ("sent", math.inf, "finite"),
        ("ended", math.nan, "finite"),
        ("first_token", -1.0, "0 or"),
        ("last_token", math.inf, "finite"),
        ("output_tokens", -3, "0 or"),
    ],
)
def test_times_and_counts_that_no_run_has_are_refused(tmp_path, field, value, want):
    document = json.loads(run_from(sample()).model_dump_json())
    document["samples"][0][field] = value
    path = tmp_path / "run.json"
    path.write_text(json.dumps(document))
    with pytest.raises(Refused) as error:
        load(path)
    [sentence] = error.value.sentences
    assert field in sentence
    assert want in sentence


def test_a_file_that_an_editor_saved_with_a_byte_order_mark_is_read(tmp_path):
    path = tmp_path / "run.json"
    path.write_text(run_from(sample()).model_dump_json(), encoding="utf-8-sig")
    assert load(path) == run_from(sample())


def test_a_file_that_is_nested_too_deep_is_refused(tmp_path):
    path = tmp_path / "run.json"
    path.write_text("[" * 100_000)
    with pytest.raises(Refused, match="nested too deep"):
        load(path)
