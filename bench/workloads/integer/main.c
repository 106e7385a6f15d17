/* Integers: arithmetic, tables, pointers, calls and branches. */
#include "integer.h"

int main(int argc, char **argv) {
  const struct workload list[] = {integer_sieve,  integer_sha256,   integer_crc32, integer_qsort, integer_hash_table,
                                  integer_matrix, integer_bytecode, integer_chase, integer_fib,   integer_indirect,
                                  integer_lz,     {0}};
  return bench_main(argc, argv, list);
}
