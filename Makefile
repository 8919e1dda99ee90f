# Every target sets up what it needs: a bare machine with Python 3.11 and make is enough.
PYTHON ?= python3.11
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo serve token test test-fast check soak bench bench-readme guides train-finder audit spec lock clean setup
.DEFAULT_GOAL := help

help:
	@echo "make demo    the whole job once, from a recording to a PDF guide"
	@echo "make serve   database, API and workers until Ctrl-C"
	@echo "make token USER=editor   a bearer token"
	@echo "make test    the tests          make check   lint, types, layers, spec and tests"
	@echo "make test-fast   the tests without codecs, rendering, kills and made-up requests; under a minute"
	@echo "make bench   what must be fast, beside plain code that does the same; ten minutes"
	@echo "make guides  how good the guides are that are drafted from labelled talks"
	@echo "             MODEL=FILE MODEL_PYTHON=PYTHON, or MODEL=URL: by a model; tests/guides/README.md"
	@echo "make audit   known vulnerabilities of what is pinned"
	@echo "make clean   what the above left behind"

setup: $(READY)

# Wheels only, each held to its hash. A second make that starts meanwhile waits for the first.
$(READY): requirements.lock
	@$(PYTHON) -c 'import fcntl, os, subprocess, sys; \
	lock = open(".setup.lock", "w"); fcntl.flock(lock, fcntl.LOCK_EX); \
	fresh = os.path.exists("$(READY)") and os.path.getmtime("$(READY)") >= os.path.getmtime("requirements.lock"); \
	sys.exit(0) if fresh else print("Setting up .venv, once (about a minute) ...", flush=True); \
	subprocess.run([sys.executable, "-m", "venv", ".venv"], check=True); \
	subprocess.run(["$(BIN)/python", "-m", "pip", "install", "-q", "--disable-pip-version-check", "--only-binary", ":all:", "--require-hashes", "-r", "requirements.lock"], check=True); \
	open("$(READY)", "w").close()'

demo: $(READY)
	@$(BIN)/python tests/demo.py

serve: $(READY)
	@exec $(BIN)/python manage.py serve

token: $(READY)
	@$(BIN)/python manage.py token "$(USER)"

test: $(READY)
	@$(BIN)/python -m pytest -n auto $(ARGS)

# What is left when nothing that takes long is run; for the minutes between two edits.
test-fast: $(READY)
	@$(BIN)/python -m pytest -n auto -m "not soak and not slow" $(ARGS)

# Kills workers, servers and queues under real work; some minutes.
soak: $(READY)
	@$(BIN)/python -m pytest -m soak -v $(ARGS)

# What must be fast, beside plain code that does the same, and the goals; ten minutes. Writes tests/bench/results.json.
# ROWS="get callback" takes some rows only, PROFILE=1 says where the time of each goes.
bench: $(READY)
	@PROFILE=$(PROFILE) $(BIN)/python tests/bench/run.py $(ROWS)

# Takes the figures of tests/bench/results.json over into the README.
bench-readme: $(READY)
	@$(BIN)/python tests/bench/readme.py

# Compares drafted steps with those that people labelled; see tests/guides/README.md.
guides: $(READY)
	@$(BIN)/python -m tests.guides.measure $(if $(MODEL),--model $(MODEL)) $(if $(MODEL_PYTHON),--model-python $(MODEL_PYTHON)) \
		$(if $(THREADS),--threads $(THREADS)) $(if $(PROFILE),--profile $(PROFILE)) $(if $(HALF),--half $(HALF)) --talks "$(TALKS)"

# Learns the weights of the finder of steps anew, from tests/guides/training.
train-finder: $(READY)
	@$(BIN)/python -m tests.guides.train

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports
	@found=$$($(BIN)/bandit -q -c pyproject.toml -r config jobs instructions anchors exports manage.py 2>&1) \
	|| { echo "$$found"; exit 1; }
	$(MAKE) audit
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(MAKE) test

# Known vulnerabilities of what is pinned. Without the service: a line that says so; STEPWRIGHT_REQUIRE_AUDIT=1 fails.
audit: $(READY)
	@$(BIN)/python tests/audit.py

# Writes spec/openapi.yaml and spec/job_fsm.md anew from the code; the tests hold them together.
spec: $(READY)
	$(BIN)/python manage.py spectacular --fail-on-warn --file spec/openapi.yaml
	$(BIN)/python manage.py write_job_fsm spec/job_fsm.md

# Needs uv. Names no index, so that any mirror serves.
lock:
	uv pip compile pyproject.toml --group dev --python-version 3.11 --generate-hashes --no-emit-index-url --only-binary :all: --no-header -o requirements.lock

clean:
	rm -rf .venv .setup.lock .stepwright demo-output .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
