# `make run` and `make test` do all the set-up on a machine that has Python 3.11 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What an editable install writes last: when a requirement changes, it is made anew.
READY := $(VENV)/.ready

# The program is started often, by the tests too. Without compiled modules each start takes twice the time.
export PYTHONDONTWRITEBYTECODE :=

# Tools that are needed now and then, apart from what the tests run with.
TOOLS := $(VENV)/tools
UV := $(TOOLS)/bin/uv pip compile --quiet --generate-hashes --constraint constraints.txt --no-annotate \
  --no-emit-index-url --python-version 3.12 --python-platform linux

.PHONY: run test lint style types tests bench bench-large chaos hostile pictures languages hashes audit clean

run: $(READY)
	@$(BIN)/skywave run

# The types are checked beside the tests, which often wait.
test: $(READY) style
	@$(MAKE) --no-print-directory --jobs=2 types tests

lint: style types

style: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(BIN)/vulture

types: $(READY)
	@$(BIN)/mypy

# They are collected once before, so that only one process compiles them.
tests: $(READY)
	@$(BIN)/pytest --collect-only --quiet --quiet >/dev/null || true
	@$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

# Kills and storms on the real program: make chaos KILLS=20 SEED=7, and MORE=--postgres for the other database.
chaos: $(READY)
	@$(BIN)/python -m tests.chaos $(if $(KILLS),--kills $(KILLS)) $(if $(SEED),--seed $(SEED)) $(MORE)

# Hostile feeds, folders and members beside a calm run: make hostile SECONDS=300 SEED=7.
hostile: $(READY)
	@$(BIN)/python -m tests.hostile $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED))

# Figures beside their rivals', into benchmarks/results.json: make bench NAMES="fan-out claims" for some of them.
bench: $(READY)
	@$(BIN)/python -m benchmarks $(NAMES)

# Search among 500,000 posts: it takes an hour and several gigabytes of disk.
bench-large: $(READY)
	@$(BIN)/python -m benchmarks search-large

# The tables of commands and settings in the pages.
reference: $(READY)
	@$(BIN)/python -m docs.reference

pictures: $(READY)
	@$(BIN)/python docs/pictures.py

# Derives the Chinese of Taiwan; lists what each language lacks and what it does not need: after a change of messages.
languages: $(READY)
	@$(BIN)/python -m tests.catalogs

# What the container installs, with the hashes of all files: after a change of constraints.txt.
hashes: export UV_CUSTOM_COMPILE_COMMAND := make hashes
hashes: $(TOOLS)/.ready
	@$(UV) pyproject.toml >requirements-container.txt
	@echo hatchling | $(UV) - >requirements-build.txt

# Whether an advisory is known for a package that the container installs.
audit: $(TOOLS)/.ready
	@$(TOOLS)/bin/python .ci/audit.py $(TOOLS)/bin/pip-audit requirements-container.txt

$(TOOLS)/.ready: Makefile
	@$(PYTHON) -m venv $(TOOLS)
	@$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9 pip-audit==2.10.1 \
	  >$(VENV)/tools.log 2>&1 || { cat $(VENV)/tools.log >&2; exit 1; }
	@touch $@

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Skywave needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Setting up $(VENV); this takes about half a minute." >&2
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]' \
	  >$(VENV)/pip.log 2>&1 || { cat $(VENV)/pip.log >&2; exit 1; }
	@touch $@

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .import_linter_cache .hypothesis
