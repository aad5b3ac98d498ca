# Two commands do everything: `make dev` serves the sample worker, `make test` runs every check.
# Both set up .venv first; that takes no time when nothing has changed.

PYTHON ?=
export PYTHON

ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif

.DEFAULT_GOAL := help
.PHONY: help setup clients dev test check fix lock bench kill soak

help: ## what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/make \1|\2/' | awk -F'|' '{printf "%-12s %s\n", $$1, $$2}'

setup: ## a .venv with the locked versions
	@sh scripts/setup

clients: setup ## node and wrangler in tests/clients, for the tests that drive the emulator with them
	@sh scripts/clients

dev: setup ## serve the sample worker
	@$(BIN)/emulator dev $(ARGS)

test: check ## every check, then the tests
	@$(BIN)/python -m pytest -q -n auto --dist worksteal $(ARGS)

check: setup ## formatting, lint, types, layers, spelling
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/mypy --strict sample_worker/entry.py sample_worker/workflows.py
	@$(BIN)/mypy --strict emulator/template/src/entry.py
	@$(BIN)/mypy --strict tests/typing/*.py
	@for worker in $$(find tests/workers -name entry.py); do \
	    $(BIN)/mypy --strict --disable-error-code=import-untyped $$worker || exit 1; done
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/codespell

fix: setup ## put right what can be put right by itself
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/codespell --write-changes

lock: setup ## find the newest versions that fit, and lock them
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --extra dev \
	    --no-header --no-annotate --generate-hashes pyproject.toml -o requirements.lock

bench: setup ## how fast, next to bare uvicorn and, if there is one, wrangler
	@$(BIN)/python bench/run.py $(ARGS)

kill: setup ## kill both processes at random moments and look for anything lost
	@$(BIN)/python bench/kill.py $(ARGS)

soak: setup ## the long programme: a thousand kills, every boundary, ten thousand sleepers and a long history, a queue under kills
	@$(BIN)/python bench/kill.py --kills 1000 --live 16
	@$(BIN)/python bench/boundaries.py --passes 3
	@$(BIN)/python bench/resume.py
	@$(BIN)/python bench/modes.py
	@$(BIN)/python bench/mutants.py
	@$(BIN)/python bench/queue_kills.py
	@$(BIN)/python bench/sleepers.py
	@$(BIN)/python bench/history.py
