# What a newcomer and the CI call. Everything happens in .venv; the system's Python stays as it is.
#
#   make demo PYTHON=python3.12     build .venv with this Python
#   make test PYTEST_ARGS="-k plan" hand arguments to pytest

VENV ?= .venv
PYTHON ?=
PYTEST_WORKERS ?= auto
PYTEST_ARGS ?=
EXAMPLE := examples/breast_cancer
BIN := $(VENV)/bin
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help demo test test-matrix coverage bench docs dist clean

help: ## show this list
	@grep -E '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/:.*## /\t/' | expand -t 14

demo: ## run the breast cancer example, train and inference, and show what came out
	@scripts/setup_venv.sh $(VENV) examples,ui
	$(BIN)/alo run --project $(EXAMPLE)
	@scripts/show_demo.sh $(BIN)/alo $(EXAMPLE)

test: ## style, types, layers and tests; with the branches that are taken
	@scripts/setup_venv.sh $(VENV) dev,examples
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
ifeq ($(strip $(PYTEST_ARGS)),)
	@scripts/run_tests.sh $(BIN) $(PYTEST_WORKERS)
else
	$(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist loadgroup $(PYTEST_ARGS)
endif

test-matrix: ## the tests with every Python from 3.10 on that uv, pyenv or the PATH has (long)
	@PYTEST_WORKERS=$(PYTEST_WORKERS) scripts/test_matrix.sh $(PYTEST_ARGS)

coverage: ## the tests, all counting branches, and which lines are missed (slow)
	@scripts/setup_venv.sh $(VENV) dev,examples
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n $(PYTEST_WORKERS) --dist loadgroup $(PYTEST_ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

bench: ## measure, and print a table of figures and limits (minutes; wants a quiet machine)
	@scripts/setup_venv.sh $(VENV) dev,examples,bench
	$(BIN)/python -m benchmarks

docs: ## build the documentation as a static site, in build/site
	@scripts/setup_venv.sh $(VENV) docs
	$(BIN)/python scripts/make_site.py

dist: ## build wheel and sdist in dist/, twice, and try each in an empty environment
	@scripts/setup_venv.sh $(VENV) dist
	$(BIN)/python scripts/make_dist.py

clean: ## remove .venv, caches and what runs of the examples left
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	cd examples && rm -rf */.alo */.asset_interface */.package_list */history */input \
		*/train_artifacts */inference_artifacts */studio
