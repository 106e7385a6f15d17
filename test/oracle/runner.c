/*
 * Runs instruction snippets on the host's own CPU, x86-64 Linux, without ptrace and without libc.
 *
 * The whole loop lives in the signal handler: a snippet ends with a trap (the INT3 behind it, or whatever it raised), the kernel
 * saves every register in the signal frame, the handler copies them out, writes the next snippet's registers over them, and
 * rt_sigreturn enters that snippet. One trap and one sigreturn a case; nothing that a snippet clobbers (RSP, FS, GS, x87, flags)
 * is needed to come back. There is no libc, because its thread-local storage hangs on FS.
 *
 * stdin: cases, stdout: a 16-byte greeting, then one result a case, in order. The formats are in format.ts; layout.ts tells
 * the addresses, which are the same here and there.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

/* ---- system calls ---- */
enum { SYS_READ = 0, SYS_WRITE = 1, SYS_MMAP = 9, SYS_SIGACTION = 13, SYS_SIGRETURN = 15, SYS_SETITIMER = 38, SYS_EXIT = 231 };
enum { SYS_SIGALTSTACK = 131, SYS_MODIFY_LDT = 154, SYS_ARCH_PRCTL = 158, SYS_MEMFD = 319, SYS_FTRUNCATE = 77 };

static long call6(long n, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return result;
}
#define CALL(n, a, b, c) call6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)

static void *memory_copy(void *to, const void *from, u64 count) {
  void *result = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
  return result;
}
void *memcpy(void *to, const void *from, u64 count) { return memory_copy(to, from, count); }
void *memset(void *to, int value, u64 count) {
  void *result = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(value) : "memory");
  return result;
}

static void die(const char *message) {
  u64 length = 0;
  while (message[length]) length++;
  CALL(SYS_WRITE, 2, message, length);
  CALL(SYS_EXIT, 2, 0, 0);
}

/* ---- what the kernel hands a signal handler ---- */
struct signal_info {
  int signal, error, code, pad;
  u64 rest[14];
};
struct context {
  u64 flags, link, stack_pointer, stack_flags, stack_size;
  u64 r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
  u16 cs, gs, fs, ss;
  u64 error_code, vector, mask, cr2;
  u8 *fpu;
};
enum { CONTEXT_XSTATE = 1, CONTEXT_SS = 2, CONTEXT_STRICT_SS = 4 };
enum { SIG_ILL = 4, SIG_TRAP = 5, SIG_BUS = 7, SIG_FPE = 8, SIG_SEGV = 11, SIG_ALRM = 14 };

/* ---- cases and results: format.ts ---- */
enum { FX_BYTES = 416, FX_STATE = 512 };
struct state {
  u64 rip, rflags, gpr[16], fs_base, gs_base;
  u16 selector[6]; /* ES CS SS DS FS GS */
  u32 reserved;
  u8 fx[FX_BYTES];
};
struct case_header {
  u32 size;
  u16 code_length, patch_count;
  u32 code_address, operand_address;
  struct state state;
};
struct result_header {
  u32 size;
  u8 outcome, vector;
  u16 change_count;
  u32 error_code, signal;
  struct state state;
  u64 cr2;
};
struct span { u32 address, length; };
enum { OUTCOME_TRAP = 0, OUTCOME_TIMEOUT = 1 };

/* ---- memory: layout.ts ---- */
enum { CODE = 0x10000000, CODE_BYTES = 0x2000, DATA = 0x20000000, DATA_BYTES = 0x2000, READ_ONLY = 0x20002000, READ_ONLY_BYTES = 0x1000 };
enum { STACK = 0x30000000, STACK_BYTES = 0x1000, IMAGE_BYTES = 0x4000 };

/* The image: DATA, READ_ONLY and STACK behind each other, as the snippet sees them, as they were before it, and as they are between cases. */
static u8 *code, *live;
static u8 before[IMAGE_BYTES] __attribute__((aligned(4096)));
static u8 background[IMAGE_BYTES] __attribute__((aligned(4096)));

static long image_offset(u32 address) {
  if (address >= DATA && address < DATA + DATA_BYTES + READ_ONLY_BYTES) return address - DATA;
  if (address >= STACK && address < STACK + STACK_BYTES) return address - STACK + DATA_BYTES + READ_ONLY_BYTES;
  return -1;
}
static u32 image_address(u32 offset) {
  return offset < DATA_BYTES + READ_ONLY_BYTES ? DATA + offset : STACK + offset - DATA_BYTES - READ_ONLY_BYTES;
}

/* ---- input and output ---- */
enum { INPUT_BYTES = 1 << 20, OUTPUT_BYTES = 1 << 20, LONGEST_RESULT = 0x10000 };
static u8 input[INPUT_BYTES] __attribute__((aligned(64)));
static u8 output[OUTPUT_BYTES] __attribute__((aligned(64)));
static u64 input_start, input_end, output_end;

static void flush(void) {
  u64 done = 0;
  while (done < output_end) {
    long n = CALL(SYS_WRITE, 1, output + done, output_end - done);
    if (n == -4) continue;
    if (n <= 0) die("oracle runner: cannot write results\n");
    done += n;
  }
  output_end = 0;
}

/* The next case, or exits at the end of the input. */
static struct case_header *next_case(void) {
  for (;;) {
    u64 available = input_end - input_start;
    if (available >= sizeof(struct case_header)) {
      struct case_header *header = (struct case_header *)(input + input_start);
      if (header->size < sizeof *header || header->size > INPUT_BYTES / 2 || header->size % 8) die("oracle runner: malformed case\n");
      if (available >= header->size) {
        input_start += header->size;
        return header;
      }
    }
    flush();
    for (u64 i = 0; i < available; i++) input[i] = input[input_start + i];
    input_start = 0;
    input_end = available;
    long n = CALL(SYS_READ, 0, input + input_end, INPUT_BYTES - input_end);
    if (n == -4) continue;
    if (n < 0) die("oracle runner: cannot read cases\n");
    if (n == 0) {
      if (available) die("oracle runner: truncated case\n");
      CALL(SYS_EXIT, 0, 0, 0);
    }
    input_end += n;
  }
}

/* ---- FS and GS base ---- */
static int have_fsgsbase;
enum { ARCH_SET_GS = 0x1001, ARCH_SET_FS = 0x1002, ARCH_GET_FS = 0x1003, ARCH_GET_GS = 0x1004 };

static u64 get_fs_base(void) {
  u64 value;
  if (have_fsgsbase) __asm__ volatile("rdfsbase %0" : "=r"(value));
  else CALL(SYS_ARCH_PRCTL, ARCH_GET_FS, &value, 0);
  return value;
}
static u64 get_gs_base(void) {
  u64 value;
  if (have_fsgsbase) __asm__ volatile("rdgsbase %0" : "=r"(value));
  else CALL(SYS_ARCH_PRCTL, ARCH_GET_GS, &value, 0);
  return value;
}
static void set_fs_base(u64 value) {
  if (have_fsgsbase) __asm__ volatile("wrfsbase %0" : : "r"(value));
  else CALL(SYS_ARCH_PRCTL, ARCH_SET_FS, value, 0);
}
static void set_gs_base(u64 value) {
  if (have_fsgsbase) __asm__ volatile("wrgsbase %0" : : "r"(value));
  else CALL(SYS_ARCH_PRCTL, ARCH_SET_GS, value, 0);
}

/* ---- the loop ---- */
static struct case_header *current;
static u32 sequence, sequence_at_tick;

static void store_result(const struct signal_info *info, const struct context *context, int outcome) {
  struct result_header *result = (struct result_header *)(output + output_end);
  struct state *state = &result->state;
  result->outcome = outcome;
  result->vector = context->vector;
  result->error_code = context->error_code;
  result->signal = info->signal;
  result->cr2 = outcome == OUTCOME_TRAP && context->vector == 14 ? context->cr2 : 0;
  state->rip = context->rip;
  state->rflags = context->rflags;
  state->gpr[0] = context->rax, state->gpr[1] = context->rcx, state->gpr[2] = context->rdx, state->gpr[3] = context->rbx;
  state->gpr[4] = context->rsp, state->gpr[5] = context->rbp, state->gpr[6] = context->rsi, state->gpr[7] = context->rdi;
  state->gpr[8] = context->r8, state->gpr[9] = context->r9, state->gpr[10] = context->r10, state->gpr[11] = context->r11;
  state->gpr[12] = context->r12, state->gpr[13] = context->r13, state->gpr[14] = context->r14, state->gpr[15] = context->r15;
  state->fs_base = get_fs_base();
  state->gs_base = get_gs_base();
  u16 es, ds, fs, gs;
  __asm__ volatile("mov %%es, %0; mov %%ds, %1; mov %%fs, %2; mov %%gs, %3" : "=r"(es), "=r"(ds), "=r"(fs), "=r"(gs));
  state->selector[0] = es, state->selector[1] = context->cs, state->selector[2] = context->ss;
  state->selector[3] = ds, state->selector[4] = fs, state->selector[5] = gs;
  state->reserved = 0;
  memory_copy(state->fx, context->fpu, FX_BYTES);

  /* Changed memory, by quadwords. */
  u8 *to = (u8 *)(result + 1);
  u32 changes = 0;
  for (u32 line = 0; line < IMAGE_BYTES; line += 64) {
    u64 different = 0;
    for (u32 i = line; i < line + 64; i += 8) different |= *(u64 *)(live + i) ^ *(u64 *)(before + i);
    if (!different) continue;
    for (u32 i = line; i < line + 64; i += 8) {
      if (*(u64 *)(live + i) == *(u64 *)(before + i)) continue;
      struct span *change = (struct span *)to;
      change->address = image_address(i);
      change->length = 8;
      *(u64 *)(to + sizeof *change) = *(u64 *)(live + i);
      to += sizeof *change + 8;
      changes++;
      *(u64 *)(live + i) = *(u64 *)(before + i);
    }
  }
  result->change_count = changes;
  result->size = to - (u8 *)result;
  output_end += result->size;
}

/* Takes the patches of a case out of memory again, and its code. */
static void clean_up(const struct case_header *header) {
  const u8 *from = (const u8 *)(header + 1) + ((header->code_length + 7) & ~7);
  memset(code + (header->code_address - CODE), 0xcc, header->code_length);
  for (u32 i = 0; i < header->patch_count; i++) {
    const struct span *patch = (const struct span *)from;
    long offset = image_offset(patch->address);
    memory_copy(live + offset, background + offset, patch->length);
    memory_copy(before + offset, background + offset, patch->length);
    from += sizeof *patch + ((patch->length + 7) & ~7);
  }
}

static void prepare(struct case_header *header) {
  const u8 *from = (const u8 *)(header + 1);
  u32 offset_in_code = header->code_address - CODE;
  if (offset_in_code > CODE_BYTES || offset_in_code + header->code_length > CODE_BYTES) die("oracle runner: code outside its region\n");
  memory_copy(code + offset_in_code, from, header->code_length);
  from += (header->code_length + 7) & ~7;
  for (u32 i = 0; i < header->patch_count; i++) {
    const struct span *patch = (const struct span *)from;
    long offset = image_offset(patch->address);
    if (offset < 0 || patch->length == 0 || image_offset(patch->address + patch->length - 1) != offset + patch->length - 1)
      die("oracle runner: patch outside memory\n");
    from += sizeof *patch;
    memory_copy(live + offset, from, patch->length);
    memory_copy(before + offset, from, patch->length);
    from += (patch->length + 7) & ~7;
  }
}

static void enter(const struct state *state, struct context *context) {
  context->rax = state->gpr[0], context->rcx = state->gpr[1], context->rdx = state->gpr[2], context->rbx = state->gpr[3];
  context->rsp = state->gpr[4], context->rbp = state->gpr[5], context->rsi = state->gpr[6], context->rdi = state->gpr[7];
  context->r8 = state->gpr[8], context->r9 = state->gpr[9], context->r10 = state->gpr[10], context->r11 = state->gpr[11];
  context->r12 = state->gpr[12], context->r13 = state->gpr[13], context->r14 = state->gpr[14], context->r15 = state->gpr[15];
  context->rip = state->rip;
  context->rflags = state->rflags;
  context->cs = state->selector[1];
  context->ss = state->selector[2];
  context->flags = CONTEXT_XSTATE | CONTEXT_SS | CONTEXT_STRICT_SS;
  /* The bytes from 464 on tell the kernel that an XSAVE header follows; it names what is not in its initial state. */
  memory_copy(context->fpu, state->fx, FX_BYTES);
  *(u64 *)(context->fpu + FX_STATE) = 3;
  u16 es = state->selector[0], ds = state->selector[3], fs = state->selector[4], gs = state->selector[5];
  __asm__ volatile("mov %0, %%es; mov %1, %%ds; mov %2, %%fs; mov %3, %%gs" : : "r"(es), "r"(ds), "r"(fs), "r"(gs));
  /* A selector that is not null brings its own base. */
  if (!(fs & ~3)) set_fs_base(state->fs_base);
  if (!(gs & ~3)) set_gs_base(state->gs_base);
}

static void handle(int signal, struct signal_info *info, struct context *context) {
  int outcome = OUTCOME_TRAP;
  /* The kernel leaves AC, NT and ID as the snippet had them. AC would make misaligned accesses here fault; NT and ID would outlive
     the signal's return and be the next snippet's. */
  __asm__ volatile("pushf; andl $~0x244000, (%%rsp); popf" : : : "memory", "cc");
  if (signal == SIG_ALRM) {
    /* Two ticks in one case: it does not end by itself. */
    if (sequence != sequence_at_tick || !current) {
      sequence_at_tick = sequence;
      return;
    }
    outcome = OUTCOME_TIMEOUT;
  }
  if (current) {
    if (OUTPUT_BYTES - output_end < LONGEST_RESULT) flush();
    store_result(info, context, outcome);
    clean_up(current);
  }
  current = next_case();
  sequence++;
  prepare(current);
  enter(&current->state, context);
}

__attribute__((naked)) static void restorer(void) { __asm__ volatile("mov $15, %eax; syscall"); }

/* ---- set-up ---- */
struct signal_action {
  void (*handler)(int, struct signal_info *, struct context *);
  u64 flags;
  void (*restorer)(void);
  u64 mask;
};
enum { ON_STACK = 0x08000000, WITH_INFO = 4, WITH_RESTORER = 0x04000000, NO_DEFER = 0x40000000 };

static u8 alternate_stack[0x10000] __attribute__((aligned(4096)));

static void *map(u64 address, u64 length, int protection, int file, u64 offset) {
  enum { SHARED = 1, FIXED = 0x10, POPULATE = 0x8000 };
  long at = call6(SYS_MMAP, address, length, protection, SHARED | POPULATE | (address ? FIXED : 0), file, offset);
  if (at < 0 && at > -4096) die("oracle runner: cannot map memory at the fixed addresses\n");
  return (void *)at;
}

struct ldt_entry { u32 number, base, limit, flags; };

/* The segments of layout.ts, `LDT`; without modify_ldt there are none, and the greeting says so. */
static int install_ldt(void) {
  enum { D32 = 1, EXPAND_DOWN = 1 << 1, CODE_SEGMENT = 2 << 1, READ_ONLY_SEGMENT = 1 << 3, ABSENT = 1 << 5 };
  struct ldt_entry entries[8];
  u32 parameters[8][3] = {
      {CODE, 0x1fff, CODE_SEGMENT},      {DATA, 0x2fff, 0},
      {STACK, 0x0fff, 0},                {DATA, 0x1fff, D32},
      {DATA, 0x0fff, D32 | EXPAND_DOWN}, {DATA, 0x3fff, D32 | READ_ONLY_SEGMENT},
      {CODE, 0x1fff, D32 | CODE_SEGMENT}, {DATA, 0x1fff, D32 | ABSENT},
  };
  for (u32 i = 0; i < 8; i++) {
    entries[i].number = i;
    entries[i].base = parameters[i][0];
    entries[i].limit = parameters[i][1];
    entries[i].flags = parameters[i][2];
    /* This system call returns an int. */
    if ((int)CALL(SYS_MODIFY_LDT, 0x11, &entries[i], sizeof entries[i]) != 0) return 0;
  }
  return 1;
}

__attribute__((used)) static void start(u64 *stack) {
  u64 *p = stack + 1 + stack[0] + 1;
  while (*p++) {}
  for (; p[0]; p += 2)
    if (p[0] == 26) have_fsgsbase = (p[1] >> 1) & 1;

  long file = CALL(SYS_MEMFD, "oracle", 0, 0);
  if (file < 0 || CALL(SYS_FTRUNCATE, file, CODE_BYTES + IMAGE_BYTES, 0) < 0) die("oracle runner: no memfd\n");
  enum { READ = 1, WRITE = 2, EXECUTE = 4 };
  code = map(0, CODE_BYTES + IMAGE_BYTES, READ | WRITE, file, 0);
  live = code + CODE_BYTES;
  u64 at = 0;
  map(CODE, CODE_BYTES, READ | EXECUTE, file, at), at += CODE_BYTES;
  map(DATA, DATA_BYTES, READ | WRITE, file, at), at += DATA_BYTES;
  map(READ_ONLY, READ_ONLY_BYTES, READ, file, at), at += READ_ONLY_BYTES;
  map(STACK, STACK_BYTES, READ | WRITE, file, at);
  memset(code, 0xcc, CODE_BYTES);
  for (u64 i = 0; i < IMAGE_BYTES / 8; i++) {
    /* splitmix64, as in layout.ts */
    u64 z = (i + 1) * 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    ((u64 *)background)[i] = z ^ (z >> 31);
  }
  memory_copy(before, background, IMAGE_BYTES);
  memory_copy(live, background, IMAGE_BYTES);

  u64 alternate[3] = {(u64)alternate_stack, 0, sizeof alternate_stack};
  if (CALL(SYS_SIGALTSTACK, alternate, 0, 0) < 0) die("oracle runner: no alternate signal stack\n");
  struct signal_action action = {handle, ON_STACK | WITH_INFO | WITH_RESTORER, restorer, ~0ul};
  int signals[6] = {SIG_ILL, SIG_TRAP, SIG_BUS, SIG_FPE, SIG_SEGV, SIG_ALRM};
  for (int i = 0; i < 6; i++)
    if (call6(SYS_SIGACTION, signals[i], (long)&action, 0, 8, 0, 0) < 0) die("oracle runner: cannot handle signals\n");

  u32 greeting[4] = {0x524f4d55, 1, 0, 0};
  greeting[2] = install_ldt() | have_fsgsbase << 1;
  memory_copy(output, greeting, sizeof greeting);
  output_end = sizeof greeting;
  u64 timer[4] = {0, 50000, 0, 50000};
  CALL(SYS_SETITIMER, 0, timer, 0);
  __asm__ volatile("int3");
  die("oracle runner: the first trap returned\n");
}

__attribute__((naked, used)) void _start(void) { __asm__ volatile("mov %rsp, %rdi; and $-16, %rsp; call start"); }
