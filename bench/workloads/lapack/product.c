/* DGEMM: C = A B. */
#include "lapack.h"
#include "matrix.h"
#include "routines.h"

static int n;
static double *a, *b, *c;

static void prepare(void) {
  if (a == NULL) {
    n = order(1, 200, 512);
    a = new_matrix(n, n);
    b = new_matrix(n, n);
    c = new_matrix(n, n);
  }
  random_fill(a, (size_t)n * n);
  random_fill(b, (size_t)n * n);
}

static void run(void) {
  const double one = 1, zero = 0;
  dgemm_("N", "N", &n, &n, &n, &one, a, &n, b, &n, &zero, c, &n, 1, 1);
}

static struct outcome check(void) {
  double x[n], left[n], bx[n], right[n];
  random_fill(x, n);
  multiply_vector(left, c, x, n, 0);
  multiply_vector(bx, b, x, n, 0);
  multiply_vector(right, a, bx, n, 0);
  return (struct outcome){
      .work = 2.0 * n * n * n * 1e-6,
      .residual = scaled_difference(left, right, n, largest(left, n)),
      .hash = hash_bytes(HASH_START, c, (size_t)n * n * sizeof *c),
  };
}

const struct workload lapack_dgemm = {SUITE "/dgemm", "MFLOP/s", prepare, run, check};
