# Everything runs in .venv, which the first target makes and later ones reuse: after
# that nothing here needs the network.  `make PYTHON=python3.12 test` picks a Python.

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
STAMP := $(VENV)/stamp
PIP := $(PY) -m pip --quiet --disable-pip-version-check
# Built from pinned files alone: the one way packages come in.
INSTALL := $(PIP) install --no-deps --require-hashes --no-build-isolation --use-pep517

# No compiler is needed: everything comes as a wheel, but for two packages of plain
# Python that are built here.
WHEELS := --only-binary :all:
SOURCES := --no-binary python-baseconv,varint

PYTHON ?=
ARGS ?=
KILLS ?=
MUTANT ?=
N ?=
SECONDS ?= 30
CORE := tests/pure_core.ini
# A file's tests stay in one process: they share what is slow to set up.  One more than
# there are cores, since some wait.
PARALLEL := -n $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1) --maxprocesses 5 --dist loadfile
REPLAY ?=
SEED ?=
SEEDS ?=
NODES ?=
HOURS ?=
MINUTES ?=
RATE ?=

# A stranger's environment must not change what is tested or shown.
unexport PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONWARNINGS
unexport BYLINE_HOME BYLINE_NODE BYLINE_PASSPHRASE
export PYTHONNOUSERSITE := 1
export PIP_USER := 0

.PHONY: help setup extras demo story test coverage fuzz lint format bench bench-log bench-follow bench-sync bench-policies bench-network bench-consent similarity crash sim soak faults audit label \
    hostile interop vectors lock clean
.DEFAULT_GOAL := help

help:
	@echo "make extras    what similarity, Content Credentials, Parquet and graphs need"
	@echo "make demo      three nodes, 1,000 real files, one verified answer"
	@echo "make story     five people, and what their statements amount to"
	@echo "make test      all tests          (ARGS=tests/ledger for some of them, ARGS=\"-n 0 ...\""
	@echo "               one after the other)"
	@echo "make lint      ruff, mypy, import rules"
	@echo "make format    let ruff rewrite what it can"
	@echo "make crash     kill -9 a node while it takes in statements, then check it"
	@echo "               (KILLS=500: again and again, with power cuts)"
	@echo "make sim       simulated nodes through bad times  (SEED=7 NODES=20 HOURS=0.02 for"
	@echo "               one run, SEEDS=1000 for many)"
	@echo "make soak      real nodes under load, killed, frozen and parted for ten minutes"
	@echo "               (NODES=4 RATE=20 MINUTES=1 SEED=7 for less)"
	@echo "make faults    fail, kill and cut the power at each file system call"
	@echo "make hostile   a real node against peers that keep to no rule, and take their time"
	@echo "make interop   programs of others in Go, peers on go-libp2p and js-libp2p, and an S3"
	@echo "               server, against our nodes"
	@echo "make label     the label of 10,000 mixed files: made, loaded by others, checked  (N=300)"
	@echo "make audit     audit 100,000 entries, damaged copies, and a node that hides one"
	@echo "make bench     the figures of benchmarks/README.md  (bench-log, -follow, -sync, -network, -consent: the rest)"
	@echo "make similarity  what altered copies of real images and texts are found by, beside PDQ"
	@echo "make fuzz      every parser against random bytes, SECONDS=30 each"
	@echo "make coverage  every branch of the pure core is taken by a test"
	@echo "make vectors   write tests/vectors again from the naive generators"
	@echo "make lock      resolve requirements again  (ARGS=--upgrade for newer ones)"
	@echo "make clean     remove .venv and caches"

setup: $(STAMP)/runtime

demo: $(STAMP)/runtime
	$(BIN)/byline demo $(ARGS)

extras: $(STAMP)/extras
	@echo "Similarity, Content Credentials, Parquet and drawn graphs are installed."

story: $(STAMP)/extras
	$(PY) docs/tutorial/story.py

test: $(STAMP)/test
	$(PY) -m pytest $(PARALLEL) $(ARGS)

lint: $(STAMP)/lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)/lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)/test
	$(PY) benchmarks/run.py $(ARGS)

bench-follow: $(STAMP)/test
	$(PY) -m benchmarks.follow $(ARGS)

bench-sync: $(STAMP)/test
	$(PY) -m benchmarks.sync $(ARGS)

bench-policies: $(STAMP)/test
	$(PY) -m benchmarks.policies $(MINUTES:%=--minutes %) $(ARGS)

bench-consent: $(STAMP)/test
	$(PY) -m benchmarks.consent_list $(ARGS)

similarity: $(STAMP)/samples
	$(PY) -m benchmarks.similarity $(ARGS)

bench-log: $(STAMP)/test
	$(PY) -m benchmarks.log $(ARGS)

interop: $(STAMP)/interop
	BYLINE_INTEROP=1 $(PY) -m pytest tests/interop $(ARGS)

hostile: $(STAMP)/test
	BYLINE_HOSTILE=1 $(PY) -m pytest tests/node/test_hostile.py \
	    tests/node/test_hostile_slow.py $(ARGS)

label: $(STAMP)/croissant
	$(PY) -m tests.label.run $(N:%=--files %) $(ARGS)

audit: $(STAMP)/test
	$(PY) tests/audit/run.py $(ARGS)

bench-network: $(STAMP)/test
	$(PY) -m benchmarks.network_model $(ARGS)

crash: $(STAMP)/test
	$(PY) $(if $(KILLS),tests/crash/loop.py --kills $(KILLS),tests/crash/run.py) \
	    $(if $(MUTANT),--mutant $(MUTANT)) $(ARGS)

sim: $(STAMP)/test
	$(PY) -m tests.sim.run $(SEED:%=--seed %) $(SEEDS:%=--seeds %) $(NODES:%=--nodes %) \
	    $(HOURS:%=--hours %) $(MUTANT:%=--mutant %) $(ARGS)

soak: $(STAMP)/test
	$(PY) -m tests.soak.run $(NODES:%=--nodes %) $(RATE:%=--rate %) \
	    $(MINUTES:%=--minutes %) $(SEED:%=--seed %) $(ARGS)

faults: $(STAMP)/test
	$(PY) tests/faults/run.py $(if $(MUTANT),--mutant $(MUTANT)) $(ARGS)

fuzz: $(STAMP)/fuzz
	$(PY) -m tests.fuzz.run --seconds $(SECONDS) $(REPLAY:%=--replay %) $(ARGS)

coverage: $(STAMP)/test
	$(PY) -m coverage erase --rcfile=$(CORE)
	$(PY) -m coverage run --rcfile=$(CORE) -m pytest --hypothesis-seed=0 \
	    $(PARALLEL) tests/ledger tests/fuzz $(ARGS)
	$(PY) -m coverage combine --rcfile=$(CORE) --quiet
	$(PY) -m coverage report --rcfile=$(CORE)

vectors: $(STAMP)/test
	@set -e; for generator in tests/vectors/generate_*.py; do \
	    echo "$$generator"; $(PY) "$$generator"; done

lock: $(STAMP)/lock
	requirements/lock.sh $(BIN)/uv $(ARGS)

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	    .import_linter_cache .coverage* htmlcov
	find ledger node cli tests docs benchmarks -name __pycache__ -type d \
	    -prune -exec rm -rf {} +

# Each stamp is written only when its step is complete, so a broken-off set-up starts
# over instead of leaving half of it behind.

$(STAMP)/build: requirements/build.txt
	@python=$$(requirements/find-python.sh $(PYTHON)) || exit 1; \
	echo "Setting up $(VENV) with $$python (once: about 40 MB, under a minute)"; \
	"$$python" -m venv --clear $(VENV)
	@$(INSTALL) $(WHEELS) -r $<
	@mkdir -p $(STAMP) && touch $@

$(STAMP)/runtime: requirements/runtime.txt pyproject.toml $(STAMP)/build
	@$(INSTALL) $(WHEELS) $(SOURCES) -r $<
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(STAMP)/extras: requirements/extras.txt $(STAMP)/runtime
	@$(INSTALL) $(WHEELS) $(SOURCES) -r $<
	@touch $@

$(STAMP)/test: requirements/test.txt $(STAMP)/extras
	@$(INSTALL) $(WHEELS) -r $<
	@touch $@

$(STAMP)/fuzz: requirements/fuzz.txt $(STAMP)/test
	@$(INSTALL) $(WHEELS) -r $<
	@touch $@

$(STAMP)/croissant: requirements/croissant.txt $(STAMP)/test
	@$(INSTALL) $(WHEELS) --no-binary jsonpath-rw -r $<
	@touch $@

# PDQ has no wheel; where it cannot be built, the rest is measured without it.
$(STAMP)/samples: requirements/samples.txt requirements/pdq.txt $(STAMP)/test
	@$(INSTALL) $(WHEELS) -r $<
	@$(INSTALL) --no-binary pdqhash -r requirements/pdq.txt \
	    || echo "pdqhash was not built: it needs a C++ compiler"
	@touch $@

$(STAMP)/interop: requirements/interop.txt $(STAMP)/test
	@$(INSTALL) $(WHEELS) -r $<
	@touch $@

$(STAMP)/lint: requirements/lint.txt $(STAMP)/runtime
	@$(INSTALL) $(WHEELS) -r $<
	@touch $@

$(STAMP)/lock: requirements/lock.txt $(STAMP)/build
	@$(INSTALL) $(WHEELS) -r $<
	@touch $@
