"""Say in the closing lines which tests were skipped, and what to install or set to run them."""

from collections import Counter


def pytest_terminal_summary(terminalreporter):
    """List the distinct reasons, each with the number of its tests."""
    reports = terminalreporter.getreports("skipped")
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in reports)
    if reasons:
        terminalreporter.section("skipped tests, and what they need")
    for reason, count in reasons.most_common():
        terminalreporter.line(f"{count:4}  {reason}")
