# A bare-metal Multiboot 1 kernel for bare-metal.test.ts. It reports through the serial port what it found, and ends the machine
# through the debug-exit port with the digit that its command line ends in.
#
# Without WIDE it is 32-bit code throughout. With WIDE it changes to 64-bit mode and takes an exception there; it is linked as
# ELF64 and converted to the 32-bit container, since Multiboot loaders know no other.

#define MULTIBOOT_MAGIC 0x1badb002
#define BOOTED 0x2badb002
#define SERIAL 0x3f8
#define DEBUG_EXIT 0xf4
#define FAILED 99

#ifdef WIDE
#define POINTER %rsi
#define LAST %rcx
#else
#define POINTER %esi
#define LAST %ecx
#endif

	.text
	.balign 4
	.long MULTIBOOT_MAGIC, 0, -MULTIBOOT_MAGIC

	.code32
	.globl start
start:
	cld
	movl $stack_top, %esp
	# Flag 2 of the information: there is a command line.
	cmpl $BOOTED, %eax
	jne 1f
	testl $4, (%ebx)
	jz 1f
	movl 16(%ebx), %eax
	movl %eax, command_line
1:
#ifdef WIDE
	# 2 MiB pages for the first GiB: nothing else is mapped.
	movl $directory, %edi
	movl $0x83, %eax
	movl $512, %ecx
2:	movl %eax, (%edi)
	addl $0x200000, %eax
	addl $8, %edi
	loop 2b
	movl $directory + 3, pointers
	movl $pointers + 3, level4
	movl $level4, %eax
	movl %eax, %cr3
	movl $0x20, %eax		# PAE
	movl %eax, %cr4
	movl $0xc0000080, %ecx		# EFER.LME
	rdmsr
	orl $0x100, %eax
	wrmsr
	movl %cr0, %eax
	orl $0x80000000, %eax
	movl %eax, %cr0
	lgdt gdt_pointer
	ljmp $8, $long_start

	.code64
long_start:
	xorl %eax, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl $stack_top, %esp
#endif

main:
	movl $msg_booted, %esi
	call print
	movl command_line, %esi
	testl %esi, %esi
	jz fail
	call print
	movl $msg_newline, %esi
	call print
#ifdef WIDE
	# Gate 6 (#UD): an interrupt gate to segment 8.
	movl $undefined, %eax
	movw %ax, idt + 6 * 16
	movl $0x8e000008, idt + 6 * 16 + 2
	shrl $16, %eax
	movw %ax, idt + 6 * 16 + 6
	lidt idt_pointer
	movabsq $0x123456789abcdef0, %r12
	ud2
	movabsq $0x123456789abcdef1, %rax
	cmpq %rax, %r12
	jne fail
	movl $msg_exception, %esi
	call print
#endif
	# The last character before the 0.
	movl command_line, %esi
1:	movl %eax, %ecx
	movzbl (POINTER), %eax
	addl $1, %esi
	testl %eax, %eax
	jnz 1b
	leal -0x30(LAST), %eax
	jmp exit
fail:
	movl $FAILED, %eax
exit:
	outl %eax, $DEBUG_EXIT
1:	hlt
	jmp 1b

#ifdef WIDE
undefined:
	incq %r12
	addq $2, (%rsp)
	iretq
#endif

# Prints the text at ESI, which ends with 0.
print:
	movzbl (POINTER), %ecx
	testl %ecx, %ecx
	jz 2f
	movl $SERIAL + 5, %edx
1:	inb %dx, %al
	testb $0x20, %al
	jz 1b
	movl %ecx, %eax
	movl $SERIAL, %edx
	outb %al, %dx
	addl $1, %esi
	jmp print
2:	ret

#ifdef WIDE
msg_booted:	.asciz "64-bit: "
msg_exception:	.asciz "exception taken\n"
#else
msg_booted:	.asciz "32-bit: "
#endif
msg_newline:	.asciz "\n"

	.balign 8
command_line:	.long 0
gdt:	.quad 0, 0x00af9b000000ffff		# 64-bit code
gdt_pointer:	.word 15
	.long gdt, 0
idt_pointer:	.word 16 * 16 - 1
	.long idt, 0

	.bss
	.balign 4096
level4:	.skip 4096
pointers:	.skip 4096
directory:	.skip 4096
idt:	.skip 16 * 16
	.skip 4096
stack_top:
