/* What the workloads of this suite share. SUITE is "lapack" or "openblas": the same calls on another library. */
#ifndef UMBRA_BENCH_LAPACK_H
#define UMBRA_BENCH_LAPACK_H

#include "../harness/harness.h"

#ifndef SUITE
#define SUITE "lapack"
#endif

/** Order of a matrix: what --n asked for divided by `part`, or the size for quick or full. */
static inline int order(int part, int quick_order, int full_order) {
  if (matrix_order > 0) return matrix_order / part < 4 ? 4 : matrix_order / part;
  return quick ? quick_order : full_order;
}

/** Ends the program when a routine returned another INFO than 0. */
static inline void expect_success(int info) {
  if (info != 0) bench_fail("a routine returned INFO that is not 0");
}

extern const struct workload lapack_dgemm, lapack_dgesv, lapack_dgetrf, lapack_dpotrf, lapack_dgeqrf, lapack_dsyev, lapack_dgesvd,
    lapack_zgesv;

#endif
