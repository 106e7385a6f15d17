# A Multiboot 1 kernel for idle.test.ts: sleeps until a serial interrupt, sends back what has come, and ends the machine at "q".
# No timer runs, so nothing else ever wakes it.

#define SERIAL 0x3f8
#define DEBUG_EXIT 0xf4
#define VECTOR 0x24

	.text
	.balign 4
	.long 0x1badb002, 0, -0x1badb002

	.macro port number, value
	movb $\value, %al
	outb %al, $\number
	.endm

	.globl start
start:
	movl $stack_top, %esp
	lgdt gdt_pointer
	ljmp $8, $1f
1:	movl $16, %eax
	movl %eax, %ss
	movl %eax, %ds
	# An interrupt gate for IRQ 4.
	movl $received, %eax
	movw %ax, idt + VECTOR * 8
	movl $8, idt + VECTOR * 8 + 2
	movl $0x8e00, idt + VECTOR * 8 + 4
	shrl $16, %eax
	movw %ax, idt + VECTOR * 8 + 6
	lidt idt_pointer
	# The PIC: vectors from 0x20, IRQ 4 alone.
	port 0x20, 0x11
	port 0x21, 0x20
	port 0x21, 0x04
	port 0x21, 0x01
	port 0x21, 0xef
	# Interrupts for received bytes; OUT2 lets them through.
	movw $SERIAL + 1, %dx
	movb $1, %al
	outb %al, %dx
	movw $SERIAL + 4, %dx
	movb $8, %al
	outb %al, %dx
	movw $SERIAL, %dx
	movb $0x21, %al			# "!": ready
	outb %al, %dx
	sti
1:	hlt
	jmp 1b

received:
	movw $SERIAL, %dx
	inb %dx, %al
	cmpb $0x71, %al			# "q"
	je 1f
	outb %al, %dx
	port 0x20, 0x20			# end of interrupt
	iret
1:	outl %eax, $DEBUG_EXIT

	.balign 8
gdt:	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_pointer:	.word 23
	.long gdt
idt_pointer:	.word VECTOR * 8 + 7
	.long idt

	.bss
	.balign 8
idt:	.skip VECTOR * 8 + 8
	.skip 4096
stack_top:
