"""Whatever fits the OpenAPI description, and what does not, is answered without a fault."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ..test_app import Service

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)


def test_schemathesis_finds_no_fault(shared: Service, tmp_path: Path) -> None:
    command = [str(Path(sys.executable).parent / "schemathesis"), "run", "--no-color"]
    command += ["--max-examples", "15", "--checks", ",".join(CHECKS), "--seed", "1"]
    command += ["--phases", "examples,coverage,fuzzing", f"{shared.url}/openapi.json"]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
