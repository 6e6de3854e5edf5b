#!/usr/bin/env python3
"""Counts what a CTest run tested, test by test.

usage: count_tests.py JUNIT.xml...

A CTest test may be a whole lit run or a whole GoogleTest binary; their summaries are read, so that each lit file and each
GoogleTest case counts as one. Any other test counts as itself. The last line is `N passed, M failed, K skipped`; the exit
status is 0 only when something passed and nothing failed.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree

LIT_OUTCOMES = {
    "Passed": "passed",
    "Passed With Retry": "passed",
    "Expectedly Failed": "passed",
    "Unsupported": "skipped",
    "Skipped": "skipped",
    "Failed": "failed",
    "Unresolved": "failed",
    "Timed Out": "failed",
    "Unexpectedly Passed": "failed",
}


def count_lit(output):
    """The outcomes of a lit run from its summary, or None."""
    if "Total Discovered Tests:" not in output:
        return None
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    summary = output.rsplit("Total Discovered Tests:", 1)[1]
    for name, number in re.findall(r"^\s+([A-Z][A-Za-z ]*?)\s*:\s*(\d+) \(", summary, re.MULTILINE):
        if name in LIT_OUTCOMES:
            counts[LIT_OUTCOMES[name]] += int(number)
    return counts


def count_googletest(output):
    """The outcomes of a GoogleTest binary from its summary, or None."""
    if not re.search(r"^\[==========\] \d+ tests? from \d+ test suites? ran", output, re.MULTILINE):
        return None
    counts = {}
    for outcome, tag in (("passed", "[  PASSED  ]"), ("failed", "[  FAILED  ]"), ("skipped", "[  SKIPPED ]")):
        numbers = re.findall(rf"^{re.escape(tag)} (\d+) tests?\b", output, re.MULTILINE)
        counts[outcome] = int(numbers[-1]) if numbers else 0
    return counts


def outcome_of(case):
    """The outcome of a CTest test that is one test. A test whose program is missing has failed."""
    if case.find("failure") is not None or case.get("status") == "fail":
        return "failed"
    if case.get("status") == "disabled":
        return "skipped"
    skipped = case.find("skipped")
    if skipped is None:
        return "passed"
    return "skipped" if skipped.get("message", "").startswith("SKIP_") else "failed"


def main(reports):
    total = {"passed": 0, "failed": 0, "skipped": 0}
    failures = []
    for report in reports:
        for case in ElementTree.parse(report).getroot().iter("testcase"):
            output = case.findtext("system-out") or ""
            outcome = outcome_of(case)
            counts = count_lit(output) or count_googletest(output) or {outcome: 1}
            if outcome == "failed" and not counts.get("failed"):
                counts["failed"] = 1  # It crashed, or timed out, after its last summary.
            for key, number in counts.items():
                total[key] += number
            if counts.get("failed"):
                names = re.findall(r"^  (Un0 :: \S+)$", output, re.MULTILINE)
                names += re.findall(rf"^{re.escape('[  FAILED  ]')} (\S+\.\S+)$", output, re.MULTILINE)
                failures += [f"{case.get('name')}: {name}" for name in dict.fromkeys(names)] or [case.get("name")]
    for failure in failures:
        print(f"failed: {failure}")
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**total))
    return 0 if total["passed"] and not total["failed"] else 1


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
