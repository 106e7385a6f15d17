#ifndef UMBRA_BENCH_INTEGER_H
#define UMBRA_BENCH_INTEGER_H

#include "../harness/harness.h"

extern const struct workload integer_sieve, integer_sha256, integer_crc32, integer_qsort, integer_hash_table, integer_matrix,
    integer_bytecode, integer_chase, integer_fib, integer_indirect, integer_lz;

#endif
