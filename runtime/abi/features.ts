/**
 * CPUID feature names that decide which encodings exist. The CPU model announces a set of them; the decoder refuses rows that
 * require one that is missing, so what is not announced raises #UD.
 */
// prettier-ignore
export const FEATURES = [
  "mmx", "sse", "sse2", "sse3", "ssse3", "sse4.1", "sse4.2", "popcnt", "lzcnt", "bmi1", "bmi2", "adx", "aes", "pclmulqdq",
  "sha", "movbe", "crc32", "rdrand", "rdseed", "fsgsbase", "rdtscp", "xsave", "xsaveopt", "xsavec", "fxsr", "cx16", "smap", "invpcid", "clflush",
  "clflushopt", "clwb", "rdpid", "monitor", "prefetchw", "syscall",
] as const;

export type Feature = (typeof FEATURES)[number];
