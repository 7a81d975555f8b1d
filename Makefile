# Two commands on a fresh machine: `make demo` and `make test`. They need Python 3.11+, make and
# a package index; .venv is made from constraints.txt and made again when that changes.

PYTHON ?= python3
PYTEST_ARGS ?=
WORKERS ?= 3
# The same examples each time; `dev` draws others, `thorough` many.
HYPOTHESIS_PROFILE ?= ci
ROOMS := flows sources checks warehouse notices portal
IN := .venv/bin
STAMP := .venv/.stamp
PIP := $(IN)/python -m pip --quiet --quiet --no-input --disable-pip-version-check

.DEFAULT_GOAL := help
.NOTPARALLEL:
.SUFFIXES:
.PHONY: help demo test bench sequences bench-full soak lint types contracts security unit parts venv format clean

help: ## this list
	@echo "sourcenote: make TARGET"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1 | \2/p' Makefile | awk -F' [|] ' '{ printf "%-14s %s\n", $$1, $$2 }'

demo: venv ## the whole product once, on invented companies, under var/demo
	@$(IN)/python -m flows.demo

# The unit tests come last, so that pytest's closing line is the last one.
test: venv parts lint types contracts security unit ## everything .ci/run runs; names what was skipped

bench: venv ## measure speed and memory in minutes; table and chart go to docs/performance.md
	@$(IN)/python -m bench.run --write

bench-full: venv ## the same at full size and beside dlt and pandas, about half an hour
	@$(IN)/python -m bench.full --write

soak: venv ## kill and damage it many times, count what did not hold; then the tests too long for every run
	@$(IN)/python -m bench.soak
	@$(IN)/python -m pytest -m long

sequences: venv ## hundreds of random sequences of deliveries, held to the law of loading
	@HYPOTHESIS_PROFILE=thorough $(IN)/python -m pytest -q -rP tests/warehouse/test_sequences.py

lint: venv ## ruff: rules and layout
	@echo "== lint"
	@$(IN)/python -m ruff check .
	@$(IN)/python -m ruff format --check .

types: venv ## mypy, strict
	@echo "== types"
	@$(IN)/python -m mypy

contracts: venv ## who may import whom
	@echo "== contracts"
	@$(IN)/lint-imports --no-logo

security: venv ## bandit, findings of medium weight and above
	@echo "== security"
	@$(IN)/python -m bandit --quiet --configfile pyproject.toml --severity-level medium --recursive $(ROOMS)

unit: venv ## pytest; more with PYTEST_ARGS='-k gleif'
	@echo "== unit"
	@HYPOTHESIS_PROFILE=$(HYPOTHESIS_PROFILE) $(IN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

parts: ## install PostgreSQL and Chromium where apt-get is there and root may
	@echo "== parts"
	@bash .ci/machine-parts

# Compiled here, because some machines have Python keep nothing it compiles: a command is then up to
# twice as slow. What is compiled already takes a tenth of a second.
venv: $(STAMP) ## .venv, as pinned in constraints.txt
	@$(IN)/python -m compileall -q $(ROOMS)

# --no-deps: the list is complete, and pip would try to resolve anew what it already settles;
# `pip check` says whether it is complete for this Python.
$(STAMP): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' || { \
	  echo "sourcenote needs Python 3.11 to 3.14, and '$(PYTHON)' is not that: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
	  echo "'$(PYTHON)' cannot make virtual environments: on Debian install python3-venv" >&2; exit 1; }
	@echo "Installing the pinned packages into .venv (one to three minutes)"
	@$(PYTHON) -m venv .venv
	@$(PIP) install --no-deps --require-hashes -r constraints.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@$(PIP) check
	@touch $(STAMP)

format: venv ## lay the code out and repair what ruff can
	@$(IN)/python -m ruff check --fix .
	@$(IN)/python -m ruff format .

clean: ## remove .venv, caches and the demo; a warehouse under var/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache var/demo
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
