"""The figures of `docs/performance.md` are those that the benchmarks found."""

import json

from bench import history
from bench.__main__ import PAGE, RESULTS, filled


def test_the_page_has_the_figures_that_were_measured() -> None:
    text = PAGE.read_text()
    assert filled(text, json.loads(RESULTS.read_text()), history.read()) == text
