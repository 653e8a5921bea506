# One command runs everything, one tests everything. `make help` lists them.

PORT ?= 8000
VAR ?= var
export PORT VAR

PY := .venv/bin/python

.DEFAULT_GOAL := help
BENCHES := bench-submit bench-drain bench-million bench-catch-up bench-boards bench-start bench-flat bench-pages bench-corrections bench-signals bench-accounts bench-waiting bench-cost
# Whole stacks under load, and parts that are killed: beside other tests they would wait for the machine.
ALONE := (concurrency or faults)
.PHONY: help run setup setup-test browser test lint format messages bench $(BENCHES)

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo "  PORT=8000, VAR=var (data and logs), WORKERS=2, WEB_CONCURRENCY=2, HOST=127.0.0.1 may be set for make run;"
	@echo "  with DATABASE_URL and REDIS_URL it uses those servers. ARGS=... is handed on by make test and make bench."

run: setup ## set up and start everything: servers, web, workers, scheduler
	@exec $(PY) -m deploy.run

setup: ## the Python environment in .venv
	@deploy/venv.sh run

setup-test: setup
	@deploy/venv.sh test

browser:
	@deploy/browser.sh

lint: setup-test ## format, style and types
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

format: setup-test ## put the code into shape
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

messages: setup ## bring the Vietnamese catalogue in line with code and templates
	$(PY) -m deploy.messages

test: lint browser ## everything that CI runs; with ARGS=... only that
ifdef ARGS
	$(PY) -m pytest $(ARGS)
else
	$(PY) -m pytest --numprocesses 2 --dist loadfile -m "not $(ALONE)"
	$(PY) -m pytest -m "$(ALONE)"
endif

bench: setup ## measure; parts: bench-submit, -drain, -million, -catch-up, -boards, -start, -flat, -pages, -corrections, -signals, -accounts, -waiting (bench/README.md)
	$(PY) -m bench $(ARGS)

$(BENCHES): setup
	$(PY) -m bench $(@:bench-%=%) $(ARGS)
