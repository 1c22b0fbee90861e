# The verbs of this repository. `make` lists them.

.DEFAULT_GOAL := help
SHELL := /bin/bash

CARGO ?= cargo
PYTHON ?= python3
# The lock file is part of the source: nothing here changes it.
LOCKED := --locked
# Beside the sources and not tracked.
VENV := .venv
# boto3 against the sandbox, and the contract suite, which runs its cases on moto too.
PYTHON_SUITES := crates/sandbox/tests
BINARIES := $(or $(CARGO_TARGET_DIR),target)/debug
LOCAL := $(BINARIES)/jwthttpapi-local

.PHONY: help
help: ## List the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: doctor
doctor: ## Name what is missing on this machine
	@hack/doctor

# The same, silent unless something is missing.
.PHONY: healthy
healthy:
	@hack/doctor --quiet

##------------------------------------------------------------------------------------------------------------ try it

.PHONY: demo
demo: tools ## From nothing to a JWT-protected API on a local Kubernetes and a local AWS, and back
	@$(LOCAL) demo

.PHONY: up
up: tools ## The same, left running; prints the kubeconfig and the URLs
	@$(LOCAL) up

.PHONY: down
down: ## End what `make up` started
	@if [ -x $(LOCAL) ]; then $(LOCAL) down; else echo "Nothing is running."; fi

##------------------------------------------------------------------------------------------------------------ build

.PHONY: build
build: healthy ## Build every binary
	$(CARGO) build $(LOCKED) --workspace --bins

.PHONY: tools
tools: build ## Build Kubernetes, etcd, kubectl and Helm into the cache (minutes, once)
	@$(LOCAL) tools

.PHONY: generate
generate: build ## Write the generated files: crds/ and the chart's copy
	mkdir -p crds
	$(BINARIES)/jwthttpapi crds > crds/.new
	mv crds/.new crds/jwthttpapis.jwthttpapi.dev.yaml
	cp crds/jwthttpapis.jwthttpapi.dev.yaml charts/jwthttpapi/files/crd.yaml

.PHONY: generate-chart
generate-chart: ## Write what follows from the chart: table of values, descriptions in its schema, snapshots
	UPDATE_CHART=1 $(CARGO) test $(LOCKED) --workspace --test chart

.PHONY: fmt
fmt: ## Format the sources
	$(CARGO) fmt --all

##------------------------------------------------------------------------------------------------------------ prove

.PHONY: lint
lint: lint-fmt lint-clippy lint-doc lint-deny ## Formatting, clippy, documentation, dependencies

.PHONY: lint-fmt lint-clippy lint-doc lint-deny
lint-fmt:
	$(CARGO) fmt --all --check
lint-clippy:
	$(CARGO) clippy $(LOCKED) --workspace --all-targets -- --deny warnings
lint-doc:
	RUSTDOCFLAGS="--deny warnings" $(CARGO) doc $(LOCKED) --workspace --no-deps --document-private-items
lint-deny:
	@if $(CARGO) deny --version >/dev/null 2>&1; then \
	  $(CARGO) deny $(LOCKED) check bans licenses sources; \
	else \
	  echo "lint-deny: skipped, since cargo-deny is not installed (cargo install --locked cargo-deny)"; \
	fi

# First of all it refuses a binary in which bugs can be planted.
.PHONY: bench
bench: tools ## Measure the release binary's size, times and memory
	$(CARGO) build $(LOCKED) --release --package jwthttpapi
	CARGO_BIN_EXE_jwthttpapi=$(or $(CARGO_TARGET_DIR),target)/release/jwthttpapi $(LOCAL) bench

# A build of its own, in which bugs can be planted: in no other build do they exist, and each binary in which one can be
# planted holds the names of all, which tests/e2e/binary.rs and `make bench` look for.
PLANTED := $(or $(CARGO_TARGET_DIR),target)/planted
SWEEPER := $(PLANTED)/sweep/jwthttpapi-sweep

.PHONY: sweeper
sweeper:
	RUSTFLAGS="$(RUSTFLAGS) --cfg planted" CARGO_TARGET_DIR=$(PLANTED) \
	  $(CARGO) build $(LOCKED) --profile sweep --package jwthttpapi-simulation --bins

.PHONY: sweep
sweep: sweeper ## Run the operator under every fault, simulated: three hours on two cores (SWEEP="--parts one" for fewer)
	$(SWEEPER) sweep $(SWEEP)

.PHONY: flakes
flakes: sweeper ## Live the same lives a hundred times, and see that they are the same: half an hour
	$(SWEEPER) slice --repeats 100

.PHONY: known-bugs
known-bugs: sweeper ## Plant every known bug and see that the simulation catches it: minutes (BUGS="AckShape" for some)
	$(SWEEPER) known-bugs $(BUGS)

.PHONY: mutants
mutants: ## Break the core in every small way and see its tests notice: hours, goes on where it ended (MUTANTS="--shard 0/8")
	JWTHTTPAPI_CASES=64 JWTHTTPAPI_SHRINKS=0 $(CARGO) mutants --package jwthttpapi-core --iterate $(MUTANTS) || test $$? -eq 2 -o $$? -eq 3
	$(CARGO) mutants --package jwthttpapi-core --list | $(PYTHON) crates/core/mutants.py target/mutants.out

.PHONY: advisories
advisories: ## Ask the advisory database about the dependencies (cargo-deny)
	$(CARGO) deny $(LOCKED) check advisories

.PHONY: test
test: test-rust test-python ## Everything that proves the project

.PHONY: test-rust test-python
# Not after `build`: the tests turn on features of the dependencies, and cargo builds the binaries with them.
test-rust: healthy
	$(CARGO) test $(LOCKED) --workspace --no-run
	@$(LOCAL) tools
	$(CARGO) test $(LOCKED) --workspace --no-fail-fast
test-python: healthy $(VENV)/ready
	$(CARGO) test $(LOCKED) --workspace --no-run
	$(VENV)/bin/python -m pytest $(PYTHON_SUITES)

$(VENV)/ready: $(PYTHON_SUITES)/requirements.txt
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@
