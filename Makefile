# noctule: `make run` and `make test` do all the set-up on a fresh Debian/Ubuntu machine.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: run test check setup system footage clean help

run: $(READY)  ## set up, run the main job on the embedded day/night footage, then serve its pages
	$(BIN)/noctule run --config config.yaml
	$(BIN)/noctule serve --config config.yaml

test: $(READY) system  ## set up, then run all tests
	$(BIN)/python -m pytest

check: $(READY)  ## ruff, formatting, types, walls between rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

setup: $(READY)  ## create the environment

$(READY): pyproject.toml constraints.txt
	PYTHON=$(PYTHON) sh deploy/setup.sh $(VENV)
	touch $@

system:  ## install the RTSP server that the tests start (skipped with a word where it cannot be)
	sh deploy/test-system.sh

footage: $(READY)  ## render the embedded footage again
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[simulator]'
	$(BIN)/noctule simulate demo --seed 1 --out simulator/footage/demo
	$(BIN)/python -m simulator.filming.sheet simulator/footage/demo docs/images/demo-people.png

clean:  ## remove the environment and the demo's results
	rm -rf $(VENV) demo

help:
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/'
