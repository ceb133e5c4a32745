# make run   set up and open the app on the demo basin       make test   set up and pass the tests
# make run PROJECT=path.gpkg PORT=8501                        make lint   style and types
PYTHON ?= python3.11
PORT ?= 8501
PROJECT ?=
BIN = .venv/bin

.PHONY: run test lint bench clean

run: .venv/run
	QINGYUAN_PROJECT="$(PROJECT)" $(BIN)/streamlit run app.py --server.port $(PORT)

test: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --dist loadscope

lint: .venv/test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/mypy

bench: .venv/test
	$(BIN)/python -m benchmarks.network --format table

.venv/run: requirements.txt
	$(PYTHON) -m venv .venv || python3 -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/test: requirements-dev.txt .venv/run
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	sh tools/system_packages.sh
	@touch $@

clean:
	rm -rf .venv var static build
