// SPDX-License-Identifier: BSD-2-Clause
// Drives the stand-alone core through its Wishbone port. Appended to pyverilator's wrapper, which includes the model's header;
// SOC_MODEL is the model's class.

#include <cstring>

namespace {

enum { RUN = 1, CLEAR = 2, ABORT = 4, EARLY = 8 };                     // What goes with a row, see core_simulation.py.
enum { START = 1, STOP = 2, FORGET = 4 };                              // Register control.
enum { READY = 1, BUSY = 1 << 1, DONE = 1 << 2 };                                 // Register status, besides the error from bit 4 on.
enum { ERROR_NONE, ERROR_NOT_READY, ERROR_ABORTED };
enum { OUTPUT_WORD = 0x100, ALL_EVENTS = 3 };

// A port whose requests are apart by pseudo-random pauses of up to `pause` cycles; `failed` once a wait took `limit` cycles, or
// `last` cycles have passed.
struct Port {
    SOC_MODEL* top;
    uint32_t limit, pause, state;
    uint64_t cycles = 0, last = ~0ull;
    bool failed = false;

    Port(SOC_MODEL* top, uint32_t limit, uint32_t pause, uint32_t seed) : top(top), limit(limit), pause(pause), state(seed) {}

    void clock() {
        top->clk = 1;
        evaluate(top);
        top->clk = 0;
        evaluate(top);
        if (++cycles == last) failed = true;
    }

    uint32_t random(uint32_t below) {
        state = state * 1664525u + 1013904223u;
        return static_cast<uint32_t>((static_cast<uint64_t>(state) * below) >> 32);
    }

    uint32_t transfer(bool write, uint32_t word, uint32_t data) {
        for (uint32_t left = pause ? random(pause + 1) : 0; left; left--) clock();
        top->wb_adr = word;
        top->wb_dat_w = data;
        top->wb_we = write;
        top->wb_sel = 15;
        top->wb_cyc = top->wb_stb = 1;
        uint32_t waited = 0;
        do {
            clock();
            if (++waited > limit) failed = true;
        } while (!top->wb_ack && !failed);
        uint32_t value = top->wb_dat_r;
        if (!failed) clock();
        top->wb_cyc = top->wb_stb = 0;
        return value;
    }

    void write(uint32_t word, uint32_t data) { transfer(true, word, data); }
    uint32_t read(uint32_t word) { return transfer(false, word, 0); }

    void wait_irq() {
        uint32_t waited = 0;
        while (!top->irq && !failed) {
            clock();
            if (++waited > limit) failed = true;
        }
    }
};

}  // namespace

extern "C" {

struct CoreWords {
    uint32_t control, status, cycles, ev_pending, ev_enable;
};

// Resets the core; only registers, memories keep what they hold.
void core_reset(SOC_MODEL* top, const CoreWords* words) {
    Port port(top, 1000, 0, 0);
    top->wb_cyc = top->wb_stb = 0;
    top->rst = 1;
    for (int n = 0; n < 4; n++) port.clock();
    top->rst = 0;
    port.clock();
    port.write(words->ev_enable, ALL_EVENTS);
}

// Accesses `count` words one after the other; reads replace `data`. Returns 0, or 1 if one was not acknowledged.
int core_access(SOC_MODEL* top, size_t count, const uint8_t* writes, const uint32_t* words, uint32_t* data, uint32_t limit) {
    Port port(top, limit, 0, 0);
    for (size_t n = 0; n < count && !port.failed; n++) {
        uint32_t value = port.transfer(writes[n], words[n], data[n]);
        if (!writes[n]) data[n] = value;
    }
    return port.failed;
}

// Accesses words until `cycles` clock cycles have passed, then resets the core for one. Returns whether it was still accessing.
int core_cut(SOC_MODEL* top, size_t count, const uint8_t* writes, const uint32_t* words, const uint32_t* data, uint64_t cycles) {
    Port port(top, ~0u, 0, 0);
    port.last = cycles;
    for (size_t n = 0; n < count && !port.failed; n++) port.transfer(writes[n], words[n], data[n]);
    top->wb_cyc = top->wb_stb = 0;
    top->rst = 1;
    port.clock();
    top->rst = 0;
    return port.cycles == cycles + 1;
}

// Pushes rows. Before a row: CLEAR, after `arguments` of its samples, up to all, were pushed in vain; after it: EARLY, a start that must be
// refused; ABORT, an inference aborted after `arguments` cycles; RUN, an inference whose outputs and cycles are kept.
// Returns the clock cycles run, 0 where the core answered wrongly or not at all; `at` is the row then.
uint64_t core_stream(SOC_MODEL* top, const CoreWords* words, size_t rows, size_t features, size_t outputs, const int32_t* samples,
                     const uint8_t* flags, const uint32_t* arguments, int32_t* results, uint32_t* spent, uint32_t limit,
                     uint32_t pause, uint32_t seed, uint32_t* at) {
    Port port(top, limit, pause, seed);
    auto finish = [&](bool accepted, uint32_t error) {
        port.wait_irq();
        port.write(words->ev_pending, ALL_EVENTS);
        uint32_t status = port.read(words->status);
        if (((status & DONE) != 0) != accepted || (status >> 4 & 15) != error) port.failed = true;
    };
    for (size_t row = 0; row < rows && !port.failed; row++) {
        *at = row;
        const int32_t* sample = samples + row * features;
        if (flags[row] & CLEAR) {
            for (size_t f = 0; f < arguments[row] % (features + 1); f++) port.write(f, sample[f]);
            port.write(words->control, FORGET);
        }
        for (size_t f = 0; f < features; f++) port.write(f, sample[f]);
        if (flags[row] & EARLY) {
            port.write(words->control, START);
            finish(false, ERROR_NOT_READY);
        }
        if (flags[row] & ABORT) {
            port.write(words->control, START);
            for (uint32_t left = arguments[row]; left; left--) port.clock();
            port.write(words->control, STOP);
            uint64_t stopped = port.cycles;
            port.wait_irq();
            uint32_t waited = 0, status = port.read(words->status);
            while (status & BUSY && !port.failed) {
                status = port.read(words->status);
                if (++waited > limit) port.failed = true;
            }
            // The pipelines take 31 cycles to empty; reads and pauses come on top.
            if (port.cycles - stopped > 31 + 3 * (8 + pause)) port.failed = true;
            // It was aborted, unless it was done before.
            if ((status >> 4 & 15) != (status & DONE ? ERROR_NONE : ERROR_ABORTED)) port.failed = true;
            port.write(words->ev_pending, ALL_EVENTS);
        }
        if (flags[row] & RUN) {
            port.write(words->control, START);
            // No inference ends before this read.
            if ((port.read(words->status) & (READY | BUSY | DONE)) != BUSY) port.failed = true;
            finish(true, ERROR_NONE);
            for (size_t output = 0; output < outputs; output++) *results++ = port.read(OUTPUT_WORD + output);
            *spent++ = port.read(words->cycles);
        }
    }
    return port.failed ? 0 : port.cycles;
}

}
