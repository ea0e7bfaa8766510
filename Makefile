# Needs Python 3.11 or newer and make; everything else goes into .venv.
#   make demo                  set up, and train on handwritten digits
#   make test                  set up, and run every check and test
#   make PYTHON=python3.12 …   with another Python
PYTHON ?= python3
# Two test processes, each a core's worth of compiling.
WORKERS ?= 2

VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# Touched when an installation is complete: nothing is installed twice.
PACKAGE := $(VENV)/.package-is-installed
TOOLS := $(VENV)/.tools-are-installed
SITE_TOOLS := $(VENV)/.site-tools-are-installed

.PHONY: help demo handbook test lint format bench bench-data bench-doctor bench-repair bench-study soak docs picture clean
.DELETE_ON_ERROR:

help:
	@echo "make demo     set up, and train on handwritten digits"
	@echo "make test     set up, and run every check and test"
	@echo "make lint     the checks alone          make format   lay out the code"
	@echo "make bench    speed against peers       make docs     write docs/recipe.md"
	@echo "make bench-data   data: speed and accuracy against peers"
	@echo "make bench-doctor how right the doctor is, on runs it never saw"
	@echo "make bench-repair how well failing programs are repaired, and how fast"
	@echo "make bench-study  many runs as one program, against PyTorch and Optuna"
	@echo "make soak     kills, full disks, damaged files: what is promised of durability"
	@echo "make handbook every page's study in full, its figures, and the site: about 20 minutes"
	@echo "make picture  draw docs/images/         make clean    remove what was made"

demo: $(PACKAGE)
	$(BIN)/surefoot train digits

test: lint
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

lint: $(TOOLS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(TOOLS)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(TOOLS)
	$(BIN)/python -m benchmarks.train_speed

bench-data: $(TOOLS)
	$(BIN)/python -m benchmarks.data

# The first time it trains the corpus, which takes a while; later it only judges.
bench-doctor: $(TOOLS)
	$(BIN)/python -m benchmarks.faults.doctor --list

# Hours, as every failing program is repaired; what was repaired before is not repaired again.
bench-repair: $(TOOLS)
	$(BIN)/python -m benchmarks.faults.repair --healthy 40 --random --list
	$(BIN)/python -m benchmarks.faults.repair --time 12

bench-study: $(TOOLS)
	$(BIN)/python -m benchmarks.study_speed

# Minutes; as often as is asked for, with --long, it takes an hour or two.
soak: $(TOOLS)
	$(BIN)/python -m benchmarks.soak

docs: $(PACKAGE)
	$(BIN)/python -m surefoot.recipe.reference > docs/recipe.md.new
	mv docs/recipe.md.new docs/recipe.md

# The theme's notice about another generator is no warning about these pages.
handbook: $(SITE_TOOLS)
	$(BIN)/python -m handbook
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

picture: $(TOOLS)
	$(BIN)/python docs/images/draw.py
	$(BIN)/python docs/images/pages.py

clean:
	rm -rf $(VENV) build site src/*.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Surefoot needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1);" \
	    "name another: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(PACKAGE): $(BIN)/python pyproject.toml constraints.txt
	$(INSTALL) -e .
	@touch $@

# PyTorch is what tests and benchmarks compare with; nothing of Surefoot needs it.
$(TOOLS): $(PACKAGE)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	$(INSTALL) -e '.[test]'
	@touch $@

$(SITE_TOOLS): $(PACKAGE)
	$(INSTALL) -e '.[docs]'
	@touch $@
