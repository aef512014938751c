"""A load test as the guide declares it, and as it asks for it."""

from pathlib import Path

from plan.diff.compare import ChangeKind

from .changes import change, compared, copy_of_the_repository, make

GUIDE = "load-test.md"


def test_what_the_guide_declares_creates_nothing_until_it_is_asked_for(tmp_path: Path) -> None:
    copy = copy_of_the_repository(tmp_path)
    make(change(GUIDE, "declare"), copy)
    declared = compared(copy, "dev")
    assert [one for one in declared.changes if one.resource.custom] == []
    make(change(GUIDE, "ask"), copy)
    happens = {one.resource.name: one.kind for one in compared(copy, "dev").changes}
    assert happens == {
        "qwen-spike": ChangeKind.CREATED,
        "qwen-spike-files-first": ChangeKind.CREATED,
        "qwen-spike-job-first": ChangeKind.CREATED,
    }
