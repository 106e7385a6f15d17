/* The frame around jacobi.f90. */
#include "fp.h"

void umbra_jacobi(int n, int sweeps, double *u, const double *f);

static int n, sweeps;
static double *u, *f;

static void prepare(void) {
  if (u == NULL) {
    n = (int)sized(120, 400);
    sweeps = (int)sized(300, 400);
    u = bench_alloc((size_t)(n + 2) * (size_t)(n + 2) * sizeof *u);
    f = bench_alloc((size_t)(n + 2) * (size_t)(n + 2) * sizeof *f);
  }
  for (long i = 0; i < (long)(n + 2) * (n + 2); i++) {
    u[i] = 0;
    f[i] = random_double();
  }
}

static void run(void) { umbra_jacobi(n, sweeps, u, f); }

static struct outcome check(void) {
  return (struct outcome){
      .work = 5.0 * n * n * sweeps * 1e-6,
      .hash = hash_bytes(HASH_START, u, (size_t)(n + 2) * (size_t)(n + 2) * sizeof *u),
  };
}

const struct workload fp_jacobi = {"fp/jacobi-fortran", "MFLOP/s", prepare, run, check};
