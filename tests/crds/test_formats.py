from decimal import Decimal

import pulumi
import pytest

from components.crds.formats import (
    is_cron,
    quantity_faults,
    seconds,
)
from components.names import DNS_1035_LABEL, DNS_1123_LABEL

from .refusals import sentences


@pytest.mark.parametrize("name", ["qwen", "qwen-7b", "a", "a" * 63])
def test_a_dns_1035_label_is_accepted(name: str):
    assert sentences(DNS_1035_LABEL.faults("name", name, "it is a host")) == []


@pytest.mark.parametrize("name", ["", "7b-qwen", "Qwen", "qwen-", "qwen.7b", "a" * 64])
def test_a_name_that_is_no_dns_1035_label_is_refused_with_the_letters_it_may_have(name: str):
    [sentence] = sentences(DNS_1035_LABEL.faults("name", name, "it is a host"))
    assert sentence.startswith("name is ")
    assert "but it must be lower-case letters, digits and '-', from a letter" in sentence


def test_a_dns_1123_label_may_start_with_a_digit():
    assert sentences(DNS_1123_LABEL.faults("name", "7b-qwen", "")) == []
    assert "must be lower-case letters" in sentences(DNS_1123_LABEL.faults("name", "-7b", "why"))[0]


def test_a_name_that_is_not_known_yet_passes_unread():
    assert sentences(DNS_1035_LABEL.faults("name", pulumi.Output.from_input("Q"), "")) == []


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("600s", Decimal(600)),
        ("1h30m", Decimal(5400)),
        ("1.5m", Decimal(90)),
        ("250ms", Decimal("0.25")),
        ("-5s", Decimal(-5)),
        ("0", Decimal(0)),
        ("15", None),
        ("15 m", None),
        ("1d", None),
        ("", None),
    ],
)
def test_a_duration_is_read_as_go_reads_it(text: str, span: Decimal | None):
    assert seconds(text) == span


@pytest.mark.parametrize("schedule", ["0 3 * * *", "*/5 0-6 1,15 JAN MON-FRI", "@daily"])
def test_a_schedule_of_a_cron_job_is_accepted(schedule: str):
    assert is_cron(schedule)


@pytest.mark.parametrize("schedule", ["", "0 3 * *", "0 3 * * * *", "@often", "at three"])
def test_text_without_five_fields_is_no_schedule(schedule: str):
    assert not is_cron(schedule)


def test_an_amount_below_zero_is_refused():
    [sentence] = sentences(quantity_faults("memory", "-1Gi"))
    assert sentence.startswith("memory is '-1Gi', but it must be a quantity of 0 or more")
    assert sentences(quantity_faults("memory", "0")) == []
