# Everything here needs git, GNU make and Python 3.11, 3.12 or 3.13. The rest is installed into .venv.
PYTHON ?= python3
RUN = .venv/bin/python
# One chapter only, as in `make run CHAPTER=02`.
CHAPTER ?=

export TF_CPP_MIN_LOG_LEVEL = 3
# Let Python keep what it compiles, whatever the shell says: else every process compiles TensorFlow again, 15 s each.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install book quick test lint notebook run list tensorboard smoke bench colab clients lowest address lock

help: ## list the targets
	@echo "make TARGET, where TARGET is"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-11s  %s\n", $$1, $$2 }' Makefile

install: .venv/installed ## create .venv with the locked packages and vaelib
	@echo "The locked packages and vaelib are in .venv."

book: .venv/installed ## build the HTML book from the committed notebooks, and say where it is
	@# A build on top of another hides warnings, so the last one goes. A warning is an error.
	@$(RUN) tools/alone.py _build/book.lock 'builds the book' sh -c \
	  'rm -rf _build/html _build/.doctrees && exec .venv/bin/jupyter-book build . -W --keep-going -n'
	@$(RUN) tools/address.py --remind
	@$(RUN) -c 'import pathlib; print("The book:", pathlib.Path("_build/html/index.html").resolve().as_uri())'

quick: .venv/installed ## lint, types, and the tests that need no training, no browser and no notebook
	@$(MAKE) --no-print-directory lint
	@$(RUN) -m pytest -q -n 2 --dist loadfile -m "not slow"

test: .venv/installed ## run every check: lint, tests, the chapters at small scale
	@echo "[1/3] Lint"
	@$(MAKE) --no-print-directory lint
	@echo "[2/3] Tests"
	@# Hand files out by name: those of few tests and many minutes would otherwise come last, and one core wait.
	@$(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder
	@echo "[3/3] Chapters at small scale, twice"
	@$(MAKE) --no-print-directory smoke

lint: .venv/installed ## check style, format and types
	@$(RUN) -m ruff check
	@$(RUN) -m ruff format --check
	@$(RUN) -m mypy

notebook: .venv/installed ## open the chapters in JupyterLab, in the browser
	@.venv/bin/jupyter lab notebooks

run: .venv/installed ## execute the chapters at full scale, in place; train what is missing in runs/ (CHAPTER=02 for one)
	@$(RUN) tools/notebooks.py run $(CHAPTER)

list: .venv/installed ## list the trained runs, and how long each took
	@$(RUN) tools/runs.py --list

tensorboard: .venv/installed ## open the training curves of all runs in TensorBoard
	@$(RUN) tools/runs.py --logs
	@.venv/bin/tensorboard --logdir runs/logs

smoke: .venv/installed ## execute the chapters at small scale, twice, and compare (CHAPTER=02 for one)
	@$(RUN) tools/notebooks.py smoke $(CHAPTER)

bench: .venv/installed _build/peers/installed ## time an epoch against other tools, and sweeps; renew the book's pages about it
	@echo "[1/4] The race: about ten minutes on two cores"
	@$(RUN) benchmarks/speed.py
	@echo "[2/4] How the cost grows: about ten minutes"
	@$(RUN) benchmarks/growth.py
	@echo "[3/4] A sweep on one worker and on two: about five minutes"
	@$(RUN) benchmarks/sweep.py
	@echo "[4/4] Tables and pictures for the book"
	@$(RUN) benchmarks/report.py
	@$(RUN) benchmarks/plan.py

colab: .venv/installed ## execute the chapters as Colab would, with its versions (CHAPTER=02 for one)
	@$(RUN) -m pytest -v -p no:cacheprovider tests/commands/colab $(if $(CHAPTER),-k $(CHAPTER)_)

clients: .venv/installed ## try the live pictures and exercises in JupyterLab, Notebook 7, the classic notebook, and in Firefox
	@$(RUN) -m pytest -v -p no:cacheprovider tests/commands/clients

lowest: _build/lowest/installed ## run the library's tests with the lowest versions that pyproject.toml allows
	@_build/lowest/bin/python -m pytest -q -n 2 --dist loadfile tests/core tests/training tests/analysis tests/experiment vaelib

address: .venv/installed ## write the public address into every link (REPO=owner/name BRANCH=main, or the remote's)
	@$(RUN) tools/address.py $(REPO) $(if $(BRANCH),--branch "$(BRANCH)")

lock: .venv/installed ## renew requirements.lock after a change in pyproject.toml
	@PATH="$(CURDIR)/.venv/bin:$$PATH"; command -v uv >/dev/null || { \
	  echo "make lock needs uv: get it with \`$(RUN) -m pip install uv\`." >&2; exit 1; }; \
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-header --all-extras pyproject.toml -o requirements.lock --quiet

# Install again, too, where the stamp is of another folder, for programs in .venv know theirs, or where one of them is gone.
NEEDED = $(addprefix .venv/,pyvenv.cfg $(addprefix bin/,python jupyter-book pytest ruff))
GONE = $(filter-out $(wildcard $(NEEDED)),$(NEEDED))
HERE = $(findstring |$(CURDIR)|,|$(shell cat .venv/installed 2>/dev/null)|)
.venv/installed: requirements.lock pyproject.toml $(if $(GONE),FORCE) $(if $(HERE),,FORCE)
	@command -v "$(PYTHON)" >/dev/null || { \
	  echo "There is no $(PYTHON) here: install Python 3.11, 3.12 or 3.13, or name it," \
	    "for instance \`make book PYTHON=python3.12\`." >&2; exit 1; }
	@"$(PYTHON)" tools/check_python.py
	@"$(PYTHON)" tools/install.py

FORCE:

# uv resolves to the lowest versions; pip has no such choice.
_build/lowest/installed: pyproject.toml
	@echo "[1/2] Create _build/lowest with $$("$(PYTHON)" --version)"
	@"$(PYTHON)" -m venv --clear _build/lowest
	@echo "[2/2] Install the lowest versions that pyproject.toml allows: a few minutes"
	@_build/lowest/bin/python -m pip install --quiet uv
	@_build/lowest/bin/uv pip install --quiet --python _build/lowest/bin/python --resolution lowest-direct -e '.[sweep,test]'
	@touch $@

_build/peers/installed: benchmarks/requirements.txt
	@echo "Install the other tools of the race into _build/peers"
	@"$(PYTHON)" -m venv --clear _build/peers
	@_build/peers/bin/python -m pip install --no-compile -r benchmarks/requirements.txt
	@touch $@
