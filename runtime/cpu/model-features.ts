import type { Feature } from "../abi/features.ts";

/** A bit of CPUID that announces something, and the encodings that become legal with it (if the decoder cares). */
export interface CpuidBit {
  readonly leaf: number;
  readonly subleaf?: number;
  readonly register: "eax" | "ebx" | "ecx" | "edx";
  readonly bit: number;
}

/** Features that have a CPUID bit but no encoding of their own that the decoder would have to refuse. */
// prettier-ignore
export const PLATFORM_FEATURES = [
  "fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce", "cx8", "apic", "sep", "mtrr", "pge", "mca", "cmov", "pat", "pse36",
  "pcid", "x2apic", "tsc-deadline", "hypervisor", "tsc-adjust", "smep", "erms", "umip", "fsrm",
  "lahf", "nx", "page1gb", "lm", "arat", "invariant-tsc", "fdp-exception-only", "no-fpu-cs-ds", "arch-capabilities", "xgetbv1",
] as const;
export type PlatformFeature = (typeof PLATFORM_FEATURES)[number];
export type ModelFeature = Feature | PlatformFeature;

const leaf1 = (register: "ecx" | "edx", bit: number): CpuidBit => ({ leaf: 1, register, bit });
const leaf7 = (register: "ebx" | "ecx" | "edx", bit: number): CpuidBit => ({ leaf: 7, register, bit });
const extended = (register: "ecx" | "edx", bit: number): CpuidBit => ({ leaf: 0x8000_0001, register, bit });

/** Where each feature is announced. SDM Vol. 2A, "CPUID", tables 3-8, 3-10 and 3-11; PREFETCHW and CLZERO: APM Vol. 3, E.4. */
// prettier-ignore
export const FEATURE_BITS: Readonly<Record<ModelFeature, readonly CpuidBit[]>> = {
  fpu: [leaf1("edx", 0)], vme: [leaf1("edx", 1)], de: [leaf1("edx", 2)], pse: [leaf1("edx", 3)], tsc: [leaf1("edx", 4)],
  msr: [leaf1("edx", 5)], pae: [leaf1("edx", 6)], mce: [leaf1("edx", 7)], cx8: [leaf1("edx", 8)], apic: [leaf1("edx", 9)],
  sep: [leaf1("edx", 11)], mtrr: [leaf1("edx", 12)], pge: [leaf1("edx", 13)], mca: [leaf1("edx", 14)], cmov: [leaf1("edx", 15)],
  pat: [leaf1("edx", 16)], pse36: [leaf1("edx", 17)], clflush: [leaf1("edx", 19)], mmx: [leaf1("edx", 23)],
  fxsr: [leaf1("edx", 24)], sse: [leaf1("edx", 25)], sse2: [leaf1("edx", 26)],
  sse3: [leaf1("ecx", 0)], pclmulqdq: [leaf1("ecx", 1)], monitor: [leaf1("ecx", 3)], ssse3: [leaf1("ecx", 9)],
  cx16: [leaf1("ecx", 13)], pcid: [leaf1("ecx", 17)], "sse4.1": [leaf1("ecx", 19)], "sse4.2": [leaf1("ecx", 20)],
  x2apic: [leaf1("ecx", 21)], movbe: [leaf1("ecx", 22)], popcnt: [leaf1("ecx", 23)], "tsc-deadline": [leaf1("ecx", 24)],
  aes: [leaf1("ecx", 25)], xsave: [leaf1("ecx", 26)], rdrand: [leaf1("ecx", 30)], hypervisor: [leaf1("ecx", 31)],
  // CRC32 is part of SSE4.2 and has no bit of its own.
  crc32: [],
  fsgsbase: [leaf7("ebx", 0)], "tsc-adjust": [leaf7("ebx", 1)], bmi1: [leaf7("ebx", 3)], "fdp-exception-only": [leaf7("ebx", 6)],
  smep: [leaf7("ebx", 7)], bmi2: [leaf7("ebx", 8)], erms: [leaf7("ebx", 9)], invpcid: [leaf7("ebx", 10)],
  "no-fpu-cs-ds": [leaf7("ebx", 13)], rdseed: [leaf7("ebx", 18)], adx: [leaf7("ebx", 19)], smap: [leaf7("ebx", 20)],
  clflushopt: [leaf7("ebx", 23)], clwb: [leaf7("ebx", 24)], sha: [leaf7("ebx", 29)],
  umip: [leaf7("ecx", 2)], rdpid: [leaf7("ecx", 22)], fsrm: [leaf7("edx", 4)], "arch-capabilities": [leaf7("edx", 29)],
  arat: [{ leaf: 6, register: "eax", bit: 2 }],
  xsaveopt: [{ leaf: 0xd, subleaf: 1, register: "eax", bit: 0 }], xsavec: [{ leaf: 0xd, subleaf: 1, register: "eax", bit: 1 }],
  xgetbv1: [{ leaf: 0xd, subleaf: 1, register: "eax", bit: 2 }],
  lahf: [extended("ecx", 0)], lzcnt: [extended("ecx", 5)], prefetchw: [extended("ecx", 8)],
  syscall: [extended("edx", 11)], nx: [extended("edx", 20)], page1gb: [extended("edx", 26)], rdtscp: [extended("edx", 27)],
  lm: [extended("edx", 29)],
  "invariant-tsc": [{ leaf: 0x8000_0007, register: "edx", bit: 8 }],
};
