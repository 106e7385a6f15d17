import type { Leaf } from "./cpuid.ts";

/** Where the leaves of hypervisors begin. */
export const HYPERVISOR_LEAVES = 0x4000_0000;

/** Bits of leaf 0x40000001; Documentation/virt/kvm/x86/cpuid.rst. */
const Feature = {
  /** writes to port 0x80 are needed nowhere */
  NO_IO_DELAY: 1 << 1,
  /** MSRs 0x4b564d00 (wall clock) and 0x4b564d01 (system time) */
  CLOCK: 1 << 3,
  /** the flag STABLE of the structure means something */
  CLOCK_STABLE: 1 << 24,
} as const;

/**
 * CPUID leaves of a hypervisor that offers KVM's clock and nothing else of its interface: no asynchronous page faults, steal time,
 * end of interrupt in memory, processor kicks, paravirtual TLB flushes or IPIs.
 */
export const KVM_CLOCK_LEAVES: ReadonlyMap<number, Leaf> = new Map<number, Leaf>([
  // "KVMKVMKVM\0\0\0"
  [0x4000_0000, [0x4000_0001, 0x4b4d_564b, 0x564b_4d56, 0x4d]],
  [0x4000_0001, [Feature.NO_IO_DELAY | Feature.CLOCK | Feature.CLOCK_STABLE, 0, 0, 0]],
]);

/** A hypervisor that offers nothing. */
export const PLAIN_LEAVES: ReadonlyMap<number, Leaf> = new Map<number, Leaf>([
  // "UmbraUmbra\0\0"
  [HYPERVISOR_LEAVES, [HYPERVISOR_LEAVES, 0x7262_6d55, 0x626d_5561, 0x6172]],
]);
