#!/usr/bin/env bash
# All tests, and of the packages in which a branch that is never taken would cost someone a model or
# a request, how many of their branches their own tests and those of the notebook take.
#
#   scripts/run_tests.sh .venv/bin auto            the tests, 1 process for each core
set -u
bin=$1 workers=$2
counted=(tests/plan tests/store tests/history tests/engine tests/workers tests/serve tests/api)
status=0

"$bin/coverage" erase
"$bin/coverage" run -m pytest -n "$workers" --dist loadgroup "${counted[@]}" || status=1
"$bin/python" -m pytest -n "$workers" --dist loadgroup tests "${counted[@]/#/--ignore=}" || status=1
"$bin/coverage" combine --quiet
"$bin/coverage" json --quiet --fail-under=0 -o build/coverage/report.json
"$bin/python" scripts/coverage_by_package.py build/coverage/report.json || status=1
exit $status
