// SPDX-License-Identifier: BSD-2-Clause
// The Elastic Node's top module with its SPI host: pushes a window, runs it, compares the outputs. Clock primitives of the
// FPGA are replaced by models.
`timescale 1ns / 1ps
`include "elastic_node_tb.vh"

module PLLE2_ADV(input CLKFBIN, input CLKIN1, input PWRDWN, input RST, output CLKFBOUT, output CLKOUT0, output LOCKED);
parameter CLKFBOUT_MULT = 1, CLKIN1_PERIOD = 10.0, CLKOUT0_DIVIDE = 1, CLKOUT0_PHASE = 0, DIVCLK_DIVIDE = 1,
          REF_JITTER1 = 0.01, STARTUP_WAIT = "FALSE";
assign CLKFBOUT = 0;
assign CLKOUT0 = CLKIN1;
assign LOCKED = ~RST & ~PWRDWN;
endmodule

module BUFG(input I, output O);
assign O = I;
endmodule

module FDPE #(parameter INIT = 1'b1) (input C, input CE, input D, input PRE, output reg Q);
initial Q = INIT;
always @(posedge C or posedge PRE) if (PRE) Q <= 1; else if (CE) Q <= D;
endmodule

module FDCE #(parameter INIT = 1'b0) (input C, input CE, input D, input CLR, output reg Q);
initial Q = INIT;
always @(posedge C or posedge CLR) if (CLR) Q <= 0; else if (CE) Q <= D;
endmodule

module elastic_node_tb;

reg        clk = 0, sck = 0, cs_n = 1, mosi = 0;
wire       miso, busy;
wire [3:0] led;
reg [7:0]  received;
reg [31:0] value;
integer    index, bits, turns, mismatches;
reg        seen_busy = 0;
reg [31:0] samples  [0:`TOKENS*`FEATURES-1];
reg [31:0] expected [0:`OUTPUTS-1];

always #5 clk = ~clk;

liteformer_soc dut(.clk100(clk), .busy(busy), .spibone_clk(sck), .spibone_cs_n(cs_n), .spibone_mosi(mosi),
	.spibone_miso(miso), .user_led0(led[0]), .user_led1(led[1]), .user_led2(led[2]), .user_led3(led[3]));

always @(posedge clk) seen_busy <= seen_busy | busy;

// SPI mode 0 at an eighth of the system clock.
task byte_transfer(input [7:0] data);
	for (bits = 7; bits >= 0; bits = bits - 1) begin
		mosi = data[bits];
		#40 sck = 1;
		received[bits] = miso;
		#40 sck = 0;
	end
endtask

task word_transfer(input [31:0] data);
	begin
		byte_transfer(data[31:24]);
		value[31:24] = received;
		byte_transfer(data[23:16]);
		value[23:16] = received;
		byte_transfer(data[15:8]);
		value[15:8] = received;
		byte_transfer(data[7:0]);
		value[7:0] = received;
	end
endtask

task answer;
	begin
		turns = 0;
		received = 8'hff;
		while (received == 8'hff) begin
			byte_transfer(8'hff);
			turns = turns + 1;
			if (turns > 1000) $fatal(1, "no answer over SPI");
		end
	end
endtask

task write(input [31:0] address, input [31:0] data);
	begin
		cs_n = 0;
		byte_transfer(8'h00);
		word_transfer(address);
		word_transfer(data);
		answer;
		if (received != 8'h00) $fatal(1, "a write was answered with %h", received);
		cs_n = 1;
		#100;
	end
endtask

task read(input [31:0] address);
	begin
		cs_n = 0;
		byte_transfer(8'h01);
		word_transfer(address);
		answer;
		if (received != 8'h01) $fatal(1, "a read was answered with %h", received);
		word_transfer(32'hffffffff);
		cs_n = 1;
		#100;
	end
endtask

initial begin
	$readmemh("samples.hex", samples);
	$readmemh("expected.hex", expected);
	mismatches = 0;
	#1000;
	read(`IDENTIFIER);
	if (value != 32'h4c464d52) $fatal(1, "identifier %h", value);
	write(`LEDS, 32'h5);
	if (led != 4'h5) $fatal(1, "LEDs %b", led);
	for (index = 0; index < `TOKENS*`FEATURES; index = index + 1)
		write(`WINDOW + 4*(index % `FEATURES), samples[index]);
	if (seen_busy) $fatal(1, "busy without an inference");
	write(`CONTROL, 1);
	while (busy) #100;
	read(`STATUS);
	if (value[2] != 1 || !seen_busy) $fatal(1, "status %h, busy seen %0d", value, seen_busy);
	for (index = 0; index < `OUTPUTS; index = index + 1) begin
		read(`WINDOW + 32'h400 + 4*index);
		if (value !== expected[index]) begin
			mismatches = mismatches + 1;
			$display("output %0d: %0d instead of %0d", index, $signed(value), $signed(expected[index]));
		end
	end
	if (mismatches != 0) $fatal(1, "%0d outputs differ", mismatches);
	$display("PASS");
	$finish;
end

endmodule
