# Everything below works on a machine that has Python 3.11 to 3.13 with venv, and make.
PYTHON ?= python3
BIN := .venv/bin
WEB := radio/web
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# small matrices: several threads of BLAS only fight with the test workers
export OPENBLAS_NUM_THREADS = 1

run: .venv/ready  ## put the demo stations on the air
	$(BIN)/radio run

test: .venv/test-ready  ## run every test
	$(BIN)/python -m pytest --numprocesses 3 --dist loadgroup

check: .venv/test-ready $(WEB)/node_modules/.check-ready  ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd $(WEB) && ../../$(BIN)/node node_modules/typescript/bin/tsc --noEmit
	cd $(WEB) && ../../$(BIN)/node node_modules/vitest/vitest.mjs run

bench: .venv/test-ready  ## run the benchmarks; each prints a table
	$(BIN)/python -m bench

fixtures:  ## make the demo sounds anew (needs the packages that audio_fixtures/README.md names)
	$(PYTHON) audio_fixtures/make_fixtures.py

lock:  ## resolve the dependencies anew (needs uv)
	uv pip compile $(LOCK) --group build -o requirements.lock
	uv pip compile $(LOCK) --group build --group test -c requirements.lock -o requirements-test.lock

LOCK := pyproject.toml --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-header --no-annotate --python-version 3.11 --quiet

.venv/ready: requirements.lock pyproject.toml hatch_build.py
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Next Up needs Python 3.11, 3.12 or 3.13; this is " + sys.version.split()[0] + ". Say which: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

.venv/test-ready: .venv/ready requirements-test.lock
	$(BIN)/pip install --quiet --require-hashes --requirement requirements-test.lock
	touch $@

$(WEB)/node_modules/.check-ready: $(WEB)/package-lock.json .venv/ready
	cd $(WEB) && ../../$(BIN)/npm ci --ignore-scripts --silent
	touch $@

.PHONY: run test check bench fixtures lock
