from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from plan.refused import Refused
from simulate.traffic import DAY, HOUR, Lengths, Traffic, read_trace, spike, tide

HEADER = "TIMESTAMP,ContextTokens,GeneratedTokens"


def trace(tmp_path: Path, *lines: str, header: str = HEADER) -> Path:
    path = tmp_path / "trace.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def refusal(path: Path, *models: str) -> str:
    with pytest.raises(Refused) as refused:
        read_trace(path, models or ("qwen",))
    return str(refused.value)


def per_hour(traffic: Traffic) -> list[int]:
    counts, _ = np.histogram(traffic.arrivals, np.arange(0, DAY + 1, HOUR))
    return [int(count) for count in counts]


def test_a_tide_has_the_hours_of_a_day_and_the_same_requests_for_the_same_seed():
    first, again, variant = tide(2, 1, 7), tide(2, 1, 7), tide(2, 1, 8)
    assert np.array_equal(first.arrivals, again.arrivals)
    assert np.array_equal(first.answers, again.answers)
    assert not np.array_equal(first.arrivals[:50], variant.arrivals[:50])
    hours = per_hour(first)
    assert hours[15] == pytest.approx(2 * HOUR, rel=0.05)
    assert hours[4] == pytest.approx(0.03 * 2 * HOUR, rel=0.2)


def test_the_second_day_of_a_tide_is_as_long_and_as_busy_as_the_first():
    traffic = tide(1, 2, 7)
    busy = [
        np.count_nonzero((traffic.arrivals >= start) & (traffic.arrivals < start + HOUR))
        for start in (15 * HOUR, 39 * HOUR)
    ]
    assert busy == [pytest.approx(HOUR, rel=0.05)] * 2
    assert traffic.seconds < 2 * DAY


def test_half_a_day_ends_at_noon():
    traffic = tide(1, 0.5, 7)
    assert 11.5 * HOUR < traffic.seconds < 12 * HOUR


def test_lengths_have_the_mean_and_the_spread_that_are_asked_for():
    traffic = tide(3, 1, 7, Lengths(500, 250, 80, 40))
    assert traffic.prompts.mean() == pytest.approx(500, rel=0.03)
    assert traffic.prompts.std() == pytest.approx(250, rel=0.06)
    assert traffic.answers.mean() == pytest.approx(80, rel=0.03)
    assert traffic.prompts.min() >= 1


def test_a_spike_is_ten_minutes_at_nine():
    hours = per_hour(spike(0.2, 1, 7))
    steady, busy = 0.2 * HOUR, 0.2 * HOUR + 9 * 0.2 * 600
    assert hours[9] == pytest.approx(busy, rel=0.15)
    assert hours[8] == pytest.approx(steady, rel=0.15)


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("timestamp,context_tokens,generated_tokens", "1,374,44"),
        ("arrived_at,num_prefill_tokens,num_decode_tokens", "1.0,374,44"),
        ("timestamp,prompt_tokens,completion_tokens", "1,374,44"),
        ("TIMESTAMP;ContextTokens;GeneratedTokens", "1;374;44"),
        ("TIMESTAMP\tInput tokens\tOutput tokens", "1\t374\t44"),
    ],
)
def test_a_trace_is_read_as_other_tools_write_it(tmp_path: Path, header: str, line: str):
    traffic = read_trace(trace(tmp_path, line, header=header), ["qwen"])["qwen"]
    assert (traffic.prompts.tolist(), traffic.answers.tolist()) == ([374], [44])


def test_a_column_with_the_model_is_found_however_it_is_spelled(tmp_path: Path):
    path = trace(tmp_path, "1,374,44,b", header=f"{HEADER},model")
    assert [len(part) for part in read_trace(path, ["a", "b"]).values()] == [0, 1]


def test_lines_of_json_are_told_to_be_no_table(tmp_path: Path):
    path = trace(tmp_path, header='{"timestamp": 0, "input_length": 6755, "output_length": 500}')
    [_, sentence] = refusal(path).splitlines()
    assert sentence.strip().startswith("trace.csv holds JSON in each line, but it must be CSV")


def test_a_spike_that_comes_after_the_end_is_left_out():
    assert spike(0.2, 0.25, 7).peak_rate < 0.5


def test_a_trace_of_azure_is_read_from_its_first_request_on(tmp_path: Path):
    path = trace(
        tmp_path,
        "2023-11-16 18:15:46.6805900,374,44",
        "2023-11-16 18:15:50.9951690,396,109",
        "",
        "2023-11-16 18:15:51.2224670,879,55",
    )
    traffic = read_trace(path, ["qwen"])["qwen"]
    assert traffic.arrivals.tolist() == pytest.approx([0, 4.314579, 4.541877])
    assert traffic.prompts.tolist() == [374, 396, 879]
    assert traffic.answers.tolist() == [44, 109, 55]


def test_times_with_a_zone_and_times_in_seconds_are_read_too(tmp_path: Path):
    path = trace(tmp_path, "2024-05-10 00:00:00.5+00:00,1,2", "2024-05-10 08:00:01+08:00,1,2")
    assert read_trace(path, ["qwen"])["qwen"].arrivals.tolist() == [0, 0.5]
    assert read_trace(trace(tmp_path, "3.5,1,2", "4,1,2"), ["qwen"])["qwen"].seconds == 0.5


def test_a_trace_of_burstgpt_is_read_and_its_model_is_the_only_one(tmp_path: Path):
    header = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type"
    path = trace(tmp_path, "5,ChatGPT,472,18,490,Conversation log", header=header)
    assert read_trace(path, ["qwen"])["qwen"].prompts.tolist() == [472]


def test_requests_go_to_the_models_that_they_name(tmp_path: Path):
    path = trace(tmp_path, "1,5,6,a", "2,7,8,b", "3,9,10,a", header=f"{HEADER},Model")
    traffic = read_trace(path, ["a", "b"])
    assert traffic["a"].arrivals.tolist() == [0, 2]
    assert traffic["b"].prompts.tolist() == [7]


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ((), "trace.csv holds 0 requests, but it must hold at least 1."),
        (
            ("1,,2",),
            "ContextTokens in line 2 is '', but it must be a number of tokens: it is counted",
        ),
        (("1,2",), "GeneratedTokens in line 2 is ''"),
        (("1,-4,2",), "ContextTokens in line 2 is '-4'"),
        (("1,2.5,2",), "ContextTokens in line 2 is '2.5'"),
        (("-1,2,2",), "TIMESTAMP in line 2 is '-1', but it must be 0 or later"),
        (("nan,2,2",), "TIMESTAMP in line 2 is 'nan', but it must be a date and time"),
        (("yesterday,2,2",), "TIMESTAMP in line 2 is 'yesterday'"),
        (
            ("5,2,2", "", "3,2,2"),
            "TIMESTAMP in line 4 is '2 s earlier', but it must be no earlier than the request",
        ),
        (("0,2,2", "99999999,2,2"), "but it must be at most 31 days after the first"),
    ],
)
def test_what_is_wrong_with_a_trace_is_a_sentence(
    tmp_path: Path, lines: tuple[str, ...], sentence: str
):
    assert sentence in refusal(trace(tmp_path, *lines))


def test_only_the_first_faults_of_a_trace_are_told_one_by_one(tmp_path: Path):
    text = refusal(trace(tmp_path, *["1,x,2"] * 25))
    assert text.count("ContextTokens in line") == 10
    assert "15 more lines have such faults." in text


def test_a_header_without_a_column_says_which(tmp_path: Path):
    text = refusal(trace(tmp_path, "1,2", header="time,tokens"))
    assert "no column TIMESTAMP (it has time, tokens)" in text
    assert "no column GeneratedTokens" in text


def test_a_model_that_the_stack_lacks_is_refused(tmp_path: Path):
    path = trace(tmp_path, "1,5,6,c", header=f"{HEADER},Model")
    assert "Model in line 2 is 'c', but it must be one of a, b" in refusal(path, "a", "b")


def test_a_trace_without_models_is_refused_where_the_stack_has_several(tmp_path: Path):
    assert "has no column Model, but it must have one" in refusal(
        trace(tmp_path, "1,5,6"), "a", "b"
    )


def test_a_long_time_without_requests_is_told(tmp_path: Path):
    start = datetime(2024, 5, 10, tzinfo=UTC)
    moments = [start, start + timedelta(hours=1), start + timedelta(hours=9)]
    path = trace(tmp_path, *[f"{moment.isoformat()},5,6" for moment in moments])
    [note] = read_trace(path, ["qwen"])["qwen"].notes
    assert note.startswith("Nothing arrives for 8.0 hours from 1.0 h on")


def test_a_file_that_is_missing_or_no_text_is_one_sentence(tmp_path: Path):
    assert "cannot be read: No such file" in refusal(tmp_path / "trace.csv")
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    assert "is no text in UTF-8" in refusal(tmp_path / "bytes.csv")


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("TIMESTAMP, ContextTokens , GeneratedTokens", "1,12,3"),
        (HEADER, "1,12.0,3.0"),
        (HEADER, "1, 12 ,0003"),
        (HEADER, " \n1,12,3\n  ,,\n"),
    ],
    ids=["a header with spaces", "counts of a table with gaps", "padding", "lines of nothing"],
)
def test_a_trace_is_read_as_tools_write_it(tmp_path: Path, header: str, line: str):
    traffic = read_trace(trace(tmp_path, line, header=header), ["m"])["m"]
    assert (traffic.prompts.tolist(), traffic.answers.tolist()) == ([12], [3])


def test_milliseconds_are_not_taken_for_seconds(tmp_path: Path):
    path = trace(tmp_path, "1700000000000,1,1", "1700000001000,1,1")
    with pytest.raises(Refused, match="milliseconds, most likely"):
        read_trace(path, ["m"])
    read_trace(trace(tmp_path, "1700000000.5,1,1"), ["m"])


def test_a_request_that_names_no_model_goes_to_none(tmp_path: Path):
    path = trace(tmp_path, "1,2,3,a", "2,2,3", "3,2,3,", header=f"{HEADER},Model")
    with pytest.raises(Refused) as error:
        read_trace(path, ["a", "b"])
    assert [sentence.partition(",")[0] for sentence in error.value.sentences] == [
        "Model in line 3 is ''",
        "Model in line 4 is ''",
    ]


def test_faults_name_the_columns_of_the_file(tmp_path: Path):
    path = trace(tmp_path, "x,y,1.5", header="Timestamp,Request tokens,Response tokens")
    with pytest.raises(Refused) as error:
        read_trace(path, ["m"])
    assert [sentence.partition(" in line")[0] for sentence in error.value.sentences] == [
        "Timestamp",
        "Request tokens",
        "Response tokens",
    ]


def test_a_number_of_thousands_of_digits_is_a_sentence(tmp_path: Path):
    with pytest.raises(Refused, match="must be a number of tokens"):
        read_trace(trace(tmp_path, f"1,{'9' * 5000},1"), ["m"])
