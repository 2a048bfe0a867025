# Grows into demo, demo-reset, faults, bench, help; see README.md.
PY := .venv/bin/python

.PHONY: test lint lock
test:
	$(PY) -m pytest -n 2
lint:
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	DEMO=1 .venv/bin/mypy
	.venv/bin/lint-imports
	DEMO=1 $(PY) manage.py makemigrations --check --dry-run
lock:
	cd requirements && for f in base demo dev; do uv pip compile --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --python-version 3.11 $$f.in -o $$f.txt; done
