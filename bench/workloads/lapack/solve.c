/* DGESV and ZGESV: A X = B with partial pivoting; real and complex. */
#include <float.h>

#include "lapack.h"
#include "matrix.h"
#include "routines.h"

#define RIGHT_SIDES 4

static int n;
static double *a, *factors, *b, *x;
static int *pivots;

static void prepare_real(void) {
  if (a == NULL) {
    n = order(1, 256, 512);
    a = new_matrix(n, n);
    factors = new_matrix(n, n);
    b = new_matrix(n, RIGHT_SIDES);
    x = new_matrix(n, RIGHT_SIDES);
    pivots = bench_alloc((size_t)n * sizeof *pivots);
  }
  random_fill(a, (size_t)n * n);
  random_fill(b, (size_t)n * RIGHT_SIDES);
  for (size_t i = 0; i < (size_t)n * n; i++) factors[i] = a[i];
  for (size_t i = 0; i < (size_t)n * RIGHT_SIDES; i++) x[i] = b[i];
}

static void run_real(void) {
  const int sides = RIGHT_SIDES;
  int info;
  dgesv_(&n, &sides, factors, &n, pivots, x, &n, &info);
  expect_success(info);
}

static struct outcome check_real(void) {
  double product[n];
  double worst = 0;
  for (int side = 0; side < RIGHT_SIDES; side++) {
    const double *solution = x + (size_t)side * n;
    multiply_vector(product, a, solution, n, 0);
    double residual = scaled_difference(product, b + (size_t)side * n, n, largest(a, (size_t)n * n) * largest(solution, n));
    if (!(residual <= worst)) worst = residual;
  }
  return (struct outcome){
      .work = (2.0 / 3 * n * n * n + 2.0 * RIGHT_SIDES * n * n) * 1e-6,
      .residual = worst,
      .hash = hash_bytes(HASH_START, x, (size_t)n * RIGHT_SIDES * sizeof *x),
  };
}

const struct workload lapack_dgesv = {SUITE "/dgesv", "MFLOP/s", prepare_real, run_real, check_real};

static int complex_n;
static double complex *complex_a, *complex_factors, *complex_b, *complex_x;
static int *complex_pivots;

static void prepare_complex(void) {
  if (complex_a == NULL) {
    complex_n = order(2, 144, 352);
    size_t entries = (size_t)complex_n * complex_n;
    complex_a = bench_alloc(entries * sizeof *complex_a);
    complex_factors = bench_alloc(entries * sizeof *complex_a);
    complex_b = bench_alloc((size_t)complex_n * sizeof *complex_b);
    complex_x = bench_alloc((size_t)complex_n * sizeof *complex_x);
    complex_pivots = bench_alloc((size_t)complex_n * sizeof *complex_pivots);
  }
  random_fill((double *)complex_a, 2 * (size_t)complex_n * complex_n);
  random_fill((double *)complex_b, 2 * (size_t)complex_n);
  for (size_t i = 0; i < (size_t)complex_n * complex_n; i++) complex_factors[i] = complex_a[i];
  for (int i = 0; i < complex_n; i++) complex_x[i] = complex_b[i];
}

static void run_complex(void) {
  const int sides = 1;
  int info;
  zgesv_(&complex_n, &sides, complex_factors, &complex_n, complex_pivots, complex_x, &complex_n, &info);
  expect_success(info);
}

static struct outcome check_complex(void) {
  double complex product[complex_n];
  for (int i = 0; i < complex_n; i++) product[i] = 0;
  for (int j = 0; j < complex_n; j++) {
    for (int i = 0; i < complex_n; i++) product[i] += complex_a[i + (size_t)j * complex_n] * complex_x[j];
  }
  double scale = largest((double *)complex_x, 2 * (size_t)complex_n);
  return (struct outcome){
      .work = 8.0 / 3 * complex_n * complex_n * complex_n * 1e-6,
      .residual = scaled_difference((double *)product, (double *)complex_b, 2 * complex_n, scale),
      .hash = hash_bytes(HASH_START, complex_x, (size_t)complex_n * sizeof *complex_x),
  };
}

const struct workload lapack_zgesv = {SUITE "/zgesv", "MFLOP/s", prepare_complex, run_complex, check_complex};
