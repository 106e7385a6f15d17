/* Matrices, column-major as in Fortran, and the checks that cost O(n^2): products with a vector on both ways. */
#ifndef UMBRA_BENCH_MATRIX_H
#define UMBRA_BENCH_MATRIX_H

#include <stddef.h>

double *new_matrix(int rows, int columns);

/** Fills with pseudo-random numbers in [-0.5, 0.5). */
void random_fill(double *at, size_t count);

/** Symmetric, with pseudo-random entries; `diagonal` is added to the diagonal (n makes it positive definite). */
void random_symmetric(double *a, int n, double diagonal);

/** y = A x, or A^T x with `transposed`. */
void multiply_vector(double *y, const double *a, const double *x, int n, int transposed);

/** y = L x with the lower triangle of `a`; the diagonal counts as ones with `unit`. */
void multiply_lower(double *y, const double *a, const double *x, int n, int unit);

/** y = L^T x with the lower triangle of `a`. */
void multiply_lower_transposed(double *y, const double *a, const double *x, int n);

/** y = U x with the upper triangle of `a`. */
void multiply_upper(double *y, const double *a, const double *x, int n);

/** Largest absolute value. */
double largest(const double *x, size_t count);

/** |left - right| / (scale n eps), where scale is the largest that an entry can be. */
double scaled_difference(const double *left, const double *right, int n, double scale);

#endif
