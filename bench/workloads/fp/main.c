/* Floating point: scalar and packed loops, the C library's functions, a Fortran stencil, the x87. */
#include "fp.h"

int main(int argc, char **argv) {
  const struct workload list[] = {fp_nbody,        fp_mandelbrot, fp_spectral_norm, fp_fft,           fp_jacobi, fp_trigonometry,
                                  fp_exponential, fp_power,      fp_packed_double, fp_packed_single, fp_x87,    {0}};
  return bench_main(argc, argv, list);
}
