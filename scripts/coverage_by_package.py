"""Of the branches of each package, how many the tests take; fails where one is below its floor.

scripts/coverage_by_package.py build/coverage/report.json     what `coverage json` has written
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

# Percent of branches, as reached by the packages' own tests and those of `alo.api` (`make test`).
FLOORS = {
    "engine": 91,
    "history": 94,
    "plan": 97,
    "serve": 96,
    "store": 95,
    "workers": 91,
}


def rates(report: Path) -> dict[str, tuple[int, int]]:
    """Of each package, the branches that were taken, and all."""
    taken, there = Counter[str](), Counter[str]()
    for name, file in json.loads(report.read_text("utf-8"))["files"].items():
        package = Path(name).as_posix().rpartition("/alo/")[2].partition("/")[0]
        taken[package] += file["summary"]["covered_branches"]
        there[package] += file["summary"]["num_branches"]
    return {package: (taken[package], there[package]) for package in sorted(there)}


def main() -> int:
    """Print a line for each package; the status is 1 where one has lost branches."""
    is_low = False
    found = rates(Path(sys.argv[1]))
    for package, floor in FLOORS.items():
        taken, there = found.get(package, (0, 0))
        percent = 100 * taken / max(1, there)
        is_low |= percent < floor
        line = f"{package:8} {taken:5} of {there:5} branches {percent:6.1f} %  (floor {floor} %)"
        sys.stdout.write(f"{line}{'  <- too few' if percent < floor else ''}\n")
    return int(is_low)


if __name__ == "__main__":
    sys.exit(main())
