# Everything runs in .venv, made from the lock file by whatever `python3` is on the path.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
PIP := $(BIN)/pip install -qq --disable-pip-version-check

.PHONY: demo test check fix bench failover simulate contend lock clean

demo: .venv/ready
	@$(BIN)/ordertrail demo $(ARGS)

# What serves a platform is tested on PostgreSQL first, and then everything on SQLite.
SERVED := tests/store tests/clients tests/automation tests/console tests/api
test: .venv/ready
	$(if $(ARGS),,ORDERTRAIL_TESTS_ON=postgresql $(BIN)/pytest -m "not browser" $(SERVED))
	$(BIN)/pytest $(ARGS)

check: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check --no-cache .
	$(BIN)/mypy
	$(BIN)/pytest tests/test_house.py

fix: .venv/ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# make bench ONLY=deals measures one case; ARGS="--seconds 2 --rounds 1" does so in short.
bench: .venv/ready .venv/peers/ready
	$(BIN)/python -m bench $(if $(ONLY),--only $(ONLY)) $(ARGS)

# Wants Debian's patroni and etcd-server, and a minute.
failover: .venv/ready
	$(BIN)/python -m bench.failover $(ARGS)

# make simulate N=1000000 takes so many steps; make simulate SEED=123 plays one seed and shows its end.
simulate: .venv/ready
	@PYTHONPATH=tests $(BIN)/python -m simulation $(if $(SEED),--seed $(SEED),--steps $(or $(N),300000)) $(ARGS)

# make contend SECONDS=600 lets eight processes write the same things on PostgreSQL for so long.
contend: .venv/ready
	@PYTHONPATH=tests $(BIN)/python -m contention --seconds $(or $(SECONDS),60) $(ARGS)

lock: .venv/ready
	$(BIN)/uv pip compile pyproject.toml --all-extras --group dev --universal --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --quiet --output-file requirements.lock $(ARGS)
	$(BIN)/uv pip compile bench/peers/peers.in --universal --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --quiet --output-file bench/peers/peers.lock $(ARGS)

clean: # the demo's data stays: rm -rf demo-data starts it anew
	rm -rf .venv

# Says nothing on stdout, which belongs to what `make demo ARGS=--json` prints.
.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Ordertrail needs Python 3.11 or newer; set PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "Setting up .venv (once, about a minute)..." >&2
	@$(PYTHON) -m venv --clear .venv >&2 \
		|| { echo "python3 cannot make a .venv; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(PIP) --require-hashes --no-deps --requirement requirements.lock >&2
	@$(PIP) --no-deps --no-build-isolation --editable . >&2
	@touch $@

# What the benchmarks compare with, apart from what Ordertrail runs on.
.venv/peers/ready: bench/peers/peers.lock .venv/ready
	@echo "Setting up .venv/peers (once)..." >&2
	@$(PYTHON) -m venv --clear .venv/peers >&2
	@.venv/peers/bin/pip install -qq --disable-pip-version-check --require-hashes --no-deps \
		--requirement bench/peers/peers.lock >&2
	@touch $@
