# System instructions in 64-bit mode and compatibility mode. Each `try` runs one instruction and logs what came of it, as 13 quadwords:
#
#   address of the test's name, vector (or 0x100: no exception), error code, RIP - start of the instruction, CS, RFLAGS, RSP - its old value, SS,
#   CR2 for page faults, CS, SS and RSP of the handler, RAX
#
# `user` runs one at level 3 and comes back through INT 0x80.
.set LOG, 0x40000
.set TABLES, 0x10000
.set KERNEL_STACK, 0x2f000
.set USER_STACK, 0x2e000
.set IST1, 0x2d000
.set RSP0, 0x2c000
.set MISSING, 0x80000          # a page that is not mapped
.set KERNEL_PAGE, 0x81000      # a page of the supervisor
.set READ_ONLY, 0x82000        # a page that cannot be written
.set NO_EXECUTE, 0x83000
.set USER_CODE, 0x28 | 3
.set USER_DATA, 0x20 | 3

.globl start
.code32
start:
  lgdtl gdt_pointer
  # Page tables: one to one, 4 KiB pages, for everybody.
  movl $TABLES + 0x1007, TABLES
  movl $TABLES + 0x2007, TABLES + 0x1000
  movl $TABLES + 0x3007, TABLES + 0x2000
  movl $0x007, %eax
  xorl %ecx, %ecx
fill:
  movl %eax, TABLES + 0x3000(,%ecx,8)
  addl $0x1000, %eax
  incl %ecx
  cmpl $256, %ecx
  jne fill
  movl $0, TABLES + 0x3000 + (MISSING >> 9)
  movl $KERNEL_PAGE + 3, TABLES + 0x3000 + (KERNEL_PAGE >> 9)
  movl $READ_ONLY + 5, TABLES + 0x3000 + (READ_ONLY >> 9)
  movl $0x80000000, TABLES + 0x3004 + (NO_EXECUTE >> 9)
  movl $0x620, %eax
  movl %eax, %cr4
  movl $TABLES, %eax
  movl %eax, %cr3
  movl $0xc0000080, %ecx
  movl $0x901, %eax
  xorl %edx, %edx
  wrmsr
  movl $0x80010033, %eax
  movl %eax, %cr0
  ljmpl $8, $long

.code64
long:
  movw $0x10, %ax
  movw %ax, %ss
  movw %ax, %ds
  movw %ax, %es
  movq $KERNEL_STACK, %rsp
  call make_idt
  lidt idt_pointer
  movw $0x30, %ax
  ltr %ax
  movq $LOG, %rbx

# Begins a test: its name, the old stack pointer, and an RAX that shows whether it was written.
.macro begin name:vararg
  .pushsection .data
name\@: .asciz "\name"
  .popsection
  movq $name\@, test
  movq %rsp, old_rsp
  movq $0x1234, %rax
  movq $9f, resume
  movq $8f, at
.endm

.macro try insn:vararg
  begin \insn
8: \insn
  call nothing
9:
.endm

.macro tryrax value insn:vararg
  begin RAX \value: \insn
  movq $\value, %rax
8: \insn
  call nothing
9:
.endm

.macro user value insn:vararg
  begin level 3, RAX \value: \insn
  movq $\value, %rax
  pushq $USER_DATA
  pushq $USER_STACK
  pushq $0x202
  pushq $USER_CODE
  pushq $8f
  movq $USER_STACK, old_rsp
  iretq
8: \insn
  int $0x80
9:
.endm

# ---- faults of the instruction itself ----
  try ud2
  try int3
  try int $0x80
  try int $0x81
  try .byte 0xf1
  try movq MISSING, %rax
  try movq %rax, READ_ONLY
  try movq %rax, MISSING - 4
  try movq NO_EXECUTE, %rax
  tryrax 0x8000000000000000 movq (%rax), %rcx
  tryrax 0x8000000000000000 pushq (%rax)
  xorl %ecx, %ecx
  try divl %ecx

# ---- level 3 ----
  user 0 nop
  user 0 movq KERNEL_PAGE, %rax
  user 0 movq %rax, READ_ONLY
  user 0 hlt
  user 0 cli
  user 0 sti
  user 0 int $0x82
  user 0 int3
  user 0 movq %cr0, %rax
  user 0 movq %rax, %dr0
  user 0 lgdt gdt_pointer
  user 0 rdmsr
  user 0 wrmsr
  user 0 invlpg 0
  user 0 clts
  user 0 lmsw %ax
  user 0 smsw %rax
  user 0 sgdt READ_ONLY
  user 0 str %eax
  user 0 sldt %eax
  user 0 inb $0x71, %al
  user 0 wbinvd
  user 0 swapgs
  user 0 sysretq
  user 0 sysexitl
  user 0x10 movw %ax, %ds
  user 0x23 movw %ax, %ds
  user 0 movw %ax, %ds
  user 0x10 movw %ax, %ss
  user 3 movw %ax, %ss
  user 0x10 verr %ax
  user 0x23 verw %ax
  user 0x10 lar %eax, %eax
  user 0x23 lar %eax, %eax
  user 0x23 lsl %eax, %eax
  user 0x30 lsl %eax, %eax
  user 0 clac
  user 0 xgetbv
  user 0 rdfsbase %rax
  user 0 lcall *gate_pointer
  user 0 lcall *closed_gate_pointer
  user 0 ljmpl *gate_pointer
  user 0x247fd7 jmp flags_at_level_3
  user 0 jmp MISSING
  user 0 jmp NO_EXECUTE
  user 0 jmp KERNEL_PAGE

# ---- segment loads ----
  tryrax 0 movw %ax, %ss
  movw $0x10, %ax
  movw %ax, %ss
  tryrax 3 movw %ax, %ss
  tryrax 0x23 movw %ax, %ss
  tryrax 0x18 movw %ax, %ss
  tryrax 0x48 movw %ax, %ss
  tryrax 0x48 movw %ax, %ds
  tryrax 0x50 movw %ax, %ds
  tryrax 0x58 movw %ax, %ds
  tryrax 0x30 movw %ax, %ds
  tryrax 0xfff8 movw %ax, %ds
  tryrax 0x0c movw %ax, %ds
  tryrax 0x13 movw %ax, %ds
  tryrax 0x20 movw %ax, %ds
  tryrax 0x60 movw %ax, %fs
  tryrax 0x10 ltr %ax
  tryrax 0x30 ltr %ax
  tryrax 0 ltr %ax
  tryrax 0x10 lldt %ax
  tryrax 0 lldt %ax
  tryrax 0x80 lldt %ax
  try movw 0x60000, %fs
  try lar 0x60000, %eax
  tryrax 0x30 lar %eax, %eax
  tryrax 0x80 lar %eax, %eax
  tryrax 0x70 lar %eax, %eax
  tryrax 0x70 lsl %eax, %eax
  tryrax 0x80 lsl %eax, %eax
  tryrax 0xa0 lar %eax, %eax
  tryrax 0xa8 lar %eax, %eax
  tryrax 0xa8 verr %ax
  tryrax 0x50 verw %ax
  tryrax 0x58 verr %ax
  tryrax 0x60 lsl %ax, %ax
  try str %eax
  try sldt %eax

# ---- control registers ----
  tryrax 0x80000000 movq %rax, %cr0
  tryrax 0x33 movq %rax, %cr0
  tryrax 0x100000033 movq %rax, %cr0
  tryrax 0xa0010033 movq %rax, %cr0
  tryrax 0x600 movq %rax, %cr4
  tryrax 0x8000000000000620 movq %rax, %cr4
  tryrax 0x20620 movq %rax, %cr4
  try movq %cr4, %rax
  tryrax 0x620 movq %rax, %cr4
  tryrax 0x8000000000010000 movq %rax, %cr3
  tryrax 0x10 movq %rax, %cr8
  tryrax 5 movq %rax, %cr8
  try movq %cr8, %rax
  try smsw %eax
  try movq %cr0, %rax
  tryrax 0xc lmsw %ax
  try movq %cr0, %rax
  try fnop
  try addps %xmm0, %xmm0
  try clts
  try movq %cr0, %rax
  try xgetbv
  tryrax 0x40620 movq %rax, %cr4
  xorl %ecx, %ecx
  try xgetbv
  xorl %edx, %edx
  tryrax 0 xsetbv
  tryrax 2 xsetbv
  tryrax 3 xsetbv
  movl $5, %ecx
  tryrax 3 xsetbv
  tryrax 0x620 movq %rax, %cr4

# ---- debug registers ----
  tryrax 0x100000000 movq %rax, %dr7
  tryrax 0x100000000 movq %rax, %dr6
  tryrax 0xffffffff movq %rax, %dr6
  try movq %dr6, %rax
  tryrax 0 movq %rax, %dr6
  try movq %dr4, %rax
  tryrax 0x400 movq %rax, %dr7
  try movq %dr7, %rax
  tryrax 0x628 movq %rax, %cr4
  try movq %dr5, %rax
  tryrax 0x620 movq %rax, %cr4
  tryrax 0x2400 movq %rax, %dr7
  try movq %dr0, %rax
  try movq %dr7, %rax
  try movq %dr6, %rax
  tryrax 0 movq %rax, %dr6
  # Single steps: the trap comes after the instruction behind POPF.
  begin single step
  pushq $0x102
  popfq
8: nop
  nop
  call nothing
9:
  try movq %dr6, %rax
  tryrax 0 movq %rax, %dr6
  # After a load of SS the trap waits for one instruction more.
  movw $0x10, %cx
  begin single step over a load of SS
  pushq $0x102
  popfq
8: movw %cx, %ss
  nop
  nop
  call nothing
9:
  # INT n clears TF: no trap in its handler.
  begin single step into INT
  pushq $0x102
  popfq
8: int $0x80
9:
  # A code breakpoint.
  movq $0, %rax
  movq %rax, %dr6
  begin code breakpoint
  movq $8f, %rcx
  movq %rcx, %dr1
  movq $0x404, %rcx
  movq %rcx, %dr7
8: nop
  call nothing
9:
  try movq %dr6, %rax
  # A data breakpoint: 4 bytes, writes.
  movq $0, %rax
  movq %rax, %dr6
  movq $scratch, %rax
  movq %rax, %dr2
  movq $0x0d000410, %rax
  movq %rax, %dr7
  try movl scratch, %ecx
  begin data breakpoint
8: movb %al, scratch + 3
  nop
  call nothing
9:
  try movq %dr6, %rax
  movq $0x400, %rax
  movq %rax, %dr7

# ---- model-specific registers ----
  movl $0xc0000080, %ecx
  xorl %edx, %edx
  tryrax 0x901 wrmsr
  tryrax 0x801 wrmsr
  try rdmsr
  movl $0xc0000082, %ecx
  movl $0x00008000, %edx
  tryrax 0 wrmsr
  movl $0xc0000100, %ecx
  tryrax 0 wrmsr
  movl $0x12345678, %ecx
  tryrax 0 wrmsr
  try rdmsr
  movl $0x277, %ecx
  xorl %edx, %edx
  tryrax 2 wrmsr
  movl $0x174, %ecx
  tryrax 8 wrmsr
  try rdmsr
  xorl %edx, %edx

# ---- FS and GS ----
  try rdfsbase %rax
  tryrax 0x10620 movq %rax, %cr4
  tryrax 0x1234567812345678 wrfsbase %rax
  tryrax 0x0000567812345678 wrfsbase %rax
  try rdfsbase %rax
  try rdfsbase %eax
  tryrax 0x7777 wrgsbase %rax
  try swapgs
  try rdgsbase %rax
  try swapgs
  try rdgsbase %rax
  tryrax 0x620 movq %rax, %cr4

# ---- far transfers ----
  try lcall *code64_pointer
  try lcall *gate_pointer
  try lcall *data_pointer
  try lcall *null_pointer
  try lcall *compat_pointer
  try ljmpl *tss_pointer
  try ljmpl *bad_code_pointer
  # RET to level 3, and to an inner level.
  begin RET to level 3
  pushq $USER_DATA
  pushq $USER_STACK
  pushq $USER_CODE
  pushq $7f
8: lretq
7: int $0x80
9:
  user 0 jmp return_to_inner_level
  # A non-canonical return.
  begin RET to a RIP that is not canonical
  movq $0x800000000000, %rcx
  pushq $8
  pushq %rcx
8: lretq
9:

.macro return rip, cs, flags, rsp, ss
  begin IRET to \cs:\rip, RFLAGS \flags, stack \ss:\rsp
  movq $\ss, %rcx
  pushq %rcx
  movq $\rsp, %rcx
  pushq %rcx
  movq $\flags, %rcx
  pushq %rcx
  movq $\cs, %rcx
  pushq %rcx
  movq $\rip, %rcx
  pushq %rcx
8: iretq
9:
.endm
  return user_return USER_CODE 0x202 USER_STACK USER_DATA
  return user_return USER_CODE 0x247ad7 USER_STACK USER_DATA
  return user_return USER_CODE 0x4002 USER_STACK USER_DATA
  return 0x800000000000 USER_CODE 2 USER_STACK USER_DATA
  return 0x800000000000 8 2 KERNEL_STACK 0x10
  return user_return 0 2 USER_STACK USER_DATA
  return user_return 0x10 2 USER_STACK USER_DATA
  return user_return USER_CODE 2 USER_STACK 0
  return user_return USER_CODE 2 USER_STACK 3
  return user_return USER_CODE 2 USER_STACK 0x10
  return user_return USER_CODE 2 USER_STACK 0x4b
  return user_return 0xfffb 2 USER_STACK USER_DATA
  return kernel_return 8 2 0x2a000 0
  return kernel_return 8 2 0x2a000 0x10
  return kernel_return 8 2 0x2a000 3
  return compat_return 0x1b 0x202 USER_STACK USER_DATA
  return user_return 0x98 2 USER_STACK USER_DATA
  begin IRET with NT
  pushq $0x4002
  popfq
8: iretq
9:
  pushq $2
  popfq

# ---- system calls ----
  movl $0xc0000081, %ecx
  movl $0x00180008, %edx
  xorl %eax, %eax
  wrmsr
  movl $0xc0000082, %ecx
  movl $syscall_entry, %eax
  xorl %edx, %edx
  wrmsr
  movl $0xc0000084, %ecx
  movl $0x47700, %eax
  wrmsr
  user 0x8d5 jmp system_call
  begin SYSRET
  movq $7f, %rcx
  movq $0xfffffffffffffeff, %r11
8: sysretq
7: int $0x80
9:
  begin SYSRET to compatibility mode
  movl $compat_return, %ecx
  movl $0x202, %r11d
8: sysretl
9:
  movl $0xc0000080, %ecx
  xorl %edx, %edx
  movl $0x900, %eax
  wrmsr
  try syscall
  try sysretq
  movl $0x901, %eax
  wrmsr

# ---- events during events ----
  # #UD whose gate is not present becomes #NP; a bad IST stack becomes a double fault.
  movb $0, idt + 6 * 16 + 5
  try ud2
  movb $0x8e, idt + 6 * 16 + 5
  movw $0x10, idt + 6 * 16 + 2
  try ud2
  movw $0x1b, idt + 6 * 16 + 2
  try ud2
  movw $0x40, idt + 6 * 16 + 2
  try ud2
  movw $8, idt + 6 * 16 + 2
  movb $2, idt + 6 * 16 + 4
  try ud2
  movb $0, idt + 6 * 16 + 4
  # #GP inside #GP: a double fault.
  movw $0x10, idt + 13 * 16 + 2
  user 0 hlt
  movw $8, idt + 13 * 16 + 2
  # #PF inside #PF: a double fault.
  movb $2, idt + 14 * 16 + 4
  try movq MISSING, %rax
  try movq %cr2, %rax
  movb $0, idt + 14 * 16 + 4
  # An interrupt gate on IST1 from level 0 and level 3.
  movb $1, idt + 6 * 16 + 4
  try ud2
  user 0 ud2
  movb $0, idt + 6 * 16 + 4
  # An IDT that ends too early.
  lidt short_idt_pointer
  try int $0x81
  lidt idt_pointer
  movl $1, %eax
  hlt

flags_at_level_3:
  andb $0xfe, %ah             # not TF
  pushq %rax
  popfq
  pushfq
  popq %rax
  pushq $2
  popfq
  int $0x80
return_to_inner_level:
  pushq $8
  pushq $0
  lretq
system_call:
  pushq %rax
  popfq
  movl $0, %r11d
  syscall
  movq %r11, %rax
  int $0x80
syscall_entry:
  pushfq
  popq %r10
  movq %rcx, %rdx
  swapgs
  swapgs
  movq $0xc0de, %rax
  sysretq

kernel_return:
  movq $0x100, %rax
  call nothing_returned
user_return:
  int $0x80
.code32
compat_return:
  int $0x80
  ud2
.code64

nothing_returned:
  popq %rcx
nothing:
  # Logs "no exception" with CS, SS, RFLAGS and RAX, and goes on. All registers but RAX stay.
  pushfq
  popq 40(%rbx)
  movq %rax, 96(%rbx)
  movq test, %rax
  movq %rax, (%rbx)
  movq $0x100, 8(%rbx)
  movl %ss, %eax
  movq %rax, 56(%rbx)
  movl %cs, %eax
  movq %rax, 32(%rbx)
  addq $104, %rbx
  movw $0x10, %ax
  movw %ax, %ss
  movq old_rsp, %rsp
  jmp *resume

# Stack: RBX pushed by nobody; vector, error code, RIP, CS, RFLAGS, RSP, SS.
common:
  movq %rax, saved_rax
  movq test, %rax
  movq %rax, (%rbx)
  popq %rax
  movq %rax, 8(%rbx)
  cmpq $14, %rax
  jne 1f
  movq %cr2, %rax
  movq %rax, 64(%rbx)
1:
  popq %rax
  movq %rax, 16(%rbx)
  popq %rax
  subq at, %rax
  movq %rax, 24(%rbx)
  popq %rax
  movq %rax, 32(%rbx)
  popq %rax
  movq %rax, 40(%rbx)
  popq %rax
  subq old_rsp, %rax
  movq %rax, 48(%rbx)
  popq %rax
  movq %rax, 56(%rbx)
  xorl %eax, %eax
  movw %cs, %ax
  movq %rax, 72(%rbx)
  movw %ss, %ax
  movq %rax, 80(%rbx)
  movq %rsp, 88(%rbx)
  movq saved_rax, %rax
  movq %rax, 96(%rbx)
  addq $104, %rbx
  movw $0x10, %ax
  movw %ax, %ss
  movq $KERNEL_STACK, %rsp
  pushq $2
  popfq
  jmp *resume

make_idt:
  movq $stubs, %rax
  movq $idt, %rdi
  xorl %ecx, %ecx
1:
  movw %ax, (%rdi)
  movw $8, 2(%rdi)
  movw $0x8e00, 4(%rdi)
  cmpl $0x80, %ecx
  je 2f
  cmpl $3, %ecx
  jne 3f
2: movw $0xee00, 4(%rdi)
3: addq $16, %rdi
  addq $16, %rax
  incl %ecx
  cmpl $0x83, %ecx
  jne 1b
  ret

.macro stub vector
  .balign 16
  .if \vector == 8 || (\vector >= 10 && \vector <= 14) || \vector == 17
  .else
  pushq $0
  .endif
  pushq $\vector
  jmp common
.endm
.balign 16
stubs:
.set number, 0
.rept 0x83
  stub number
  .set number, number + 1
.endr

.balign 16
gdt:
  .quad 0
  .quad 0x00af9b000000ffff   # 08 code, 64 bits
  .quad 0x00cf93000000ffff   # 10 data
  .quad 0x00cffb000000ffff   # 18 code of level 3, 32 bits
  .quad 0x00cff3000000ffff   # 20 data of level 3
  .quad 0x00affb000000ffff   # 28 code of level 3, 64 bits
  .quad 0x0000890000000067 | ((tss - start + 0x1000) << 16), 0   # 30 TSS
  .quad 0x00cf9b000000ffff   # 40 code, 32 bits
  .quad 0x00cf13000000ffff   # 48 data that is not present
  .quad 0x00cf91000000ffff   # 50 read-only data
  .quad 0x00cf99000000ffff   # 58 execute-only code
  .quad 0x12cf92345678ffff   # 60 data with a base, not accessed
  .quad 0
  .quad 0x0000ec0000080000 | (gate_target - start + 0x1000), 0   # 70 call gate for level 3
  .quad 0x000082000001000f, 0   # 80 LDT
  .quad 0
  .quad 0x00ef9b000000ffff   # 98 code with L and D
  .quad 0x00cf9f000000ffff   # a0 conforming code
  .quad 0x00cffd000000ffff   # a8 execute-only conforming code of level 3
  .quad 0x0000840000080000 | (gate_target - start + 0x1000), 0   # b0 call gate for level 0
gdt_end:
gate_target:
  movq $0x6a7e, %rax
  int $0x80
gdt_pointer: .word gdt_end - gdt - 1
  .quad gdt
idt_pointer: .word 0x83 * 16 - 1
  .quad idt
short_idt_pointer: .word 0x81 * 16 - 1
  .quad idt
gate_pointer: .long 0
  .word 0x73
closed_gate_pointer: .long 0
  .word 0xb3
code64_pointer: .long far_target
  .word 8
data_pointer: .long far_target
  .word 0x10
null_pointer: .long far_target
  .word 0
compat_pointer: .long compat_target
  .word 0x40
tss_pointer: .long 0
  .word 0x30
bad_code_pointer: .long far_target
  .word 0x98
far_target:
  lretl
.code32
compat_target:
  int $0x80
.code64
.balign 8
test: .quad 0
at: .quad 0
resume: .quad 0
old_rsp: .quad 0
saved_rax: .quad 0
scratch: .quad 0
.balign 16
tss:
  .long 0
  .quad RSP0, 0, 0
  .quad 0
  .quad IST1, 0x8000000000000000
  .fill 5, 8, 0
  .quad 0
  .word 0, 0x68
.balign 16
idt: .fill 0x83 * 16, 1, 0
