# SPDX-License-Identifier: BSD-2-Clause
"""VexRiscv's Verilog with shorter paths: the same instructions with the same effect, in a design that is nearly full.

Each change is one of text, applied where the text is found as expected:

- The register file in distributed RAM instead of a block RAM, read without a register in the decode stage instead of a cycle
  ahead. It sees what was written a cycle ago, so the hazard unit waits a cycle less.
- The operands of the adder are selected at the end of the decode stage instead of at the beginning of the execute stage.
- A misaligned access waits for the bus as any other does before it traps, so that the address does not decide whether the
  pipeline waits.
- ``mepc`` chooses its value by the trap instead of by the write: an instruction that writes it and a trap never meet, but
  whether an instruction may write is known late in a cycle.
- The number of fetches under way is chosen from three instead of added up.
- A skid buffer in front of the decode stage takes the instruction that arrives while that stage waits. So the fetch stages need
  not wait in the same cycle: hazards, shifter and bus stop the decode stage late in a cycle.
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
SELECTED = r"_zz_execute_SRC1|_zz__zz_execute_SRC1_1|_zz_execute_SRC2_[15]|_zz__zz_execute_SRC2_3"
# The name of the execute stage's program counter, which also goes on to the next stage, from where mepc takes it.
PLACE, PLACE_IN_DECODE = "_zz_execute_SRC2_5 = _zz_execute_SRC2;", "_zz_execute_SRC2_5 = decode_PC;"
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

PENDING = """  assign IBusSimplePlugin_pending_next = (_zz_IBusSimplePlugin_pending_next - _zz_IBusSimplePlugin_pending_next_3);
"""
PENDING_CHOSEN = """  assign IBusSimplePlugin_pending_next = (IBusSimplePlugin_pending_inc == IBusSimplePlugin_pending_dec)
    ? IBusSimplePlugin_pending_value
    : (IBusSimplePlugin_pending_inc ? (IBusSimplePlugin_pending_value + 3'd1) : (IBusSimplePlugin_pending_value - 3'd1));
"""
DISCARDED = "(IBusSimplePlugin_pending_value - _zz_IBusSimplePlugin_rspJoin_rspBuffer_discardCounter_2)"
DISCARDED_CHOSEN = """(IBusSimplePlugin_pending_dec
        ? (IBusSimplePlugin_pending_value - 3'd1) : IBusSimplePlugin_pending_value)"""

# mepc as the trap and as an instruction write it, both in one block of statements of which the later ones count.
TRAPPED = """          CsrPlugin_mcause_exceptionCode <= CsrPlugin_trapCause;
          CsrPlugin_mepc <= writeBack_PC;
"""
WRITTEN = """    if(execute_CsrPlugin_csr_833) begin
      if(execute_CsrPlugin_writeEnable) begin
        CsrPlugin_mepc <= CsrPlugin_csrMapping_writeDataSignal[31 : 0];
      end
    end
"""
TRAP = "    if(when_CsrPlugin_l1019) begin\n      case(CsrPlugin_targetPrivilege)\n        2'b11 : begin\n"
EITHER = """    if((when_CsrPlugin_l1019 && (CsrPlugin_targetPrivilege == 2'b11))
        || (execute_CsrPlugin_csr_833 && execute_CsrPlugin_writeEnable)) begin
      CsrPlugin_mepc <= (when_CsrPlugin_l1019 ? writeBack_PC : CsrPlugin_csrMapping_writeDataSignal[31 : 0]);
    end
"""

READY = ("  assign IBusSimplePlugin_iBusRsp_output_ready = ((1'b0 && (! IBusSimplePlugin_injector_decodeInput_valid)) || "
         "IBusSimplePlugin_injector_decodeInput_ready);\n")
PARTS = ("isRvc", "rsp_error", "pc", "rsp_inst")
ARRIVING, DECODED = (", ".join(f"{stage}_payload_{part}" for part in PARTS)
                     for stage in ("IBusSimplePlugin_iBusRsp_output", "_zz_IBusSimplePlugin_injector_decodeInput"))
SKID = f"""  reg IBusSimplePlugin_skid_valid;
  reg [65:0] IBusSimplePlugin_skid_payload;
  assign IBusSimplePlugin_iBusRsp_output_ready = (! IBusSimplePlugin_skid_valid);
  always @(posedge clk) begin
    if(reset || IBusSimplePlugin_externalFlush || IBusSimplePlugin_injector_decodeInput_ready) begin
      IBusSimplePlugin_skid_valid <= 1'b0;
    end else if(IBusSimplePlugin_iBusRsp_output_valid) begin
      IBusSimplePlugin_skid_valid <= 1'b1;
    end
    if(! IBusSimplePlugin_skid_valid) begin
      IBusSimplePlugin_skid_payload <= {{{ARRIVING}}};
    end
  end
"""
VALID = ("      if(IBusSimplePlugin_iBusRsp_output_ready) begin\n        _zz_IBusSimplePlugin_injector_decodeInput_valid <= "
         "(IBusSimplePlugin_iBusRsp_output_valid && (! IBusSimplePlugin_externalFlush));\n")
SKID_VALID = """      if(IBusSimplePlugin_injector_decodeInput_ready) begin
        _zz_IBusSimplePlugin_injector_decodeInput_valid <= ((! IBusSimplePlugin_externalFlush)
          && (IBusSimplePlugin_skid_valid || IBusSimplePlugin_iBusRsp_output_valid));
"""
LOADED = "    if(IBusSimplePlugin_iBusRsp_output_ready) begin\n" + "".join(
    f"      _zz_IBusSimplePlugin_injector_decodeInput_payload_{part} <= IBusSimplePlugin_iBusRsp_output_payload_{part};\n"
    for part in ("pc", "rsp_error", "rsp_inst", "isRvc"))
SKID_LOADED = f"""    if(IBusSimplePlugin_injector_decodeInput_ready) begin
      {{{DECODED}}} <= IBusSimplePlugin_skid_valid ? IBusSimplePlugin_skid_payload
        : {{{ARRIVING}}};
"""


def shortened(text):
    """The Verilog of a VexRiscv with those of CHANGES that apply to it."""
    for change in CHANGES:
        text = change(text)
    return text


def distributed(text):
    """The register file in distributed RAM."""
    return text.replace(IN_BLOCK_RAM, IN_BLOCK_RAM.replace("block", "distributed"))


def read_in_decode(text):
    """The register file read without a register, and a cycle less to wait for it."""
    # Only where the instruction comes from a register.
    if "assign decode_INSTRUCTION = IBusSimplePlugin_injector_decodeInput_payload_rsp_inst;" not in text:
        return text
    for port, bits in enumerate(("19 : 15", "24 : 20")):
        ahead = READ_AHEAD.format(n=port + 1, p=port)
        if ahead not in text:
            return text
        text = text.replace(ahead, READ_IN_DECODE.format(p=port, bits=bits))
    # What was written a cycle ago is read now.
    if _waits(text):
        text = text.replace("    if(HazardSimplePlugin_writeBackBuffer_valid) begin\n", "    if(1'b0) begin\n")
    return text


def _waits(text):
    """The hazard unit waits for a register; otherwise it takes values that are under way, the last one from its buffer."""
    return "assign decode_RS1 =" in text


def operands_in_decode(text):
    """The adder's operands selected in the decode stage."""
    before = "  assign execute_SRC2 = _zz_execute_SRC2_5;\n  assign execute_SRC1 = _zz_execute_SRC1;\n"
    # With bypasses or another number of stages the two ends of the register do not see the same values.
    if before not in text or PLACE not in text or not _waits(text):
        return text
    changed = re.sub(rf"(?m)^( *(?:assign )?(?:{SELECTED}) = )(.*)$",
                     lambda line: line[1] + re.sub(r"\bexecute_(RS1|RS2|INSTRUCTION|PC)\b", r"decode_\1", line[2]), text)
    changed, cases = re.subn(r"case\(execute_(SRC[12])_CTRL\)(\s+\S+ : begin\s+_zz_execute_\1)",
                             r"case(decode_\1_CTRL)\2", changed)
    if cases != 2:
        return text
    return changed.replace(PLACE, PLACE_IN_DECODE).replace(before, OPERANDS)


def waits_alike(text):
    """Misaligned accesses wait for the bus."""
    return re.sub(WAITS, r"\g<1>1'b1", text)


def pending_chosen(text):
    """The number of fetches under way without adders."""
    return text.replace(PENDING, PENDING_CHOSEN).replace(DISCARDED, DISCARDED_CHOSEN)


def mepc_chosen(text):
    """mepc's value chosen by the trap."""
    # Tried with the pipeline that waits only.
    if not _waits(text) or not all(part in text for part in (TRAP, TRAPPED, WRITTEN)):
        return text
    return text.replace(TRAPPED, TRAPPED.splitlines(keepends=True)[0]).replace(WRITTEN, EITHER)


def with_skid_buffer(text):
    """A skid buffer between the fetch stages and the decode stage."""
    # Where the register file is read ahead it takes its addresses from the instruction that arrives.
    parts = (READ_IN_DECODE.format(p=0, bits="19 : 15"), READY, VALID, LOADED)
    if not all(text.count(part) == 1 for part in parts):
        return text
    return text.replace(READY, SKID).replace(VALID, SKID_VALID).replace(LOADED, SKID_LOADED)


CHANGES = (distributed, read_in_decode, operands_in_decode, waits_alike, mepc_chosen, pending_chosen, with_skid_buffer)
