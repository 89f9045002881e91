# Everything runs inside .venv, which `setup` makes from the locked versions.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAMPLE := tests/data/wire_sample.jsonl

.PHONY: setup run test lint types unit bench bench-kafka bench-quality lock clean

setup: $(VENV)/.ready

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "samewire needs Python 3.11 or newer; set PYTHON=/path/to/it"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@

run: setup
	@rm -rf out && mkdir -p out
	$(BIN)/samewire run --input $(SAMPLE) --output out/articles.jsonl --events out/events.jsonl --state out/state

test: setup lint types unit

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: setup
	$(BIN)/mypy

unit: setup
	$(BIN)/pytest

bench: setup
	$(BIN)/python -m benchmarks.engine

bench-kafka: setup
	$(BIN)/python -m benchmarks.kafka

bench-quality: setup
	$(BIN)/python -m benchmarks.quality

lock:
	uv pip compile pyproject.toml --all-extras --group dev --universal --generate-hashes --no-header --no-emit-index-url -p 3.11 -o requirements.lock
	uv pip compile pyproject.toml --constraint requirements.lock --universal --generate-hashes --no-header --no-emit-index-url --no-annotate -p 3.11 -o deploy/docker/requirements.lock

clean:
	rm -rf $(VENV) out .pytest_cache .mypy_cache .ruff_cache .hypothesis
