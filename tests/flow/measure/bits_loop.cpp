// SPDX-License-Identifier: BSD-2-Clause
// Clocks a module with the ports `clk`, `stimulus` and `response`; both vectors as Verilator keeps them, in words of 32 bits.

#include <cstring>

extern "C" void run_bits(SOC_MODEL* top, const uint8_t* stimulus, uint8_t* response, size_t cycles) {
    for (size_t cycle = 0; cycle < cycles; cycle++) {
        std::memcpy(&top->stimulus, stimulus + cycle * sizeof(top->stimulus), sizeof(top->stimulus));
        top->clk = 0;
        top->eval();
        std::memcpy(response + cycle * sizeof(top->response), &top->response, sizeof(top->response));
        top->clk = 1;
        top->eval();
    }
}
