/*
 * A guest that is a just-in-time compiler itself: it writes code, runs it, and writes it anew.
 *
 * The code is made of instructions whose bytes mean the same in 32-bit and in 64-bit mode, and it takes no arguments, so that one
 * program serves both. SDM Vol. 2: MOV r32, imm32 (B8+r); ADD, XOR EAX, imm32 (05, 35); IMUL EAX, EAX, imm32 (69 C0);
 * ROL EAX, imm8 (C1 C0); SUB ECX, imm8 (83 E9); JNZ rel8 (75); RET (C3).
 */
#include <string.h>
#include <sys/mman.h>

#include "../harness/harness.h"

#define AREA (1 << 20)

typedef uint32_t (*code)(void);

static unsigned char *area;
static uint32_t result;
static long runs;

static void prepare(void) {
  if (area != NULL) return;
  area = mmap(NULL, AREA, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (area == MAP_FAILED) bench_fail("no memory that is writable and executable");
}

static unsigned char *put32(unsigned char *at, uint32_t value) {
  memcpy(at, &value, 4);
  return at + 4;
}

static uint32_t call(unsigned char *at) {
  code function;
  memcpy(&function, &at, sizeof function);
  return function();
}

/* A random calculation of `length` steps; returns where it ends. `expected` follows what the code will compute. */
static unsigned char *generate(unsigned char *at, int length, uint32_t *expected) {
  uint32_t value = (uint32_t)random_word();
  *at++ = 0xb8;
  at = put32(at, value);
  for (int i = 0; i < length; i++) {
    uint64_t random = random_word();
    uint32_t operand = (uint32_t)(random >> 32) | 1;
    switch (random & 3) {
      case 0:
        *at++ = 0x05;
        at = put32(at, operand);
        value += operand;
        break;
      case 1:
        *at++ = 0x35;
        at = put32(at, operand);
        value ^= operand;
        break;
      case 2:
        *at++ = 0x69;
        *at++ = 0xc0;
        at = put32(at, operand);
        value *= operand;
        break;
      default:
        *at++ = 0xc1;
        *at++ = 0xc0;
        *at++ = 7;
        value = value << 7 | value >> 25;
        break;
    }
  }
  *at++ = 0xc3;
  *expected = value;
  return at;
}

/* Many functions, each run twice and then overwritten: what a compiler of scripts does to a cold program. */
static void run_generate(void) {
  runs = sized(6000, 120000);
  unsigned char *at = area;
  result = 0;
  for (long i = 0; i < runs; i++) {
    uint32_t expected;
    if (at > area + AREA - 512) at = area;
    unsigned char *start = at;
    at = generate(at, 24, &expected);
    for (int again = 0; again < 2; again++) {
      if (call(start) != expected) bench_fail("generated code computed something else than it should");
    }
    result = result * 31 + expected;
  }
}

/* A loop in generated code: x = (x + 0x9e3779b9) * 5 rotated by 7, `turns` times. */
static unsigned char *generate_loop(unsigned char *at, uint32_t turns) {
  *at++ = 0xb8;
  at = put32(at, 1);
  *at++ = 0xb9;
  at = put32(at, turns);
  unsigned char *loop = at;
  *at++ = 0x05;
  at = put32(at, 0x9e3779b9u);
  *at++ = 0x69;
  *at++ = 0xc0;
  at = put32(at, 5);
  *at++ = 0xc1;
  *at++ = 0xc0;
  *at++ = 7;
  *at++ = 0x83;
  *at++ = 0xe9;
  *at++ = 1;
  *at++ = 0x75;
  *at = (unsigned char)(loop - (at + 1));
  at++;
  *at++ = 0xc3;
  return at;
}

static void run_hot(void) {
  runs = sized(4000000, 60000000);
  generate_loop(area, (uint32_t)runs);
  result = call(area);
}

/* One constant of a function is rewritten before each call: the harshest case for whoever keeps translations. */
static void run_patch(void) {
  runs = sized(15000, 300000);
  generate_loop(area, 20);
  result = 0;
  for (long i = 0; i < runs; i++) {
    put32(area + 1, (uint32_t)i);
    result = result * 31 + call(area);
  }
}

/* Data and code in one page: the function adds to a counter beside it, as the inline caches of a compiler do. */
static void run_mixed(void) {
  runs = sized(300000, 4000000);
  generate_loop(area, 4);
  uint32_t *counter = (uint32_t *)(void *)(area + 2048);
  *counter = 0;
  result = 0;
  for (long i = 0; i < runs; i++) {
    *(volatile uint32_t *)counter += (uint32_t)i;
    result += call(area) ^ *counter;
  }
}

static struct outcome check(void) {
  return (struct outcome){.work = (double)runs * 1e-6, .hash = hash_word(HASH_START, result)};
}

int main(int argc, char **argv) {
  const struct workload list[] = {
      {"jit/generate", "Mfunction/s", prepare, run_generate, check},
      {"jit/hot-loop", "Mturn/s", prepare, run_hot, check},
      {"jit/patch", "Mpatch/s", prepare, run_patch, check},
      {"jit/mixed-page", "Mcall/s", prepare, run_mixed, check},
      {0},
  };
  return bench_main(argc, argv, list);
}
