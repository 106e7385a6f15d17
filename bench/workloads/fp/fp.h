#ifndef UMBRA_BENCH_FP_H
#define UMBRA_BENCH_FP_H

#include "../harness/harness.h"

extern const struct workload fp_nbody, fp_mandelbrot, fp_spectral_norm, fp_fft, fp_jacobi, fp_trigonometry, fp_exponential, fp_power,
    fp_packed_double, fp_packed_single, fp_x87;

#endif
