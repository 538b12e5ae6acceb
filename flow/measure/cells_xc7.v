// SPDX-License-Identifier: BSD-2-Clause
// Behaviour of the block RAMs of the 7 series, whose models in Yosys' cells_sim.v are empty; written from AMD/Xilinx UG473,
// chapter 1. Modelled: both modes, all widths, byte enables, the three write modes, initial contents and outputs, reset of the
// output latch. Not modelled, and refused in netlist.py: output registers, cascades, ECC, inverted pins, two clocks.
// UG473 leaves two cases undefined; they are complements here, so that a design that relies on them fails: what a port reads
// where the other one writes, unless that writes READ_FIRST, and what is stored where both write.

module liteformer_ramb #(
    parameter ADDRESS = 15,
    parameter READ_A = 0, parameter READ_B = 0, parameter WRITE_A = 0, parameter WRITE_B = 0,
    parameter MODE_A = "WRITE_FIRST", parameter MODE_B = "WRITE_FIRST",
    parameter [35:0] START_A = 0, START_B = 0, RESET_A = 0, RESET_B = 0, parameter WIDE = 0,
    parameter [(1 << ADDRESS) - 1:0] DATA = 0, parameter [(1 << ADDRESS) / 8 - 1:0] PARITY = 0
) (
    input clk_a, input clk_b, input en_a, input en_b, input rst_a, input rst_b,
    input [ADDRESS-1:0] adr_a, input [ADDRESS-1:0] adr_b, input [71:0] in_a, input [71:0] in_b, input [7:0] we_a,
    input [7:0] we_b, output reg [71:0] out_a, output reg [71:0] out_b
);
    // A port's word: parity in [71:64], one bit for each byte of data in [63:0].
    localparam WORDS = (1 << ADDRESS) / 8;
    reg [7:0] data [0:WORDS-1];
    reg parity [0:WORDS-1];

    integer n;
    initial begin
        for (n = 0; n < WORDS; n = n + 1) begin
            data[n] = DATA[8*n +: 8];
            parity[n] = PARITY[n];
        end
        out_a = latch(READ_A, START_A, START_B);
        out_b = latch(READ_B, START_B, 36'd0);
    end

    // A value for the output latch; the attributes hold the parity above the data. With WIDE, those of A and B are one word.
    function [71:0] latch(input integer width, input [35:0] own, input [35:0] upper);
        case (width)
            72: latch = {upper[35:32], own[35:32], upper[31:0], own[31:0]};
            36: latch = WIDE ? {4'd0, upper[17:16], own[17:16], 32'd0, upper[15:0], own[15:0]} :
                               {4'd0, own[35:32], 32'd0, own[31:0]};
            18: latch = {6'd0, own[17:16], 48'd0, own[15:0]};
            9: latch = {7'd0, own[8], 56'd0, own[7:0]};
            default: latch = own & ((1 << width) - 1);
        endcase
    endfunction

    // Bytes that a width takes, and the first of them.
    function integer bytes(input integer width);
        bytes = width < 18 ? 1 : width / 9;
    endfunction
    function integer first(input integer width, input [ADDRESS-1:0] address);
        first = (address >> 3) & ~(bytes(width) - 1);
    endfunction
    // Bits of byte ``i`` that a port takes; the narrow widths have no parity.
    function [8:0] lanes(input integer width, input [ADDRESS-1:0] address);
        lanes = width >= 9 ? 9'h1ff : ((1 << width) - 1) << (address[2:0] & ~(width - 1));
    endfunction
    function [71:0] narrow(input integer width, input [ADDRESS-1:0] address, input [71:0] word);
        narrow = width >= 9 ? word : (word >> (address[2:0] & ~(width - 1))) & ((1 << width) - 1);
    endfunction

    // Bits that a port writes into byte ``place``: it lies in the port's word, and its enable is set.
    function [8:0] written(input integer place, input integer width, input en, input [7:0] we, input [ADDRESS-1:0] address);
        integer offset;
        begin
            offset = place - first(width, address);
            written = 9'h0;
            if (width != 0 && en && offset >= 0 && offset < bytes(width)) written = we[offset] ? lanes(width, address) : 9'h0;
        end
    endfunction
    function [8:0] value(input integer place, input integer width, input [71:0] word, input [ADDRESS-1:0] address);
        integer offset;
        begin
            offset = place - first(width, address);
            value = width >= 9 ? {word[64 + offset], word[8*offset +: 8]} : word[7:0] << (address[2:0] & ~(width - 1));
        end
    endfunction

    wire clk = READ_A != 0 || WRITE_A != 0 ? clk_a : clk_b;
    integer i, place;
    reg [8:0] bits, mask;
    reg [71:0] word;
    always @(posedge clk) begin
        if (READ_A != 0 && en_a) begin
            word = 72'd0;
            for (i = 0; i < bytes(READ_A); i = i + 1) begin
                place = first(READ_A, adr_a) + i;
                bits = {parity[place], data[place]};
                if (MODE_A == "WRITE_FIRST") begin
                    mask = written(place, WRITE_A, en_a, we_a, adr_a);
                    bits = (bits & ~mask) | (value(place, WRITE_A, in_a, adr_a) & mask);
                end
                if (MODE_B != "READ_FIRST") bits = bits ^ written(place, WRITE_B, en_b, we_b, adr_b);
                {word[64 + i], word[8*i +: 8]} = bits;
            end
            if (rst_a) out_a <= latch(READ_A, RESET_A, RESET_B);
            else if (MODE_A != "NO_CHANGE" || WRITE_A == 0 || we_a == 0) out_a <= narrow(READ_A, adr_a, word);
        end
        if (READ_B != 0 && en_b) begin
            word = 72'd0;
            for (i = 0; i < bytes(READ_B); i = i + 1) begin
                place = first(READ_B, adr_b) + i;
                bits = {parity[place], data[place]};
                if (MODE_B == "WRITE_FIRST") begin
                    mask = written(place, WRITE_B, en_b, we_b, adr_b);
                    bits = (bits & ~mask) | (value(place, WRITE_B, in_b, adr_b) & mask);
                end
                if (MODE_A != "READ_FIRST") bits = bits ^ written(place, WRITE_A, en_a, we_a, adr_a);
                {word[64 + i], word[8*i +: 8]} = bits;
            end
            if (rst_b) out_b <= latch(READ_B, RESET_B, 36'd0);
            else if (MODE_B != "NO_CHANGE" || WRITE_B == 0 || we_b == 0) out_b <= narrow(READ_B, adr_b, word);
        end
        if (WRITE_A != 0 && en_a) for (i = 0; i < bytes(WRITE_A); i = i + 1) begin
            place = first(WRITE_A, adr_a) + i;
            mask = written(place, WRITE_A, en_a, we_a, adr_a);
            bits = value(place, WRITE_A, in_a, adr_a);
            bits = ({parity[place], data[place]} & ~mask) | (bits & mask);
            data[place] = bits[7:0];
            parity[place] = bits[8];
        end
        if (WRITE_B != 0 && en_b) for (i = 0; i < bytes(WRITE_B); i = i + 1) begin
            place = first(WRITE_B, adr_b) + i;
            mask = written(place, WRITE_B, en_b, we_b, adr_b);
            bits = value(place, WRITE_B, in_b, adr_b) ^ written(place, WRITE_A, en_a, we_a, adr_a);
            bits = ({parity[place], data[place]} & ~mask) | (bits & mask);
            data[place] = bits[7:0];
            parity[place] = bits[8];
        end
    end
endmodule

module RAMB18E1 #(
    parameter [255:0] INIT_00 = 0, INIT_01 = 0, INIT_02 = 0, INIT_03 = 0, INIT_04 = 0, INIT_05 = 0, INIT_06 = 0, INIT_07 = 0,
    parameter [255:0] INIT_08 = 0, INIT_09 = 0, INIT_0A = 0, INIT_0B = 0, INIT_0C = 0, INIT_0D = 0, INIT_0E = 0, INIT_0F = 0,
    parameter [255:0] INIT_10 = 0, INIT_11 = 0, INIT_12 = 0, INIT_13 = 0, INIT_14 = 0, INIT_15 = 0, INIT_16 = 0, INIT_17 = 0,
    parameter [255:0] INIT_18 = 0, INIT_19 = 0, INIT_1A = 0, INIT_1B = 0, INIT_1C = 0, INIT_1D = 0, INIT_1E = 0, INIT_1F = 0,
    parameter [255:0] INIT_20 = 0, INIT_21 = 0, INIT_22 = 0, INIT_23 = 0, INIT_24 = 0, INIT_25 = 0, INIT_26 = 0, INIT_27 = 0,
    parameter [255:0] INIT_28 = 0, INIT_29 = 0, INIT_2A = 0, INIT_2B = 0, INIT_2C = 0, INIT_2D = 0, INIT_2E = 0, INIT_2F = 0,
    parameter [255:0] INIT_30 = 0, INIT_31 = 0, INIT_32 = 0, INIT_33 = 0, INIT_34 = 0, INIT_35 = 0, INIT_36 = 0, INIT_37 = 0,
    parameter [255:0] INIT_38 = 0, INIT_39 = 0, INIT_3A = 0, INIT_3B = 0, INIT_3C = 0, INIT_3D = 0, INIT_3E = 0, INIT_3F = 0,
    parameter [255:0] INITP_00 = 0, INITP_01 = 0, INITP_02 = 0, INITP_03 = 0,
    parameter [255:0] INITP_04 = 0, INITP_05 = 0, INITP_06 = 0, INITP_07 = 0,
    parameter DOA_REG = 0, parameter DOB_REG = 0, parameter RAM_MODE = "TDP",
    parameter READ_WIDTH_A = 0, parameter READ_WIDTH_B = 0, parameter WRITE_WIDTH_A = 0, parameter WRITE_WIDTH_B = 0,
    parameter WRITE_MODE_A = "WRITE_FIRST", parameter WRITE_MODE_B = "WRITE_FIRST",
    parameter [17:0] INIT_A = 0, INIT_B = 0, SRVAL_A = 0, SRVAL_B = 0
) (
    input CLKARDCLK, input CLKBWRCLK, input ENARDEN, input ENBWREN, input REGCEAREGCE, input REGCEB, input RSTRAMARSTRAM,
    input RSTRAMB, input RSTREGARSTREG, input RSTREGB, input [13:0] ADDRARDADDR, input [13:0] ADDRBWRADDR,
    input [15:0] DIADI, input [15:0] DIBDI, input [1:0] DIPADIP, input [1:0] DIPBDIP, input [1:0] WEA,
    input [3:0] WEBWE, output [15:0] DOADO, output [15:0] DOBDO, output [1:0] DOPADOP,
    output [1:0] DOPBDOP
);
    // Of a simple dual port, A reads and B writes; a word of the full width takes the data pins of both.
    localparam SIMPLE = RAM_MODE == "SDP";
    localparam WIDE_READ = SIMPLE && READ_WIDTH_A == 36, WIDE_WRITE = SIMPLE && WRITE_WIDTH_B == 36;
    wire [71:0] out_a, out_b;
    wire [31:0] in_b = WIDE_WRITE ? {DIBDI, DIADI} : {16'd0, DIBDI};
    wire [3:0] inp_b = WIDE_WRITE ? {DIPBDIP, DIPADIP} : {2'd0, DIPBDIP};

    function [71:0] word(input [63:0] data, input [7:0] parity);
        word = {parity, data};
    endfunction

    liteformer_ramb #(
        .ADDRESS(14), .READ_A(READ_WIDTH_A), .READ_B(SIMPLE ? 0 : READ_WIDTH_B), .WRITE_A(SIMPLE ? 0 : WRITE_WIDTH_A),
        .WRITE_B(WRITE_WIDTH_B), .MODE_A(WRITE_MODE_A), .MODE_B(WRITE_MODE_B),
        .START_A(INIT_A), .START_B(INIT_B), .RESET_A(SRVAL_A), .RESET_B(SRVAL_B), .WIDE(WIDE_READ),
        .DATA({INIT_3F, INIT_3E, INIT_3D, INIT_3C, INIT_3B, INIT_3A, INIT_39, INIT_38, INIT_37, INIT_36,
        INIT_35, INIT_34, INIT_33, INIT_32, INIT_31, INIT_30, INIT_2F, INIT_2E, INIT_2D, INIT_2C,
        INIT_2B, INIT_2A, INIT_29, INIT_28, INIT_27, INIT_26, INIT_25, INIT_24, INIT_23, INIT_22,
        INIT_21, INIT_20, INIT_1F, INIT_1E, INIT_1D, INIT_1C, INIT_1B, INIT_1A, INIT_19, INIT_18,
        INIT_17, INIT_16, INIT_15, INIT_14, INIT_13, INIT_12, INIT_11, INIT_10, INIT_0F, INIT_0E,
        INIT_0D, INIT_0C, INIT_0B, INIT_0A, INIT_09, INIT_08, INIT_07, INIT_06, INIT_05, INIT_04,
        INIT_03, INIT_02, INIT_01, INIT_00}),
        .PARITY({INITP_07, INITP_06, INITP_05, INITP_04, INITP_03, INITP_02, INITP_01, INITP_00})
    ) ram (
        .clk_a(CLKARDCLK), .clk_b(CLKBWRCLK), .en_a(ENARDEN), .en_b(ENBWREN), .rst_a(RSTRAMARSTRAM), .rst_b(RSTRAMB),
        .adr_a(ADDRARDADDR[13:0]), .adr_b(ADDRBWRADDR[13:0]), .in_a(word(DIADI, DIPADIP)), .in_b(word(in_b, inp_b)),
        .we_a(WEA), .we_b(WEBWE), .out_a(out_a), .out_b(out_b));

    assign DOADO = out_a[15:0], DOPADOP = out_a[65:64];
    assign DOBDO = WIDE_READ ? out_a[31:16] : out_b[15:0];
    assign DOPBDOP = WIDE_READ ? out_a[67:66] : out_b[65:64];
endmodule

module RAMB36E1 #(
    parameter [255:0] INIT_00 = 0, INIT_01 = 0, INIT_02 = 0, INIT_03 = 0, INIT_04 = 0, INIT_05 = 0, INIT_06 = 0, INIT_07 = 0,
    parameter [255:0] INIT_08 = 0, INIT_09 = 0, INIT_0A = 0, INIT_0B = 0, INIT_0C = 0, INIT_0D = 0, INIT_0E = 0, INIT_0F = 0,
    parameter [255:0] INIT_10 = 0, INIT_11 = 0, INIT_12 = 0, INIT_13 = 0, INIT_14 = 0, INIT_15 = 0, INIT_16 = 0, INIT_17 = 0,
    parameter [255:0] INIT_18 = 0, INIT_19 = 0, INIT_1A = 0, INIT_1B = 0, INIT_1C = 0, INIT_1D = 0, INIT_1E = 0, INIT_1F = 0,
    parameter [255:0] INIT_20 = 0, INIT_21 = 0, INIT_22 = 0, INIT_23 = 0, INIT_24 = 0, INIT_25 = 0, INIT_26 = 0, INIT_27 = 0,
    parameter [255:0] INIT_28 = 0, INIT_29 = 0, INIT_2A = 0, INIT_2B = 0, INIT_2C = 0, INIT_2D = 0, INIT_2E = 0, INIT_2F = 0,
    parameter [255:0] INIT_30 = 0, INIT_31 = 0, INIT_32 = 0, INIT_33 = 0, INIT_34 = 0, INIT_35 = 0, INIT_36 = 0, INIT_37 = 0,
    parameter [255:0] INIT_38 = 0, INIT_39 = 0, INIT_3A = 0, INIT_3B = 0, INIT_3C = 0, INIT_3D = 0, INIT_3E = 0, INIT_3F = 0,
    parameter [255:0] INIT_40 = 0, INIT_41 = 0, INIT_42 = 0, INIT_43 = 0, INIT_44 = 0, INIT_45 = 0, INIT_46 = 0, INIT_47 = 0,
    parameter [255:0] INIT_48 = 0, INIT_49 = 0, INIT_4A = 0, INIT_4B = 0, INIT_4C = 0, INIT_4D = 0, INIT_4E = 0, INIT_4F = 0,
    parameter [255:0] INIT_50 = 0, INIT_51 = 0, INIT_52 = 0, INIT_53 = 0, INIT_54 = 0, INIT_55 = 0, INIT_56 = 0, INIT_57 = 0,
    parameter [255:0] INIT_58 = 0, INIT_59 = 0, INIT_5A = 0, INIT_5B = 0, INIT_5C = 0, INIT_5D = 0, INIT_5E = 0, INIT_5F = 0,
    parameter [255:0] INIT_60 = 0, INIT_61 = 0, INIT_62 = 0, INIT_63 = 0, INIT_64 = 0, INIT_65 = 0, INIT_66 = 0, INIT_67 = 0,
    parameter [255:0] INIT_68 = 0, INIT_69 = 0, INIT_6A = 0, INIT_6B = 0, INIT_6C = 0, INIT_6D = 0, INIT_6E = 0, INIT_6F = 0,
    parameter [255:0] INIT_70 = 0, INIT_71 = 0, INIT_72 = 0, INIT_73 = 0, INIT_74 = 0, INIT_75 = 0, INIT_76 = 0, INIT_77 = 0,
    parameter [255:0] INIT_78 = 0, INIT_79 = 0, INIT_7A = 0, INIT_7B = 0, INIT_7C = 0, INIT_7D = 0, INIT_7E = 0, INIT_7F = 0,
    parameter [255:0] INITP_00 = 0, INITP_01 = 0, INITP_02 = 0, INITP_03 = 0,
    parameter [255:0] INITP_04 = 0, INITP_05 = 0, INITP_06 = 0, INITP_07 = 0,
    parameter [255:0] INITP_08 = 0, INITP_09 = 0, INITP_0A = 0, INITP_0B = 0,
    parameter [255:0] INITP_0C = 0, INITP_0D = 0, INITP_0E = 0, INITP_0F = 0,
    parameter DOA_REG = 0, parameter DOB_REG = 0, parameter RAM_MODE = "TDP",
    parameter RAM_EXTENSION_A = "NONE", parameter RAM_EXTENSION_B = "NONE",
    parameter READ_WIDTH_A = 0, parameter READ_WIDTH_B = 0, parameter WRITE_WIDTH_A = 0, parameter WRITE_WIDTH_B = 0,
    parameter WRITE_MODE_A = "WRITE_FIRST", parameter WRITE_MODE_B = "WRITE_FIRST",
    parameter [35:0] INIT_A = 0, INIT_B = 0, SRVAL_A = 0, SRVAL_B = 0
) (
    input CLKARDCLK, input CLKBWRCLK, input ENARDEN, input ENBWREN, input REGCEAREGCE, input REGCEB, input RSTRAMARSTRAM,
    input RSTRAMB, input RSTREGARSTREG, input RSTREGB, input [15:0] ADDRARDADDR, input [15:0] ADDRBWRADDR,
    input [31:0] DIADI, input [31:0] DIBDI, input [3:0] DIPADIP, input [3:0] DIPBDIP, input [3:0] WEA,
    input [7:0] WEBWE, output [31:0] DOADO, output [31:0] DOBDO, output [3:0] DOPADOP,
    output [3:0] DOPBDOP
);
    // Of a simple dual port, A reads and B writes; a word of the full width takes the data pins of both.
    localparam SIMPLE = RAM_MODE == "SDP";
    localparam WIDE_READ = SIMPLE && READ_WIDTH_A == 72, WIDE_WRITE = SIMPLE && WRITE_WIDTH_B == 72;
    wire [71:0] out_a, out_b;
    wire [63:0] in_b = WIDE_WRITE ? {DIBDI, DIADI} : {32'd0, DIBDI};
    wire [7:0] inp_b = WIDE_WRITE ? {DIPBDIP, DIPADIP} : {4'd0, DIPBDIP};

    function [71:0] word(input [63:0] data, input [7:0] parity);
        word = {parity, data};
    endfunction

    liteformer_ramb #(
        .ADDRESS(15), .READ_A(READ_WIDTH_A), .READ_B(SIMPLE ? 0 : READ_WIDTH_B), .WRITE_A(SIMPLE ? 0 : WRITE_WIDTH_A),
        .WRITE_B(WRITE_WIDTH_B), .MODE_A(WRITE_MODE_A), .MODE_B(WRITE_MODE_B),
        .START_A(INIT_A), .START_B(INIT_B), .RESET_A(SRVAL_A), .RESET_B(SRVAL_B), .WIDE(WIDE_READ),
        .DATA({INIT_7F, INIT_7E, INIT_7D, INIT_7C, INIT_7B, INIT_7A, INIT_79, INIT_78, INIT_77, INIT_76,
        INIT_75, INIT_74, INIT_73, INIT_72, INIT_71, INIT_70, INIT_6F, INIT_6E, INIT_6D, INIT_6C,
        INIT_6B, INIT_6A, INIT_69, INIT_68, INIT_67, INIT_66, INIT_65, INIT_64, INIT_63, INIT_62,
        INIT_61, INIT_60, INIT_5F, INIT_5E, INIT_5D, INIT_5C, INIT_5B, INIT_5A, INIT_59, INIT_58,
        INIT_57, INIT_56, INIT_55, INIT_54, INIT_53, INIT_52, INIT_51, INIT_50, INIT_4F, INIT_4E,
        INIT_4D, INIT_4C, INIT_4B, INIT_4A, INIT_49, INIT_48, INIT_47, INIT_46, INIT_45, INIT_44,
        INIT_43, INIT_42, INIT_41, INIT_40, INIT_3F, INIT_3E, INIT_3D, INIT_3C, INIT_3B, INIT_3A,
        INIT_39, INIT_38, INIT_37, INIT_36, INIT_35, INIT_34, INIT_33, INIT_32, INIT_31, INIT_30,
        INIT_2F, INIT_2E, INIT_2D, INIT_2C, INIT_2B, INIT_2A, INIT_29, INIT_28, INIT_27, INIT_26,
        INIT_25, INIT_24, INIT_23, INIT_22, INIT_21, INIT_20, INIT_1F, INIT_1E, INIT_1D, INIT_1C,
        INIT_1B, INIT_1A, INIT_19, INIT_18, INIT_17, INIT_16, INIT_15, INIT_14, INIT_13, INIT_12,
        INIT_11, INIT_10, INIT_0F, INIT_0E, INIT_0D, INIT_0C, INIT_0B, INIT_0A, INIT_09, INIT_08,
        INIT_07, INIT_06, INIT_05, INIT_04, INIT_03, INIT_02, INIT_01, INIT_00}),
        .PARITY({INITP_0F, INITP_0E, INITP_0D, INITP_0C, INITP_0B, INITP_0A, INITP_09, INITP_08, INITP_07, INITP_06,
        INITP_05, INITP_04, INITP_03, INITP_02, INITP_01, INITP_00})
    ) ram (
        .clk_a(CLKARDCLK), .clk_b(CLKBWRCLK), .en_a(ENARDEN), .en_b(ENBWREN), .rst_a(RSTRAMARSTRAM), .rst_b(RSTRAMB),
        .adr_a(ADDRARDADDR[14:0]), .adr_b(ADDRBWRADDR[14:0]), .in_a(word(DIADI, DIPADIP)), .in_b(word(in_b, inp_b)),
        .we_a(WEA), .we_b(WEBWE), .out_a(out_a), .out_b(out_b));

    assign DOADO = out_a[31:0], DOPADOP = out_a[67:64];
    assign DOBDO = WIDE_READ ? out_a[63:32] : out_b[31:0];
    assign DOPBDOP = WIDE_READ ? out_a[71:68] : out_b[67:64];
endmodule
