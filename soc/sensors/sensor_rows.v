// SPDX-License-Identifier: BSD-2-Clause
// What a simulated sensor measures, from sensor.init: words of 48 bits, the first one number of rows and clock cycles of a row, then
// the rows. They pass one after the other; the last one stays.

module sensor_rows (
    input         clk,
    output [47:0] row
);

reg [47:0] rows [0:65535];
reg [15:0] at = 1;
reg [31:0] passed = 1;

initial $readmemh("sensor.init", rows);

assign row = rows[at];

always @(posedge clk)
    if (passed < rows[0][31:0])
        passed <= passed + 1;
    else if (at < rows[0][47:32]) begin
        passed <= 1;
        at     <= at + 1;
    end

endmodule
