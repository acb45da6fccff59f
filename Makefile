# Two commands: `make run` and `make test`. Both set up what is missing first.
# Without make (Windows): python packaging/setup.py, then the commands below with .venv\Scripts\python.

PYTHON ?= python3
ENV := .venv/bin/python
export UV_COMPILE_BYTECODE := 1

.PHONY: run test check format lock setup clean

run: setup
	$(ENV) -m workbench demo

test: setup
	$(ENV) packaging/check.py

# One step of the tests: make check STEP=lint (format, lint, imports, types, tests)
check: setup
	$(ENV) packaging/check.py $(STEP)

format: setup
	$(ENV) -m ruff format .
	$(ENV) -m ruff check --fix .

setup:
	@$(PYTHON) packaging/setup.py

# New versions of everything, for every platform, with hashes.
lock: setup
	$(ENV) packaging/setup.py --lock

clean:
	rm -rf .venv .uv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
