# Thin verbs over cargo. `make demo` and `make test` set up what they need by themselves.

CARGO ?= cargo
USERS ?= 5000
DAYS  ?= 90
CASES ?= 20000
SECONDS ?= 600
SCALE ?= 1

# Where release binaries are: run from there, since `cargo run` of one package alone may build its dependencies anew.
RELEASE = $(or $(CARGO_TARGET_DIR),target)/release

# Where a demo's lake lies, when nothing says otherwise.
STATE_DIR ?= $(if $(filter 0,$(shell id -u)),/var/lib/kindred,$(or $(XDG_STATE_HOME),$(HOME)/.local/state)/kindred)
LAKE ?= $(STATE_DIR)/lake

.PHONY: help setup demo run walkthrough notebook test test-faults fuzz fuzz-api lint docs bench soak cold-builds

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

setup: ## Checks the toolchain and installs the PostgreSQL server binaries when they are missing
	@scripts/setup.sh

demo: setup ## A simulated dating platform with its figures, on http://127.0.0.1:3008 (USERS=5000 DAYS=90)
	$(CARGO) run --package kindred -- demo --users $(USERS) --days $(DAYS)

run: setup ## Both servers, on the settings of the environment and .env
	$(CARGO) run --quiet --package kindred -- serve

walkthrough: setup ## The specification's walkthrough with its checks, on services of its own (USERS=20)
	@scripts/walkthrough.sh

notebook: ## The data scientists' notebook, run on a demo's lake and kept with its output (LAKE=folder)
	LAKE="$(LAKE)" "$$(scripts/venv.sh data)/bin/python" scripts/run-notebook.py docs/notebooks/tour.ipynb

test: setup ## Every test, on a real PostgreSQL of its own
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
		$(CARGO) nextest run --workspace --exclude kindred-benches; \
	else \
		$(CARGO) test --workspace --exclude kindred-benches; \
	fi

test-faults: setup ## The fault suite with its long forms: 200 kills, every boundary; `make test` has the short ones
	$(CARGO) test --workspace --exclude kindred-benches --test cli -- --include-ignored --nocapture --test-threads 2 faults::

fuzz: ## Malformed settings, schedules, event lines and query headers: minutes of what `make test` tries briefly (CASES=20000)
	PROPTEST_CASES=$(CASES) $(CARGO) test --workspace --exclude kindred-benches --lib --bins -- fuzz

fuzz-api: setup ## Both APIs against requests made from their OpenAPI documents (FUZZ=short: few, always the same)
	@scripts/fuzz-api.sh $(FUZZ)

lint: ## Formatting, clippy and docs, warnings denied
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" $(CARGO) doc --workspace --no-deps --document-private-items

docs: ## The workspace's API documentation
	$(CARGO) doc --workspace --no-deps

bench: setup ## Benchmarks, each against its floor or its peer in the same run, and one table of them all (SCALE=0.2)
	$(CARGO) build --package kindred
	$(CARGO) build --release --package kindred --package kindred-benches
	@rm -f $(RELEASE)/../bench/*.json
	@for name in extract load "plans $(SCALE)" night growth api; do \
		$(RELEASE)/bench-$$name || echo "bench-$$name ended without its figures" >&2; \
	done
	$(RELEASE)/bench-table

soak: setup ## The KPI API's memory under load, which must stay flat (SECONDS=600)
	$(CARGO) build --release --package kindred --package kindred-benches
	$(RELEASE)/bench-api --soak $(SECONDS)

cold-builds: ## How long the first build of the tests and of a release takes
	@scripts/cold-builds.sh
