// SPDX-License-Identifier: BSD-2-Clause
// Techmap of Yosys: LUTs with fewer inputs as LUT4, because nextpnr has no delays for LUT1, LUT2 and LUT3 of Gowin's FPGAs: a
// path through one of them is not timed. The open inputs do not matter, as the contents are repeated.

module LUT1 (output F, input I0);
    parameter [1:0] INIT = 0;
    LUT4 #(.INIT({8{INIT}})) _TECHMAP_REPLACE_ (.F(F), .I0(I0));
endmodule

module LUT2 (output F, input I0, I1);
    parameter [3:0] INIT = 0;
    LUT4 #(.INIT({4{INIT}})) _TECHMAP_REPLACE_ (.F(F), .I0(I0), .I1(I1));
endmodule

module LUT3 (output F, input I0, I1, I2);
    parameter [7:0] INIT = 0;
    LUT4 #(.INIT({2{INIT}})) _TECHMAP_REPLACE_ (.F(F), .I0(I0), .I1(I1), .I2(I2));
endmodule
