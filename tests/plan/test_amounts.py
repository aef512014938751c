from decimal import Decimal

import pytest

from plan.amounts import Delta, Money, Range, change, total


def cny(least: int | None, most: int, **more: bool) -> Money:
    return Money("CNY", None if least is None else Decimal(least), Decimal(most), **more)


def test_a_total_adds_what_is_known_and_says_that_it_is_not_all() -> None:
    assert total([Range(1, 2), None, Range(3, 4)]) == Range(4, 6, partial=True)
    assert total([Range(1, 2), Range(3, 4)]) == Range(4, 6)
    assert total([Range(1, 2, partial=True), Range(3, 4)]) == Range(4, 6, partial=True)


def test_a_total_of_nothing_known_is_not_known() -> None:
    assert total([None]) is None
    assert total([]) is None


def test_money_adds_in_one_currency() -> None:
    assert cny(1, 2) + cny(3, 4) == cny(4, 6)


def test_different_currencies_are_never_added() -> None:
    with pytest.raises(
        ValueError, match=r"other\.currency is 'USD', but it must be 'CNY': no rate"
    ):
        cny(1, 1) + Money("USD", Decimal(1), Decimal(1))


def test_a_sum_with_a_bound_in_it_is_a_bound() -> None:
    assert cny(1, 2) + cny(0, 3, at_most=True) == cny(1, 5, at_most=True)


def test_a_sum_with_an_unknown_least_has_none() -> None:
    assert (cny(1, 2) + cny(None, 3, at_most=True)).min is None


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Range(0, 2920), "0..2,920"),
        (Range(1460, 1460), "1,460"),
        (Range(1, 2, partial=True), "1..2+?"),
    ],
)
def test_a_range_prints_once_where_it_is_one_number(amount: Range, text: str) -> None:
    assert str(amount) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (cny(1460, 1460), "CNY 1,460"),
        (Money("USD", Decimal("24.82"), Decimal("24.82")), "USD 25"),
        (cny(0, 2920), "CNY 0..2,920"),
        (cny(0, 2920, at_most=True), "CNY 0..≤2,920"),
        (cny(None, 2920, at_most=True), "CNY ≤2,920"),
        (cny(1, 2, partial=True), "CNY 1..2+?"),
    ],
)
def test_money_prints_in_whole_units_with_what_is_not_known(amount: Money, text: str) -> None:
    assert str(amount) == text


def test_the_two_ends_change_apart() -> None:
    assert change(Range(0, 4), Range(2, 3)) == Delta(2, -1)
    assert change(cny(None, 4), cny(1, 9)) == Delta(None, 5)


@pytest.mark.parametrize(
    ("delta", "text"),
    [
        (Delta(0, 0), "0"),
        (Delta(1460, 1460), "+1,460"),
        (Delta(2, -1), "+2..-1"),
        (Delta(0, Decimal("0.2")), "0"),
        (Delta(None, 5), "?..+5"),
        (Delta(0, 5, partial=True), "0..+5+?"),
    ],
)
def test_a_change_prints_with_its_sign(delta: Delta, text: str) -> None:
    assert str(delta) == text
