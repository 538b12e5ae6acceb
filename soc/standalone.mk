# SPDX-License-Identifier: BSD-2-Clause
# make test: the core against its expected outputs, in Verilator 5.

VERILATOR ?= verilator
FLAGS     := --binary --timing --top-module liteformer_core_tb -Wno-lint -Wno-style -Wno-TIMESCALEMOD -Wno-MULTIDRIVEN -Wno-COMBDLY \
             -MAKEFLAGS "CURDIR=. VM_PARALLEL_BUILDS=0 OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0"
BENCH     := obj_dir/Vliteformer_core_tb

.PHONY: test clean

# A short run: compiling without optimisation saves more time than it costs.
# The memory images are read when the bench runs. Verilator's rules refuse a folder with a blank in its name: CURDIR.
test: $(BENCH)
	./$(BENCH)

$(BENCH): liteformer_core.v liteformer_core_tb.v liteformer_core_tb.vh
	$(VERILATOR) $(FLAGS) liteformer_core_tb.v liteformer_core.v

clean:
	rm -rf obj_dir
