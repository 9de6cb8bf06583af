# What the project needs, on a machine with Python and make.

PYTHON ?= python3.14 python3.13 python3.12 python3.11 python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test bench lint lint-sources docs sbom lock clean

help: ## show this list
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv with dbt and lm in it; again only when the lock file changed
	@# dbt looks for profiles.yml here first; whatever the user put in its place stays.
	@[ -e profiles.yml ] || ln -sf profiles.example.yml profiles.yml

# The newest Python that serves, whatever `python3` is; PYTHON names another. The lock is complete and pip must
# not resolve it anew: dbt-mysql's pin on dbt-core 1.7 is overridden there (see pyproject.toml).
$(STAMP): requirements.lock pyproject.toml
	@if ! $(BIN)/python -c '' 2>/dev/null; then \
		rm -rf $(VENV); \
		for python in $(PYTHON); do \
			"$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' \
				2>/dev/null && exec "$$python" -m venv $(VENV); \
		done; \
		echo 'Python 3.11 to 3.14 is needed: make setup PYTHON=/path/to/python' >&2; exit 2; \
	fi
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes --no-deps --only-binary :all: -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## simulate a clinic on the embedded engine and look at its metrics
	$(BIN)/lm demo

# Three, for a test waits for its database half of the time.
test: setup ## run every test; on servers too when LM_TEST_MYSQL, LM_TEST_MARIADB name them
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

bench: setup ## measure on the same databases, 100,000 and 300,000 calls; hours. BENCH='--calls 5000' to try
	$(BIN)/python tests/bench $(BENCH)

lint: setup ## check the Python and the SQL
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@$(MAKE) --no-print-directory lint-sources
	LM_SCHEMA=operabot_lm_lint $(BIN)/sqlfluff lint --disable-progress-bar models tests analyses

# sqlfluff compiles with dbt, which asks the sources for their columns: empty tables do.
lint-sources: setup
	@LM_SCHEMA=operabot_lm_lint $(EMPTY_SOURCES)

EMPTY_SOURCES = $(BIN)/python -c 'from python_scoring.base import profile, source_tables; \
	target = profile.load("embedded"); \
	source_tables.create_source_tables(profile.connect(target), target.schema)'

# The tables that it describes are built of no calls, on the embedded engine, in a schema of their own.
docs: export LM_SCHEMA = operabot_lm_docs
docs: export LM_SOCKET =
docs: setup ## write target/static_index.html, the tables' documentation in one page
	$(BIN)/lm dictionary
	@$(EMPTY_SOURCES)
	$(BIN)/dbt --quiet build --target embedded --resource-type seed --resource-type model
	$(BIN)/dbt docs generate --static --target embedded

sbom: setup ## write target/sbom.cdx.json, the bill of materials, and show the packages' licences
	$(BIN)/python .ci/sbom.py target/sbom.cdx.json

# Needs uv. The file carries names, versions and hashes, no addresses.
lock: ## resolve requirements.lock anew from pyproject.toml
	uv pip compile --universal --python-version 3.11 --generate-hashes --extra dev --upgrade \
		--no-header --no-emit-index-url --no-emit-find-links --quiet \
		--output-file requirements.lock pyproject.toml

clean: ## stop the engine and delete what was made, its data too
	@[ ! -x $(BIN)/lm ] || $(BIN)/lm engine stop
	rm -rf $(VENV) .lm target logs .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	@[ ! -L profiles.yml ] || rm profiles.yml
