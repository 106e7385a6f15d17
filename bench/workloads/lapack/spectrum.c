/* DSYEV and DGESVD: A = V D V^T and A = U S V^T, with all vectors. */
#include "lapack.h"
#include "matrix.h"
#include "routines.h"

static int n;
static double *a, *input, *values, *u, *vt, *work;
static int lwork;

static void make(void) {
  if (a != NULL) return;
  n = order(2, 112, 256);
  lwork = 64 * n;
  a = new_matrix(n, n);
  input = new_matrix(n, n);
  u = new_matrix(n, n);
  vt = new_matrix(n, n);
  values = new_matrix(n, 1);
  work = new_matrix(lwork, 1);
}

static void prepare_symmetric(void) {
  make();
  random_symmetric(a, n, 0);
  for (size_t i = 0; i < (size_t)n * n; i++) input[i] = a[i];
}

static void prepare_general(void) {
  make();
  random_fill(a, (size_t)n * n);
  for (size_t i = 0; i < (size_t)n * n; i++) input[i] = a[i];
}

static void run_dsyev(void) {
  int info;
  dsyev_("V", "L", &n, a, &n, values, work, &lwork, &info, 1, 1);
  expect_success(info);
}

static void run_dgesvd(void) {
  int info;
  dgesvd_("A", "A", &n, &n, a, &n, values, u, &n, vt, &n, work, &lwork, &info, 1, 1);
  expect_success(info);
}

/* Of A x = U (S (V^T x)), with U = V for a symmetric matrix. */
static double residual_of(const double *left_vectors, const double *right_vectors, int right_transposed) {
  double x[n], product[n], left[n], right[n];
  random_fill(x, n);
  multiply_vector(right, input, x, n, 0);
  multiply_vector(product, right_vectors, x, n, right_transposed);
  for (int i = 0; i < n; i++) product[i] *= values[i];
  multiply_vector(left, left_vectors, product, n, 0);
  return scaled_difference(left, right, n, largest(right, n));
}

static struct outcome check_dsyev(void) {
  uint64_t hash = hash_bytes(HASH_START, values, (size_t)n * sizeof *values);
  return (struct outcome){
      .work = 9.0 * n * n * n * 1e-6,
      .residual = residual_of(a, a, 1),
      .hash = hash_bytes(hash, a, (size_t)n * n * sizeof *a),
  };
}

static struct outcome check_dgesvd(void) {
  uint64_t hash = hash_bytes(HASH_START, values, (size_t)n * sizeof *values);
  hash = hash_bytes(hash, u, (size_t)n * n * sizeof *u);
  return (struct outcome){
      .work = 22.0 * n * n * n * 1e-6,
      .residual = residual_of(u, vt, 0),
      .hash = hash_bytes(hash, vt, (size_t)n * n * sizeof *vt),
  };
}

const struct workload lapack_dsyev = {SUITE "/dsyev", "MFLOP/s", prepare_symmetric, run_dsyev, check_dsyev};
const struct workload lapack_dgesvd = {SUITE "/dgesvd", "MFLOP/s", prepare_general, run_dgesvd, check_dgesvd};
