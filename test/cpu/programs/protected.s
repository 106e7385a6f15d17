# System instructions in 32-bit protected mode, virtual-8086 mode and 16-bit code, without paging. The log is that of long.s.
.set LOG, 0x40000
.set KERNEL_STACK, 0x2f000
.set USER_STACK, 0x2e000
.set STACK0, 0x2c000
.set TASK_STACK, 0x2b000
.set V86_STACK, 0xf000
.set CODE, 0x08
.set DATA, 0x10
.set USER_CODE, 0x18 | 3
.set USER_DATA, 0x20 | 3
.set TSS, 0x28
.set OTHER_TSS, 0x30
.set CODE16, 0x38
.set GATE, 0x40
.set GATE16, 0x48
.set SMALL_DATA, 0x50
.set DOWN_DATA, 0x58
.set TASK_GATE, 0x60
.set CONFORMING, 0x68
.set ABSENT_CODE, 0x70
.set DATA16, 0x78
.set ABSENT_GATE, 0x80
.set BUSY_TSS, 0x28

.globl start
.code32
start:
  lgdtl gdt_pointer
  ljmpl $CODE, $reloaded
reloaded:
  movw $DATA, %ax
  movw %ax, %ss
  movw %ax, %ds
  movw %ax, %es
  movl $KERNEL_STACK, %esp
  call make_idt
  lidtl idt_pointer
  movw $TSS, %ax
  ltr %ax
  movl $LOG, %ebx

.macro begin name:vararg
  .pushsection .data
name\@: .asciz "\name"
  .popsection
  movl $name\@, test
  movl %esp, old_esp
  movl $0x1234, %eax
  movl $9f, resume
  movl $8f, at
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

.macro to_level_3 flags
  pushl $USER_DATA
  pushl $USER_STACK
  pushl $\flags
  pushl $USER_CODE
  pushl $8f
  movl $USER_STACK, old_esp
  iretl
.endm

.macro user value insn:vararg
  begin level 3, EAX \value: \insn
  movl $\value, %eax
  to_level_3 0x202
8: \insn
  int $0x80
9:
.endm

# Runs 16-bit code at \entry in virtual-8086 mode.
.macro v86 flags entry
  begin virtual-8086 mode, EFLAGS \flags: \entry
  movl $\entry, at
  pushl $0x6000            # GS FS DS ES
  pushl $0x5000
  pushl $0x4000
  pushl $0x3000
  pushl $0x100             # SS:SP = 0100:F000
  pushl $V86_STACK
  pushl $(\flags | 0x20002)
  pushl $0
  pushl $\entry
  movl $V86_STACK, old_esp
  iretl
9:
.endm

# ---- faults of the instruction itself ----
  try ud2
  try int3
  try int $0x80
  begin INTO after an overflow
  movl $0x7fffffff, %eax
  addl $1, %eax
8: into
  call nothing
9:
  try into
  xorl %ecx, %ecx
  try divl %ecx
  try boundl %eax, bounds
  try movl %eax, %cs:0
  try movl %cr1, %eax

# ---- segments ----
  tryeax SMALL_DATA movw %ax, %es
  try movl %es:0xffc, %eax
  try movl %es:0xffd, %eax
  try movb %es:0x1000, %al
  tryeax DOWN_DATA movw %ax, %es
  try movl %es:0xfff, %eax
  try movl %es:0x1000, %eax
  try movl %es:0xfffffffd, %eax
  tryeax 0 movw %ax, %es
  try movl %es:0, %eax
  tryeax CONFORMING movw %ax, %es
  try movl %eax, %es:0x40000
  tryeax DATA movw %ax, %es
  tryeax 0 movw %ax, %ss
  tryeax CODE movw %ax, %ss
  try lesl far_null, %eax
  try ldsl far_bad, %eax
  try lssl far_stack, %eax
  movl $KERNEL_STACK, %esp
  movw $DATA, %ax
  movw %ax, %ds
  movw %ax, %es
  tryeax 0x33 movl %eax, %cr0
  tryeax TSS ltr %ax
  tryeax 0x13 arpl %ax, %ax
  movw $3, %cx
  tryeax 0x10 arpl %cx, %ax
  try sgdtl 0x60000
  subl $gdt, 0x60002
  try movl 0x60002, %eax
  try smsw %ax
  begin PUSH and POP of segment registers
  pushl %cs
  popl %eax
  pushw %es
  popw %es
8: pushl %fs
  popl %fs
  call nothing
9:
  begin POP SS with a null selector
  pushl $0
8: popl %ss
9:
  # A 16-bit stack: only SP moves.
  movw $DATA16, %ax
  movw %ax, %ss
  movl $0x12348000, %esp
  begin a push on a 16-bit stack
8: pushl $0
  movl %esp, %eax
  movw $DATA, %dx
  movw %dx, %ss
  movl $KERNEL_STACK, %esp
  movl %esp, old_esp
  call nothing
9:
  movw $DATA, %ax
  movw %ax, %ss
  movl $KERNEL_STACK, %esp

# ---- far transfers ----
  try lcall $CONFORMING, $far_target
  try lcall $USER_CODE, $far_target
  try lcall $DATA, $far_target
  try lcall $ABSENT_CODE, $far_target
  try lcall $0, $far_target
  try lcall $GATE, $0
  try lcall $GATE16, $0
  try lcall $ABSENT_GATE, $0
  try ljmp $CODE16, $0xffff0000
  try lcall $CODE16, $code16
  try lcall $0xfff8, $0
  begin level 3: call gate with two parameters
  to_level_3 0x202
8: pushl $0x1111
  pushl $0x2222
  lcall $GATE, $0
  int $0x80
9:
  user 0 lcall $GATE16, $0
  user 0 ljmp $GATE, $0
  user 0 lcall $CODE, $0
  user 0 lcall $CONFORMING, $far_target
  user 0 ljmp $TSS, $0
  user 0 cli
  user 0 inb $0x10, %al
  user 0 inb $0x18, %al
  user 0 hlt
  user 0 iretl
  user 0 int $0x20
  user 0 movw %cs, %ax

.macro return cs, flags, esp, ss
  begin IRET to \cs, EFLAGS \flags, stack \ss:\esp
  pushl $\ss
  pushl $\esp
  pushl $\flags
  pushl $\cs
  pushl $user_return
8: iretl
9:
.endm
  return USER_CODE 0x202 USER_STACK USER_DATA
  return USER_CODE 0x247ad7 USER_STACK USER_DATA
  return USER_CODE 2 USER_STACK 0
  return USER_CODE 2 USER_STACK DATA
  return CODE 2 USER_STACK DATA
  return 0 2 USER_STACK DATA
  return DATA 2 USER_STACK DATA
  return ABSENT_CODE 2 USER_STACK DATA
  return CODE|1 2 USER_STACK DATA

# ---- virtual-8086 mode ----
  v86 0 v_int80
  v86 0x3000 v_int80
  v86 0x3000 v_int20
  v86 0x3000 v_int3
  v86 0 v_int3
  v86 0 v_cli
  v86 0x3000 v_cli
  v86 0 v_pushf
  v86 0x3000 v_pushf
  v86 0 v_hlt
  v86 0 v_in
  v86 0 v_in_forbidden
  v86 0 v_segments
  v86 0 v_far
  v86 0 v_lldt
  v86 0x3000 v_iret
  v86 0 v_iret
  v86 0 v_limit

# ---- tasks ----
  movl $other_task, other_tss + 0x20
  try lcall $OTHER_TSS, $0
  try lcall $TASK_GATE, $0
  try ljmp $BUSY_TSS, $0
  try str %ax
  begin flags after the return
8: pushfl
  popl %eax
  call nothing
9:
  try movl %cr0, %eax
  clts
  # An exception through a task gate.
  movl $0x00008500, idt + 6 * 8 + 4
  movl $OTHER_TSS << 16, idt + 6 * 8
  movl $task_handler, other_tss + 0x20
  begin UD2 through a task gate
8: ud2
  call nothing
9:
  movl $0x8e00, idt + 6 * 8 + 4

# ---- events during events ----
  movl $0x0e00, idt + 6 * 8 + 4
  try ud2
  movl $0, idt + 6 * 8 + 4
  try ud2
  movw $DATA, idt + 13 * 8 + 2
  user 0 hlt
  movw $CODE, idt + 13 * 8 + 2
  movl $1, %eax
  hlt

far_target:
  lretl
gate_target:
  movl 8(%esp), %eax
  shll $16, %eax
  movw 12(%esp), %ax
  lretl $8
gate16_target:
  movw $0x1616, %ax
  lretw
user_return:
  int $0x80
other_task:
  movl 0x1000, %edx
  addl $2, other_tss + 0x28
  iretl
  jmp other_task
task_handler:
  incl task_count
  movl tss + 0x20, %eax
  addl $2, tss + 0x20
  movl task_count, %ecx
  iretl
  jmp task_handler

.code16
code16:
  movw $0x5555, %ax
  lretl
v_int80: int $0x80
v_int20: int $0x20
v_int3: int3
v_cli: cli
  int3
v_pushf: pushfw
  popw %ax
  int3
v_hlt: hlt
v_in: inb $0x10, %al
  int3
v_in_forbidden: inb $0x18, %al
v_segments:
  movw $0x1234, %ax
  movw %ax, %ds
  movw %ds, %ax
  int3
v_far: ljmp $0x10, $(v_target - start + 0x1000 - 0x100)
v_target: movw %cs, %ax
  int3
v_lldt: lldt %ax
v_iret:
  pushfw
  pushw %cs
  pushw $(v_target - start + 0x1000)
  iretw
v_limit:
  movl $0x10000, %ebp
  movb %ds:(%ebp), %al
.code32

nothing:
  pushfl
  popl 40(%ebx)
  movl %eax, 96(%ebx)
  movl test, %eax
  movl %eax, (%ebx)
  movl $0x100, 8(%ebx)
  movl %ss, %eax
  movl %eax, 56(%ebx)
  movl %cs, %eax
  movl %eax, 32(%ebx)
  addl $104, %ebx
  movw $DATA, %ax
  movw %ax, %ss
  movl old_esp, %esp
  jmp *resume

# Stack: vector, error code, EIP, CS, EFLAGS, and SS:ESP from another level.
common:
  movl %eax, %ss:saved_eax
  movw $DATA, %ax
  movw %ax, %ds
  movl test, %eax
  movl %eax, (%ebx)
  popl 8(%ebx)
  popl 16(%ebx)
  popl %eax
  subl at, %eax
  movl %eax, 24(%ebx)
  sarl $31, %eax
  movl %eax, 28(%ebx)
  popl 32(%ebx)
  popl 40(%ebx)
  movl %esp, %eax
  testl $0x20000, 40(%ebx)
  jnz 2f
  testb $3, 32(%ebx)
  jz 1f
2: popl %eax
  popl 56(%ebx)
  jmp 3f
1: movl %ss, %eax
  movl %eax, 56(%ebx)
  movl %esp, %eax
3: subl old_esp, %eax
  movl %eax, 48(%ebx)
  sarl $31, %eax
  movl %eax, 52(%ebx)
  xorl %eax, %eax
  movw %cs, %ax
  movl %eax, 72(%ebx)
  movw %ss, %ax
  movl %eax, 80(%ebx)
  movl %esp, 88(%ebx)
  movl saved_eax, %eax
  movl %eax, 96(%ebx)
  addl $104, %ebx
  movw $DATA, %ax
  movw %ax, %ss
  movl $KERNEL_STACK, %esp
  pushl $2
  popfl
  jmp *resume

make_idt:
  movl $stubs, %eax
  movl $idt, %edi
  xorl %ecx, %ecx
1:
  movw %ax, (%edi)
  movw $CODE, 2(%edi)
  movl $0x8e00, 4(%edi)
  cmpl $0x80, %ecx
  je 2f
  cmpl $4, %ecx
  je 2f
  cmpl $5, %ecx
  je 2f
  cmpl $3, %ecx
  jne 3f
2: movl $0xef00, 4(%edi)
3: addl $8, %edi
  addl $16, %eax
  incl %ecx
  cmpl $0x83, %ecx
  jne 1b
  ret

.macro stub vector
  .balign 16
  .if \vector == 8 || (\vector >= 10 && \vector <= 14) || \vector == 17
  .else
  pushl $0
  .endif
  pushl $\vector
  jmp common
.endm
.balign 16
stubs:
.set number, 0
.rept 0x83
  stub number
  .set number, number + 1
.endr

.set ORIGIN, 0x1000
.balign 16
gdt:
  .quad 0
  .quad 0x00cf9b000000ffff   # 08 code
  .quad 0x00cf93000000ffff   # 10 data
  .quad 0x00cffb000000ffff   # 18 code of level 3
  .quad 0x00cff3000000ffff   # 20 data of level 3
  .quad 0x0000890000000087 | ((tss - start + ORIGIN) << 16)   # 28 TSS
  .quad 0x0000890000000067 | ((other_tss - start + ORIGIN) << 16)   # 30 TSS
  .quad 0x000f9b000000ffff   # 38 code, 16 bits
  .quad 0x0000ec0200080000 | (gate_target - start + ORIGIN)   # 40 call gate, two parameters
  .quad 0x0000e40000080000 | (gate16_target - start + ORIGIN)   # 48 call gate, 16 bits
  .quad 0x0040930000000fff   # 50 data, 4 KiB
  .quad 0x0040970000000fff   # 58 data that expands down
  .quad 0x0000e50000300000   # 60 task gate
  .quad 0x00cf9f000000ffff   # 68 conforming code
  .quad 0x00cf1b000000ffff   # 70 code that is not present
  .quad 0x000093000000ffff   # 78 data, 64 KiB, 16-bit stack
  .quad 0x00006c0000080000   # 80 call gate that is not present
gdt_end:
gdt_pointer: .word gdt_end - gdt - 1
  .long gdt
idt_pointer: .word 0x83 * 8 - 1
  .long idt
far_null: .long 0x4321
  .word 0
far_bad: .long 0x4321
  .word TSS
far_stack: .long 0x4321
  .word DATA
.balign 8
bounds: .long 0x2000, 0x3000
test: .long 0
at: .long 0
resume: .long 0
old_esp: .long 0
saved_eax: .long 0
task_count: .long 0
.balign 16
tss:
  .long 0, STACK0, DATA, 0, 0, 0, 0
  .fill 18, 4, 0
  .word 0, 0x68
  .byte 0, 0, 0, 0xff        # ports 18H to 1FH are forbidden
  .fill 28, 1, 0
other_tss:
  .long 0, STACK0, DATA, 0, 0, 0, 0, 0
  .long other_task - start + ORIGIN, 2, 0x7777, 0, 0, LOG, TASK_STACK, 0, 0, 0
  .long DATA, CODE, DATA, DATA, 0, 0, 0
  .word 0, 0x68
.balign 16
idt: .fill 0x83 * 8, 1, 0
