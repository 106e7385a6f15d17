#include "matrix.h"

#include <float.h>
#include <math.h>

#include "../harness/harness.h"

double *new_matrix(int rows, int columns) { return bench_alloc((size_t)rows * (size_t)columns * sizeof(double)); }

void random_fill(double *at, size_t count) {
  for (size_t i = 0; i < count; i++) at[i] = random_double();
}

void random_symmetric(double *a, int n, double diagonal) {
  for (int j = 0; j < n; j++) {
    for (int i = 0; i <= j; i++) {
      double entry = random_double() + (i == j ? diagonal : 0.0);
      a[i + (size_t)j * n] = entry;
      a[j + (size_t)i * n] = entry;
    }
  }
}

void multiply_vector(double *y, const double *a, const double *x, int n, int transposed) {
  for (int i = 0; i < n; i++) y[i] = 0;
  for (int j = 0; j < n; j++) {
    for (int i = 0; i < n; i++) {
      if (transposed) y[j] += a[i + (size_t)j * n] * x[i];
      else y[i] += a[i + (size_t)j * n] * x[j];
    }
  }
}

void multiply_lower(double *y, const double *a, const double *x, int n, int unit) {
  for (int i = 0; i < n; i++) y[i] = unit ? x[i] : 0;
  for (int j = 0; j < n; j++) {
    for (int i = unit ? j + 1 : j; i < n; i++) y[i] += a[i + (size_t)j * n] * x[j];
  }
}

void multiply_lower_transposed(double *y, const double *a, const double *x, int n) {
  for (int j = 0; j < n; j++) {
    y[j] = 0;
    for (int i = j; i < n; i++) y[j] += a[i + (size_t)j * n] * x[i];
  }
}

void multiply_upper(double *y, const double *a, const double *x, int n) {
  for (int i = 0; i < n; i++) y[i] = 0;
  for (int j = 0; j < n; j++) {
    for (int i = 0; i <= j; i++) y[i] += a[i + (size_t)j * n] * x[j];
  }
}

double largest(const double *x, size_t count) {
  double found = 0;
  for (size_t i = 0; i < count; i++) {
    /* The comparison is this way round so that a NaN is found too. */
    if (!(fabs(x[i]) <= found)) found = fabs(x[i]);
  }
  return found;
}

double scaled_difference(const double *left, const double *right, int n, double scale) {
  double difference = 0;
  for (int i = 0; i < n; i++) {
    double here = fabs(left[i] - right[i]);
    if (!(here <= difference)) difference = here;
  }
  return difference / (scale * n * DBL_EPSILON);
}
