/* SSE2 by intrinsics: polynomials of packed doubles, and packed floats with shuffles, comparisons and conversions. */
#include <emmintrin.h>

#include "fp.h"

#define VALUES 4096

static double *doubles;
static float *floats;
static long passes;
static double double_sum[2];
static float float_sum[4];

static void prepare_doubles(void) {
  if (doubles == NULL) doubles = bench_alloc(VALUES * sizeof *doubles);
  for (int i = 0; i < VALUES; i++) doubles[i] = random_double();
  passes = sized(5000, 60000);
}

static void run_doubles(void) {
  const __m128d c0 = _mm_set1_pd(0.25), c1 = _mm_set1_pd(-0.5), c2 = _mm_set1_pd(1.5);
  __m128d even = _mm_setzero_pd(), odd = _mm_setzero_pd();
  for (long pass = 0; pass < passes; pass++) {
    for (int i = 0; i < VALUES; i += 4) {
      __m128d x = _mm_load_pd(doubles + i), y = _mm_load_pd(doubles + i + 2);
      __m128d px = _mm_add_pd(_mm_mul_pd(_mm_add_pd(_mm_mul_pd(c2, x), c1), x), c0);
      __m128d py = _mm_add_pd(_mm_mul_pd(_mm_add_pd(_mm_mul_pd(c2, y), c1), y), c0);
      even = _mm_add_pd(even, px);
      odd = _mm_add_pd(odd, py);
    }
  }
  _mm_storeu_pd(double_sum, _mm_add_pd(even, odd));
}

static struct outcome check_doubles(void) {
  return (struct outcome){
      .work = 5.0 * VALUES * (double)passes * 1e-6,
      .hash = hash_bytes(HASH_START, double_sum, sizeof double_sum),
  };
}

const struct workload fp_packed_double = {"fp/packed-double", "MFLOP/s", prepare_doubles, run_doubles, check_doubles};

static void prepare_floats(void) {
  if (floats == NULL) floats = bench_alloc(VALUES * sizeof *floats);
  for (int i = 0; i < VALUES; i++) floats[i] = (float)random_double();
  passes = sized(5000, 60000);
}

/* |x|, clipped by a comparison's mask, lanes rotated, rounded to integers and back. */
static void run_floats(void) {
  const __m128 sign = _mm_set1_ps(-0.0f), limit = _mm_set1_ps(0.375f), scale = _mm_set1_ps(1024.0f);
  __m128 sum = _mm_setzero_ps();
  for (long pass = 0; pass < passes; pass++) {
    for (int i = 0; i < VALUES; i += 4) {
      __m128 x = _mm_andnot_ps(sign, _mm_load_ps(floats + i));
      __m128 below = _mm_and_ps(_mm_cmplt_ps(x, limit), x);
      __m128 rotated = _mm_shuffle_ps(below, below, _MM_SHUFFLE(0, 3, 2, 1));
      __m128 rounded = _mm_cvtepi32_ps(_mm_cvttps_epi32(_mm_mul_ps(rotated, scale)));
      sum = _mm_add_ps(sum, _mm_max_ps(rounded, x));
    }
    sum = _mm_mul_ps(sum, _mm_set1_ps(0.5f));
  }
  _mm_storeu_ps(float_sum, sum);
}

static struct outcome check_floats(void) {
  return (struct outcome){
      .work = 8.0 * VALUES * (double)passes * 1e-6,
      .hash = hash_bytes(HASH_START, float_sum, sizeof float_sum),
  };
}

const struct workload fp_packed_single = {"fp/packed-single", "Mop/s", prepare_floats, run_floats, check_floats};
