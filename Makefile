# Plain `make` lists the targets. Nothing here needs root, Docker, apt or Node. Whoever stops `make` stops what it runs: a
# shell between them would keep the signal to itself, hence `exec`.
VENV ?= .venv
# Python's tools as modules: the first line of a script names its interpreter, and cannot name every path.
BIN := $(VENV)/bin
ifneq ($(words $(VENV)),1)
$(error VENV must be a path without spaces)
endif
PACKAGES := shared services/api services/worker services/admin-ui
PYTEST := $(BIN)/python -m pytest
# What measures times while whole stacks run has the machine for itself; what breaks things comes two at a time; the rest shares it.
TIMED := $(wildcard $(addprefix tests/flows/test_,a_wake_up_takes* accepting_is_cheap* an_idle_system* redis_away* the_switch_reaches*) \
	tests/browser/test_a_page_is_drawn_quickly.py)
LOCK := uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	--python-version 3.11 --custom-compile-command "make lock"
UPGRADE ?=

.DEFAULT_GOAL := help
.PHONY: help run demo test test-faults test-long test-browser test-containers check check-files bench build up down deploy rollback backup restore sbom licences audit sign pictures assets migrate lock clean
MAKEFLAGS += --no-print-directory

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r target line; do \
		printf '  make %-14s %s\n' "$$target" "$$line"; done

run: $(VENV)/run.stamp $(VENV)/assets.stamp ## the whole system on this machine, until Ctrl-C
	@exec $(BIN)/python -m deploy.local

demo: $(VENV)/run.stamp $(VENV)/assets.stamp ## a tour in the terminal: queue, duplicate, Redis away and back, kill switch
	@$(BIN)/python -m deploy.demo

test: $(VENV)/dev.stamp $(VENV)/assets.stamp ## the suite, on real servers of its own (ARGS='tests/api -k sign': a part)
ifdef ARGS
	@$(PYTEST) $(ARGS)
else
	@status=0; \
	$(PYTEST) --numprocesses 2 --dist loadfile -m 'not long' --ignore tests/faults $(TIMED:%=--ignore %) || status=1; \
	$(PYTEST) --numprocesses 2 --dist loadfile -m 'not long' tests/faults || status=1; \
	$(PYTEST) $(TIMED) || status=1; \
	exit $$status
endif

test-faults: $(VENV)/dev.stamp $(VENV)/assets.stamp ## the tests that stop, freeze and kill things (ROUNDS=1000 for many rounds, SEED=7 for others)
	@$(if $(ROUNDS),FAULT_ROUNDS=$(ROUNDS)) $(if $(SEED),FAULT_SEED=$(SEED)) $(PYTEST) tests/faults $(ARGS)

test-long: $(VENV)/dev.stamp $(VENV)/assets.stamp ## what `make test` leaves out: longer proofs of what it shows in short
	@$(PYTEST) -m long $(ARGS)

test-browser: $(VENV)/dev.stamp $(VENV)/assets.stamp ## the tests in a real browser
	@$(PYTEST) tests/browser $(ARGS)

check: $(VENV)/dev.stamp ## what CI runs: format, lint, types, import rules, tests
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m mypy
	@$(BIN)/python -c "from importlinter.cli import lint_imports_command as main; main()"
	@$(MAKE) check-files
	@$(MAKE) test

pictures: $(VENV)/dev.stamp $(VENV)/assets.stamp ## every page as a picture into docs/pictures (ARGS=names of pictures)
	@$(BIN)/python -m tests.pictures $(ARGS)

assets: ## fetch anew what the pages use of others (npm's lock file; no Node needed)
	@rm -f $(VENV)/assets.stamp && $(MAKE) $(VENV)/assets.stamp

check-files: $(VENV)/dev.stamp ## Dockerfiles, the compose file, YAML and shell scripts, without an engine
	@$(BIN)/hadolint services/*/Dockerfile
	@$(BIN)/shellcheck --external-sources .ci/run deploy/*.sh deploy/*/*.sh
	@EDGE_HOST=localhost PUBLIC_URL=https://localhost CONSOLE_SUBNET=10.0.0.0/24 \
		$(BIN)/caddy validate --adapter caddyfile --config deploy/compose/edge/Caddyfile >/dev/null 2>$(VENV)/caddy.log || { tail -n 1 $(VENV)/caddy.log; exit 1; }
	@$(BIN)/caddy fmt --diff deploy/compose/edge/Caddyfile >$(VENV)/caddy.log || { grep '^[+-]' $(VENV)/caddy.log; exit 1; }
	@$(BIN)/python -m yamllint --strict docker-compose.yml deploy/kubernetes deploy/monitoring
	@$(BIN)/python -m check_jsonschema --quiet --builtin-schema vendor.compose-spec docker-compose.yml
	@if command -v promtool >/dev/null; then \
		promtool check config deploy/monitoring/prometheus.yml >/dev/null && promtool test rules deploy/monitoring/rules.test.yml >/dev/null; \
		else echo "The rules for Prometheus: skipped, there is no promtool (Debian's package prometheus)."; fi
	@if command -v amtool >/dev/null; then amtool check-config deploy/monitoring/alertmanager.yml >/dev/null; \
		else echo "Alertmanager's configuration: skipped, there is no amtool (Debian's package prometheus-alertmanager)."; fi
	@if [ -x $(BIN)/docker-compose ]; then $(BIN)/docker-compose --file docker-compose.yml config --quiet; fi

test-containers: $(VENV)/dev.stamp ## the images and the compose stack, on a Docker engine (skipped where none answers)
	@$(PYTEST) tests/containers --timeout 600 $(ARGS)

build: ## the images of the services, from the locked dependencies
	docker compose build $(ARGS)

up: ## the compose stack: start, wait until healthy, say where it is (ARGS='--scale worker=2')
	@exec deploy/compose/up.sh $(ARGS)

deploy: ## another version of the running stack without a failed request (ARGS=--dry-run, VERSION=name)
	@exec env VERSION='$(VERSION)' deploy/deploy.sh $(ARGS)

rollback: ## the version before, or VERSION=name
	@exec env VERSION='$(VERSION)' deploy/deploy.sh --rollback $(ARGS)

down: ## stop the compose stack; its data stay, but with VOLUMES=1
	docker compose down --remove-orphans $(if $(VOLUMES),--volumes)

backup: ## a copy of the database into backups/: of DATABASE_URL, else of `make run` or the compose stack
	@exec env VENV='$(VENV)' MAKE='$(MAKE)' deploy/backup/choose.sh backup

restore: ## such a copy (FILE=backups/NAME.dump) into an empty database; its services stand still meanwhile
	@exec env VENV='$(VENV)' MAKE='$(MAKE)' deploy/backup/choose.sh restore

sbom: $(VENV)/supply.stamp ## a bill of materials for each image into build/sbom (CycloneDX), from the locks
	@$(BIN)/python -m deploy.supply_chain.bills $(VENV)/supply/bin/cyclonedx-py build/sbom

licences: $(VENV)/run.stamp ## renew docs/licences.md: the licences of what the images hold
	@$(BIN)/python -m deploy.supply_chain.licences

audit: $(VENV)/supply.stamp ## known holes in what the images hold, where pip-audit's service can be reached
	@$(BIN)/python -m deploy.supply_chain.audit $(VENV)/supply/bin/pip-audit

sign: ## sign the pushed images and attach their bills (IMAGES="registry/name@sha256:… …", COSIGN_KEY=file or KMS address)
	@deploy/supply_chain/sign.sh $(IMAGES)

bench: $(VENV)/dev.stamp ## throughput and times on real servers of its own, about 6 minutes (ARGS=drain: a part)
	@$(BIN)/python -m tests.bench $(ARGS)

migrate: $(VENV)/run.stamp ## apply the pending migrations to DATABASE_URL
	@$(BIN)/python -m tripwire_shared.migrate db/migrations

lock: $(VENV)/lock.stamp ## renew requirements/*.txt (UPGRADE=--upgrade for newer versions)
	@$(VENV)/lock/bin/$(LOCK) $(UPGRADE) --all-extras --no-emit-package tripwire-shared $(PACKAGES:%=%/pyproject.toml) \
		requirements/run.in -o requirements/run.txt
	@$(VENV)/lock/bin/$(LOCK) $(UPGRADE) requirements/assets.in -o requirements/assets.txt
	@$(BIN)/python services/admin-ui/build_assets.py lock
	@$(VENV)/lock/bin/$(LOCK) $(UPGRADE) requirements/supply.in -o requirements/supply.txt
	@$(VENV)/lock/bin/$(LOCK) $(UPGRADE) requirements/dev.in -o requirements/dev.txt
	@for service in api worker admin-ui; do $(VENV)/lock/bin/$(LOCK) --no-emit-package tripwire-shared -c requirements/run.txt \
		services/$$service/pyproject.toml -o requirements/$$service.txt; done
	@$(VENV)/lock/bin/$(LOCK) -c requirements/run.txt requirements/build.in -o requirements/build.txt

clean: ## remove the virtual environment, caches and builds; .data/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} + ; find . -name '*.egg-info' -prune -exec rm -rf {} +

# Stamps: what is installed is installed again only when a lock or a package's metadata has changed.
$(VENV)/made.stamp:
	@deploy/local/make_venv.sh $(VENV)
	@touch $@

$(VENV)/run.stamp: $(VENV)/made.stamp requirements/run.txt $(PACKAGES:%=%/pyproject.toml)
	@echo "Installing the locked dependencies into $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation $(PACKAGES:%=-e %)
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp requirements/dev.txt
	@echo "Installing the tools for tests and checks into $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

# Made with the virtual environment's Python, but not of it: a change of dependencies alone fetches nothing anew.
$(VENV)/assets.stamp: $(VENV)/made.stamp services/admin-ui/package.json services/admin-ui/package-lock.json \
		services/admin-ui/build_assets.py requirements/assets.txt
	@echo "Fetching the assets of the pages (once)"
	@$(BIN)/python services/admin-ui/build_assets.py
	@touch $@

# Tools with dependencies of their own, apart from what runs and from what tests.
$(VENV)/supply.stamp: $(VENV)/run.stamp requirements/supply.txt
	@$(BIN)/python -m venv $(VENV)/supply
	@$(VENV)/supply/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/supply.txt
	@touch $@

$(VENV)/lock.stamp: $(VENV)/made.stamp
	@$(BIN)/python -m venv $(VENV)/lock && $(VENV)/lock/bin/python -m pip install --quiet uv
	@touch $@
