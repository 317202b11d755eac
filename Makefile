# make demo   install into .venv and run the nightly job on a demo district, twice
# make test   install what the tests need and run every check
# make lock   renew the hash-checked locks from pyproject.toml
PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test check lock clean system

demo: .venv/.run-installed
	@$(BIN)/mastery-gateway demo

test: .venv/.dev-installed system
	@$(BIN)/python -m tests.run

system: .venv/.dev-installed
	@$(BIN)/python -m tests.system_packages

lock: .venv/.dev-installed
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		pyproject.toml --extra build -o requirements/run.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		pyproject.toml --extra build --extra cluster --extra postgresql --extra dev -o requirements/dev.lock

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "mastery-gateway needs Python 3.11 or newer: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .venv

.venv/.run-installed: .venv/bin/python requirements/run.lock pyproject.toml
	$(BIN)/pip install --quiet --require-hashes -r requirements/run.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev-installed: .venv/bin/python requirements/dev.lock pyproject.toml
	$(BIN)/pip install --quiet --require-hashes -r requirements/dev.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@ .venv/.run-installed

clean:
	rm -rf .venv demo .mypy_cache .ruff_cache .import_linter_cache
