// SPDX-License-Identifier: BSD-2-Clause
// Runs one inference on a stand-alone engine and keeps the state of its probe in every cycle. Appended to pyverilator's
// wrapper, which includes the model's header; SOC_MODEL is the model's class.

extern "C" {

// Pushes `rows` rows of `features` samples, starts, and stores the probe of each cycle from the start pulse to the done pulse.
// Returns the cycles stored, 0 if `capacity` was too small; the results go to `outputs`.
uint64_t record(SOC_MODEL* top, const int32_t* samples, size_t rows, size_t features, uint32_t* probe, size_t capacity,
                int32_t* outputs, size_t output_count) {
    auto clock = [top] {
        top->sys_clk = 1;
        evaluate(top);
        top->sys_clk = 0;
        evaluate(top);
    };
    top->sys_clk = 0;
    top->eval();
    for (size_t i = 0; i < rows * features; i++) {
        while (top->push_busy) clock();
        top->push = 1;
        top->feature = i % features;
        top->raw = samples[i];
        clock();
        top->push = 0;
        top->eval();
    }
    while (top->push_busy) clock();
    top->start = 1;
    top->eval();
    size_t cycle = 0;
    for (bool done = false; !done; cycle++) {
        if (cycle == capacity) return 0;
        probe[cycle] = top->probe;
        done = top->done;
        clock();
        top->start = 0;
        top->eval();
    }
    for (size_t o = 0; o < output_count; o++) {
        top->selected = o;
        top->eval();
        outputs[o] = top->result;
    }
    return cycle;
}

}
