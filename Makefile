# `make demo` and `make test` do all the set-up on a fresh Debian 12; both are quick the second time.

VENV := .venv
PYTHON := $(shell for p in python3.11 python3.12 python3.13 python3; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' && echo $$p && break; done)
BIN := $(VENV)/bin
export QT_QPA_PLATFORM ?= $(if $(DISPLAY)$(WAYLAND_DISPLAY),,offscreen)
ifeq ($(QT_QPA_PLATFORM),)
unexport QT_QPA_PLATFORM
endif

.PHONY: help demo tour test check bench chaos fuzz contract soak simulate property mutation requirements pictures clean

help:
	@echo "make demo          practise in a whole hall on this machine (off-screen tour without a display)"
	@echo "make test          checks and all tests"
	@echo "make tour          the off-screen tour, pictures and slips in build/tour/"
	@echo "make bench         measure every claim; writes docs/evidence.md"
	@echo "make fuzz          10 minutes of odd bytes for every parser"
	@echo "make soak          2,000 cards and 2,000 slips with faults"
	@echo "make simulate      windows and office in one process, from SEEDS=200 seeds on FIRST=1"
	@echo "make chaos         real offices, windows and lines: KILLS=1000 kills, history judged afterwards; PostgreSQL, too"
	@echo "make property      a long search of the state machines: store, numbers, feed, push"
	@echo "make mutation      change the sync, the numbering and the office's commands place by place: which test notices?"
	@echo "make contract      10,000s of odd requests against the office's OpenAPI document"
	@echo "make check         formatting, types, import rules"
	@echo "make pictures      the pictures of the README from a new tour"
	@echo "make requirements  lock the dependencies again, with hashes"

demo: $(VENV)/.demo
ifeq ($(DISPLAY)$(WAYLAND_DISPLAY),)
	@echo "No display: running the tour off-screen; pictures and slips go to build/tour/."
	@$(BIN)/clerk-app demo --tour build/tour
else
	@$(BIN)/clerk-app demo
endif

tour: $(VENV)/.demo
	@QT_QPA_PLATFORM=offscreen $(BIN)/clerk-app demo --tour build/tour

# The README's pictures are of this build: run after a change of the window.
pictures: tour
	@mkdir -p docs/pictures
	@cp build/tour/07-form-filled.zh.png docs/pictures/window-zh.png
	@cp build/tour/09-checked.dark.png docs/pictures/window-en.png
	@cp build/tour/27-outbox.en.png docs/pictures/outage-en.png

test: check
	@echo "Tests, on two processes, the fast ones first"
	@QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -n 2 --dist loadfile \
		tests/unit tests/search tests/migrations tests/devices tests/integration tests/ui tests/install tests/simulation tests/property

check: $(VENV)/.dev
	@echo "Formatting, types, import rules"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

bench: $(VENV)/.dev
	@$(BIN)/pip install -q --require-hashes -r requirements/bench.txt
	@QT_QPA_PLATFORM=offscreen $(BIN)/python -m bench

FUZZ_SECONDS ?= 600
fuzz: $(VENV)/.dev
	@$(BIN)/pip install -q --require-hashes -r requirements/fuzz.txt || echo "No atheris for this Python: fuzzing by mutation."
	@QT_QPA_PLATFORM=offscreen $(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS)

CONTRACT_EXAMPLES ?= 400
contract: $(VENV)/.dev
	@CONTRACT_EXAMPLES=$(CONTRACT_EXAMPLES) QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -q --timeout 3600 \
		tests/integration/test_office_openapi.py tests/integration/test_conformance.py

soak: $(VENV)/.dev
	@QT_QPA_PLATFORM=offscreen $(BIN)/python -m tests.soak

property: $(VENV)/.dev
	@$(BIN)/python -m pytest tests/property -n 2 --hypothesis-profile=long --timeout=0

SHARE ?= 1.0
mutation: $(VENV)/.dev
	@rm -f build/mutation.jsonl
	@$(BIN)/python -m tests.mutation --share $(SHARE)

KILLS ?= 1000
chaos: $(VENV)/.dev
	@rm -f build/chaos.json
	@QT_QPA_PLATFORM=offscreen $(BIN)/python -m tests.chaos --kills $(KILLS)
	@QT_QPA_PLATFORM=offscreen $(BIN)/python -m tests.chaos --kills $$(($(KILLS) / 5)) --database postgresql

SEEDS ?= 200
FIRST ?= 1
simulate: $(VENV)/.dev
	@$(BIN)/python -m tests.simulation --seeds $(SEEDS) --first $(FIRST) --pace 1000

$(VENV)/bin/python:
	@installer/debian/packages.sh demo
	@echo "Creating the virtual environment $(VENV)"
	@$(or $(PYTHON),python3) -m venv $(VENV)

$(VENV)/.demo: requirements/demo.txt pyproject.toml installer/debian/packages.sh | $(VENV)/bin/python
	@installer/debian/packages.sh demo
	@echo "Installing Python packages (a few minutes the first time)"
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/demo.txt
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml installer/debian/packages.sh | $(VENV)/bin/python
	@installer/debian/packages.sh test
	@echo "Installing Python packages (a few minutes the first time)"
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.demo

COMPILE := $(BIN)/pip-compile -q --strip-extras --generate-hashes --allow-unsafe --no-annotate --no-header \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links
requirements: | $(VENV)/bin/python
	@$(BIN)/pip install -q pip-tools
	$(COMPILE) --extra back-office -o requirements/demo.txt pyproject.toml requirements/build.in
	$(COMPILE) --extra back-office --extra dev -c requirements/demo.txt -o requirements/dev.txt pyproject.toml requirements/build.in
	$(COMPILE) --extra back-office --extra bench -c requirements/dev.txt -o requirements/bench.txt pyproject.toml requirements/build.in
	$(COMPILE) --extra fuzz -c requirements/dev.txt -o requirements/fuzz.txt pyproject.toml requirements/build.in

clean:
	rm -rf build $(VENV)
