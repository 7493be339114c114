# Commands of the project: `make up` starts it with demo data, `make test` runs the tests.
PYTHON ?= python3
VENV   := .venv
RUN    := $(VENV)/bin
DATA   ?= var
EVENTS ?= 1e6 1e7
MINUTES ?= 2
USERS  ?= 100
COMPILE = build/lock/bin/uv pip compile --quiet pyproject.toml --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-header --no-annotate
STAMP  := $(VENV)/.installed
KERNELS := $(VENV)/.compiled
PYTEST = $(RUN)/python -m pytest -n auto --dist loadgroup --durations=30

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install up test test-all check sdl migration bench-evaluator bench-gps bench-hub bench-ledger bench-numbering bench-queries bench-timers loadtest docs lock sentiment vendor clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

install: $(KERNELS) ## Install the locked dependencies into .venv and compile the evaluator; skipped when up to date

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Waarborg needs Python 3.11 or later, and '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || echo missing)."; \
	  echo "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(RUN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "No virtual environment could be made. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Compiled here, because half a minute of compiling would exceed the timeouts of the first test that evaluates a promise.
$(KERNELS): $(STAMP) $(wildcard domain/evaluator/kernels/*.py)
	@echo "Compiling the evaluator (half a minute, unless it was compiled before)"
	@$(RUN)/python -c "from domain import positions, promises; promises.warm(); positions.warm()"
	@touch $@

up: install ## Start everything with demo data in one terminal; Ctrl-C stops it. PORT=8001 DATA=elsewhere starts a second one
	$(RUN)/waarborg up --data $(DATA) $(if $(PORT),--port $(PORT))

test: install ## Run the tests that every change must pass, on real servers that they start
	$(PYTEST) -m "not slow"

test-all: install ## Run all tests, with storms, real logs, Redis Clusters and the probes of every role
	$(PYTEST)

check: install ## Check style, types, import contracts, the committed SDL, and migrations against the models
	$(RUN)/ruff check
	$(RUN)/ruff format --check
	$(RUN)/mypy
	PYTHONPATH=. $(RUN)/lint-imports
	$(RUN)/waarborg sdl --check
	$(RUN)/waarborg visibility --check
	$(RUN)/waarborg facts --check
	$(RUN)/waarborg parameters --check
	$(RUN)/waarborg rooms --check
	@rm -rf build/check
	$(RUN)/waarborg migrate --data build/check
	$(RUN)/waarborg migrate --check --data build/check

sdl: install ## Write schema/schema.graphql from the code
	$(RUN)/waarborg sdl

migration: install ## Generate the migration to the current models: make migration m="what changes"
	@test -n "$(m)" || { echo 'Say what changes: make migration m="guards have a photo"'; exit 1; }
	@rm -rf build/check
	$(RUN)/waarborg migrate --data build/check
	$(RUN)/waarborg migrate --revise "$(m)" --data build/check

bench-evaluator: install ## Time the evaluator against NumPy, polars and DuckDB: make bench-evaluator EVENTS=1e6
	$(RUN)/python -m tests.bench.evaluator --events $(EVENTS)

bench-timers: install ## Time 10,000 deadlines within one minute, and the catching up after an outage of ten minutes
	$(RUN)/python -m tests.bench.timers

loadtest: install ## Run the self-auditing load test on its own servers. MINUTES=, USERS=, SATURATE=1; HOST=, COMPANIES= for other servers
	$(RUN)/python -m loadtests --minutes $(MINUTES) --users $(USERS) $(if $(SATURATE),--saturate) $(if $(HOST),--host $(HOST) --companies $(COMPANIES))

bench-hub: install ## Time one event to many subscribers against a stock Strawberry server
	$(RUN)/python -m tests.bench.hub

bench-gps: install ## Time the ingest of fixes against plain COPY and against one transaction per request (2 min)
	$(RUN)/python -m tests.bench.gps

bench-queries: install ## Time four queries beside stock Strawberry with SQLAlchemy and DataLoader on the same tables (4 min)
	$(RUN)/python -m tests.bench.queries

bench-numbering: install ## Time the numbering of an import's facts against a plain UPDATE of the same rows
	$(RUN)/python -m tests.bench.numbering

bench-ledger: install ## Time facts from eight writers to their numbers and the stream, and an import's, against a bare INSERT (1 min)
	$(RUN)/python -m tests.bench.ledger

sentiment: install ## Train the weights of sentiment and print their figures: make sentiment DATA=folder with reviews/*.parquet
	$(RUN)/python -m domain.sentiment --data $(DATA)

docs: build/docs-tools/.installed ## Build the documentation site into build/docs; it loads nothing from a network
	$(PYTHON) docs/stage.py build/docs-source
	build/docs-tools/bin/zensical build --strict --clean --config-file mkdocs.yml
	@echo "Open build/docs/index.html. To search it too: $(PYTHON) -m http.server --directory build/docs"

build/docs-tools/.installed: docs/requirements.lock
	@rm -rf build/docs-tools && $(PYTHON) -m venv build/docs-tools
	build/docs-tools/bin/pip install --quiet --disable-pip-version-check --require-hashes -r docs/requirements.lock
	@touch $@

lock: ## Resolve the dependencies of pyproject.toml again and write the lock files
	@test -x build/lock/bin/uv || { $(PYTHON) -m venv build/lock && build/lock/bin/pip install --quiet uv==0.13.9; }
	$(COMPILE) --all-extras --output-file requirements.lock
	$(COMPILE) --extra text --constraints requirements.lock --output-file deploy/requirements.lock
	$(subst pyproject.toml,docs/requirements.in,$(COMPILE)) --output-file docs/requirements.lock

vendor: ## Fetch the console's third-party files, as listed with their hashes in console/vendor.txt
	@rm -rf build/vendor && mkdir -p build/vendor console/vendor
	@while read -r package path hash; do \
	  case "$$package" in ''|\#*) continue;; esac; \
	  tarball=$$(cd build/vendor && npm pack --silent "$$package") || exit 1; \
	  tar -xzf "build/vendor/$$tarball" -C build/vendor "package/$$path" || exit 1; \
	  echo "$$hash  build/vendor/package/$$path" | sha256sum --check --quiet || exit 1; \
	  mv "build/vendor/package/$$path" console/vendor/ && echo "console/vendor/$${path##*/}"; \
	done < console/vendor.txt

clean: ## Delete everything that was built, except the data
	rm -rf $(VENV) build dist console/vendor .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
