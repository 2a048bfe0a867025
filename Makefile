# `make` alone shows what there is. Only Python 3.11+ and make are needed; the rest is installed into .venv and node_modules.
PY := .venv/bin/python
PYTHON ?= python3
PRETTIER := PATH=$(CURDIR)/.venv/bin:$$PATH node_modules/.bin/prettier --log-level warn
export PORT ?= 8000
# What production would set, for the checks that look at production's settings.
PRODUCTION := DEMO= DEBUG= SECRET_KEY=$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(60))') \
	ALLOWED_HOSTS=dozvon.example PUBLIC_URL=https://dozvon.example \
	DATABASE_URL=postgres://dozvon@127.0.0.1:1/dozvon REDIS_URL=redis://127.0.0.1:1/0

.DEFAULT_GOAL := help
.PHONY: help demo demo-reset test lint format faults bench test-peers docs lock

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## the whole product with a demo clinic at http://127.0.0.1:8000 (PORT=…); Ctrl-C stops it
	@exec $(PYTHON) callcenter/runtime/bootstrap.py demo

demo-reset: ## wipes the demo's data; the next `make demo` starts anew
	@exec $(PYTHON) callcenter/runtime/bootstrap.py reset

test: ready ## the whole suite, browser stories included (ARGS=… goes to pytest)
	$(PY) -m pytest -n 2 --dist worksteal $(ARGS)

lint: ready ## ruff, djangofmt, prettier, mypy --strict, import-linter, missing migrations, Django's check of production's settings
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/djangofmt --check templates
	$(PRETTIER) --check static
	DEMO=1 .venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/vulture
	.venv/bin/deptry . --config requirements/deptry.toml
	$(PRODUCTION) $(PY) -W ignore manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(PY) manage.py check --deploy --fail-level WARNING

format: ready ## Python, templates, styles and scripts as `make lint` wants them
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .
	.venv/bin/djangofmt templates
	$(PRETTIER) --write static

faults: ready ## long runs with real processes that get killed
	$(PY) -m pytest -m faults tests/faults $(ARGS)

bench: ready ## pages and actions at full size against bare SQL (ONLY=part-of-a-name); 20 minutes at most
	$(PY) -m benchmarks

test-peers: ready ## the contract tests against real peers that this machine has (Kannel, Asterisk by ARI_URL)
	$(PY) -m pytest -m "peers or asterisk" tests/contract tests/faults $(ARGS)

docs: ready ## the generated parts of ARCHITECTURE.md: timers, machines
	$(PY) -m tests.docs.generated

lock: ready ## requirements/*.txt from *.in, with hashes
	cd requirements && for f in base demo dev; do ../.venv/bin/uv pip compile --quiet --universal --generate-hashes \
		--no-header --no-emit-index-url --no-emit-find-links --python-version 3.11 $$f.in -o $$f.txt; done

.PHONY: ready
ready:
	@$(PYTHON) callcenter/runtime/bootstrap.py dev
