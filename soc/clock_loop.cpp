// SPDX-License-Identifier: BSD-2-Clause
// Clocks the simulated SoC from C++ and feeds its serial line. Appended to pyverilator's wrapper, which includes the model's
// header; SOC_MODEL is the model's class. SOC_CYCLES_PER_BIT, where defined, selects the two wires of a real UART, else the
// line is a stream of bytes. evaluate() is half a cycle of the
// clock, and a cycle of the one of twice the frequency where the model has one.

#include <algorithm>
#include <cstring>
#include <vector>

namespace {

// The far end of the line. Inputs are set before the clock edge; outputs are read before it too, as a register would.
class Line {
public:
    std::vector<uint8_t> out;

    void send(const uint8_t* bytes, size_t count) {
        in.erase(in.begin(), in.begin() + at);
        at = 0;
        in.insert(in.end(), bytes, bytes + count);
    }

#ifdef SOC_CYCLES_PER_BIT
    void drive(SOC_MODEL* top) {
        if (send_left == 0 && at < in.size()) {
            send_frame = (0x100u | in[at++]) << 1;
            send_left = 10 * SOC_CYCLES_PER_BIT;
        }
        unsigned bit = 10 - (send_left + SOC_CYCLES_PER_BIT - 1) / SOC_CYCLES_PER_BIT;
        top->serial_rx = send_left ? (send_frame >> bit) & 1 : 1;
        if (send_left) send_left--;
    }

    void sample(SOC_MODEL* top) {
        if (!receive_at) {
            if (!top->serial_tx) receive_at = 1;
            return;
        }
        receive_at++;
        // Bit n is sampled in the middle of its time; bit 0 is the start bit, bit 9 the stop bit.
        if (receive_at % SOC_CYCLES_PER_BIT != SOC_CYCLES_PER_BIT / 2) return;
        unsigned bit = receive_at / SOC_CYCLES_PER_BIT;
        if (bit >= 1 && bit <= 8) received = received >> 1 | (top->serial_tx ? 0x80 : 0);
        if (bit == 9) {
            if (top->serial_tx) out.push_back(received);
            receive_at = 0;
        }
    }
#else
    void drive(SOC_MODEL* top) {
        top->serial_source_ready = 1;
        top->serial_sink_valid = at < in.size();
        if (at < in.size()) top->serial_sink_data = in[at];
    }

    void sample(SOC_MODEL* top) {
        if (top->serial_sink_valid && top->serial_sink_ready) at++;
        if (top->serial_source_valid) out.push_back(top->serial_source_data);
    }
#endif

private:
    std::vector<uint8_t> in;
    size_t at = 0;
    unsigned send_frame = 0, send_left = 0;
    unsigned receive_at = 0;
    uint8_t received = 0;
};

struct ClockLoop {
    SOC_MODEL* top;
    Line line;
    DUMP_TYPE* trace;
    uint64_t time;
};

}  // namespace

extern "C" {

ClockLoop* loop_new(SOC_MODEL* top) { return new ClockLoop{top, Line(), nullptr, 0}; }

void loop_delete(ClockLoop* loop) {
    if (loop->trace) {
        loop->trace->close();
        delete loop->trace;
    }
    delete loop;
}

void loop_trace(ClockLoop* loop, const char* path) { loop->trace = start_vcd_trace(loop->top, path); }

void loop_send(ClockLoop* loop, const uint8_t* bytes, size_t count) { loop->line.send(bytes, count); }

// Runs until `wanted` received bytes wait to be fetched or `cycles` are over; returns the cycles run.
uint64_t loop_run(ClockLoop* loop, uint64_t cycles, size_t wanted) {
    SOC_MODEL* top = loop->top;
    uint64_t done = 0;
    while (done < cycles && loop->line.out.size() < wanted) {
        loop->line.drive(top);
        top->sys_clk = 0;
        evaluate(top);
        if (loop->trace) loop->trace->dump(loop->time++);
        loop->line.sample(top);
        top->sys_clk = 1;
        evaluate(top);
        if (loop->trace) loop->trace->dump(loop->time++);
        done++;
    }
    return done;
}

// Fetches at most `capacity` received bytes; returns how many.
size_t loop_receive(ClockLoop* loop, uint8_t* bytes, size_t capacity) {
    std::vector<uint8_t>& out = loop->line.out;
    size_t count = std::min(capacity, out.size());
    std::memcpy(bytes, out.data(), count);
    out.erase(out.begin(), out.begin() + count);
    return count;
}

}
