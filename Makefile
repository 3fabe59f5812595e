# Two commands for a newcomer: `make reproduce` and `make test`. Nothing but Python, make and pip.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
SCALE ?= mini

.PHONY: help reproduce test bench install lint format clean

help:
	@echo "make reproduce   install, then run the whole study at scale mini"
	@echo "make test        install, then run every test"
	@echo "make bench       measure speed and memory; stored in benchmarks/results (BENCH=... chooses)"
	@echo "make lint        what CI checks besides the tests"
	@echo "make format      bring the sources into the form that lint asks for"
	@echo "make clean       delete the virtual environment and the results"

# The stamp is newer than the pins it was installed from; a change of them installs again.
install: $(VENV)/.installed
$(VENV)/.installed: constraints/cpu.txt pyproject.toml
	@echo "== Installing into $(VENV) with the versions of constraints/cpu.txt (about 2 minutes)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints/cpu.txt -e '.[dev]'
	touch $@

reproduce: install
	@echo "== snakemake --cores all at scale $(SCALE): results/$(SCALE) (17 minutes on two cores)"
	$(BIN)/snakemake --cores all --workflow-profile workflow/profiles/default --config scale=$(SCALE)
	@echo "== Tables, figures and claims in results/$(SCALE)/default"

test: install
	@echo "== The whole test suite (4 to 6 minutes on two cores)"
	$(BIN)/python -m pytest

# Beside the package also TRL, to compare with. `make bench BENCH="rl_step chunked"` measures these.
BENCH ?=
$(VENV)/.installed-bench: $(VENV)/.installed constraints/trl.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints/trl.txt -e '.[dev,trl]'
	touch $@

bench: $(VENV)/.installed-bench
	@echo "== Benchmarks (20 minutes; BENCH=--quick takes 5, BENCH=--all adds a long one)"
	HF_HUB_OFFLINE=1 $(BIN)/python -m benchmarks $(BENCH)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

clean:
	rm -rf $(VENV) results .snakemake
