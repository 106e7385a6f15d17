/* Scalar doubles: gravitation of five bodies, the Mandelbrot set, the spectral norm of a matrix that is a formula. */
#include <math.h>

#include "fp.h"

#define BODIES 5

struct body {
  double position[3], velocity[3], mass;
};

static struct body bodies[BODIES];
static long steps;

static void prepare_nbody(void) {
  steps = sized(60000, 1000000);
  for (int i = 0; i < BODIES; i++) {
    for (int axis = 0; axis < 3; axis++) {
      bodies[i].position[axis] = 10 * random_double() + 4 * i;
      bodies[i].velocity[axis] = random_double();
    }
    bodies[i].mass = i == 0 ? 40 : 0.01 * (i + 1);
  }
}

static void run_nbody(void) {
  const double dt = 0.001;
  for (long step = 0; step < steps; step++) {
    for (int i = 0; i < BODIES; i++) {
      for (int j = i + 1; j < BODIES; j++) {
        double dx = bodies[i].position[0] - bodies[j].position[0];
        double dy = bodies[i].position[1] - bodies[j].position[1];
        double dz = bodies[i].position[2] - bodies[j].position[2];
        double squared = dx * dx + dy * dy + dz * dz + 0.01;
        double pull = dt / (squared * sqrt(squared));
        double on_i = bodies[j].mass * pull, on_j = bodies[i].mass * pull;
        bodies[i].velocity[0] -= dx * on_i;
        bodies[i].velocity[1] -= dy * on_i;
        bodies[i].velocity[2] -= dz * on_i;
        bodies[j].velocity[0] += dx * on_j;
        bodies[j].velocity[1] += dy * on_j;
        bodies[j].velocity[2] += dz * on_j;
      }
    }
    for (int i = 0; i < BODIES; i++) {
      for (int axis = 0; axis < 3; axis++) bodies[i].position[axis] += dt * bodies[i].velocity[axis];
    }
  }
}

static struct outcome check_nbody(void) {
  return (struct outcome){.work = (double)steps * 1e-6, .hash = hash_bytes(HASH_START, bodies, sizeof bodies)};
}

const struct workload fp_nbody = {"fp/nbody", "Mstep/s", prepare_nbody, run_nbody, check_nbody};

#define DEEPEST 100
static long side;
static long points_inside, escapes;

static void run_mandelbrot(void) {
  side = sized(240, 900);
  points_inside = escapes = 0;
  for (long row = 0; row < side; row++) {
    for (long column = 0; column < side; column++) {
      double cr = 3.0 * (double)column / (double)side - 2.0, ci = 2.0 * (double)row / (double)side - 1.0;
      double zr = 0, zi = 0;
      int depth = 0;
      while (depth < DEEPEST && zr * zr + zi * zi < 4.0) {
        double next = zr * zr - zi * zi + cr;
        zi = 2.0 * zr * zi + ci;
        zr = next;
        depth++;
      }
      if (depth == DEEPEST) points_inside++;
      else escapes += depth;
    }
  }
}

static struct outcome check_mandelbrot(void) {
  return (struct outcome){
      .work = (double)(points_inside * DEEPEST + escapes) * 1e-6,
      .hash = hash_word(hash_word(HASH_START, (uint64_t)points_inside), (uint64_t)escapes),
  };
}

const struct workload fp_mandelbrot = {"fp/mandelbrot", "Miter/s", NULL, run_mandelbrot, check_mandelbrot};

#define LARGEST_ORDER 1000
static int order;
static double u[LARGEST_ORDER], v[LARGEST_ORDER], between[LARGEST_ORDER];

/* Divisions and conversions: entry (i, j) is 1 / ((i + j)(i + j + 1) / 2 + i + 1). */
static inline double entry(int i, int j) { return 1.0 / (double)((i + j) * (i + j + 1) / 2 + i + 1); }

static void multiply(double *to, const double *from, int transposed) {
  for (int i = 0; i < order; i++) {
    double sum = 0;
    for (int j = 0; j < order; j++) sum += (transposed ? entry(j, i) : entry(i, j)) * from[j];
    to[i] = sum;
  }
}

static void run_spectral_norm(void) {
  order = (int)sized(300, LARGEST_ORDER);
  for (int i = 0; i < order; i++) u[i] = 1;
  for (int pass = 0; pass < 10; pass++) {
    multiply(between, u, 0);
    multiply(v, between, 1);
    multiply(between, v, 0);
    multiply(u, between, 1);
  }
}

static struct outcome check_spectral_norm(void) {
  uint64_t hash = hash_bytes(HASH_START, u, (size_t)order * sizeof *u);
  return (struct outcome){
      .work = 40.0 * order * order * 1e-6,
      .hash = hash_bytes(hash, v, (size_t)order * sizeof *v),
  };
}

const struct workload fp_spectral_norm = {"fp/spectral-norm", "Mentry/s", NULL, run_spectral_norm, check_spectral_norm};
