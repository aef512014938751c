from pathlib import Path

from tests.conftest import LONGEST


def test_the_tests_that_are_started_first_are_there() -> None:
    assert [path for path in LONGEST if not (Path(__file__).parents[1] / path).exists()] == []
