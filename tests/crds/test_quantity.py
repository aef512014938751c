from decimal import Decimal

import pytest

from components.quantity import (
    binary,
    canonical,
    decimal,
    difference,
    gib,
    is_quantity,
    parse,
    plain,
)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("15Gi", Decimal(15 * 1024**3)),
        ("100m", Decimal("0.1")),
        ("2", Decimal(2)),
        ("1.5Ki", Decimal(1536)),
        (".5", Decimal("0.5")),
        ("3k", Decimal(3000)),
        ("1e3", Decimal(1000)),
        ("2E", Decimal(2 * 1000**6)),
        ("-1", Decimal(-1)),
        ("5n", Decimal("5e-9")),
    ],
)
def test_a_quantity_is_read_as_kubernetes_reads_it(text: str, amount: Decimal):
    assert parse(text) == amount


@pytest.mark.parametrize("text", ["", "15GB", "15gi", "1 Gi", "Gi", "1Gi5", "ten", "1e"])
def test_text_that_is_no_quantity_is_refused_with_an_example(text: str):
    assert not is_quantity(text)
    with pytest.raises(ValueError, match=f"'{text}' is not a quantity such as 15Gi, 500m or 2"):
        parse(text)


def test_gib_counts_bytes_in_gibibytes():
    assert gib("1536Mi") == Decimal("1.5")


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (15 * 1024**3, "15Gi"),
        (1536 * 1024**2, "1536Mi"),
        (1024**4, "1Ti"),
        (1500, "1500"),
        (0, "0"),
    ],
)
def test_bytes_are_written_in_the_largest_unit_without_a_fraction(count: int, text: str):
    assert binary(count) == text


def test_a_difference_is_unknown_where_a_side_is_missing_or_no_quantity():
    assert difference("2Gi", "1Gi") == 1024**3
    assert difference(None, "1Gi") is None
    assert difference("2Gi", "1GB") is None


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (2, "2"),
        (2.0, "2"),
        (100, "100"),
        (1.5, "1.5"),
        (0.1, "0.1"),
        (0.00001, "0.00001"),
        (1234567, "1234567"),
        (1234567.25, "1234567.25"),
        (10_000_000.0, "10000000"),
        (1e22, "10000000000000000000000"),
        (-0.5, "-0.5"),
        (Decimal("2.80"), "2.8"),
        (Decimal("1E+2"), "100"),
    ],
)
def test_a_number_is_written_with_all_its_digits(number: float | Decimal, text: str):
    assert plain(number) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        # As resource.ParseQuantity(...).String() of k8s.io/apimachinery writes them.
        (0, "0"),
        (4, "4"),
        (50.0, "50"),
        (1000, "1k"),
        (1500, "1500"),
        (100_000, "100k"),
        (1_000_000, "1M"),
        (2_500_000.0, "2500k"),
        (1.5, "1500m"),
        (0.0015, "1500u"),
        (1.2345, "1234500u"),
        (1_234_567.5, "1234567500m"),
        (9e15, "9P"),
    ],
)
def test_a_quantity_is_written_as_the_api_server_spells_it(number: float, text: str):
    assert decimal(number) == text
    assert parse(text) == Decimal(str(number))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("0.5", "500m"),
        ("1000m", "1"),
        ("16", "16"),
        ("1e3", "1k"),
        ("1500M", "1500M"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("0.1Gi", "107374182400m"),
        ("0.5Ki", "512"),
        ("0Gi", "0"),
    ],
)
def test_an_amount_is_written_in_a_form_that_kubernetes_keeps(text: str, kept: str):
    assert canonical(text) == kept
    assert canonical(kept) == kept
