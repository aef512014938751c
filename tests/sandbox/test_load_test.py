"""A load test on the real engine and API server: asked for, left alone, and asked for again."""

from typing import Any, Final

from sandbox.run import Edit, Sandbox
from tests.stacks.environments import merged

from .boxes import assert_consistent, done

SPIKE: Final = {"name": "spike", "model": "qwen", "scenario": {"spike": {}}}
COLD: Final = {"name": "cold", "model": "qwen", "scenario": {"cold_start": {}}}
RIGHTS: Final = {"cold-account", "cold-binding", "cold-role"}


def runs(spike: str | None, cold: str | None, **changes: Any) -> Edit:
    tests = [{**SPIKE, "run": spike, **changes}, {**COLD, "run": cold, **changes}]
    sections = [{k: v for k, v in section.items() if v is not None} for section in tests]
    edits = {"load_tests": sections, "models[qwen].serve.knative.scale.min": 0}
    return lambda config: config.update(merged(dict(config), edits))


class LoadTests:
    """Asked of `existing` while it is up: part of its life in test_lifecycle.py.

    No pod runs, so that no test has a result.
    """

    def test_what_is_asked_for_is_taken_by_the_api_server(self, box: Sandbox) -> None:
        box.configure(runs("first", "first"))
        names = {"spike-files-first", "spike-job-first", "cold-files-first", "cold-job-first"}
        assert done(box.up()) == {("create", name) for name in names | RIGHTS}
        assert_consistent(box)

    def test_another_run_takes_the_old_job_away_and_an_edit_starts_none(self, box: Sandbox) -> None:
        """Both tests are edited; only the first is asked for again."""
        box.configure(runs("second", "first", prompt={"words": 9}, image="registry/perf:v2"))
        old, new = ({f"spike-files-{run}", f"spike-job-{run}"} for run in ("first", "second"))
        assert done(box.up()) == {("create", n) for n in new} | {("delete", n) for n in old}
        assert_consistent(box)

    def test_what_is_not_asked_for_any_more_goes(self, box: Sandbox) -> None:
        box.configure(runs(None, None))
        names = {"spike-files-second", "spike-job-second", "cold-files-first", "cold-job-first"}
        assert done(box.up()) == {("delete", name) for name in names | RIGHTS}
        assert_consistent(box)
        box.configure()
