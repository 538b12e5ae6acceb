// SPDX-License-Identifier: BSD-2-Clause
// The 7 series' XADC for simulation, as LiteX's core uses it: its sequencer converts temperature, VCCINT, VCCAUX and VCCBRAM in
// turn, each in 26 cycles of four clock cycles, after a calibration (UG480). What it measures is in sensor.init, words of 48 bits:
// rows (16 bits) and clock cycles of a row (32 bits), then the rows, four codes of 12 bits, temperature first; the last one stays.

module XADC #(
    parameter INIT_40 = 0, INIT_41 = 0, INIT_42 = 0, INIT_48 = 0, INIT_49 = 0, INIT_4A = 0, INIT_4B = 0, INIT_4C = 0, INIT_4D = 0,
    parameter INIT_4E = 0, INIT_4F = 0, INIT_50 = 0, INIT_51 = 0, INIT_52 = 0, INIT_53 = 0, INIT_54 = 0, INIT_55 = 0, INIT_56 = 0,
    parameter INIT_57 = 0, INIT_58 = 0, INIT_5C = 0
) (
    input             DCLK, RESET, DEN, DWE, CONVST, CONVSTCLK,
    input      [6:0]  DADDR,
    input      [15:0] DI, VAUXP, VAUXN,
    input             VP, VN,
    output reg [15:0] DO,
    output reg        DRDY, EOC, EOS,
    output reg [4:0]  CHANNEL,
    output            BUSY, OT,
    output     [7:0]  ALM
);

localparam CONVERSION = 104;

reg [6:0]  wait_left = CONVERSION;
reg [2:0]  turn = 0;
reg [15:0] measured [0:7];

wire [47:0] row;
sensor_rows rows(.clk(DCLK), .row(row));

assign BUSY = 0;
assign OT   = 0;
assign ALM  = 0;

// Channel numbers: 8 is the calibration.
wire [4:0] channel = turn == 0 ? 8 : turn == 4 ? 6 : {2'b0, turn} - 1;

always @(posedge DCLK) begin
    EOC  <= 0;
    EOS  <= 0;
    DRDY <= DEN;
    if (DEN) DO <= measured[DADDR[2:0]];
    if (RESET) begin
        wait_left <= CONVERSION;
        turn      <= 0;
    end else if (wait_left == 0) begin
        wait_left <= CONVERSION - 1;
        turn      <= turn == 4 ? 0 : turn + 1;
        CHANNEL   <= channel;
        EOC       <= 1;
        EOS       <= turn == 4;
        case (turn)
            1: measured[0] <= {row[47:36], 4'b0};
            2: measured[1] <= {row[35:24], 4'b0};
            3: measured[2] <= {row[23:12], 4'b0};
            4: measured[6] <= {row[11:0], 4'b0};
        endcase
    end else
        wait_left <= wait_left - 1;
end

endmodule
