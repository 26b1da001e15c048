"""Advice that depends on who runs an asset: a command line's is none for a served request."""

from __future__ import annotations

COMMAND, NOTEBOOK, SERVICE, TEST = "command", "notebook", "service", "test"  # who runs it

MODEL_OF_PLAN = "name a model in the plan's load_model_path"
NO_MODEL = {
    COMMAND: f"run the train pipeline first (alo run --mode train), or {MODEL_OF_PLAN}",
    NOTEBOOK: f"run the train pipeline first, and save() it, or {MODEL_OF_PLAN}",
    SERVICE: "the model of the service, or of the request, has to hold this folder: "
    "alo run --mode train makes one, and alo deploy RUN_ID brings it into the service",
    TEST: "give it one: run_asset(..., model_files={...})",
}
MORE_FOR_ARG = {SERVICE: ", or give it with the request", TEST: ", or run_asset(..., args={...})"}
