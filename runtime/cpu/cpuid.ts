import { FEATURES, type Feature } from "../abi/features.ts";
import { numberOf, type CallOutTable } from "./call-out.ts";
import { Cr4 } from "./control-bits.ts";
import type { Cpu } from "./cpu.ts";
import { HYPERVISOR_LEAVES, KVM_CLOCK_LEAVES, PLAIN_LEAVES } from "./hypervisor-leaves.ts";
import { FEATURE_BITS, type CpuidBit, type ModelFeature } from "./model-features.ts";

/** EAX, EBX, ECX, EDX. */
export type Leaf = readonly [eax: number, ebx: number, ecx: number, edx: number];

export interface CpuModelOptions {
  /** 12 characters */
  readonly vendor?: string;
  /** up to 47 characters */
  readonly brand?: string;
  /** CPUID.1:EAX: stepping, model, family */
  readonly signature?: number;
  readonly features?: Iterable<ModelFeature>;
  readonly physicalAddressBits?: number;
  readonly tscHz?: number;
  /** core crystal clock, by which the local APIC timer counts as well */
  readonly crystalHz?: number;
  readonly apicId?: number;
  readonly processors?: number;
  /** KVM's paravirtual clock; for a machine, which has the registers that go with it. Needs the feature "hypervisor" */
  readonly kvmClock?: boolean;
  /** leaves 0x40000000 and up, for what else a hypervisor may say; [0] is the signature leaf */
  readonly hypervisorLeaves?: ReadonlyMap<number, Leaf>;
}

/**
 * What the default processor announces: x86-64-v2 and the extensions that Umbra implements beyond it.
 * ERMS and FSRM are left out: they would steer C libraries to REP MOVSB for short copies. With KVM's clock, Linux takes the APIC
 * timer's frequency from no leaf but measures it for half a second of guest time, unless it has the TSC deadline to use instead.
 */
// prettier-ignore
export const DEFAULT_FEATURES: readonly ModelFeature[] = [
  "fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce", "cx8", "apic", "sep", "mtrr", "pge", "mca", "cmov", "pat", "pse36",
  "clflush", "mmx", "fxsr", "sse", "sse2", "sse3", "ssse3", "sse4.1", "sse4.2", "crc32", "popcnt", "cx16", "lahf",
  "pclmulqdq", "aes", "sha", "movbe", "lzcnt", "bmi1", "bmi2", "adx", "rdrand", "rdseed", "rdtscp", "rdpid", "prefetchw",
  "xsave", "xsaveopt", "xsavec", "xgetbv1", "fsgsbase", "clflushopt", "clwb", "tsc-adjust", "invariant-tsc", "arat",
  "tsc-deadline", "pcid", "invpcid", "smep", "smap", "umip", "nx", "page1gb", "syscall", "lm", "hypervisor", "arch-capabilities",
];

/**
 * Family 6, model 0x1c, stepping 10. It is the identification of a processor that does not speculate, which operating systems
 * know: they switch on neither page-table isolation nor retpolines for it, and the guest runs no slower for faults it does not have.
 */
const DEFAULT_SIGNATURE = 0x106ca;

/** IA32_ARCH_CAPABILITIES: not affected by Meltdown, L1TF, SSB, MDS, the ITLB multi-hit, TAA, MMIO stale data, GDS and RFDS. */
const NOT_AFFECTED = 0x0c00_e179n;

const MAXIMUM_BASIC = 0x16;
const MAXIMUM_EXTENDED = 0x8000_0008;

/** Caches of leaf 4: type (1 data, 2 instruction, 3 both), level, ways, sets. Lines have 64 bytes. */
const CACHES = [
  { type: 1, level: 1, ways: 8, sets: 64 },
  { type: 2, level: 1, ways: 8, sets: 64 },
  { type: 3, level: 2, ways: 16, sets: 1024 },
  { type: 3, level: 3, ways: 16, sets: 8192 },
] as const;

/** Bytes of the legacy region and the header of an XSAVE area: x87 and SSE need no more. */
const XSAVE_BYTES = 576;

/** A processor model: what CPUID says, and what follows from it. */
export class CpuModel {
  readonly features: ReadonlySet<ModelFeature>;
  readonly signature: number;
  readonly physicalAddressBits: number;
  /** CR4 bits that may be set */
  readonly cr4Mask: bigint;
  /** XCR0 bits that may be set */
  readonly xcr0Mask: bigint;
  /** IA32_ARCH_CAPABILITIES, 0 if there is no such register */
  readonly archCapabilities: bigint;
  readonly tscHz: number;
  readonly crystalHz: number;
  readonly kvmClock: boolean;
  readonly #vendor: string;
  readonly #brand: string;
  readonly #apicId: number;
  readonly #processors: number;
  readonly #hypervisorLeaves: ReadonlyMap<number, Leaf>;

  constructor(options: CpuModelOptions = {}) {
    this.features = new Set(options.features ?? DEFAULT_FEATURES);
    this.signature = options.signature ?? DEFAULT_SIGNATURE;
    this.physicalAddressBits = options.physicalAddressBits ?? 40;
    this.cr4Mask = cr4MaskOf(this.features);
    this.xcr0Mask = this.features.has("sse") ? 3n : 1n;
    this.archCapabilities = this.features.has("arch-capabilities") ? NOT_AFFECTED : 0n;
    this.crystalHz = options.crystalHz ?? 25_000_000;
    this.tscHz = options.tscHz ?? 1_000_000_000;
    this.#vendor = options.vendor ?? "GenuineIntel";
    this.#brand = options.brand ?? "Umbra Virtual Processor";
    this.#apicId = options.apicId ?? 0;
    this.#processors = options.processors ?? 1;
    this.kvmClock = (options.kvmClock ?? false) && this.features.has("hypervisor");
    this.#hypervisorLeaves = options.hypervisorLeaves ?? (this.kvmClock ? KVM_CLOCK_LEAVES : PLAIN_LEAVES);
  }

  /** The features that decide which encodings exist: the decoder's set. */
  decoderFeatures(): ReadonlySet<Feature> {
    return new Set(FEATURES.filter((feature) => this.features.has(feature)));
  }

  /** What CPUID returns. SDM Vol. 2A, "CPUID". Bits that depend on the state of the processor come from `cpu`. */
  cpuid(cpu: Cpu, leaf: number, subleaf: number): Leaf {
    const fixed = this.#fixed(cpu, leaf >>> 0, subleaf);
    // Leaves beyond the last one read as the highest basic leaf; those between are zero.
    const [eax, ebx, ecx, edx] = fixed ?? this.#fixed(cpu, MAXIMUM_BASIC, subleaf) ?? [0, 0, 0, 0];
    const bits = fixed ? this.#announced(leaf >>> 0, subleaf) : { eax: 0, ebx: 0, ecx: 0, edx: 0 };
    return [(eax | bits.eax) >>> 0, (ebx | bits.ebx) >>> 0, (ecx | bits.ecx) >>> 0, (edx | bits.edx) >>> 0];
  }

  /** Everything but feature bits; undefined = there is no such leaf. */
  #fixed(cpu: Cpu, leaf: number, subleaf: number): Leaf | undefined {
    const { state } = cpu;
    switch (leaf) {
      case 0: {
        // The name is spelled in EBX, EDX, ECX.
        const [b, d, c] = words(this.#vendor);
        return [MAXIMUM_BASIC, b, c, d];
      }
      case 1: {
        const osxsave = state.cr4 & Cr4.OSXSAVE ? 1 << 27 : 0;
        const multiple = this.#processors > 1 ? 1 << 28 : 0;
        return [this.signature, (this.#apicId << 24) | (this.#processors << 16) | (8 << 8), osxsave, multiple];
      }
      case 2:
        // "use leaf 4" and "use leaf 18H", with the obligatory 01 in AL.
        return [0x00fe_ff01, 0, 0, 0];
      case 4:
        return this.#cache(subleaf);
      case 0xb:
        return this.#topology(subleaf);
      case 0xd:
        return this.#xsave(cpu, subleaf);
      case 0x15:
        return [1, Math.round(this.tscHz / this.crystalHz), this.crystalHz, 0];
      case 0x16:
        return [Math.round(this.tscHz / 1e6), Math.round(this.tscHz / 1e6), 100, 0];
      case 0x8000_0000:
        return [MAXIMUM_EXTENDED, 0, 0, 0];
      case 0x8000_0002:
      case 0x8000_0003:
      case 0x8000_0004: {
        const part = words(this.#brand.padEnd(48, "\0").slice((leaf - 0x8000_0002) * 16, (leaf - 0x8000_0001) * 16));
        const [a, b, c, d = 0] = part;
        return [a, b, c, d];
      }
      case 0x8000_0006:
        // L2: 1 MiB, 16 ways, 64-byte lines
        return [0, 0, (1024 << 16) | (8 << 12) | 64, 0];
      case 0x8000_0008:
        return [(48 << 8) | this.physicalAddressBits, 0, 0, 0];
      default:
        if (leaf >= HYPERVISOR_LEAVES && leaf < HYPERVISOR_LEAVES + 0x100 && this.features.has("hypervisor")) {
          return this.#hypervisorLeaves.get(leaf) ?? [0, 0, 0, 0];
        }
        if (leaf <= MAXIMUM_BASIC || (leaf > 0x8000_0000 && leaf <= MAXIMUM_EXTENDED)) return [0, 0, 0, 0];
        return undefined;
    }
  }

  #cache(subleaf: number): Leaf {
    const cache = CACHES[subleaf];
    if (!cache) return [0, 0, 0, 0];
    const { type, level, ways, sets } = cache;
    const sharing = level === 3 ? this.#processors - 1 : 0;
    return [
      type | (level << 5) | (1 << 8) | (sharing << 14) | ((this.#processors - 1) << 26),
      ((ways - 1) << 22) | 63,
      sets - 1,
      0,
    ];
  }

  /** Extended topology: one thread a core, all cores in one package. */
  #topology(subleaf: number): Leaf {
    const shift = Math.ceil(Math.log2(this.#processors));
    if (subleaf === 0) return [0, 1, 1 << 8, this.#apicId];
    if (subleaf === 1) return [shift, this.#processors, (2 << 8) | 1, this.#apicId];
    return [0, 0, subleaf & 0xff, this.#apicId];
  }

  #xsave(cpu: Cpu, subleaf: number): Leaf {
    if (!this.features.has("xsave")) return [0, 0, 0, 0];
    if (subleaf === 0) return [Number(this.xcr0Mask), XSAVE_BYTES, XSAVE_BYTES, 0];
    return subleaf === 1 && this.features.has("xsavec") ? [0, XSAVE_BYTES, 0, 0] : [0, 0, 0, 0];
  }

  #announced(leaf: number, subleaf: number): { eax: number; ebx: number; ecx: number; edx: number } {
    const bits = { eax: 0, ebx: 0, ecx: 0, edx: 0 };
    for (const feature of this.features) {
      for (const place of FEATURE_BITS[feature])
        if (isPlaced(place, leaf, subleaf)) bits[place.register] |= 1 << place.bit;
    }
    return bits;
  }
}

/** Leaves without subleaves ignore ECX. */
function isPlaced(place: CpuidBit, leaf: number, subleaf: number): boolean {
  if (place.leaf !== leaf) return false;
  return leaf === 7 || leaf === 0xd ? (place.subleaf ?? 0) === subleaf : true;
}

const ALWAYS_CR4 = Cr4.TSD | Cr4.DE | Cr4.PSE | Cr4.PAE | Cr4.MCE | Cr4.PGE | Cr4.PCE;

function cr4MaskOf(features: ReadonlySet<ModelFeature>): bigint {
  let mask = ALWAYS_CR4;
  if (features.has("vme")) mask |= Cr4.VME | Cr4.PVI;
  if (features.has("fxsr")) mask |= Cr4.OSFXSR;
  if (features.has("sse")) mask |= Cr4.OSXMMEXCPT;
  if (features.has("umip")) mask |= Cr4.UMIP;
  if (features.has("fsgsbase")) mask |= Cr4.FSGSBASE;
  if (features.has("pcid")) mask |= Cr4.PCIDE;
  if (features.has("xsave")) mask |= Cr4.OSXSAVE;
  if (features.has("smep")) mask |= Cr4.SMEP;
  if (features.has("smap")) mask |= Cr4.SMAP;
  return mask;
}

/** Characters as little-endian 32-bit words; at least three of them. */
function words(text: string): [number, number, number, ...number[]] {
  const at = (index: number): number => text.charCodeAt(index) || 0;
  const word = (index: number): number =>
    (at(index) | (at(index + 1) << 8) | (at(index + 2) << 16) | (at(index + 3) << 24)) >>> 0;
  const rest: number[] = [];
  for (let index = 12; index < text.length; index += 4) rest.push(word(index));
  return [word(0), word(4), word(8), ...rest];
}

/** cpuid(): leaf and subleaf from EAX and ECX, results to the four registers. */
export const cpuidCallOuts: CallOutTable = {
  cpuid(cpu, operands) {
    const { state } = cpu;
    const [eax, ebx, ecx, edx] = cpu.model.cpuid(cpu, numberOf(operands, 0), numberOf(operands, 1));
    // 32-bit writes clear the upper halves.
    for (const [register, value] of [eax, ecx, edx, ebx].entries()) state.setU64("gpr", BigInt(value), register);
    return undefined;
  },
};
