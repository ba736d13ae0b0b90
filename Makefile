# Needs only make and Python 3.11 or later: everything is installed into .venv, and again when its inputs change.
SHELL := /bin/sh
READY := .venv/.ready
BIN := .venv/bin
PYTEST_ARGS ?=
ONLY ?=
SEED ?=
KEEP ?=
MINUTES ?=

.PHONY: help demo dev test chaos soak outage trial urgent ledger-10m lint format types imports constraints clean
.DEFAULT_GOAL := help

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: $(READY) ## the whole stack: 2,000 triggers, what became of them, and who delayed them
	@$(BIN)/ajo-dispatch demo

dev: $(READY) ## the same stack, kept running until Ctrl-C, with Flower
	@$(BIN)/ajo-dispatch dev

test: lint types imports ## every check and every test
	@echo "== tests" && $(BIN)/pytest -n 2 --dist loadgroup $(PYTEST_ARGS)

chaos: $(READY) ## every fault done to a stream of triggers, 40 minutes; ONLY=name, SEED=number, KEEP=folder
	@$(BIN)/python -m tests.chaos $(if $(ONLY),--only $(ONLY)) $(if $(SEED),--seed $(SEED)) $(if $(KEEP),--keep $(KEEP))

soak: $(READY) ## 20 minutes at a steady rate with a fault now and then: nothing may grow; MINUTES=number
	@$(BIN)/python -m tests.chaos.soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

outage: $(READY) ## 50,000 queued and 2,000 in flight through an outage of 5 minutes, on both brokers; 20 minutes
	@$(BIN)/python -m tests.chaos.outage $(if $(SEED),--seed $(SEED))

trial: $(READY) ## 38 scenarios with a late system each: does attribution name it? 5 minutes; ONLY=kind, SEED=number
	@$(BIN)/python -m tests.trial $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY))

urgent: $(READY) ## how long urgent triggers wait behind a backlog of 100,000, on both brokers; 3 minutes
	@$(BIN)/python -m benchmarks.urgent

ledger-10m: $(READY) ## a day of ten million triggers, and how long the day's questions take; 30 minutes, 15 GB of disk
	@$(BIN)/python -m benchmarks.ledger

lint: $(READY) ## style and common mistakes
	@echo "== ruff" && $(BIN)/ruff check && $(BIN)/ruff format --check

format: $(READY) ## rewrite the code in the project's format
	@$(BIN)/ruff check --fix && $(BIN)/ruff format

types: $(READY) ## static types, strictly
	@echo "== mypy" && $(BIN)/mypy

imports: $(READY) ## which package may import which
	@echo "== import rules" && $(BIN)/lint-imports

constraints: $(READY) ## choose the newest versions of all dependencies anew
	@echo uv | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade \
		--no-header --no-annotate --all-extras --group test --output-file constraints.txt pyproject.toml -

clean: ## remove everything that make has made
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist build

$(READY): pyproject.toml constraints.txt .ci/bootstrap
	@PYTHON='$(PYTHON)' sh .ci/bootstrap
	@touch $(READY)
