"""Says at the end which faults were survived, by type."""

from collections import Counter

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    survived = [
        tuple(pair)
        for report in terminalreporter.stats.get("passed", [])
        for name, values in report.user_properties
        if name == "survived"
        for pair in values
    ]
    if not survived:
        return
    counts = Counter(operation for operation, _ in survived)
    summary = ", ".join(f"{count} in their {operation}" for operation, count in counts.items())
    terminalreporter.section("faults survived")
    terminalreporter.line(f"Types that failed once and came up the next time: {summary}.")
    for type_ in sorted({kind for _, kind in survived}):
        operations = " ".join(op for op, kind in survived if kind == type_)
        terminalreporter.line(f"  {type_}: {operations}")
