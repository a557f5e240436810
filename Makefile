# doubletake: `make demo` and `make test` do their own set-up.

PYTHON ?= python3
ENV ?= cpu
CORES ?= all
WORKERS ?= auto
VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-peers
VLLM := .venv-vllm
SNAKEMAKE = $(BIN)/snakemake --cores $(CORES)
RUNTIME := $(VENV)/installed-$(ENV)
DEVELOPMENT := $(VENV)/installed-dev-$(ENV)
SUBMISSION := $(VENV)/installed-slurm-$(ENV)
# Bytecode saves seconds at every start of Snakemake, so this setting of the shell is removed.
unexport PYTHONDONTWRITEBYTECODE
# For scripts that are called by hand. The Snakefile sets the same path for its jobs.
export PYTHONPATH := $(CURDIR)/workflow/scripts$(if $(PYTHONPATH),:$(PYTHONPATH))

.DEFAULT_GOAL := help
.PHONY: help demo explore documents slurm verify detect score stop test test-slurm test-faults test-real test-browser lint format bench clean pocket

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

demo: $(RUNTIME) ## Run the default study and print the path of the report
	@$(SNAKEMAKE)
	@echo "The report: $(CURDIR)/results/report.html"
	@echo "Every thought: $(CURDIR)/results/explorer/index.html"

explore: $(RUNTIME) ## Serve the explorer on this machine: RESULTS=results PORT=8000
	@$(BIN)/python workflow/scripts/explorer/serve.py --port "$${PORT:-8000}" -- "$${RESULTS:-results}/explorer"

verify: $(RUNTIME) ## Compare results with their manifests: RESULTS=results
	@$(BIN)/python workflow/scripts/manifest/verify.py -- "$${RESULTS:-results}"

slurm: $(SUBMISSION) ## Install the packages that send jobs to a SLURM cluster

# File names go through the environment, so that neither make nor the shell runs them as code.
override TRACES := $(value TRACES)
override EVENTS := $(value EVENTS)
override LABELS := $(value LABELS)
override RESULTS := $(value RESULTS)
override COLUMNS := $(value COLUMNS)
override PROBLEMS := $(value PROBLEMS)
override MODEL := $(value MODEL)
override REVISION := $(value REVISION)
override CONFIG := $(value CONFIG)
override LIMIT := $(value LIMIT)
override PORT := $(value PORT)
override DTYPE := $(value DTYPE)
override DEVICE := $(value DEVICE)
export TRACES EVENTS LABELS RESULTS COLUMNS PROBLEMS MODEL REVISION CONFIG LIMIT PORT DTYPE DEVICE

detect: $(RUNTIME) ## Find events in your own thoughts: TRACES=in.jsonl EVENTS=out.jsonl
	@$(if $(and $(TRACES),$(EVENTS)),,$(error make detect needs TRACES=in.jsonl EVENTS=out.jsonl))$(BIN)/python workflow/scripts/events/detect_file.py --columns="$$COLUMNS" --problems="$$PROBLEMS" -- "$$TRACES" "$$EVENTS"

score: $(RUNTIME) ## Score events against labels: LABELS=in.jsonl EVENTS=in.jsonl
	@$(if $(and $(LABELS),$(EVENTS)),,$(error make score needs LABELS=in.jsonl EVENTS=in.jsonl))$(BIN)/python workflow/scripts/detector/score_file.py -- "$$LABELS" "$$EVENTS"

stop: $(RUNTIME) ## Compare exit rules on your own thoughts: TRACES=in.jsonl MODEL=folder
	@$(if $(and $(TRACES),$(MODEL)),,$(error make stop needs TRACES=in.jsonl MODEL=folder))$(BIN)/python workflow/scripts/exit_policies/stop_file.py --revision="$$REVISION" --problems="$$PROBLEMS" --columns="$$COLUMNS" --limit="$$LIMIT" --dtype="$$DTYPE" --device="$$DEVICE" --config="$$CONFIG" --results="$$RESULTS" --cores="$(CORES)" -- "$$TRACES" "$$MODEL"

test: $(DEVELOPMENT) ## Run all tests except test-slurm, test-real and test-browser
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-faults: $(DEVELOPMENT) ## Run the fault tests with all kills: kills, damaged files, full disks
	@DOUBLETAKE_KILLS=30 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile tests/faults

test-slurm: $(DEVELOPMENT) $(SUBMISSION) ## Install SLURM on this machine (Debian, as root) and run studies with it
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m slurm tests/slurm

test-real: $(DEVELOPMENT) ## Run all experiments on SmolLM2 (in ~/.cache/doubletake) and check the numbers
	@$(BIN)/python -m pytest -m real tests/real

test-browser: $(DEVELOPMENT) ## Look at the explorer in Chromium (Debian, as root: installs it)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m browser tests/browser

lint: $(DEVELOPMENT) ## Check style and types of scripts, tests and rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/snakefmt --check Snakefile rules
	@$(BIN)/snakemake --lint

format: $(DEVELOPMENT) ## Format scripts, tests and rules
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/snakefmt Snakefile rules

pocket: $(RUNTIME) ## Train the pocket model again and put it into resources/
	@$(SNAKEMAKE) evaluate_pocket label_pocket
	@cp -R results/training/pocket/model/. $(addprefix results/training/pocket/,problems.jsonl labelled_traces.jsonl metrics.json training.json) resources/pocket/

bench: $(DEVELOPMENT) ## Print the speed of the computations beside other libraries
	@$(MAKE) --no-print-directory $(PEERS)/installed || echo "The libraries of tests/bench/peers.txt cannot be installed; they are not compared."
	@$(MAKE) --no-print-directory $(VLLM)/installed || echo "vLLM (tests/bench/vllm.txt) cannot be installed; it is not compared."
	@python=$(BIN)/python; if [ -e $(PEERS)/installed ]; then python=$(PEERS)/bin/python; fi; $$python tests/bench/run.py

documents: $(DEVELOPMENT) ## Write the generated parts of the documents
	@PYTHONPATH="tests:$$PYTHONPATH" $(BIN)/python tests/documents.py
	@PYTHONPATH="tests:$$PYTHONPATH" $(BIN)/python tests/workflow/reruns.py

clean: ## Remove all results, but not the environment
	@rm -rf results .snakemake

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "doubletake needs Python 3.11 or newer, not " + sys.version.split()[0] + " (set PYTHON=...)")'
	@$(PYTHON) -m venv $(VENV)

$(RUNTIME): envs/base.txt envs/$(ENV).txt | $(BIN)/python
	@echo "Installing the pinned packages of envs/$(ENV).txt into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r envs/$(ENV).txt
	@$(BIN)/python -m compileall -q $(VENV)/lib >/dev/null || true
	@if [ $(ENV) = gpu ]; then $(BIN)/python -c 'import sys, torch; sys.exit(torch.version.cuda is None and "ENV=gpu: the installed torch has no CUDA")'; fi
	@touch $@

# Libraries for comparison in the benches. doubletake itself never needs them.
$(PEERS)/installed: tests/bench/peers.txt envs/base.txt envs/cpu.txt | $(BIN)/python
	@$(BIN)/python -m venv $(PEERS)
	@echo "Installing the libraries to compare with into $(PEERS) ..."
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r tests/bench/peers.txt
	@touch $@

# vLLM wants other versions of its own. Without its dependencies for images and sound,
# whose builds need a GPU: the list is complete.
$(VLLM)/installed: tests/bench/vllm.txt | $(BIN)/python
	@$(BIN)/python -m venv $(VLLM)
	@echo "Installing vLLM to compare with into $(VLLM) ..."
	@$(VLLM)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r tests/bench/vllm.txt
	@touch $@

$(DEVELOPMENT): envs/dev.txt $(RUNTIME)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r envs/dev.txt
	@touch $@

$(SUBMISSION): envs/slurm.txt $(RUNTIME)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r envs/slurm.txt
	@touch $@
