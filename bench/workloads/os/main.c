/* The operating system: system calls, memory, processes, threads, files. */
#include "os.h"

struct outcome os_outcome(long operations, uint64_t counted) {
  return (struct outcome){.work = (double)operations * 1e-3, .hash = hash_word(HASH_START, counted)};
}

int main(int argc, char **argv) {
  os_exec_child(argc, argv);
  const struct workload list[] = {os_getppid, os_signal, os_page_faults, os_mmap,  os_files,  os_fork,
                                  os_exec,    os_pipe,   os_futex,       os_threads, {0}};
  return bench_main(argc, argv, list);
}
