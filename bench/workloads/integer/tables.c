/* Arrays: sieve of Eratosthenes, the C library's qsort, a hash table with open addressing, a product of integer matrices. */
#include <stdlib.h>
#include <string.h>

#include "integer.h"

static unsigned char *composite;
static long limit, found;

static void prepare_sieve(void) {
  if (composite == NULL) {
    limit = sized(1500000, 16000000);
    composite = bench_alloc((size_t)limit);
  }
}

static void run_sieve(void) {
  memset(composite, 0, (size_t)limit);
  found = 0;
  for (long i = 2; i < limit; i++) {
    if (composite[i]) continue;
    found++;
    if (i > limit / i) continue;
    for (long j = i * i; j < limit; j += i) composite[j] = 1;
  }
}

static struct outcome check_sieve(void) {
  return (struct outcome){
      .work = (double)limit * 1e-6,
      .hash = hash_bytes(hash_word(HASH_START, (uint64_t)found), composite, (size_t)limit),
  };
}

const struct workload integer_sieve = {"integer/sieve", "M/s", prepare_sieve, run_sieve, check_sieve};

static uint32_t *numbers;
static long count;

static void prepare_qsort(void) {
  if (numbers == NULL) {
    count = sized(60000, 900000);
    numbers = bench_alloc((size_t)count * sizeof *numbers);
  }
  for (long i = 0; i < count; i++) numbers[i] = (uint32_t)(random_word() >> 32);
}

static int compare(const void *left, const void *right) {
  uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
  return (a > b) - (a < b);
}

static void run_qsort(void) { qsort(numbers, (size_t)count, sizeof *numbers, compare); }

static struct outcome check_qsort(void) {
  for (long i = 1; i < count; i++) {
    if (numbers[i - 1] > numbers[i]) bench_fail("qsort did not sort");
  }
  return (struct outcome){
      .work = (double)count * 1e-6,
      .hash = hash_bytes(HASH_START, numbers, (size_t)count * sizeof *numbers),
  };
}

const struct workload integer_qsort = {"integer/qsort", "Melement/s", prepare_qsort, run_qsort, check_qsort};

#define SLOTS (1 << 20)

struct slot {
  uint32_t key, value;
};

static struct slot *slots;
static long operations;
static uint64_t hits;

static void prepare_hash_table(void) {
  if (slots == NULL) slots = bench_alloc(SLOTS * sizeof *slots);
  operations = sized(300000, 4000000);
  memset(slots, 0, SLOTS * sizeof *slots);
}

static void run_hash_table(void) {
  hits = 0;
  for (long i = 0; i < operations; i++) {
    /* Keys repeat, so that a part of the operations finds what is there. */
    uint32_t key = (uint32_t)(random_word() % 600000) + 1;
    uint32_t at = key * 2654435761u >> 12;
    while (slots[at].key != 0 && slots[at].key != key) at = (at + 1) & (SLOTS - 1);
    hits += slots[at].key == key;
    slots[at].key = key;
    slots[at].value += (uint32_t)i;
  }
}

static struct outcome check_hash_table(void) {
  uint64_t hash = hash_word(HASH_START, hits);
  return (struct outcome){
      .work = (double)operations * 1e-6,
      .hash = hash_bytes(hash, slots, SLOTS * sizeof *slots),
  };
}

const struct workload integer_hash_table = {"integer/hash-table", "Mop/s", prepare_hash_table, run_hash_table, check_hash_table};

#define LARGEST_ORDER 400
static int order;
static int32_t a[LARGEST_ORDER][LARGEST_ORDER], b[LARGEST_ORDER][LARGEST_ORDER], c[LARGEST_ORDER][LARGEST_ORDER];

static void prepare_matrix(void) {
  order = (int)sized(160, LARGEST_ORDER);
  for (int i = 0; i < order; i++) {
    for (int j = 0; j < order; j++) {
      a[i][j] = (int32_t)(random_word() >> 48);
      b[i][j] = (int32_t)(random_word() >> 48);
    }
  }
}

static void run_matrix(void) {
  for (int i = 0; i < order; i++) {
    for (int j = 0; j < order; j++) {
      uint32_t sum = 0;
      for (int k = 0; k < order; k++) sum += (uint32_t)a[i][k] * (uint32_t)b[k][j];
      c[i][j] = (int32_t)sum;
    }
  }
}

static struct outcome check_matrix(void) {
  return (struct outcome){.work = 2.0 * order * order * order * 1e-6, .hash = hash_bytes(HASH_START, c, sizeof c)};
}

const struct workload integer_matrix = {"integer/matrix", "Mop/s", prepare_matrix, run_matrix, check_matrix};
