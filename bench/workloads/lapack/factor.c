/* DGETRF, DPOTRF and DGEQRF: P A = L U, A = L L^T, A = Q R. */
#include "lapack.h"
#include "matrix.h"
#include "routines.h"

static int n;
static double *a, *factors, *tau, *work;
static int *pivots;
static int lwork;

static void make(int wanted) {
  if (n != wanted) {
    /* Earlier matrices of another order stay allocated: there are three orders at most. */
    n = wanted;
    lwork = 64 * n;
    a = new_matrix(n, n);
    factors = new_matrix(n, n);
    tau = new_matrix(n, 1);
    work = new_matrix(lwork, 1);
    pivots = bench_alloc((size_t)n * sizeof *pivots);
  }
}

static void copy_matrix(void) {
  for (size_t i = 0; i < (size_t)n * n; i++) factors[i] = a[i];
}

static void prepare_general(void) {
  make(order(1, 256, 512));
  random_fill(a, (size_t)n * n);
  copy_matrix();
}

static void prepare_definite(void) {
  make(order(1, 256, 640));
  random_symmetric(a, n, n);
  copy_matrix();
}

static void prepare_qr(void) {
  make(order(1, 192, 448));
  random_fill(a, (size_t)n * n);
  copy_matrix();
}

static void run_lu(void) {
  int info;
  dgetrf_(&n, &n, factors, &n, pivots, &info);
  expect_success(info);
}

static void run_cholesky(void) {
  int info;
  dpotrf_("L", &n, factors, &n, &info, 1);
  expect_success(info);
}

static void run_qr(void) {
  int info;
  dgeqrf_(&n, &n, factors, &n, tau, work, &lwork, &info);
  expect_success(info);
}

static struct outcome finish(double flops, const double *left, const double *right) {
  return (struct outcome){
      .work = flops * 1e-6,
      .residual = scaled_difference(left, right, n, largest(right, n)),
      .hash = hash_bytes(HASH_START, factors, (size_t)n * n * sizeof *factors),
  };
}

static struct outcome check_lu(void) {
  double x[n], ux[n], left[n], right[n];
  random_fill(x, n);
  multiply_vector(right, a, x, n, 0);
  for (int i = 0; i < n; i++) {
    double swapped = right[i];
    right[i] = right[pivots[i] - 1];
    right[pivots[i] - 1] = swapped;
  }
  multiply_upper(ux, factors, x, n);
  multiply_lower(left, factors, ux, n, 1);
  return finish(2.0 / 3 * n * n * n, left, right);
}

static struct outcome check_cholesky(void) {
  double x[n], lx[n], left[n], right[n];
  random_fill(x, n);
  multiply_vector(right, a, x, n, 0);
  multiply_lower_transposed(lx, factors, x, n);
  multiply_lower(left, factors, lx, n, 0);
  return finish(1.0 / 3 * n * n * n, left, right);
}

static struct outcome check_qr(void) {
  const int one = 1;
  double x[n], left[n], right[n];
  int info;
  random_fill(x, n);
  multiply_vector(right, a, x, n, 0);
  multiply_upper(left, factors, x, n);
  dormqr_("L", "N", &n, &one, &n, factors, &n, tau, left, &n, work, &lwork, &info, 1, 1);
  expect_success(info);
  return finish(4.0 / 3 * n * n * n, left, right);
}

const struct workload lapack_dgetrf = {SUITE "/dgetrf", "MFLOP/s", prepare_general, run_lu, check_lu};
const struct workload lapack_dpotrf = {SUITE "/dpotrf", "MFLOP/s", prepare_definite, run_cholesky, check_cholesky};
const struct workload lapack_dgeqrf = {SUITE "/dgeqrf", "MFLOP/s", prepare_qr, run_qr, check_qr};
