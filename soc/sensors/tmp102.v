// SPDX-License-Identifier: BSD-2-Clause
// A TMP102 for simulation: a thermometer at address 0x48 of an I2C bus, which only answers reads of its temperature (register 0).
// What it measures are the upper 12 bits of the rows of sensor.init, see sensor_rows.v; it converts when it is addressed.

module tmp102 (
    input      clk,
    input      scl,
    input      sda,
    output reg sda_out
);

localparam ADDRESS = 7'h48;
localparam IDLE = 0, ADDRESSED = 1, POINTER = 2, SENDING = 3;

wire [47:0] row;
sensor_rows rows(.clk(clk), .row(row));

reg        scl_before = 1, sda_before = 1;
reg [1:0]  state = IDLE;
reg [3:0]  bits = 0;         // that have passed of a byte, the ninth is the acknowledge
reg [7:0]  shifted = 0;
reg [7:0]  pointer = 0;
reg [15:0] temperature = 0;

wire rise = scl & ~scl_before, fall = ~scl & scl_before;
wire begins = scl & scl_before & sda_before & ~sda;
wire ends   = scl & scl_before & ~sda_before & sda;

initial sda_out = 1;

always @(posedge clk) begin
    scl_before <= scl;
    sda_before <= sda;
    if (begins) begin
        state   <= ADDRESSED;
        bits    <= 0;
        sda_out <= 1;
    end else if (ends) begin
        state   <= IDLE;
        sda_out <= 1;
    end else if (state != IDLE && rise) begin
        bits <= bits + 1;
        if (bits != 8) shifted <= {shifted[6:0], sda};
        // A master that does not acknowledge wants no more.
        else if (state == SENDING && sda && sda_out) state <= IDLE;
    end else if (state != IDLE && fall) begin
        if (bits == 9) begin
            bits    <= 0;
            sda_out <= 1;
            if (state == ADDRESSED) state <= shifted[0] ? SENDING : POINTER;
            if (state == ADDRESSED && shifted[0] || state == SENDING) begin
                sda_out     <= pointer == 0 ? temperature[15] : 1'b1;
                temperature <= {temperature[14:0], 1'b1};
            end
        end else if (bits == 8) begin
            sda_out <= 1;
            if (state == ADDRESSED) begin
                if (shifted[7:1] != ADDRESS) state <= IDLE;
                else sda_out <= 0;
                temperature <= {row[47:36], 4'b0};
            end else if (state == POINTER) begin
                pointer <= shifted;
                sda_out <= 0;
            end
        end else if (state == SENDING && bits != 0) begin
            sda_out     <= pointer == 0 ? temperature[15] : 1'b1;
            temperature <= {temperature[14:0], 1'b1};
        end
    end
end

endmodule
