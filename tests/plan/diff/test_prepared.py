import pytest

from plan.diff.dangers import headlines

from .prepared import PREPARED, Prepared, diff_of, rows


@pytest.mark.parametrize("change", PREPARED, ids=lambda change: f"{change.stack}: {change.title}")
def test_a_change_of_a_stack_file_shows_exactly_its_rows(change: Prepared) -> None:
    diff = diff_of(change.stack, change.changes)
    assert rows(diff) == change.rows
    sentences = headlines(diff)
    assert bool(sentences) == bool(change.headline)
    assert not sentences or sentences[0].startswith(change.headline)


@pytest.mark.parametrize("stack", ["dev", "existing"])
def test_a_stack_that_stays_as_it_is_changes_nothing(stack: str) -> None:
    diff = diff_of(stack, {})
    assert (diff.changes, diff.outputs, headlines(diff)) == ((), (), [])
    assert (
        diff.unchanged == sum(resource.custom for resource in diff.after.resources)
        if diff.after
        else 0
    )
