# `make help` lists the targets. PYTHON=/path/to/python chooses the interpreter (3.11, 3.12 or 3.13) when .venv is first made.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test lab check test-all mutations torture steps soak bench lock clean install second

VENV := .venv
SECOND := .venv-3.13
BIN := $(VENV)/bin
LOCKS := $(wildcard requirements/py*.txt)
NOTEBOOKS := $(sort $(wildcard notebooks/0*.ipynb))
# A worker a processor; the tests of a file stay together, and so do the cells of a notebook.
QUICK = -m pytest -q -n logical --dist loadfile -m "not slow" --nbval-lax tests $(NOTEBOOKS)
PIP := -m pip --disable-pip-version-check --no-input
VERSIONS := $${PYENV_ROOT:-$$HOME/.pyenv}/versions
CANDIDATES := $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python $(VERSIONS)/3.13.*/bin/python $(VERSIONS)/3.12.*/bin/python $(VERSIONS)/3.11.*/bin/python)

# $(call find,CANDIDATES,CONDITION): the first that starts (a pyenv shim may exist and fail), can make an environment and fits.
find = found=; for p in $(1); do \
	if "$$p" -c "import sys, venv, ensurepip; sys.exit(not ($(2)))" >/dev/null 2>&1; then found=$$p; break; fi; done

# $(call install,FOLDER): an environment in FOLDER from "$$found", with the locked versions and this checkout.
define install
	test -x $(1)/bin/python && $(1)/bin/python -c pass 2>/dev/null || "$$found" -m venv --clear $(1); \
	lock=requirements/py$$($(1)/bin/python -c 'import sys; print("%d%d" % sys.version_info[:2])').txt; \
	echo "install: $$($(1)/bin/python --version), $$lock, into $(1) (some minutes the first time)"; \
	$(1)/bin/python $(PIP) install -qq --no-deps -r $$lock; \
	$(1)/bin/python $(PIP) install -qq --no-deps -e .; \
	$(1)/bin/python $(PIP) check >/dev/null; \
	touch $(1)/.installed
endef

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/.installed ## create .venv with the locked versions
	@:

$(VENV)/.installed: pyproject.toml $(LOCKS)
	@set -eu; $(call find,$(CANDIDATES),(3, 11) <= sys.version_info < (3, 14)); \
	if [ -z "$$found" ]; then \
		echo "no Python 3.11, 3.12 or 3.13 with venv found; name one: make $(or $(MAKECMDGOALS),install) PYTHON=/path/to/python3.12" >&2; exit 1; fi; \
	$(call install,$(VENV))

# The second Python of `make test-all`: 3.13, unless the first one is.
second: $(VENV)/.installed
	@set -eu; if $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 13))'; then \
		echo "second Python: the first one is 3.13 already"; exit 0; fi; \
	$(call find,python3.13 $(VERSIONS)/3.13.*/bin/python,sys.version_info[:2] == (3, 13)); \
	if [ -z "$$found" ]; then echo "second Python: no 3.13 found, left out"; exit 0; fi; \
	if [ ! -e $(SECOND)/.installed ] || [ -n "$$(find pyproject.toml $(LOCKS) -newer $(SECOND)/.installed)" ]; then $(call install,$(SECOND)); fi; \
	echo "test: the quick tests on $$($(SECOND)/bin/python --version)"; \
	$(SECOND)/bin/python $(QUICK)

demo: $(VENV)/.installed ## install, then the whole road on example data
	@$(BIN)/workbench demo

test: $(VENV)/.installed ## install, then the quick tests and the notebooks
	@echo "test: the quick tests and $(words $(NOTEBOOKS)) notebooks"
	@$(BIN)/python $(QUICK)

# The file turns off the question whether to fetch news: LabApp.news_url=None leaves it there (JupyterLab 4.6).
lab: $(VENV)/.installed ## JupyterLab on 127.0.0.1, with notebooks/01_data open
	@mkdir -p $(VENV)/share/jupyter/lab/settings
	@echo '{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}' \
		>$(VENV)/share/jupyter/lab/settings/overrides.json
	@exec $(BIN)/jupyter-lab --ip=127.0.0.1 --LabApp.default_url=/lab/tree/notebooks/01_data.ipynb $$([ "$$(id -u)" != 0 ] || echo --allow-root)

check: $(VENV)/.installed ## format, lint, types and floor plan
	@echo "check: format"; $(BIN)/ruff format --check --quiet .
	@echo "check: lint"; $(BIN)/ruff check --quiet .
	@echo "check: types"; $(BIN)/mypy --no-error-summary
	@echo "check: floor plan"; $(BIN)/python -m pytest -q tests/test_floor_plan.py tests/test_project.py

test-all: $(VENV)/.installed ## the slow tests, then the quick ones on a second Python
	@echo "test: the slow tests"
	@$(BIN)/python -m pytest -q -m slow tests || [ $$? -eq 5 ]
	@$(MAKE) --no-print-directory second

GROUP ?=
mutations: $(VENV)/.installed ## each rule of risk, filling and a live session taken out of a copy: a test must fail (some forty minutes; GROUP=gate runs one group)
	@PYTHONPATH=tests $(BIN)/python -m mutation $(GROUP)

torture: $(VENV)/.installed ## a hundred SIGKILLs in a paper run: nothing lost, nothing twice (some ten minutes)
	@$(BIN)/python tests/torture/kills.py

steps: $(VENV)/.installed ## 200 bars in one session, and 200 times `run --step`: the same orders (some twenty minutes)
	@$(BIN)/python tests/torture/steps.py

soak: $(VENV)/.installed ## 50,000 steps of a paper run: what memory and notebook come to (some ten minutes)
	@$(BIN)/python tests/torture/soak.py

bench: $(VENV)/.installed ## measured comparisons
	@set -eu; if [ -f benchmarks/__main__.py ]; then exec $(BIN)/python -m benchmarks; fi; \
	for script in benchmarks/[a-z]*.py; do echo "bench: $$script"; $(BIN)/python "$$script"; done

lock: ## resolve the newest versions again, for each Python found
	@set -eu; for minor in 11 12 13; do \
		$(call find,python3.$$minor $(VERSIONS)/3.$$minor.*/bin/python,sys.version_info[:2] == (3, $$minor)); \
		if [ -z "$$found" ]; then echo "lock: no Python 3.$$minor found, left as it is"; continue; fi; \
		echo "lock: Python 3.$$minor"; folder=$$(mktemp -d); "$$found" -m venv "$$folder"; \
		"$$folder/bin/python" $(PIP) install -qq ".[test,bench,ml,dask]"; \
		{ echo "# Python 3.$$minor: the core with the extras test, bench, ml and dask. Made by \`make lock\`."; \
			"$$folder/bin/python" $(PIP) freeze --exclude workbench; } > "$$folder/lock.txt"; \
		mv "$$folder/lock.txt" requirements/py3$$minor.txt; rm -rf "$$folder"; \
	done

clean: ## remove the environments and caches
	@rm -rf $(VENV) $(SECOND) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
