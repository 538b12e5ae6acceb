/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts a program with known registers and keeps those that it leaves. x2 points to the scratch memory, with room for the
 * registers of an interrupt handler below; a program ends with a jump to finish. */
	.option norvc
	.bss
	.balign 4
saved:
	.space 64
	.space 256
	.global scratch
scratch:
	.space 64
	.global registers
registers:
	.space 128

	.macro callee_saved instruction
	\instruction ra, 0(t0)
	\instruction gp, 4(t0)
	\instruction tp, 8(t0)
	\instruction s0, 12(t0)
	\instruction s1, 16(t0)
	.irp number, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	\instruction s\number, 4 * \number + 12(t0)
	.endr
	\instruction sp, 60(t0)
	.endm

	.text
	.global run
run:
	la t0, saved
	callee_saved sw
	la sp, scratch
	mv ra, a0
	.irp number, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	li x\number, (0x9e3779b9 * \number) & 0xffffffff
	.endr
	jr ra

	.global finish
finish:
	sw x0, 64(sp)
	sw x1, 68(sp)
	sw x2, 72(sp)
	.irp number, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	sw x\number, 64 + 4 * \number(sp)
	.endr
	la t0, saved
	callee_saved lw
	ret
