# System instructions in real-address mode, entered from protected mode. The log is that of long.s, with FLAGS of the handler in
# the place of its RSP; registers have 16 bits.
.set STACK, 0xe000
.set CODE16, 0x18
.set DATA16, 0x20
.set BIG_DATA, 0x28

.globl start
.code32
start:
  lgdtl gdt_pointer
  # The vector table: 4 bytes each at 0. Vectors lead to stubs of 8 bytes.
  movl $stubs, %eax
  xorl %edi, %edi
1: movl %eax, (%edi)
  addl $8, %eax
  addl $4, %edi
  cmpl $0x100, %edi
  jne 1b
  lidtl idt_pointer
  ljmpl $CODE16, $small
.code16
small:
  movw $DATA16, %ax
  movw %ax, %ds
  movw %ax, %es
  movw %ax, %fs
  movw %ax, %ss
  movl %cr0, %eax
  andl $~1, %eax
  movl %eax, %cr0
  ljmpw $0, $real
real:
  xorw %ax, %ax
  movw %ax, %ds
  movw %ax, %es
  movw %ax, %fs
  movw %ax, %ss
  # What lies beyond 64 KiB, in case that a far transfer gets there.
  movw $0x1000, %ax
  movw %ax, %gs
  movb $0xcc, %gs:0
  movw $0x4000, %ax
  movw %ax, %gs
  movl $STACK, %esp
  xorl %ebx, %ebx

.macro begin name:vararg
  .pushsection .data
name\@: .asciz "\name"
  .popsection
  movw $name\@, test
  movw %sp, old_sp
  movl $0x1234, %eax
  movw $9f, resume
  movw $8f, at
.endm

.macro try insn:vararg
  begin \insn
8: \insn
  call nothing
9:
.endm

.macro tryeax value insn:vararg
  begin EAX \value: \insn
  movl $\value, %eax
8: \insn
  call nothing
9:
.endm

  try ud2
  try int3
  try int $0x20
  try .byte 0xf1
  xorw %cx, %cx
  try divw %cx
  try boundw %ax, bounds
  begin INTO after an overflow
  movw $0x7fff, %ax
  incw %ax
8: into
  call nothing
9:
  try lldtw %ax
  try strw %ax
  try arplw %ax, %ax
  try larw %ax, %ax
  try verr %ax
  try sysenter
  try smsww %ax
  try movl %cr0, %eax
  try movl %cr2, %eax
  try movl %cr1, %eax
  tryeax 0x5555 lmsww %ax
  # LMSW has set PE, MP and EM: back again, with a far jump in between.
  movl $0x30, %eax
  movl %eax, %cr0
  try sgdtl 0x8000
  try movw 0x8000, %ax

# ---- segments ----
  tryeax 0xf000 movw %ax, %es
  try movw %es:0xfffe, %ax
  try movw %es:0xffff, %ax
  try movl %es:0xfffd, %eax
  xorw %ax, %ax
  movw %ax, %es
  movw $0x9000, %bp
  movw $0x4321, 0x8000
  movw $0x1111, 0x8002
  try lesw 0x8000, %ax
  try movw %es, %ax
  xorw %ax, %ax
  movw %ax, %ds
  movw %ax, %es
  try movw %ds, %ax
  begin PUSH and POP of segment registers
8: pushw %gs
  popw %ax
  pushl %cs
  popl %ecx
  call nothing
9:
  begin a push at SP = 0
  movw $0, %sp
8: pushw %ax
  movw %sp, %ax
  movw old_sp, %sp
  call nothing
9:
  # Limits set in protected mode stay.
  movl %cr0, %eax
  orl $1, %eax
  movl %eax, %cr0
  movw $BIG_DATA, %cx
  movw %cx, %es
  andl $~1, %eax
  movl %eax, %cr0
  xorw %cx, %cx
  movw %cx, %es
  movl $0x50000, %ecx
  movl $0x5678, %es:(%ecx)
  try movl %es:(%ecx), %eax
  try movl (%ecx), %eax

# ---- flags ----
.macro flags value
  begin POPF \value
  pushl $\value
8: popfl
  pushfl
  popl %eax
  pushw $2
  popfw
  call nothing
9:
.endm
  flags 0x000002
  flags 0x247ed5
  flags 0x3b7ed5
  begin POPFW
  pushw $0x7ed5
8: popfw
  pushfw
  popw %ax
  pushw $2
  popfw
  call nothing
9:
  begin CLI and STI
  sti
8: pushfw
  popw %ax
  cli
  call nothing
9:
  begin single step
  pushw $0x102
8: popfw
  nop
  nop
9:

# ---- far transfers ----
  try lcallw $0x10, $(far_target - start + 0x1000 - 0x100)
  try lcalll $0x10, $(far_target32 - start + 0x1000 - 0x100)
  try lcalll $0, $0x10000
  try ljmpl $0, $0x10000
  begin IRET
  pushw $0x0ad7
  pushw $0x10
  pushw $(iret_target - start + 0x1000 - 0x100)
8: iretw
9:
  begin IRETL
  pushl $0x3f7ed7
  pushl $0
  pushl $iret_target
8: iretl
9:
  begin IRETL beyond the limit
  pushl $2
  pushl $0
  pushl $0x10000
8: iretl
9:
  begin RETF that releases
  pushw $0x7777
  pushw $0
  pushw $ret_target
8: lretw $2
ret_target:
  movw %sp, %ax
  call nothing
9:

# ---- the vector table ----
  lidtl short_idt_pointer
  begin INT beyond the vector table
8: int $0x30
  call nothing
9:
  lidtl idt_pointer
  movl $1, %eax
  hlt

far_target:
  movw %cs, %ax
  lretw
far_target32:
  movw %cs, %ax
  lretl
iret_target:
  pushfl
  popl %eax
  pushw $2
  popfw
  ljmpw $0, $1f
1: call nothing

nothing:
  pushfl
  popl %gs:40(%bx)
  movl %eax, %gs:96(%bx)
  movzwl test, %eax
  movl %eax, %gs:(%bx)
  movl $0x100, %gs:8(%bx)
  movl %ss, %eax
  movl %eax, %gs:56(%bx)
  addw $104, %bx
  movw old_sp, %sp
  jmp *resume

# Stack: vector, IP, CS, FLAGS.
common:
  movl %eax, %cs:saved_eax
  xorw %ax, %ax
  movw %ax, %ds
  movw $0x4000, %ax
  movw %ax, %gs
  movzwl test, %eax
  movl %eax, %gs:(%bx)
  xorl %eax, %eax
  popw %ax
  movl %eax, %gs:8(%bx)
  popw %ax
  subw at, %ax
  cwtl
  movl %eax, %gs:24(%bx)
  sarl $31, %eax
  movl %eax, %gs:28(%bx)
  popw %gs:32(%bx)
  popw %gs:40(%bx)
  movw %sp, %ax
  subw old_sp, %ax
  cwtl
  movl %eax, %gs:48(%bx)
  sarl $31, %eax
  movl %eax, %gs:52(%bx)
  pushfw
  popw %gs:88(%bx)
  movl saved_eax, %eax
  movl %eax, %gs:96(%bx)
  addw $104, %bx
  pushw $2
  popfw
  movl $STACK, %esp
  jmp *resume

.balign 16
stubs:
.set number, 0
.rept 0x40
  .balign 8
  pushw $number
  jmp common
  .set number, number + 1
.endr

.balign 16
gdt:
  .quad 0
  .quad 0x00cf9b000000ffff   # 08
  .quad 0x00cf93000000ffff   # 10
  .quad 0x00009b000000ffff   # 18 code, 16 bits
  .quad 0x000093000000ffff   # 20 data, 64 KiB
  .quad 0x008f93000000ffff   # 28 data, 4 GiB
gdt_end:
gdt_pointer: .word gdt_end - gdt - 1
  .long gdt
idt_pointer: .word 0x40 * 4 - 1
  .long 0
short_idt_pointer: .word 0x30 * 4 - 1
  .long 0
.balign 8
bounds: .word 0x2000, 0x3000
test: .long 0
at: .long 0
resume: .long 0
old_sp: .long 0
saved_eax: .long 0
