#ifndef UMBRA_BENCH_OS_H
#define UMBRA_BENCH_OS_H

#include "../harness/harness.h"

extern const struct workload os_getppid, os_signal, os_page_faults, os_mmap, os_files, os_fork, os_exec, os_pipe, os_futex, os_threads;

/** Runs what the program was started for when it is a child of os/exec; returns otherwise. */
void os_exec_child(int argc, char **argv);

/** What most of these workloads report: how many operations, and a hash of a count that must be right. */
struct outcome os_outcome(long operations, uint64_t counted);

#endif
