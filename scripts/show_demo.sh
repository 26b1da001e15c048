#!/bin/sh
# Show what a run of an example left behind: `scripts/show_demo.sh .venv/bin/alo examples/breast_cancer`.
set -eu

alo=$1
project=$2
results=$project/inference_artifacts

show() {
    printf '\n$ %s\n' "$*"
    "$@"
}

show head -n 4 "$results"/output/output.csv
show cat "$results"/score/inference_summary.yaml
show ls "$project"/train_artifacts/models/* "$project"/train_artifacts/report
show "$alo" history --project "$project" --limit 4
printf '\nIn the browser: %s ui --project %s --open\n' "$alo" "$project"
