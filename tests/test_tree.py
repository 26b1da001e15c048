"""Each module has its tests where the tree has it: whoever changes one finds them at once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

TESTS = Path(__file__).parent
SRC = TESTS.parent / "src"
TEMPLATES = SRC / "alo/templates"  # copied into a user's project; tests/templates runs them
LONGEST = 400  # lines of a file, which can be read at one go
MOST = 15  # files of a folder, which can be seen at one look
OURS = ("src", "tests", "benchmarks", "docs", "scripts")
READ = (".c", ".css", ".html", ".js", ".json", ".md", ".py", ".sh")  # data and pictures are not
NOT_COUNTED = ("__init__.py", "conftest.py")
FULL = {
    "src/alolib": "each module is public: assets import it by its name",
}

NOTHING_TO_TEST = {
    "alo/plan/keys/entries.py": "types, which the tests of all that reads a plan go through",
    "alo/plan/yaml_nodes/tree.py": "types, which the tests of all that reads a plan go through",
    "alo/executors/ray/messages.py": "types",
    "alo/version.py": "one constant, which the release's tests compare",
    "alo/serve/http_api/refusal.py": "an exception",
    "alo/datasets/rows.py": "a type",
    "alo/review/settings.py": "a type",
    "alo/ui/rendering/page.py": "types",
    "alo/ui/problems.py": "an exception and its JSON, which every refusal shows",
    "alo/ui/settings.py": "a type",
    "alolib/advice.py": "texts; tests/faults/test_advice.py shows each where it is told",
}
# What one module does cannot be told from what another one does: these tests are of both.
TESTED_WITH = {
    "alo/cli/commands/install.py": "engine/test_setup.py",
    "alo/cli/commands/lock.py": "engine/test_setup.py",
    "alo/cli/reexec.py": "engine/test_setup.py",
    "alo/engine/install.py": "engine/test_setup.py",
    "alo/engine/isolation/settings_of_python.py": "engine/isolation/test_process_state.py",
    "alo/engine/isolation/settings_of_system.py": "engine/isolation/test_process_state.py",
    "alo/engine/marks.py": "api/test_session_view.py",
    "alo/engine/steps/context.py": "engine/steps/test_process.py",
    "alo/engine/steps/inline.py": "engine/test_run.py",
    "alo/engine/steps/process_main.py": "engine/steps/test_process.py",
    "alo/engine/steps/step.py": "engine/test_run.py",
    "alo/serve/http_api/handlers.py": "serve/http_api/test_app.py",
    "alo/serve/http_api/docs/operations.py": "serve/http_api/test_routes.py",
    "alo/serve/http_api/server.py": "serve/http_api/test_service.py",
    "alo/cli/commands/ui.py": "ui/test_server.py",
    "alo/cli/actions/ui_people.py": "ui/test_server.py",
    "alo/review/results/cases.py": "review/results/test_records.py",
    "alo/review/results/inputs.py": "loop/test_record_inputs.py",
    "alo/review/results/tables.py": "review/results/test_records.py",
    "alo/review/rows.py": "review/test_reviews.py",
    "alo/serve/rollout/choose.py": "cli/commands/test_deploy.py",
    "alo/ui/access/cookies.py": "ui/test_app.py",
    "alo/ui/ask.py": "ui/test_app.py",
    "alo/database/audit.py": "database/test_sqlite.py",
    "alo/database/joining.py": "database/test_connection.py",
    "alo/database/migrations.py": "database/test_sqlite.py",
    "alo/cli/actions/dispatch.py": "cli/actions/test_history.py",
    "alo/datasets/diff.py": "datasets/test_catalog.py",
    "alo/datasets/export.py": "datasets/test_catalog.py",
    "alo/datasets/manifest.py": "datasets/test_catalog.py",
    "alo/loop/make_dataset.py": "cli/actions/test_dataset.py",
    "alo/cli/actions/models.py": "cli/commands/test_retrain.py",
    "alo/loop/evaluation.py": "cli/commands/test_retrain.py",
    "alo/cli/commands/trace.py": "loop/traces/test_trace.py",
    "alo/loop/traces/graph.py": "loop/traces/test_trace.py",
    "alo/loop/retrain.py": "cli/commands/test_retrain.py",
    "alo/loop/trial_project.py": "cli/commands/test_retrain.py",
    "alo/cli/actions/review_database.py": "cli/actions/test_review.py",
    "alo/loop/plan_settings.py": "cli/actions/test_review.py",
    "alo/batch/cutting/unchanged.py": "batch/cutting/test_write.py",
    "alo/batch/cutting/walk.py": "batch/cutting/test_scan.py",
    "alo/batch/shards/batch.py": "cli/actions/test_infer.py",
    "alo/batch/shards/context.py": "batch/shards/test_drive.py",
    "alo/batch/shards/definition.py": "cli/actions/test_infer.py",
    "alo/batch/shards/finish.py": "cli/actions/test_infer.py",
    "alo/batch/shards/prepare.py": "cli/actions/test_infer.py",
    "alo/batch/shards/record.py": "batch/shards/test_drive.py",
    "alo/batch/shards/result.py": "batch/shards/test_drive.py",
    "alo/batch/shards/staging.py": "batch/shards/test_drive.py",
    "alo/cli/commands/infer.py": "cli/actions/test_infer.py",
    "alo/cli/output/infer_live.py": "cli/actions/test_infer.py",
    "alo/batch/sweep/finished.py": "cli/actions/test_sweep.py",
    "alo/batch/sweep/keep.py": "cli/actions/test_sweep.py",
    "alo/batch/sweep/plot.py": "cli/actions/test_sweep.py",
    "alo/batch/sweep/context.py": "batch/sweep/test_drive.py",
    "alo/batch/sweep/results.py": "batch/sweep/test_drive.py",
    "alo/batch/sweep/sweep.py": "cli/actions/test_sweep.py",
    "alo/cli/commands/sweep.py": "cli/actions/test_sweep.py",
    "alo/cli/setup_options.py": "cli/commands/test_run.py",
    "alo/cli/sweep_options.py": "cli/actions/test_sweep.py",
    "alo/cli/output/sweep_live.py": "cli/actions/test_sweep.py",
    "alo/cli/output/sweep_report.py": "cli/actions/test_sweep.py",
    "alo/history/entries/move.py": "executors/test_local.py",
    "alo/executors/finding.py": "executors/test_local.py",
    "alo/executors/identity.py": "cli/actions/test_sweep.py",
    "alo/executors/node/feeding.py": "executors/node/test_executor.py",
    "alo/executors/node/link.py": "executors/node/test_executor.py",
    "alo/executors/node/order.py": "executors/node/test_executor.py",
    "alo/executors/node/rebase.py": "executors/node/test_executor.py",
    "alo/executors/node/receive.py": "executors/node/test_executor.py",
    "alo/executors/node/returning.py": "executors/node/test_executor.py",
    "alo/executors/node/work.py": "executors/node/test_executor.py",
    "alo/executors/live_run.py": "executors/test_whole_run.py",
    "alo/executors/ray/link.py": "executors/ray/test_executor.py",
    "alo/executors/ray/link_process.py": "executors/ray/test_executor.py",
    "alo/executors/project_copy.py": "executors/test_local.py",
    "alo/executors/slot.py": "executors/test_local.py",
    "alo/executors/slot_process.py": "executors/test_local.py",
    "alo/executors/task.py": "executors/test_local.py",
    "alo/cli/person.py": "cli/commands/test_deploy.py",
    "alo/database/opening.py": "database/test_connection.py",
    "alo/ui/found_run.py": "ui/screens/files/test_files.py",
    "alo/ui/screens/reviews/found_records.py": "ui/screens/reviews/test_records.py",
    "alo/ui/screens/reviews/named.py": "ui/screens/reviews/test_records.py",
    "alo/ui/screens/reviews/new_form.py": "ui/screens/reviews/test_new.py",
    "alo/ui/jobs/folder.py": "ui/jobs/test_queue.py",
    "alo/ui/jobs/job.py": "ui/jobs/test_queue.py",
    "alo/ui/jobs/supervisor.py": "ui/jobs/test_queue.py",
    "alo/ui/routing/operations.py": "ui/routing/test_openapi.py",
    "alo/ui/rendering/render.py": "ui/test_app.py",
    "alo/ui/routing/router.py": "ui/test_app.py",
    "alo/ui/routing/routes.py": "ui/test_app.py",
    "alo/ui/routing/route.py": "ui/test_app.py",
    "alo/ui/routing/loop_routes.py": "ui/test_app.py",
    "alo/ui/routing/review_routes.py": "ui/test_app.py",
    "alo/ui/routing/loop_operations.py": "ui/routing/test_openapi.py",
    "alo/ui/routing/review_operations.py": "ui/routing/test_openapi.py",
    "alo/ui/screens/deploy.py": "ui/screens/test_models.py",
    "alo/ui/screens/overview.py": "ui/test_app.py",
    "alo/ui/screens/try_form.py": "ui/screens/test_try_it.py",
    "alo/ui/readers/order_main.py": "ui/readers/test_orders.py",
    "alo/ui/readers/picture_main.py": "ui/readers/test_pictures.py",
    "alo/ui/readers/table_index.py": "ui/readers/test_tables.py",
    "alo/ui/studio.py": "ui/test_app.py",
    "alo/workers/pace.py": "workers/test_direct.py",
    "alo/workers/process.py": "workers/test_handle.py",
    "alo/workers/request_run.py": "workers/test_warm_pipeline.py",
}


def modules() -> dict[str, Path]:
    """Each module, and where its tests are to be."""
    found = {}
    for path in SRC.rglob("*.py"):
        if path.name != "__init__.py" and TEMPLATES not in path.parents:
            name = path.relative_to(SRC)
            parts = name.parts[1:-1] if name.parts[0] == "alo" else name.parts[:-1]
            found[name.as_posix()] = TESTS.joinpath(*parts, f"test_{path.stem}.py")
    return found


def test_each_module_has_a_file_of_tests_in_its_place() -> None:
    without = {name for name, tests in modules().items() if not tests.exists()}

    assert without - NOTHING_TO_TEST.keys() - TESTED_WITH.keys() == set()


def test_an_exception_is_one_still() -> None:
    without = {name for name, tests in modules().items() if not tests.exists()}

    assert NOTHING_TO_TEST.keys() | TESTED_WITH.keys() == without
    assert [each for each in TESTED_WITH.values() if not (TESTS / each).exists()] == []


def test_packages_hold_no_logic() -> None:
    for path in SRC.rglob("__init__.py"):
        if TEMPLATES not in path.parents and path != SRC / "alo/__init__.py":
            assert "def " not in path.read_text(), path


def test_no_file_is_too_long_to_be_read_at_one_go() -> None:
    scripts = [path for path in SRC.rglob("*.js") if "vendor" not in path.parts]
    files = [*SRC.rglob("*.py"), *TESTS.rglob("*.py"), *scripts]
    lengths = {path: len(path.read_text().splitlines()) for path in files}

    assert {path: length for path, length in lengths.items() if length > LONGEST} == {}


def test_no_folder_is_too_full_to_be_seen_at_one_look() -> None:
    root = TESTS.parent
    counts = Counter(
        path.parent.relative_to(root).as_posix()
        for folder in OURS
        for path in (root / folder).rglob("*")
        if path.suffix in READ and path.name not in NOT_COUNTED
    )

    assert {folder for folder, count in counts.items() if count > MOST} == FULL.keys()
