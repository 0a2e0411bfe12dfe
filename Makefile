# Placet: `make run` starts the site, `make test` runs every test. Python 3.11 or newer is all a machine needs.
# No path in here is absolute, so the folder may have blanks in its name.

PY = .venv/bin/python
FIND_PYTHON = for p in python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done
LOCK = $(PY) -m piptools compile --quiet --generate-hashes --allow-unsafe --strip-extras \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host

.PHONY: run test lint bench lock screenshots
.DEFAULT_GOAL := run

run: .venv/runtime.stamp .env ## the whole site in one terminal; PORT=8000 unless you say another
	@exec $(PY) -m config.run

test: .venv/development.stamp ## every test; on PostgreSQL and Redis with DATABASE_URL and CELERY_BROKER_URL set
	@DEBUG=on $(PY) -m pytest -n 2 $(TESTS)

lint: .venv/development.stamp
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@DEBUG=on $(PY) -m mypy
	@.venv/bin/lint-imports

bench: .venv/development.stamp ## speed as ratios to hand-written SQL
	@DEBUG=on $(PY) -m benchmarks; within=$$?; \
	if [ -n "$$DATABASE_URL" ]; then DEBUG=on $(PY) -m benchmarks --database "$$DATABASE_URL" || within=1; \
	else echo "PostgreSQL was not measured: set DATABASE_URL to a server."; fi; exit $$within

lock: .venv/development.stamp ## new lock files after a change of requirements*.in
	@$(LOCK) --output-file=requirements.txt requirements.in
	@$(LOCK) --output-file=requirements-dev.txt requirements-dev.in

screenshots: .venv/development.stamp ## the pictures of the README, from a demo site of its own
	@DEBUG=on $(PY) -m tools.screenshots

.env:
	@cp .env.example .env

.venv/bin/python:
	@python=$$($(FIND_PYTHON)); \
	if [ -z "$$python" ]; then echo "Placet needs Python 3.11 or newer; no python3.11, python3 or python here is that." >&2; exit 1; fi; \
	$$python -m venv .venv || { rm -rf .venv; \
	echo "Python could not make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }

.venv/runtime.stamp: requirements.txt | .venv/bin/python
	@echo "Installing what Placet runs on …"
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

.venv/development.stamp: requirements-dev.txt | .venv/bin/python
	@echo "Installing what Placet and its tests need …"
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@ .venv/runtime.stamp
