# SPDX-License-Identifier: BSD-2-Clause
"""VexRiscv's Verilog with shorter paths: the same instructions in the same cycles, in a design that is nearly full.

Each change is one of text, applied where the text is found as expected:

- The register file in distributed RAM instead of a block RAM, read without a register in the decode stage instead of a cycle
  ahead. What the earlier read could not yet see, the hazard unit keeps waiting in either case.
- The operands of the adder are selected at the end of the decode stage instead of at the beginning of the execute stage.
- A misaligned access waits for the bus as any other does before it traps, so that the address does not decide whether the
  pipeline waits.
"""

import re

IN_BLOCK_RAM = '(* ram_style = "block" *) reg [31:0] RegFilePlugin_regFile'
READ_AHEAD = """  always @(posedge clk) begin
    if(_zz_decode_RegFilePlugin_rs{n}Data) begin
      _zz_RegFilePlugin_regFile_port{p} <= RegFilePlugin_regFile[decode_RegFilePlugin_regFileReadAddress{n}];
    end
  end
"""
READ_IN_DECODE = """  always @(*) begin
    _zz_RegFilePlugin_regFile_port{p} = RegFilePlugin_regFile[decode_INSTRUCTION[{bits}]];
  end
"""
SELECTED = r"_zz_execute_SRC1|_zz__zz_execute_SRC1_1|_zz_execute_SRC2|_zz_execute_SRC2_[15]|_zz__zz_execute_SRC2_3"
OPERANDS = """  reg [31:0] decode_to_execute_SRC1;
  reg [31:0] decode_to_execute_SRC2;
  always @(posedge clk) begin
    if(when_Pipeline_l124) begin
      decode_to_execute_SRC1 <= _zz_execute_SRC1;
      decode_to_execute_SRC2 <= _zz_execute_SRC2_5;
    end
  end
  assign execute_SRC2 = decode_to_execute_SRC2;
  assign execute_SRC1 = decode_to_execute_SRC1;
"""
WAITS = r"(assign when_DBusSimplePlugin_l\d+ = .*\(! dBus_cmd_ready\)\) && )\(! execute_DBusSimplePlugin_skipCmd\)"


def shortened(text):
    """The Verilog of a VexRiscv with those of the changes that apply to it."""
    for change in (_distributed, _read_in_decode, _operands_in_decode, _waits_alike):
        text = change(text)
    return text


def _distributed(text):
    return text.replace(IN_BLOCK_RAM, IN_BLOCK_RAM.replace("block", "distributed"))


def _read_in_decode(text):
    # Only where the instruction comes from a register.
    if "assign decode_INSTRUCTION = IBusSimplePlugin_injector_decodeInput_payload_rsp_inst;" not in text:
        return text
    for port, bits in enumerate(("19 : 15", "24 : 20")):
        ahead = READ_AHEAD.format(n=port + 1, p=port)
        if ahead not in text:
            return text
        text = text.replace(ahead, READ_IN_DECODE.format(p=port, bits=bits))
    return text


def _operands_in_decode(text):
    before = "  assign execute_SRC2 = _zz_execute_SRC2_5;\n  assign execute_SRC1 = _zz_execute_SRC1;\n"
    # With bypasses or another number of stages the two ends of the register do not see the same values.
    if before not in text or "HazardSimplePlugin_writeBackBuffer_valid" not in text or "assign decode_RS1 =" not in text:
        return text
    text = re.sub(rf"(?m)^( *(?:assign )?(?:{SELECTED}) = )(.*)$",
                  lambda line: line[1] + re.sub(r"\bexecute_(RS1|RS2|INSTRUCTION|PC)\b", r"decode_\1", line[2]), text)
    for number in (1, 2):
        text = re.sub(rf"case\(execute_SRC{number}_CTRL\)(\s+\S+ : begin\s+_zz_execute_SRC{number})",
                      rf"case(decode_SRC{number}_CTRL)\1", text)
    return text.replace(before, OPERANDS)


def _waits_alike(text):
    return re.sub(WAITS, r"\g<1>1'b1", text)
