// SPDX-License-Identifier: BSD-2-Clause
// Behaviour of the ECP5's block RAM and multiplier, whose models in Yosys' share folder are empty; written from what
// Yosys' own mapping files for the family assume of them. At the end, half a slice and its write port as nextpnr-ecp5 leaves
// them, all inputs driven: Yosys' model of a half slice takes the contents of a RAM in another order than nextpnr writes them. Modelled: two ports, or one of 36 bits for each direction, all widths,
// byte enables, the three write modes, initial contents; the product, signed or not. Not modelled, and refused in netlist.py:
// output registers, resets, chip selects, two clocks, registers of the multiplier.
// What a port reads where the other one writes, and what is stored where both write, is undefined: it is the complement here.

module DP16KD #(
    parameter DATA_WIDTH_A = 18, parameter DATA_WIDTH_B = 18,
    parameter WRITEMODE_A = "NORMAL", parameter WRITEMODE_B = "NORMAL",
    parameter REGMODE_A = "NOREG", parameter REGMODE_B = "NOREG", parameter RESETMODE = "SYNC",
    parameter ASYNC_RESET_RELEASE = "SYNC", parameter CSDECODE_A = "0b000", parameter CSDECODE_B = "0b000",
    parameter CLKAMUX = "CLKA", parameter CLKBMUX = "CLKB", parameter GSR = "DISABLED",
    parameter [319:0] INITVAL_00 = 0, parameter [319:0] INITVAL_01 = 0, parameter [319:0] INITVAL_02 = 0,
        parameter [319:0] INITVAL_03 = 0,
    parameter [319:0] INITVAL_04 = 0, parameter [319:0] INITVAL_05 = 0, parameter [319:0] INITVAL_06 = 0,
        parameter [319:0] INITVAL_07 = 0,
    parameter [319:0] INITVAL_08 = 0, parameter [319:0] INITVAL_09 = 0, parameter [319:0] INITVAL_0A = 0,
        parameter [319:0] INITVAL_0B = 0,
    parameter [319:0] INITVAL_0C = 0, parameter [319:0] INITVAL_0D = 0, parameter [319:0] INITVAL_0E = 0,
        parameter [319:0] INITVAL_0F = 0,
    parameter [319:0] INITVAL_10 = 0, parameter [319:0] INITVAL_11 = 0, parameter [319:0] INITVAL_12 = 0,
        parameter [319:0] INITVAL_13 = 0,
    parameter [319:0] INITVAL_14 = 0, parameter [319:0] INITVAL_15 = 0, parameter [319:0] INITVAL_16 = 0,
        parameter [319:0] INITVAL_17 = 0,
    parameter [319:0] INITVAL_18 = 0, parameter [319:0] INITVAL_19 = 0, parameter [319:0] INITVAL_1A = 0,
        parameter [319:0] INITVAL_1B = 0,
    parameter [319:0] INITVAL_1C = 0, parameter [319:0] INITVAL_1D = 0, parameter [319:0] INITVAL_1E = 0,
        parameter [319:0] INITVAL_1F = 0,
    parameter [319:0] INITVAL_20 = 0, parameter [319:0] INITVAL_21 = 0, parameter [319:0] INITVAL_22 = 0,
        parameter [319:0] INITVAL_23 = 0,
    parameter [319:0] INITVAL_24 = 0, parameter [319:0] INITVAL_25 = 0, parameter [319:0] INITVAL_26 = 0,
        parameter [319:0] INITVAL_27 = 0,
    parameter [319:0] INITVAL_28 = 0, parameter [319:0] INITVAL_29 = 0, parameter [319:0] INITVAL_2A = 0,
        parameter [319:0] INITVAL_2B = 0,
    parameter [319:0] INITVAL_2C = 0, parameter [319:0] INITVAL_2D = 0, parameter [319:0] INITVAL_2E = 0,
        parameter [319:0] INITVAL_2F = 0,
    parameter [319:0] INITVAL_30 = 0, parameter [319:0] INITVAL_31 = 0, parameter [319:0] INITVAL_32 = 0,
        parameter [319:0] INITVAL_33 = 0,
    parameter [319:0] INITVAL_34 = 0, parameter [319:0] INITVAL_35 = 0, parameter [319:0] INITVAL_36 = 0,
        parameter [319:0] INITVAL_37 = 0,
    parameter [319:0] INITVAL_38 = 0, parameter [319:0] INITVAL_39 = 0, parameter [319:0] INITVAL_3A = 0,
        parameter [319:0] INITVAL_3B = 0,
    parameter [319:0] INITVAL_3C = 0, parameter [319:0] INITVAL_3D = 0, parameter [319:0] INITVAL_3E = 0,
        parameter [319:0] INITVAL_3F = 0
) (
    input DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0,
    input ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
    input CLKA, CEA, WEA, RSTA, OCEA, CSA0, CSA1, CSA2,
    output DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0,
    input DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0,
    input ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
    input CLKB, CEB, WEB, RSTB, OCEB, CSB0, CSB1, CSB2,
    output DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0
);
    wire [17:0] in_a = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3,
        DIA2, DIA1, DIA0}, in_b = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5,
        DIB4, DIB3, DIB2, DIB1, DIB0};
    wire [13:0] adr_a = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0},
        adr_b = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
    wire [35:0] word_a = {in_b, in_a}, word_b = {18'd0, in_b};
    wire write_a = CEA & WEA, write_b = CEB & WEB, clk = CLKA | CLKB;
    localparam [20479:0] CONTENTS = {
    INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C,
    INITVAL_3B, INITVAL_3A, INITVAL_39, INITVAL_38,
    INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34,
    INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30,
    INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C,
    INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28,
    INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24,
    INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20,
    INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C,
    INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18,
    INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14,
    INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10,
    INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C,
    INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
    INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04,
    INITVAL_03, INITVAL_02, INITVAL_01, INITVAL_00
    };
    // Bytes of nine bits; twenty bits of the parameters hold two.
    reg [8:0] memory [0:2047];
    reg [35:0] out_a, out_b;
    integer n, at, i;
    initial begin
        for (n = 0; n < 2048; n = n + 1) memory[n] = CONTENTS[20*(n/2) + 9*(n%2) +: 9];
        out_a = 0;
        out_b = 0;
    end

    // Bytes that a width takes, and the first of them.
    function integer bytes(input integer width);
        bytes = width < 18 ? 1 : width / 9;
    endfunction
    function integer first(input integer width, input [13:0] address);
        first = (address >> 3) & ~(bytes(width) - 1);
    endfunction
    // Place of the lowest bit in a byte; the narrow widths have no parity.
    function integer low(input integer width, input [13:0] address);
        low = width >= 9 ? 0 : address[2:0] & ~(width - 1);
    endfunction
    // Bits that a port writes into byte ``place``, and what; wide words have their byte enables in the lowest address bits.
    function [8:0] written(input integer place, input integer width, input on, input [13:0] address);
        integer offset;
        begin
            offset = place - first(width, address);
            written = 9'd0;
            if (on && offset >= 0 && offset < bytes(width) && (width < 18 || address[offset[1:0]]))
                written = width >= 9 ? 9'h1ff : ((1 << width) - 1) << low(width, address);
        end
    endfunction
    function [8:0] given(input integer place, input integer width, input [35:0] word, input [13:0] address);
        given = width >= 9 ? word[9 * ((place - first(width, address)) & 3) +: 9] : word[8:0] << low(width, address);
    endfunction
    function [8:0] narrow(input integer width, input [8:0] value, input [13:0] address);
        narrow = width >= 9 ? value : (value >> low(width, address)) & ((1 << width) - 1);
    endfunction
    function [8:0] merged(input [8:0] old, input [8:0] bits, input [8:0] value);
        merged = (old & ~bits) | (value & bits);
    endfunction

    reg [8:0] seen, ours, theirs;
    always @(posedge clk) begin
        if (CEA && !(WEA && WRITEMODE_A == "NORMAL"))
            for (i = 0; i < bytes(DATA_WIDTH_A); i = i + 1) begin
                at = first(DATA_WIDTH_A, adr_a) + i;
                ours = WRITEMODE_A == "WRITETHROUGH" ? written(at, DATA_WIDTH_A, write_a, adr_a) : 9'd0;
                theirs = written(at, DATA_WIDTH_B, write_b, adr_b);
                seen = merged(memory[at], ours, given(at, DATA_WIDTH_A, word_a, adr_a)) ^ theirs;
                out_a[9*i +: 9] <= narrow(DATA_WIDTH_A, seen, adr_a);
            end
        if (CEB && !(WEB && WRITEMODE_B == "NORMAL"))
            for (i = 0; i < bytes(DATA_WIDTH_B); i = i + 1) begin
                at = first(DATA_WIDTH_B, adr_b) + i;
                ours = WRITEMODE_B == "WRITETHROUGH" ? written(at, DATA_WIDTH_B, write_b, adr_b) : 9'd0;
                theirs = written(at, DATA_WIDTH_A, write_a, adr_a);
                seen = merged(memory[at], ours, given(at, DATA_WIDTH_B, word_b, adr_b)) ^ theirs;
                out_b[9*i +: 9] <= narrow(DATA_WIDTH_B, seen, adr_b);
            end
        if (write_a)
            for (i = 0; i < bytes(DATA_WIDTH_A); i = i + 1) begin
                at = first(DATA_WIDTH_A, adr_a) + i;
                ours = written(at, DATA_WIDTH_A, write_a, adr_a);
                theirs = written(at, DATA_WIDTH_B, write_b, adr_b);
                memory[at] = merged(memory[at], ours, given(at, DATA_WIDTH_A, word_a, adr_a)) ^ (ours & theirs);
            end
        if (write_b)
            for (i = 0; i < bytes(DATA_WIDTH_B); i = i + 1) begin
                at = first(DATA_WIDTH_B, adr_b) + i;
                ours = written(at, DATA_WIDTH_B, write_b, adr_b);
                theirs = written(at, DATA_WIDTH_A, write_a, adr_a);
                memory[at] = merged(memory[at], ours, given(at, DATA_WIDTH_B, word_b, adr_b)) ^ (ours & theirs);
            end
    end

    // 36 bits that are read take the outputs of both ports.
    assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1,
        DOA0} = DATA_WIDTH_B == 36 ? out_b[17:0] : out_a[17:0];
    assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1,
        DOB0} = DATA_WIDTH_B == 36 ? out_b[35:18] : out_b[17:0];
endmodule

module MULT18X18D (
    input A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0,
    input B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0,
    input C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0,
    input SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
    output P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17, P16, P15, P14,
        P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
);
    wire [17:0] a = {A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0}, b = {B17, B16, B15,
        B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0};
    wire signed [35:0] one = {{18{SIGNEDA & a[17]}}, a}, other = {{18{SIGNEDB & b[17]}}, b};
    assign {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17, P16, P15, P14,
        P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0} = one * other;
endmodule

module TRELLIS_COMB #(
    parameter MODE = "LOGIC", parameter [15:0] INITVAL = 0, parameter CCU2_INJECT1 = "NO", parameter WREMUX = "WRE",
    parameter WCKMUX = "WCK", parameter IS_Z1 = 0
) (
    input A, B, C, D, M, FCI, F1, FXA, FXB, WD, WAD0, WAD1, WAD2, WAD3, WRE, WCK,
    output F, FCO, OFX
);
    generate
        if (MODE == "DPRAM") begin
            // The address 0 to 3 of a read is at D, B, C, A.
            reg [15:0] ram = INITVAL;
            wire clk = WCKMUX == "INV" ? !WCK : WCK;
            wire write = WREMUX == "INV" ? !WRE : WREMUX == "WRE" ? WRE : WREMUX == "1";
            always @(posedge clk) if (write) ram[{WAD0, WAD2, WAD1, WAD3}] <= WD;
            assign F = ram[{D, C, B, A}];
            assign FCO = 0;
        end else begin
            wire four = INITVAL[{D, C, B, A}], two = INITVAL[{2'b00, B, A}];
            wire joined = CCU2_INJECT1 != "YES";
            assign F = MODE == "CCU2" ? four ^ (joined & FCI) : four;
            assign FCO = MODE == "CCU2" ? (four ? FCI : joined & two) : 0;
        end
    endgenerate
    // Of two LUTs, or of two multiplexers.
    assign OFX = IS_Z1 ? (M ? FXB : FXA) : (M ? F1 : F);
endmodule

module TRELLIS_RAMW (
    input A0, B0, C0, D0, A1, B1, C1, D1,
    output WADO0, WADO1, WADO2, WADO3, WDO0, WDO1, WDO2, WDO3
);
    assign {WADO3, WADO2, WADO1, WADO0} = {A0, C0, B0, D0};
    assign {WDO3, WDO2, WDO1, WDO0} = {B1, D1, A1, C1};
endmodule
