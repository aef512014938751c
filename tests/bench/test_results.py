"""The README's figures are those that the benchmarks found."""

import json

from bench.__main__ import README, RESULTS, filled


def test_the_readme_has_the_figures_that_were_measured() -> None:
    text = README.read_text()
    assert filled(text, json.loads(RESULTS.read_text())) == text
