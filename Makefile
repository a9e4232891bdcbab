# `make` lists the targets. Everything runs in .venv, which `make venv` keeps up to date.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
CLIENT := $(wildcard clients/python/pyproject.toml)
ARGS ?=
COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --no-header --no-emit-index-url --python-version 3.11
# A check must give the same answer with or without a running database, so it gets an address where there is none.
NO_DATABASE := DATABASE_URL=postgresql://none@127.0.0.1:1/none PYTHONWARNINGS="ignore:Got an error checking a consistent"

.DEFAULT_GOAL := help
.PHONY: help venv up demo screenshots test check fuzz faults bench bench-growth storm rehearse lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(INSTALLED) ## create .venv from the pinned, hashed requirements; a second run changes nothing

up: $(INSTALLED) ## run Back Office on this machine until Ctrl-C (ARGS="--port 9000")
	@$(BIN)/python manage.py up $(ARGS)

demo: $(INSTALLED) ## show Back Office at work with simulated terminals (with ARGS=--once it ends by itself)
	@$(BIN)/python manage.py demo $(ARGS)

screenshots: $(INSTALLED) ## play the demo and take pictures of every page of the console into docs/console
	@$(BIN)/python -m tests.screenshots $(ARGS)

# Four processes with databases of their own share the first part, so that no processor is idle while one of them waits: the
# pages of the console; what needs no server, with what starts services and waits more than it works; the books, whose tests
# look at everything in theirs, with what starts services of its own; and all the rest. What is killed all the time follows,
# and then what measures time or takes the whole machine, by itself. Leaks are looked for in both places where services ran.
PAGES := tests/integration/console
UNITS := tests/unit tests/fuzz tests/vectors clients/python/tests tests/integration/health/test_startup.py
BOOKS := $(addprefix tests/integration/,audit books evidence growth ledger) tests/faults tests/journeys
MEASURED := $(patsubst %,tests/faults/test_%.py,hostile_storm postgresql_restarts servers) \
  $(patsubst %,tests/journeys/test_%.py,hostile_clients memory strangers)
KILLED := tests/faults/test_chaos.py
LATER := $(MEASURED) $(KILLED)
ALONE := $(MEASURED) tests/journeys/test_nothing_leaks.py
PYTEST := $(BIN)/python -m pytest

test: $(INSTALLED) ## run the tests on private servers (ARGS="tests/unit -x")
ifeq ($(strip $(ARGS)),)
	@failed=; told=$$(mktemp -d); \
	$(PYTEST) $(PAGES) >"$$told/pages" 2>&1 & pages=$$!; \
	$(PYTEST) $(UNITS) >"$$told/units" 2>&1 & units=$$!; \
	$(PYTEST) $(BOOKS) $(LATER:%=--ignore=%) >"$$told/books" 2>&1 & books=$$!; \
	$(PYTEST) tests $(addprefix --ignore=,$(PAGES) $(UNITS) $(BOOKS) $(LATER)) || failed=1; \
	wait $$units || failed=1; cat "$$told/units"; \
	wait $$pages || failed=1; cat "$$told/pages"; \
	wait $$books || failed=1; cat "$$told/books"; \
	rm -r "$$told"; \
	$(PYTEST) $(KILLED) || failed=1; \
	$(PYTEST) $(ALONE) || failed=1; \
	test -z "$$failed"
else
	@$(PYTEST) $(ARGS)
endif

check: $(INSTALLED) ## check everything CI checks besides the tests: format, lint, security, types, imports, the house's own rules, migrations, API description
	@failed=; told=$$(mktemp); \
	$(BIN)/mypy >"$$told" 2>&1 & mypy=$$!; \
	types() { wait $$mypy; ended=$$?; cat "$$told"; rm -f "$$told"; return $$ended; }; \
	step() { title=$$1; shift; printf '\n== %s\n' "$$title"; "$$@" || failed="$$failed\n  $$title"; }; \
	step "Format (ruff format)" $(BIN)/ruff format --check; \
	step "Lint (ruff check)" $(BIN)/ruff check; \
	step "Security (bandit)" $(BIN)/bandit --quiet --configfile pyproject.toml --recursive backoffice pos_api deploy clients/python/src manage.py; \
	step "Imports run one way (import-linter)" $(BIN)/lint-imports; \
	step "The house's own rules (tests/house)" $(BIN)/python -m tests.house; \
	step "Every text has its translation (tests/words)" env $(NO_DATABASE) DJANGO_SETTINGS_MODULE=backoffice.settings $(BIN)/python -m tests.words; \
	step "Models match their migrations" env $(NO_DATABASE) $(BIN)/python manage.py makemigrations --check --dry-run; \
	step "API description" env $(NO_DATABASE) $(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null; \
	step "Types (mypy, beside all of these)" types; \
	step "Types of the client (mypy)" $(BIN)/mypy --config-file clients/python/pyproject.toml clients/python/src; \
	if [ -n "$$failed" ]; then printf "\nFailed:$$failed\n"; exit 1; fi; \
	printf '\nAll checks passed.\n'

fuzz: $(INSTALLED) ## try absurd bodies on the decoder and the rules (ARGS="--seconds 600")
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --only-binary :all: --require-hashes -r tests/fuzz/requirements.txt || echo 'There is no atheris for this machine: fuzzing without coverage.'
	@$(BIN)/python -m tests.fuzz $(ARGS)

faults: $(INSTALLED) ## kill everything over and over, and prove that no order was lost (ARGS="--kills 1000 --orders 1000000 --json FILE")
	@$(BIN)/python -m tests.faults $(ARGS)

bench: $(INSTALLED) ## measure throughput and latency (ARGS="--json FILE", "--sizes 500 --no-weighed --live", "--help")
	@$(BIN)/python -m tests.bench $(ARGS)

bench-growth: $(INSTALLED) ## fill in ten million orders and show that nothing slows down (ARGS="--orders 300000 --json FILE")
	@$(BIN)/python -m tests.bench.growth $(ARGS)

storm: $(INSTALLED) ## have two thousand terminals close within one minute (ARGS="--terminals 500 --json FILE"; ARGS="--hostile": three hundred, beside attackers)
	@$(BIN)/python -m tests.bench.storm $(ARGS)

rehearse: $(INSTALLED) ## install with compose as the handbook says, on a Docker Engine of its own, and work with it (root, Debian; ten minutes)
	@$(BIN)/python -m tests.rehearsal $(ARGS)

lock: $(INSTALLED) ## pin the requirements of requirements*.in again, with hashes
	$(COMPILE) requirements.in --output-file requirements.txt
	$(COMPILE) requirements-dev.in --output-file requirements-dev.txt

clean: ## remove what tests and tools leave behind; keep .venv and the data of `make up`
	rm -rf var/test var/test-* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path "./$(VENV)/*" -prune -exec rm -rf {} +

$(INSTALLED): requirements-dev.txt $(CLIENT)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo 'Back Office needs Python 3.11 or later. Tell make where it is: make venv PYTHON=/path/to/python3.11' >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo 'This Python cannot create virtual environments. On Debian and Ubuntu: apt-get install python3-venv' >&2; exit 1; }
	@echo 'Installing the pinned requirements into $(VENV) ...'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(if $(CLIENT),$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e clients/python)
	@touch $@
