# Needs only make and Python 3.11 or later: everything is installed into .venv, and again when its inputs change.
SHELL := /bin/sh
# Where it is set, as in many containers, each process would compile all of its imports anew.
unexport PYTHONDONTWRITEBYTECODE
READY := .venv/.ready
BIN := .venv/bin
PYTEST_ARGS ?=
ONLY ?=
SEED ?=
KEEP ?=
AT_ONCE ?=
RABBITMQ ?=
MINUTES ?=
TRIGGERS ?=
QUICK ?=
PART ?=
SRC ?=

.PHONY: help demo dev test smoke chaos soak outage hang trial urgent outbox bench ledger-10m lint format types imports reference constraints clean
.DEFAULT_GOAL := help

LOCAL_SERVERS := tests/integration/worker/test_local_servers.py
SMOKE := \
	tests/unit/worker/dispatch/test_budget.py::test_an_answer_may_come_after_the_triggers_expiry_since_only_the_start_of_an_attempt_is_bounded \
	tests/integration/migrations/test_upgrade.py::test_a_second_upgrade_changes_nothing \
	tests/integration/simulator/test_command.py::test_with_tls_a_caller_that_trusts_the_written_authority_is_served \
	$(LOCAL_SERVERS)::test_postgres_keeps_its_data_and_its_address_over_a_restart \
	$(LOCAL_SERVERS)::test_postgres_never_runs_with_roots_rights \
	$(LOCAL_SERVERS)::test_postgres_runs_from_an_installation_that_only_its_owner_can_reach \
	$(LOCAL_SERVERS)::test_the_embedded_servers_ask_for_a_password \
	tests/integration/worker/ledger/test_ledger.py::test_every_kind_of_row_finds_its_table \
	tests/integration/worker/cli/test_status.py::test_the_overview_of_an_empty_ledger_says_that_nothing_came_and_nobody_works \
	"tests/integration/worker/api/test_adapters.py::test_an_answer_comes_back_whole_and_with_its_times[pyreqwest]"

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: $(READY) ## the whole stack: 2,000 triggers, what became of them, and who delayed them; TRIGGERS=number
	@$(BIN)/ajo-dispatch demo $(if $(TRIGGERS),--triggers $(TRIGGERS))

dev: $(READY) ## the same stack, kept running until Ctrl-C, with Flower
	@$(BIN)/ajo-dispatch dev

# Among thousands of real processes one meets a second of a machine that stands still: three are repeated once, and shown whole.
REPEATED := --reruns 1 --max-suite-reruns 3 --rerun-exclude-path tests/unit --rerun-show-tracebacks

test: lint types imports ## every check and every test
	@echo "== tests" && $(BIN)/pytest -n 3 --dist loadgroup $(REPEATED) $(PYTEST_ARGS)

smoke: $(READY) ## ten tests that show whether everything is there; half a minute
	@$(BIN)/pytest -q $(SMOKE)

chaos: $(READY) ## every fault done to a stream of triggers, 40 minutes; ONLY=name, SEED=number, KEEP=folder, AT_ONCE=runs, RABBITMQ=folder of its programs
	@$(BIN)/python -m tests.chaos $(if $(ONLY),--only $(ONLY)) $(if $(SEED),--seed $(SEED)) $(if $(KEEP),--keep $(KEEP)) \
		$(if $(AT_ONCE),--at-once $(AT_ONCE)) $(if $(RABBITMQ),--rabbitmq $(RABBITMQ))

soak: $(READY) ## 20 minutes at a steady rate with a fault now and then: nothing may grow; MINUTES=number
	@$(BIN)/python -m tests.chaos.soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

outage: $(READY) ## 50,000 queued and 2,000 in flight through an outage of 5 minutes, on both brokers; 20 minutes
	@$(BIN)/python -m tests.chaos.outage $(if $(SEED),--seed $(SEED))

hang: $(READY) ## 200 triggers a second for 3 minutes while one lane answers nothing and comes back, on both brokers; 12 minutes
	@$(BIN)/python -m tests.chaos.hang $(if $(SEED),--seed $(SEED))

trial: $(READY) ## scenarios with a late system or two: does attribution name it, by the second? ONLY=kind, SEED=number
	@$(BIN)/python -m tests.trial $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY))

urgent: $(READY) ## how long urgent triggers wait behind a backlog of 100,000, on both brokers; 3 minutes
	@$(BIN)/python -m benchmarks.urgent

outbox: $(READY) ## what an outbox's relay publishes a second, and what adding to it costs; 2 minutes
	@$(BIN)/python -m benchmarks.outbox

bench: $(READY) ## ours and its peers on the same work, in turn, 30 minutes; QUICK=1: 5 minutes, ONLY=pattern, PART=name, SRC=checkout,checkout
	@$(BIN)/python -m benchmarks.bench $(if $(QUICK),--quick) $(if $(ONLY),--only '$(ONLY)') $(if $(PART),--part $(PART)) \
		$(if $(SRC),--checkouts $(SRC))

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

reference: $(READY) ## write the reference in docs/sdk.md anew, from the SDK's docstrings
	@$(BIN)/python -m tests.support.sdk_page

constraints: $(READY) ## choose the newest versions of all dependencies anew
	@echo uv | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade \
		--no-header --no-annotate --all-extras --group test \
		--no-emit-package ajo-producers --no-emit-package ajo-simulator --output-file constraints.txt pyproject.toml -

clean: ## remove everything that make has made
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist build

$(READY): pyproject.toml producers/pyproject.toml simulator/pyproject.toml constraints.txt .ci/bootstrap
	@PYTHON='$(PYTHON)' sh .ci/bootstrap
	@touch $(READY)
