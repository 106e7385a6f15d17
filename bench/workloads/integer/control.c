/* Where a program goes next: a bytecode interpreter, a chain of pointers, recursion, calls through a table. */
#include "integer.h"

enum { PUSH, ADD, SUBTRACT, MULTIPLY, LOAD, STORE, JUMP_IF_LESS, STOP };

/* sum = 0; for (i = 0; i < turns; i++) sum = sum * 3 + (i - 7), in a stack machine's code. */
static const int32_t program[] = {
    PUSH, 0, STORE, 0,                                    /* sum = 0 */
    PUSH, 0, STORE, 1,                                    /* i = 0 */
    LOAD, 0, PUSH, 3, MULTIPLY, LOAD, 1, PUSH, 7, SUBTRACT, ADD, STORE, 0, /* from 8 */
    LOAD, 1, PUSH, 1, ADD, STORE, 1,                      /* i++ */
    LOAD, 1, LOAD, 2, JUMP_IF_LESS, 8,                    /* while i < turns */
    STOP,
};

static int32_t variables[3];
static long executed;

static void run_bytecode(void) {
  int32_t stack[16];
  int top = 0;
  variables[2] = (int32_t)sized(150000, 3000000);
  executed = 0;
  for (const int32_t *at = program;; executed++) {
    switch (*at++) {
      case PUSH:
        stack[top++] = *at++;
        break;
      case ADD:
        top--;
        stack[top - 1] = (int32_t)((uint32_t)stack[top - 1] + (uint32_t)stack[top]);
        break;
      case SUBTRACT:
        top--;
        stack[top - 1] = (int32_t)((uint32_t)stack[top - 1] - (uint32_t)stack[top]);
        break;
      case MULTIPLY:
        top--;
        stack[top - 1] = (int32_t)((uint32_t)stack[top - 1] * (uint32_t)stack[top]);
        break;
      case LOAD:
        stack[top++] = variables[*at++];
        break;
      case STORE:
        variables[*at++] = stack[--top];
        break;
      case JUMP_IF_LESS:
        top -= 2;
        at = stack[top] < stack[top + 1] ? program + *at : at + 1;
        break;
      case STOP:
        return;
    }
  }
}

static struct outcome check_bytecode(void) {
  return (struct outcome){
      .work = (double)executed * 1e-6,
      .hash = hash_bytes(HASH_START, variables, sizeof variables),
  };
}

const struct workload integer_bytecode = {"integer/bytecode", "Mcode/s", NULL, run_bytecode, check_bytecode};

struct node {
  struct node *next;
  uint32_t number;
  /* one node a cache line */
  char rest[64 - sizeof(struct node *) - sizeof(uint32_t)];
};

static struct node *nodes;
static long node_count, hops;
static uint64_t visited;

/* One cycle through all nodes in a random order (Sattolo's shuffle). */
static void prepare_chase(void) {
  if (nodes == NULL) {
    node_count = sized(20000, 100000);
    nodes = bench_alloc((size_t)node_count * sizeof *nodes);
  }
  hops = sized(400000, 2000000);
  for (long i = 0; i < node_count; i++) nodes[i].number = (uint32_t)i;
  for (long i = node_count - 1; i > 0; i--) {
    long j = (long)(random_word() % (uint64_t)i);
    uint32_t number = nodes[i].number;
    nodes[i].number = nodes[j].number;
    nodes[j].number = number;
  }
  for (long i = 0; i < node_count; i++) nodes[i].next = &nodes[nodes[i].number];
}

static void run_chase(void) {
  const struct node *at = nodes;
  visited = 0;
  for (long i = 0; i < hops; i++) {
    visited += at->number ^ (uint64_t)i;
    at = at->next;
  }
}

static struct outcome check_chase(void) {
  return (struct outcome){.work = (double)hops * 1e-6, .hash = hash_word(HASH_START, visited)};
}

const struct workload integer_chase = {"integer/pointer-chase", "Mhop/s", prepare_chase, run_chase, check_chase};

/* Not inlined into itself: the calls are what is measured. */
__attribute__((noinline, optimize("no-optimize-sibling-calls"))) static uint32_t fib(uint32_t n) {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static uint32_t fib_result;

static void run_fib(void) { fib_result = fib((uint32_t)sized(29, 35)); }

static struct outcome check_fib(void) {
  /* fib(n) is a sum of that many ones; there are about 1.6 calls more than twice as many. */
  return (struct outcome){.work = 3.236 * fib_result * 1e-6, .hash = hash_word(HASH_START, fib_result)};
}

const struct workload integer_fib = {"integer/fib", "Mcall/s", NULL, run_fib, check_fib};

typedef uint32_t (*step)(uint32_t);

#define STEP(name, expression) \
  __attribute__((noinline)) static uint32_t name(uint32_t x) { return expression; }
STEP(step0, x * 5 + 1)
STEP(step1, x ^ x >> 7)
STEP(step2, x - 0x1234567)
STEP(step3, x << 3 | x >> 29)
STEP(step4, ~x)
STEP(step5, x + (x << 5))
STEP(step6, x ^ 0x5bd1e995)
STEP(step7, x * 0x85ebca6b)

static const step steps[8] = {step0, step1, step2, step3, step4, step5, step6, step7};
static uint32_t state;
static long calls;

static void run_indirect(void) {
  calls = sized(1500000, 20000000);
  uint32_t x = 1;
  for (long i = 0; i < calls; i++) x = steps[(x >> 13 ^ (uint32_t)i) & 7](x);
  state = x;
}

static struct outcome check_indirect(void) {
  return (struct outcome){.work = (double)calls * 1e-6, .hash = hash_word(HASH_START, state)};
}

const struct workload integer_indirect = {"integer/indirect-call", "Mcall/s", NULL, run_indirect, check_indirect};
