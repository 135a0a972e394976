# The two commands: `make demo` and `make test`. Both set up everything they need first.

SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
DEMO_DIR ?= var/demo

# The demo and many tests start processes: no environment makes each of them compile the whole source anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo demo-reset demo-check test check lint types compiled format lock reference screens

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: ## make .venv from the hash-locked file; install missing system packages when allowed
	@PYTHON=$(PYTHON) bash requirements/setup.sh demo

demo: setup ## the whole system running, with virtual devices; Ctrl-C stops it
	@$(BIN)/daftar demo --data $(DEMO_DIR)

demo-reset: ## forget the demo's state and start over
	rm -rf $(DEMO_DIR)

demo-check: setup ## the whole job once, headless, over real ports
	@$(BIN)/daftar demo --check

test: ## every test: lint, types, import contracts, units, PostgreSQL, browser
	@PYTHON=$(PYTHON) bash requirements/setup.sh test
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target types lint compiled
	$(BIN)/pytest -n 4 --dist loadscope

check: setup ## the fast inner loop: lint, types, contracts, units
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target types lint
	$(BIN)/pytest -q -n 2 -m "not postgres and not browser and not system"

lint: ## form, rules of style, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: ## the types of everything
	$(BIN)/mypy

# Once, beside the types, instead of in each of pytest's workers. What is wrong is said by the run itself.
compiled:
	@$(BIN)/pytest --collect-only -p no:terminal || true

format: ## put code in its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

reference: ## write docs/reference from the tables in the code
	$(BIN)/python -m daftar.reference

screens: ## walk the counter in Chromium and make docs/screens anew
	@PYTHON=$(PYTHON) bash requirements/setup.sh test
	DAFTAR_TEST_PICTURES=whole $(BIN)/pytest -q -n 0 tests/browser/test_counter.py tests/browser/test_bill_groups.py \
	  tests/browser/test_fines.py tests/browser/test_services.py tests/browser/test_finance.py
	$(BIN)/python -m tests.browser.gallery

lock: ## make requirements/*.txt anew (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --all-extras pyproject.toml -o requirements/dev.txt
