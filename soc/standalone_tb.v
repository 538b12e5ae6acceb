// SPDX-License-Identifier: BSD-2-Clause
// Self-checking test bench of the stand-alone core: pushes windows, starts inferences, waits for the interrupt and compares
// every output with the expected one. Ends with $fatal, and so with a non-zero exit code, on the first kind of failure.
`timescale 1ns / 1ps
`include "liteformer_core_tb.vh"

module liteformer_core_tb;

reg         clk = 0;
reg         rst = 1;
reg  [10:0] adr = 0;
reg  [31:0] dat_w = 0;
wire [31:0] dat_r;
reg         cyc = 0;
reg         we = 0;
wire        ack;
wire        err;
wire        irq;

reg  [31:0] samples  [0:`WINDOWS*`ROWS*`FEATURES-1];
reg  [31:0] expected [0:`WINDOWS*`OUTPUTS-1];
reg  [31:0] value;
integer     window, row, feature, result, waited, mismatches;

`ifdef PUMPED
// Both clocks rise at the same time.
reg         clk2x = 0;
always begin
	#2.5 clk2x = 1'b0;
	#2.5 clk   = ~clk;
	     clk2x = 1'b1;
end
`else
always #5 clk = ~clk;
`endif

liteformer_core dut (
	.clk(clk), .rst(rst), .irq(irq),
`ifdef PUMPED
	.clk2x(clk2x),
`endif
	.wb_adr(adr), .wb_dat_w(dat_w), .wb_dat_r(dat_r), .wb_sel(4'hf), .wb_cyc(cyc), .wb_stb(cyc), .wb_ack(ack),
	.wb_we(we), .wb_cti(3'b0), .wb_bte(2'b0), .wb_err(err)
);

// One transfer. Signals change on falling edges, the core looks at them on rising ones.
task transfer(input write, input [10:0] address, input [31:0] data);
	begin
		@(negedge clk);
		adr = address;
		dat_w = data;
		we = write;
		cyc = 1;
		waited = 0;
		@(negedge clk);
		while (!ack) begin
			waited = waited + 1;
			if (waited > `CYCLE_LIMIT) $fatal(1, "no acknowledge at word %h", address);
			@(negedge clk);
		end
		value = dat_r;
		@(negedge clk);
		cyc = 0;
	end
endtask

// Start, wait for the interrupt, leave the pending events in value.
task run;
	begin
		transfer(1, `ADR_CONTROL, 1);
		waited = 0;
		while (!irq) begin
			waited = waited + 1;
			if (waited > `CYCLE_LIMIT) $fatal(1, "no interrupt");
			@(negedge clk);
		end
		transfer(0, `ADR_EV_PENDING, 0);
		transfer(1, `ADR_EV_PENDING, value);
	end
endtask

initial begin
	$readmemh("samples.hex", samples);
	$readmemh("expected.hex", expected);
	mismatches = 0;
	repeat (8) @(negedge clk);
	rst = 0;
	transfer(0, `ADR_IDENTIFIER, 0);
	if (value != `IDENTIFIER) $fatal(1, "identifier %h", value);
	transfer(0, `ADR_MODEL_ID, 0);
	if (value != `MODEL_ID) $fatal(1, "model id %h", value);
	transfer(1, `ADR_EV_ENABLE, 3);

	// Without a full window the core refuses.
	run;
	transfer(0, `ADR_STATUS, 0);
	if (value[7:4] != 1) $fatal(1, "a start without samples gave status %h", value);

	for (window = 0; window < `WINDOWS; window = window + 1) begin
		for (row = 0; row < `ROWS; row = row + 1)
			for (feature = 0; feature < `FEATURES; feature = feature + 1)
				transfer(1, feature[10:0], samples[(window*`ROWS + row)*`FEATURES + feature]);
		run;
		transfer(0, `ADR_STATUS, 0);
		if (value[2] != 1 || value[7:4] != 0) $fatal(1, "window %0d: status %h", window, value);
		for (result = 0; result < `OUTPUTS; result = result + 1) begin
			transfer(0, 11'h100 + result[10:0], 0);
			if (value !== expected[window*`OUTPUTS + result]) begin
				mismatches = mismatches + 1;
				$display("window %0d output %0d: %0d instead of %0d", window, result, $signed(value),
					$signed(expected[window*`OUTPUTS + result]));
			end
		end
	end
	transfer(0, `ADR_CYCLES, 0);
	if (mismatches != 0) $fatal(1, "%0d of %0d outputs differ", mismatches, `WINDOWS*`OUTPUTS);
	$display("PASS: %0d windows, %0d outputs, %0d clock cycles per inference", `WINDOWS, `WINDOWS*`OUTPUTS, value);
	$finish;
end

endmodule
