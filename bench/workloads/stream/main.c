/* Memory bandwidth, after McCalpin's STREAM: the four kernels over arrays that are larger than a second-level cache. */
#include "../harness/harness.h"

static long count, passes;
static double *a, *b, *c;

static void prepare(void) {
  if (a == NULL) {
    count = sized(250000, 2000000);
    passes = sized(12, 30);
    a = bench_alloc((size_t)count * sizeof *a);
    b = bench_alloc((size_t)count * sizeof *b);
    c = bench_alloc((size_t)count * sizeof *c);
  }
  for (long i = 0; i < count; i++) {
    a[i] = random_double();
    b[i] = random_double();
    c[i] = 0;
  }
}

static void run_copy(void) {
  for (long pass = 0; pass < passes; pass++) {
    /* A loop that is a memcpy becomes a call of it: that is what programs do as well. */
    for (long i = 0; i < count; i++) c[i] = a[i];
    keep(c);
  }
}

static void run_scale(void) {
  for (long pass = 0; pass < passes; pass++) {
    for (long i = 0; i < count; i++) c[i] = 3.0 * a[i];
    keep(c);
  }
}

static void run_add(void) {
  for (long pass = 0; pass < passes; pass++) {
    for (long i = 0; i < count; i++) c[i] = a[i] + b[i];
    keep(c);
  }
}

static void run_triad(void) {
  for (long pass = 0; pass < passes; pass++) {
    for (long i = 0; i < count; i++) c[i] = a[i] + 3.0 * b[i];
    keep(c);
  }
}

static struct outcome finish(int arrays) {
  return (struct outcome){
      .work = 8.0 * arrays * (double)count * (double)passes * 1e-6,
      .hash = hash_bytes(HASH_START, c, (size_t)count * sizeof *c),
  };
}

static struct outcome check_two(void) { return finish(2); }
static struct outcome check_three(void) { return finish(3); }

int main(int argc, char **argv) {
  const struct workload list[] = {
      {"stream/copy", "MB/s", prepare, run_copy, check_two},
      {"stream/scale", "MB/s", prepare, run_scale, check_two},
      {"stream/add", "MB/s", prepare, run_add, check_three},
      {"stream/triad", "MB/s", prepare, run_triad, check_three},
      {0},
  };
  return bench_main(argc, argv, list);
}
