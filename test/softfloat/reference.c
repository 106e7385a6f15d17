/*
 * Computes floating-point operations with the processor's own instructions.
 *
 *   reference NAME < requests > results
 *
 * NAME is a helper of jit/helpers/softfloat ("f64_add"). A request is 40 bytes: u32 control (MXCSR, or FCW for f80), u32 extra (predicate,
 * rounding immediate, signalling or truncate), two operands of 16 bytes. A result is 24 bytes: 16 of result, u32 flags (MXCSR 0..5, or FSW
 * 0..5 and C1), u32 that is 1 when an unmasked exception was taken (SSE).
 */
#define _GNU_SOURCE
#include <signal.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <immintrin.h>

typedef struct {
  uint32_t control, extra;
  uint64_t a[2], b[2];
} Request;

typedef struct {
  uint64_t value[2];
  uint32_t flags, trapped;
} Result;

typedef void (*Operation)(const Request *, Result *);

static sigjmp_buf resume;
static volatile uint32_t trapped_mxcsr;

static void on_fpe(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)info;
  trapped_mxcsr = ((ucontext_t *)context)->uc_mcontext.fpregs->mxcsr;
  siglongjmp(resume, 1);
}

#define MASKED 0x1f80u

/* ---- SSE: xmm0 is the first operand and the result, xmm1 the second ---- */

#define BEFORE(r)                                                                                     \
  __m128i x = _mm_loadu_si128((const __m128i *)(r)->a), y = _mm_loadu_si128((const __m128i *)(r)->b); \
  uint32_t control = (r)->control, after = 0, masked = MASKED;                                        \
  (void)x, (void)y
#define AROUND(text) "ldmxcsr %[control]\n" text "\nstmxcsr %[after]\nldmxcsr %[masked]\n"
#define STATE [control] "m"(control), [masked] "m"(masked)

#define SSE2_OPERATION(name, text)                                                                                        \
  static void name(const Request *r, Result *out) {                                                                       \
    BEFORE(r);                                                                                                            \
    __asm__ volatile(AROUND(text " %[y], %[x]") : [x] "+x"(x), [after] "=m"(after) : [y] "x"(y), STATE : "memory");       \
    _mm_storeu_si128((__m128i *)out->value, x);                                                                           \
    out->flags = after & 0x3f;                                                                                            \
  }
#define UNARY(name, text)                                                                                              \
  static void name(const Request *r, Result *out) {                                                                    \
    BEFORE(r);                                                                                                         \
    __asm__ volatile(AROUND(text " %[x], %[y]") : [y] "+x"(y), [after] "=m"(after) : [x] "x"(x), STATE : "memory");    \
    _mm_storeu_si128((__m128i *)out->value, y);                                                                        \
    out->flags = after & 0x3f;                                                                                         \
  }
#define TO_INTEGER(name, text, type)                                                                                \
  static void name(const Request *r, Result *out) {                                                                 \
    BEFORE(r);                                                                                                      \
    type value;                                                                                                     \
    __asm__ volatile(AROUND(text " %[x], %[v]") : [v] "=r"(value), [after] "=m"(after) : [x] "x"(x), STATE : "memory"); \
    out->value[0] = (uint64_t)value;                                                                                \
    out->flags = after & 0x3f;                                                                                      \
  }
#define FROM_INTEGER(name, text, type)                                                                              \
  static void name(const Request *r, Result *out) {                                                                 \
    BEFORE(r);                                                                                                      \
    type value = (type)r->a[0];                                                                                     \
    x = _mm_setzero_si128();                                                                                        \
    __asm__ volatile(AROUND(text " %[v], %[x]") : [x] "+x"(x), [after] "=m"(after) : [v] "r"(value), STATE : "memory"); \
    _mm_storeu_si128((__m128i *)out->value, x);                                                                     \
    out->flags = after & 0x3f;                                                                                      \
  }
#define COMPARISON(name, text)                                                                                         \
  static void name(const Request *r, Result *out) {                                                                    \
    BEFORE(r);                                                                                                         \
    uint64_t flags;                                                                                                    \
    __asm__ volatile(AROUND(text " %[y], %[x]\npushfq\npop %[f]")                                                      \
                     : [f] "=r"(flags), [after] "=m"(after) : [x] "x"(x), [y] "x"(y), STATE : "memory", "cc");         \
    out->value[0] = flags & 0x45;                                                                                      \
    out->flags = after & 0x3f;                                                                                         \
  }
#define CHOICE(name, first, second) \
  static void name(const Request *r, Result *out) { (r->extra ? first : second)(r, out); }

#define EACH(s, p)                                                                     \
  SSE2_OPERATION(f##s##_add, "add" p) SSE2_OPERATION(f##s##_sub, "sub" p)              \
  SSE2_OPERATION(f##s##_mul, "mul" p) SSE2_OPERATION(f##s##_div, "div" p)              \
  SSE2_OPERATION(f##s##_min, "min" p) SSE2_OPERATION(f##s##_max, "max" p)              \
  COMPARISON(f##s##_comis, "comi" p) COMPARISON(f##s##_ucomis, "ucomi" p)              \
  CHOICE(f##s##_compare, f##s##_comis, f##s##_ucomis)                                  \
  TO_INTEGER(f##s##_cvt32, "cvt" p "2si", uint32_t) TO_INTEGER(f##s##_cvtt32, "cvtt" p "2si", uint32_t) \
  TO_INTEGER(f##s##_cvt64, "cvt" p "2si", uint64_t) TO_INTEGER(f##s##_cvtt64, "cvtt" p "2si", uint64_t) \
  CHOICE(f##s##_to_i32, f##s##_cvtt32, f##s##_cvt32) CHOICE(f##s##_to_i64, f##s##_cvtt64, f##s##_cvt64) \
  FROM_INTEGER(f##s##_from_i32, "cvtsi2" p "l", uint32_t) FROM_INTEGER(f##s##_from_i64, "cvtsi2" p "q", uint64_t) \
  SSE2_OPERATION(f##s##_cmp0, "cmp" p " $0,") SSE2_OPERATION(f##s##_cmp1, "cmp" p " $1,") \
  SSE2_OPERATION(f##s##_cmp2, "cmp" p " $2,") SSE2_OPERATION(f##s##_cmp3, "cmp" p " $3,") \
  SSE2_OPERATION(f##s##_cmp4, "cmp" p " $4,") SSE2_OPERATION(f##s##_cmp5, "cmp" p " $5,") \
  SSE2_OPERATION(f##s##_cmp6, "cmp" p " $6,") SSE2_OPERATION(f##s##_cmp7, "cmp" p " $7,") \
  static void f##s##_predicate(const Request *r, Result *out) {                        \
    static const Operation by[] = {f##s##_cmp0, f##s##_cmp1, f##s##_cmp2, f##s##_cmp3, f##s##_cmp4, f##s##_cmp5, f##s##_cmp6, f##s##_cmp7}; \
    by[r->extra & 7](r, out);                                                          \
    out->value[0] &= 1;                                                                \
  }                                                                                    \
  ROUNDS(s, p)

#define ROUND(s, p, i) UNARY(f##s##_round##i, "round" p " $" #i ",")
#define ROUNDS(s, p)                                                                                                    \
  ROUND(s, p, 0) ROUND(s, p, 1) ROUND(s, p, 2) ROUND(s, p, 3) ROUND(s, p, 4) ROUND(s, p, 5) ROUND(s, p, 6) ROUND(s, p, 7) \
  ROUND(s, p, 8) ROUND(s, p, 9) ROUND(s, p, 10) ROUND(s, p, 11) ROUND(s, p, 12) ROUND(s, p, 13) ROUND(s, p, 14) ROUND(s, p, 15) \
  static void f##s##_round(const Request *r, Result *out) {                                                             \
    static const Operation by[] = {f##s##_round0, f##s##_round1, f##s##_round2, f##s##_round3, f##s##_round4, f##s##_round5, \
      f##s##_round6, f##s##_round7, f##s##_round8, f##s##_round9, f##s##_round10, f##s##_round11, f##s##_round12,         \
      f##s##_round13, f##s##_round14, f##s##_round15};                                                                  \
    by[r->extra & 15](r, out);                                                                                          \
  }

EACH(32, "ss")
EACH(64, "sd")

UNARY(f32_sqrt, "sqrtss")
UNARY(f64_sqrt, "sqrtsd")
UNARY(f32_to_f64, "cvtss2sd")
UNARY(f64_to_f32, "cvtsd2ss")
UNARY(f32_rcp, "rcpss")
UNARY(f32_rsqrt, "rsqrtss")
SSE2_OPERATION(dpps, "dpps $0xf1,")
SSE2_OPERATION(dppd, "dppd $0x31,")
SSE2_OPERATION(haddps, "haddps")
SSE2_OPERATION(addsubpd, "addsubpd")
SSE2_OPERATION(addps, "addps")
SSE2_OPERATION(divpd, "divpd")

/* ---- x87: st(0) is the first operand and the result, st(1) the second ---- */

static void finish(Result *out, uint16_t status, const long double *value) {
  memcpy(out->value, value, 10);
  out->flags = status & 0x23f;
}

#define X87(name, text)                                                                                          \
  static void name(const Request *r, Result *out) {                                                              \
    long double a, b, value;                                                                                     \
    uint16_t control = (uint16_t)r->control, normal = 0x37f, status;                                             \
    memcpy(&a, r->a, 10), memcpy(&b, r->b, 10);                                                                  \
    __asm__ volatile("fninit\nfldt %[b]\nfldt %[a]\nfldcw %[control]\n" text                                     \
                     "\nfnstsw %[status]\nfnclex\nfldcw %[normal]\nfstpt %[value]\nfninit"                       \
                     : [value] "=m"(value), [status] "=m"(status)                                                \
                     : [a] "m"(a), [b] "m"(b), [control] "m"(control), [normal] "m"(normal), [ma] "m"(r->a), [mb] "m"(r->b) : "memory"); \
    finish(out, status, &value);                                                                                 \
  }
X87(f80_add, "fadd %%st(1), %%st")
X87(f80_sub, "fsub %%st(1), %%st")
X87(f80_mul, "fmul %%st(1), %%st")
X87(f80_div, "fdiv %%st(1), %%st")
X87(f80_add_m32, "fadds %[mb]")
X87(f80_add_m64, "faddl %[mb]")
X87(f80_mul_m64, "fmull %[mb]")
X87(f80_sqrt, "fsqrt")
X87(f80_round_integer, "frndint")
X87(f80_from_f32, "flds %[ma]")
X87(f80_from_f64, "fldl %[ma]")
X87(f80_from_i64, "fildq %[ma]")

#define X87_COMPARE(name, text)                                                                                  \
  static void name(const Request *r, Result *out) {                                                              \
    long double a, b;                                                                                            \
    uint16_t control = (uint16_t)r->control, status;                                                             \
    memcpy(&a, r->a, 10), memcpy(&b, r->b, 10);                                                                  \
    __asm__ volatile("fninit\nfldt %[b]\nfldt %[a]\nfldcw %[control]\n" text "\nfnstsw %[status]\nfnclex\nfninit" \
                     : [status] "=m"(status) : [a] "m"(a), [b] "m"(b), [control] "m"(control) : "memory");       \
    out->value[0] = (status >> 8) & 0x45;                                                                        \
    out->flags = status & 0x23f;                                                                                 \
  }
X87_COMPARE(f80_fcom, "fcom %%st(1)")
X87_COMPARE(f80_fucom, "fucom %%st(1)")
CHOICE(f80_compare, f80_fcom, f80_fucom)

#define X87_STORE(name, text)                                                                                    \
  static void name(const Request *r, Result *out) {                                                              \
    long double a;                                                                                               \
    uint16_t control = (uint16_t)r->control, status;                                                             \
    uint64_t value = 0;                                                                                          \
    memcpy(&a, r->a, 10);                                                                                        \
    __asm__ volatile("fninit\nfldt %[a]\nfldcw %[control]\n" text " %[value]\nfnstsw %[status]\nfnclex\nfninit"    \
                     : [status] "=m"(status), [value] "+m"(value) : [a] "m"(a), [control] "m"(control) : "memory"); \
    out->value[0] = value;                                                                                       \
    out->flags = status & 0x23f;                                                                                 \
  }
X87_STORE(f80_to_f32, "fstps")
X87_STORE(f80_to_f64, "fstpl")
X87_STORE(f80_fist16, "fistps")
X87_STORE(f80_fist32, "fistpl")
X87_STORE(f80_fist64, "fistpq")
X87_STORE(f80_fistt16, "fisttps")
X87_STORE(f80_fistt32, "fisttpl")
X87_STORE(f80_fistt64, "fisttpq")
CHOICE(f80_to_i16, f80_fistt16, f80_fist16)
CHOICE(f80_to_i32, f80_fistt32, f80_fist32)
CHOICE(f80_to_i64, f80_fistt64, f80_fist64)

#define NAME(name) {#name, name}
#define NAMES(s)                                                                                                     \
  NAME(f##s##_add), NAME(f##s##_sub), NAME(f##s##_mul), NAME(f##s##_div), NAME(f##s##_sqrt), NAME(f##s##_compare)
#define SSE_NAMES(s)                                                                                                 \
  NAMES(s), NAME(f##s##_min), NAME(f##s##_max), NAME(f##s##_predicate), NAME(f##s##_round), NAME(f##s##_to_i32),      \
  NAME(f##s##_to_i64), NAME(f##s##_from_i32), NAME(f##s##_from_i64)

static const struct {
  const char *name;
  Operation operation;
} operations[] = {
  SSE_NAMES(32), SSE_NAMES(64), NAMES(80), NAME(f32_to_f64), NAME(f64_to_f32), NAME(f80_round_integer),
  NAME(f80_from_f32), NAME(f80_from_f64), NAME(f80_from_i64), NAME(f80_to_f32), NAME(f80_to_f64), NAME(f80_to_i16),
  NAME(f80_to_i32), NAME(f80_to_i64), NAME(f80_add_m32), NAME(f80_add_m64), NAME(f80_mul_m64),
  NAME(f32_rcp), NAME(f32_rsqrt), NAME(dpps), NAME(dppd), NAME(haddps), NAME(addsubpd), NAME(addps), NAME(divpd),
};

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  Operation operation = NULL;
  for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
    if (!strcmp(operations[i].name, argv[1])) operation = operations[i].operation;
  if (!operation) return fprintf(stderr, "reference: no operation %s\n", argv[1]), 2;
  struct sigaction action = {.sa_sigaction = on_fpe, .sa_flags = SA_SIGINFO};
  sigaction(SIGFPE, &action, NULL);
  static Request request;
  static Result result;
  while (fread(&request, sizeof request, 1, stdin) == 1) {
    memset(&result, 0, sizeof result);
    if (sigsetjmp(resume, 1)) {
      _mm_setcsr(MASKED);
      result.flags = trapped_mxcsr & 0x3f;
      result.trapped = 1;
    } else {
      operation(&request, &result);
    }
    fwrite(&result, sizeof result, 1, stdout);
  }
  return 0;
}
