# Everything runs from here and installs what it needs. Requires only Rust and Python 3.10 or newer.
#
#   make demo            copies a sample across two local accounts (FROM=<folder> for your own files)
#   make test            runs everything that CI runs
#   make local-up        starts a new, empty local stack (PORT=4566, EVENTS=on); make local-down stops it
#   make package         builds the zips to deploy, in target/lambda/ (ZIG=1 where the C library is newer than Lambda's,
#                        ARCHITECTURE=arm64 on such a machine, and as the stack's parameter)
#   make release         make package, and all that a deployment needs in one folder and archive, in target/dist/
#   make acceptance      deploys on two AWS accounts and plays what only AWS can judge (SOURCE_PROFILE= TARGET_PROFILE=
#                        REGION= TARGET_REGION= ONLY= CLEAN=), or on a local stack (LOCAL=1)
#   make model           runs the S3 model server in the foreground (PORT=9100, ARGS="--help")
#   make simulate        plays whole runs in simulation (SEEDS=10000, SEED= for the story of one, FAULTS=1 plants faults)
#   make fuzz            fuzzes what parses anything from outside (SECONDS=30 for each target, ONLY= for one)
#   make bench           runs the benchmarks against other tools (ONLY=planning for one)
#   make images          holds renditions of some 750 images, and those of a run, against sharp and Pillow
#   make animation       draws the README's animation again, from the command on a new local stack
#   make lint, make fmt, make terraform (what the Terraform modules take over from the templates)

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON := .venv/bin/python
STACK := PYTHONPATH=infra/local $(PYTHON) -m shardlift_local
LAMBDAS := planner copier renderer reporter intake
STACK_PORT = $(or $(PORT),4566)
MODEL_PORT = $(or $(PORT),9100)

.PHONY: help
help:
	@sed -n 's/^# \{0,1\}//; 2,/^$$/p' Makefile | head -15

# ------------------------------------------------------------- the local stack
.PHONY: local-up local-down demo demo-folder
local-up: venv-local package-local
	@$(STACK) up --port $(STACK_PORT) $(if $(filter on,$(EVENTS)),--events)

local-down: venv-local
	@$(STACK) down

demo: demo-folder venv-local package-local
	@$(STACK) demo --port $(STACK_PORT) $(if $(FROM),--folder "$(FROM)")

# Draws docs/demo.svg again, from the command on a new local stack.
.PHONY: animation
animation: venv-local package-local
	@PORT=$(STACK_PORT) PYTHONPATH=infra/local $(PYTHON) -m shardlift_local.animation

# Before anything is built, or a stack that runs is replaced.
demo-folder:
	@from="$(FROM)"; [ -z "$$from" ] || [ -d "$${from/#\~/$$HOME}" ] || \
	  { echo "shardlift: FROM=$(FROM) is no folder. Nothing was changed; name a folder with files in it" >&2; exit 1; }

# ---------------------------------------------------------------------- builds
.PHONY: build package package-local
# Always the whole workspace: the features of a dependency depend on which crates are built together, so that a build of
# some of them would compile the AWS SDK again.
BUILD := --workspace
# Without the examples, which benchmarks need: they take longer to compile than the tests take to run. Clippy sees them.
TESTED := --workspace --lib --bins --tests
test test-rust test-peers test-browser test-workflow test-acceptance: BUILD := $(TESTED) --example render_images

build:
	@cargo build --release --locked $(BUILD)

# Refuses binaries that Lambda cannot start. With ZIG=1, zig links them against Lambda's C library, on any host.
package: venv-local $(if $(ZIG),build-zig,build build-deploy)
	@PYTHONPATH=infra/local $(PYTHON) -m shardlift_local.package $(if $(ARCHITECTURE),--architecture $(ARCHITECTURE)) --binaries target/$(if $(ZIG),$(LAMBDA_TARGET)/)deploy

package-local: venv-local build
	@PYTHONPATH=infra/local $(PYTHON) -m shardlift_local.package --local

# With the command for hosts with this one's C library or a newer one.
.PHONY: release
release: package
	@rm -rf target/share && mkdir -p target/share/completions
	@target/release/shardlift man --dir target/share/man/man1 2>/dev/null
	@for shell in bash zsh fish; do target/release/shardlift completions $$shell >target/share/completions/shardlift.$$shell; done
	@PYTHONPATH=infra/local $(PYTHON) -m shardlift_local.release $(if $(ARCHITECTURE),--architecture $(ARCHITECTURE))

# The functions alone, in the profile of what is deployed: without what the command adds to the SDK.
FUNCTION_CRATES := $(foreach crate,$(LAMBDAS),-p shardlift-$(crate))
.PHONY: build-deploy
build-deploy:
	@cargo build --profile deploy --locked $(FUNCTION_CRATES)

# The version is that of Amazon Linux 2023's glibc.
LAMBDA_TARGET := x86_64-unknown-linux-gnu
.PHONY: build-zig
build-zig: venv-zig
	@command -v rustup >/dev/null && rustup target add $(LAMBDA_TARGET) || true
	@CARGO_ZIGBUILD_PYTHON_PATH=$(CURDIR)/$(PYTHON) cargo zigbuild --profile deploy --locked --target $(LAMBDA_TARGET).2.34 $(FUNCTION_CRATES)

.PHONY: model
model:
	@cargo run --quiet --release --locked -p shardlift-s3-model -- --port $(MODEL_PORT) $(ARGS)

# What the reporter prints, its metrics, goes to the standard output.
.PHONY: simulate
SIMULATE := target/release/simulate
simulate: build
	@$(SIMULATE) --seeds $(or $(SEEDS),$(if $(FAULTS),1000,10000)) $(if $(SEED),--seed $(SEED)) $(if $(FAULTS),--faults) >/dev/null
	@$(if $(FAULTS),python3 tests/simulation/plant.py --seeds $(or $(SEEDS),1000))

# Needs a C++ compiler, for libFuzzer. The flags are those of `cargo fuzz` without a sanitizer, so stable Rust takes them. The
# parsers in the AWS adapters have a binary of their own, which links the SDK as it was built.
.PHONY: fuzz
export FUZZ_RUSTFLAGS := -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
  -Cllvm-args=-sanitizer-coverage-trace-compares
HOST = $(shell rustc -vV | sed -n 's/^host: //p')
fuzz:
	@RUSTFLAGS="$(FUZZ_RUSTFLAGS)" cargo build --release --locked --target-dir target/fuzz --target $(HOST) -p shardlift-fuzz --features fuzzing --bin fuzz
	@RUSTC_WORKSPACE_WRAPPER="$(CURDIR)/tests/fuzz/instrumented_rustc" cargo build --release --locked --workspace --features shardlift-fuzz/fuzzing,shardlift-fuzz/aws --bin fuzz
	@python3 tests/fuzz/run.py --binary target/fuzz/$(HOST)/release/fuzz --aws-binary target/release/fuzz $(if $(SECONDS),--seconds $(SECONDS)) $(if $(ONLY),--only $(ONLY))

# Each takes minutes. They compare with other tools on the S3 model, or count on the local stack, and write
# target/bench/results.json.
.PHONY: bench
bench: BUILD := --workspace --all-targets
bench: venv-tests venv-bench package-local tests/images/node_modules
	@$(PYTHON) tests/bench/run.py $(ONLY)

# Fetches 47 MB of test images, and the two programs that they are rendered with for comparison: first by the crate alone,
# then by a run on the local stack.
.PHONY: images
images: BUILD := --workspace --all-targets
images: venv-tests tests/images/node_modules package-local
	@$(PYTHON) tests/images/compare.py
	@$(PYTHON) -m pytest tests/images

# The README's commands and what only AWS can judge; docs/REALITY.md says what was seen.
.PHONY: acceptance
ACCEPTANCE := PYTHONPATH=infra/local $(PYTHON) -m tests.acceptance
acceptance: venv-tests $(if $(LOCAL),package-local,package)
	@$(ACCEPTANCE) $(if $(LOCAL),--local) $(if $(SOURCE_PROFILE),--source-profile "$(SOURCE_PROFILE)") \
	  $(if $(TARGET_PROFILE),--target-profile "$(TARGET_PROFILE)") $(if $(REGION),--region "$(REGION)") \
	  $(if $(TARGET_REGION),--target-region "$(TARGET_REGION)") $(if $(ONLY),--only "$(ONLY)") \
	  $(if $(CLEAN),--clean "$(CLEAN)")

# ------------------------------------------------------------------- the tests
.PHONY: test test-rust test-static test-peers test-browser test-workflow test-acceptance lint lint-rust lint-python lint-infra fmt
test: lint test-rust test-static test-peers test-browser test-workflow test-acceptance
	@echo "All checks passed."

test-rust: build
	@cargo test --release --locked $(TESTED) --quiet
	@cargo test --release --locked --workspace --doc --quiet

test-static: venv-tests tests/static/node_modules
	@$(PYTHON) -m pytest tests/static

# Other tools copy on the S3 model, so that it is not proven by our own client alone.
test-peers: venv-tests build
	@$(PYTHON) -m pytest tests/peers

# In a real browser: the report's page, written by the reporter's own tests, the demo's contact sheet of its pictures, and a
# page that must not reach the S3 model.
test-browser: build tests/browser/node_modules
	@cargo test --release --locked --quiet --workspace --test reporting pages::
	@python3 tests/browser/write_contact_sheet.py
	@node --test tests/browser/*.test.mjs

# The real machine, templates and functions on the local stack, with permissions removed one at a time.
test-workflow: venv-tests package-local
	@$(PYTHON) -m pytest tests/workflow tests/security

# The acceptance suite on a local stack, and faults that must turn it red.
test-acceptance: venv-tests package-local
	@$(PYTHON) -m pytest tests/acceptance
	@$(ACCEPTANCE) --local

lint: lint-rust lint-python lint-infra

lint-rust: venv-tests
	@cargo fmt --all --check
	@cargo clippy --release --locked --workspace --all-targets --quiet -- --deny warnings
	@.venv/bin/typos

lint-python: venv-tests
	@.venv/bin/ruff check --quiet infra tests examples
	@.venv/bin/ruff format --quiet --check infra tests examples

lint-infra: venv-tests .venv/checkov/installed
	@.venv/bin/cfn-lint --append-rules infra/rules -- infra/template.yaml infra/target-account.yaml infra/pair.yaml
	@mkdir -p target/checkov
	@for name in template target-account pair; do \
	  sed 's/^    Default: "false"$$/    Default: "true"/' infra/$$name.yaml >target/checkov/$$name.yaml || exit 1; done
	@PYTHONPATH=.venv/checkov $(PYTHON) -m checkov.main --config-file infra/checkov.yaml \
	  -f infra/template.yaml -f infra/target-account.yaml -f infra/pair.yaml \
	  -f target/checkov/template.yaml -f target/checkov/target-account.yaml -f target/checkov/pair.yaml >target/checkov.txt || { cat target/checkov.txt; exit 1; }

# Its own folder, because checkov pins other versions of the local stack's packages.
.venv/checkov/installed: infra/checkov-requirements.txt | venv-tests
	@echo "Installing $< into .venv/checkov"
	@rm -rf .venv/checkov
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --require-hashes --only-binary :all: \
	  --target .venv/checkov -r $<
	@touch $@

.PHONY: terraform
terraform: venv-tests
	@$(PYTHON) infra/terraform/generate.py

fmt: venv-tests
	@cargo fmt --all
	@.venv/bin/ruff check --quiet --fix infra tests examples
	@.venv/bin/ruff format --quiet infra tests examples

# ---------------------------------------------------------------------- set-up
.PHONY: venv-local venv-tests venv-bench venv-zig node
venv-local:
	@infra/local/venv.sh infra/local/requirements.txt

venv-tests:
	@infra/local/venv.sh tests/requirements.txt

venv-bench:
	@infra/local/venv.sh tests/bench/requirements.txt

venv-zig:
	@infra/local/venv.sh infra/zig/requirements.txt

# The installed Node, or else the one from PyPI.
export PATH := $(PATH):$(CURDIR)/.venv/bin
node: venv-tests
	@command -v npm >/dev/null || infra/local/venv.sh tests/node-requirements.txt

.PHONY: tests/static/node_modules tests/browser/node_modules tests/images/node_modules
tests/static/node_modules tests/browser/node_modules tests/images/node_modules: node
	@cmp -s $(@D)/package-lock.json $@/installed-lock.json || \
	  { npm ci --silent --no-audit --no-fund --prefix $(@D) && cp $(@D)/package-lock.json $@/installed-lock.json; }
