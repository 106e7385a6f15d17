/* Dense linear algebra: the reference BLAS and LAPACK, or OpenBLAS. */
#include <stdio.h>

#include "lapack.h"

#ifdef OPENBLAS
char *openblas_get_corename(void);
#endif

int main(int argc, char **argv) {
  const struct workload list[] = {lapack_dgemm,  lapack_dgesv, lapack_dgetrf, lapack_dpotrf, lapack_dgeqrf,
                                  lapack_dsyev,  lapack_dgesvd, lapack_zgesv, {0}};
#ifdef OPENBLAS
  /* OpenBLAS chooses its kernels by CPUID unless OPENBLAS_CORETYPE names one; results of two kernels differ in their last bits. */
  printf("@note openblas kernel: %s\n", openblas_get_corename());
  fflush(stdout);
#endif
  return bench_main(argc, argv, list);
}
