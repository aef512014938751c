# Everything runs in .venv, which `make` sets up from the hashed locks. Needs Python 3.11+ and make.

PYTHON ?= python3
STACK ?= dev
BASE ?= origin/main
VENV := .venv
BIN := $(VENV)/bin
SOURCES := components stacks plan policy sandbox reference loadtest simulate status wizard adoption cli __main__.py tests bench proof docs examples supply website

# What `make lint` runs side by side; each can be made alone.
CHECKS := lint-types lint-schema lint-reference lint-names lint-layers lint-style lint-rules lint-workflows
SYNCED := $(if $(filter output-sync,$(.FEATURES)),--output-sync)

# Compiled modules are kept out of the sources, also where the shell turns their writing off: the
# cloud SDKs take seconds to compile.
COMPILED := $(CURDIR)/$(VENV)/pycache
$(CHECKS) test reference baseline proof: export PYTHONPYCACHEPREFIX := $(COMPILED)
$(CHECKS) test reference baseline proof: export PYTHONDONTWRITEBYTECODE :=

.PHONY: help plan diff sandbox sandbox-down policy test lint $(CHECKS) format schema reference vllm-table sglang-table baseline lock bench figures proof pictures site sbom audit clean

help: ## Show what there is to make.
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

plan: $(VENV)/.plan ## Show what `pulumi up` would create. STACK=dev is the default.
	@$(BIN)/ack-inference plan $(STACK)

diff: $(VENV)/.plan ## Show what this working tree changes in every stack, against BASE=origin/main.
	@$(BIN)/ack-inference diff --base $(BASE)

sandbox: $(VENV)/.plan ## Run `pulumi up` on this machine, with a simulated cloud. NODES=1 schedules pods. Needs Go.
	@$(BIN)/ack-inference sandbox up $(STACK) $(if $(NODES),--nodes)

sandbox-down: $(VENV)/.plan ## Remove what `make sandbox` made.
	@$(BIN)/ack-inference sandbox down

policy: $(VENV)/.policy ## Install the policy pack, for `pulumi preview --policy-pack policy`.

test: $(VENV)/.dev $(VENV)/.policy ## Run the tests, on all cores.
	@$(BIN)/pytest --numprocesses auto --dist loadscope --no-loadscope-reorder

lint: $(VENV)/.dev ## Check style, types, layers and generated files, side by side.
	@$(MAKE) --no-print-directory --jobs --keep-going $(SYNCED) $(CHECKS)

$(CHECKS): $(VENV)/.dev

lint-types:
	@$(BIN)/mypy

lint-schema:
	@$(BIN)/ack-inference schema --check

lint-reference:
	@$(BIN)/python -W ignore -m reference --check

lint-names:
	@$(BIN)/python -m tests.names

lint-layers:
	@$(BIN)/lint-imports

lint-style:
	@$(BIN)/ruff format --check $(SOURCES)

lint-rules:
	@$(BIN)/ruff check $(SOURCES)

lint-workflows:
	@$(BIN)/zizmor --offline --quiet --no-progress .github

format: $(VENV)/.dev ## Bring the code into shape.
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/ruff check --fix $(SOURCES)

schema: $(VENV)/.plan ## Write the JSON Schemas of stack files and of the plugin.
	@$(BIN)/ack-inference schema

reference: $(VENV)/.plan ## Write the generated part of the documents, and the SDKs' types.
	@$(BIN)/python -W ignore -m reference

vllm-table: $(VENV)/.dev ## Read the releases of vLLM anew, 20 GB of wheels. WHEELS=FOLDER has them unpacked.
	@$(BIN)/python -W ignore -m reference.vllm $(WHEELS)

sglang-table: $(VENV)/.dev ## Read the releases of SGLang anew, 0.3 GB of wheels.
	@$(BIN)/python -W ignore -m reference.sglang

baseline: $(VENV)/.dev ## Accept what the library promises now; have the diff reviewed.
	@$(BIN)/python -W ignore -m tests.baselines

lock: $(BIN)/uv ## Pin what pyproject.toml allows, with hashes and without an index.
	@$(call compile,pyproject.toml --group cli,requirements.lock)
	@$(call compile,pyproject.toml --group dev --constraint requirements.lock,requirements-dev.lock)
	@$(call compile,policy/requirements.in,policy/requirements.txt)
	@$(call compile,website/requirements.in,website/requirements.txt)
	@$(call compile,bench/requirements-cdk8s.in,bench/requirements-cdk8s.txt)
	@$(call compile,--python-version 3.12 bench/requirements-aiperf.in,bench/requirements-aiperf.txt)
	@$(call compile,--python-version 3.12 proof/requirements-inference-perf.in,proof/requirements-inference-perf.txt)
	@$(call compile,proof/requirements-routing.in,proof/requirements-routing.txt)
	@$(call compile,docs/images/requirements.in,docs/images/requirements.txt)
	@$(call compile,supply/requirements.in,supply/requirements.txt)
	@$(call compile,supply/requirements-sign.in,supply/requirements-sign.txt)

bench: $(VENV)/.dev ## Measure in a few minutes. Needs Go and Node.
	@$(BIN)/python -W ignore -m bench

figures: $(VENV)/.dev ## Measure for half an hour, and write it into docs/performance.md.
	@$(BIN)/python -W ignore -m bench --whole

proof: $(VENV)/.dev ## Run others' programs against what we say of them. STEPS=nodes runs one. Needs Go; Python 3.12.
	@$(BIN)/python -W ignore -m proof $(STEPS)

pictures: $(VENV)/.dev ## Make the pictures of the documents anew; PARTS="diffs terminals" makes some. Needs Chromium, Go.
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r docs/images/requirements.txt
	@$(BIN)/python -W ignore docs/images/make.py $(PARTS)

sbom: $(VENV)/.supply ## List what every lock and Go module pins, as CycloneDX in sbom/. Needs Go.
	@$(BIN)/python -m supply sbom sbom

audit: $(VENV)/.supply ## Hold the locks against known vulnerabilities, and Go modules' licences against our list.
	@$(BIN)/python -m supply audit

site: $(VENV)/.site ## Build the documentation site into .site/html, without a dead link.
	@website/.venv/bin/python -m website

clean: ## Remove the environments and all caches.
	@rm -rf $(VENV) policy/.venv website/.venv website/node_modules supply/.venv .site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

define compile
$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-header --no-annotate --universal $(if $(findstring --python-version,$(1)),,--python-version 3.11) \
	$(1) --output-file $(2)
endef

define sync
$(BIN)/uv pip sync --quiet --python $(1)/bin/python --require-hashes $(2)
endef

define console_script
#!$(CURDIR)/$(BIN)/python
import sys

sys.dont_write_bytecode, sys.pycache_prefix = False, "$(COMPILED)"
sys.path.insert(0, "$(CURDIR)")
from cli import main

if __name__ == "__main__":
    sys.exit(main())
endef
export console_script

$(BIN)/uv: requirements-uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Python 3.11 or later is needed: make PYTHON=/path/to/python3.11'; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || \
		{ echo 'The venv module is missing: install it, on Debian as python3-venv.'; exit 1; }
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<

$(BIN)/ack-inference: $(BIN)/uv Makefile
	@echo "$$console_script" > $@
	@chmod +x $@

$(VENV)/.plan: requirements.lock $(BIN)/uv $(BIN)/ack-inference
	@test -e $(VENV)/.dev || $(call sync,$(VENV),requirements.lock)
	@touch $@

$(VENV)/.dev: requirements.lock requirements-dev.lock $(BIN)/uv $(BIN)/ack-inference
	@$(call sync,$(VENV),requirements-dev.lock)
	@touch $@ $(VENV)/.plan

$(VENV)/.policy: policy/requirements.txt $(BIN)/uv
$(VENV)/.supply: supply/requirements.txt $(BIN)/uv
$(VENV)/.site: website/requirements.txt $(BIN)/uv
$(VENV)/.policy $(VENV)/.supply $(VENV)/.site:
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(<D)/.venv
	@$(call sync,$(<D)/.venv,$<)
	@touch $@

# Beside nothing else: what runs there may publish.
$(VENV)/.sign: supply/requirements-sign.txt $(BIN)/uv
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)/sign
	@$(call sync,$(VENV)/sign,$<)
	@touch $@
