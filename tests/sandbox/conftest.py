"""Says at the end which faults were survived, by type."""

from collections import Counter

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    survived = [
        tuple(one)
        for report in terminalreporter.stats.get("passed", [])
        for name, values in report.user_properties
        if name == "survived"
        for one in values
    ]
    if not survived:
        return
    counts = Counter(operation for operation, _ in survived)
    said = ", ".join(f"{count} in their {operation}" for operation, count in counts.items())
    terminalreporter.section("faults survived")
    terminalreporter.line(f"Types that failed once and came up the next time: {said}.")
    for type_ in sorted({one for _, one in survived}):
        operations = " ".join(op for op, one in survived if one == type_)
        terminalreporter.line(f"  {type_}: {operations}")
