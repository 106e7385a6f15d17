import { Vector } from "../../runtime/abi/guest-state.ts";
import type { ComparisonMask } from "./compare.ts";
import type { Form } from "./form.ts";
import type { OracleCase, OracleResult } from "./format.ts";
import { REGIONS, Selector } from "./layout.ts";

/** What the host's CPU can tell about an instruction in user mode, and what it cannot. */

/** Mnemonics of which no case is run natively, and why. */
export const NOT_NATIVE: Readonly<Record<string, string>> = {
  syscall: "enters the host's kernel",
  sysenter: "enters the host's kernel",
  sysret: "a matter of the supervisor",
  sysexit: "a matter of the supervisor",
  sgdt: "the host's kernel emulates it in user mode (UMIP)",
  sidt: "the host's kernel emulates it in user mode (UMIP)",
  sldt: "the host's kernel may emulate it in user mode (UMIP)",
  str: "the host's kernel may emulate it in user mode (UMIP)",
  smsw: "the host's kernel emulates it in user mode (UMIP)",
  rdtsc: "the result is the host's time",
  rdtscp: "the result is the host's time",
  rdpmc: "the result is the host's counters",
  rdrand: "the result is random",
  rdseed: "the result is random",
  rdpid: "the result is the host's processor number",
  cpuid: "the result describes the host",
  xgetbv: "the result describes the host",
  monitor: "whether user mode may use it is up to the host",
  mwait: "whether user mode may use it is up to the host",
  int1: "a debug exception from INT1 is delivered by the host's kernel as it likes",
};

/** Why a form is not run on a vendor's processors, which do it differently from what the tables say; undefined where they agree. */
export function whyVendorDiffers({ encoding, operandSize, rm }: Form, vendor: string): string | undefined {
  if (vendor !== "AuthenticAMD") return undefined;
  // APM Vol. 3, "JMP (Far)", "CALL (Far)", "LFS": m16:16 and m16:32 only.
  if (operandSize === 64 && encoding.operands.includes("Mp"))
    return "AMD's processors have no far pointers with 64-bit offsets";
  if (encoding.mnemonic === "movsxd" && operandSize === 16 && rm === "memory")
    return "AMD's processors read four bytes for MOVSXD to a 16-bit register";
  if (/^0f\.0d/.test(encoding.id) && encoding.modrm === "register")
    return "AMD's processors raise #UD for PREFETCH of a register";
  return undefined;
}

const TRANSCENDENTAL = new Set(["f2xm1", "fyl2x", "fyl2xp1", "fptan", "fpatan", "fsin", "fcos", "fsincos"]);
const APPROXIMATE = new Set(["rcpps", "rcpss", "rsqrtps", "rsqrtss"]);

/** The legacy prefixes, REX aside. */
const PREFIXES = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]);

/** Operand size and opcode of a case, as far as masks need them. */
function parse({ code, state }: OracleCase): {
  readonly prefixes: ReadonlySet<number>;
  readonly opcode: readonly number[];
  readonly operandSize: 16 | 32 | 64;
} {
  const selector = state.selectors[1] ?? 0;
  const wide = selector === Selector.CODE64;
  let at = 0;
  while (PREFIXES.has(code[at] ?? 0)) at++;
  const prefixes = new Set(code.slice(0, at));
  const small = prefixes.has(0x66);
  let rexW = false;
  if (wide && ((code[at] ?? 0) & 0xf0) === 0x40) rexW = ((code[at++] ?? 0) & 8) !== 0;
  const natural16 = selector === Selector.LDT_CODE16;
  return { prefixes, opcode: [...code.slice(at, at + 3)], operandSize: rexW ? 64 : small !== natural16 ? 16 : 32 };
}

/** The count of a shift or rotate, masked; undefined when the case is none. */
function shiftCount(oracleCase: OracleCase): { readonly count: number; readonly width: number } | undefined {
  if (!/^(sh[lr]d?|sar|r[oc][lr])$/.test(oracleCase.mnemonic)) return undefined;
  const { opcode, operandSize } = parse(oracleCase);
  const [first = 0, second = 0] = opcode;
  const cl = Number((oracleCase.state.gpr[1] ?? 0n) & 0xffn);
  const immediate = oracleCase.code[oracleCase.code.length - 1] ?? 0;
  const fromImmediate = first === 0x0f ? second === 0xa4 || second === 0xac : first === 0xc0 || first === 0xc1;
  const one = first === 0xd0 || first === 0xd1;
  const isByte = first === 0xc0 || first === 0xd0 || first === 0xd2;
  const amount = one ? 1 : fromImmediate ? immediate : cl;
  return { count: amount & (operandSize === 64 ? 63 : 31), width: isByte ? 8 : operandSize };
}

/**
 * What to leave out when a case's results are compared.
 *
 * @param native what the host's CPU made of the case
 * @param undefinedFlags what the instruction's definition says is undefined; a few flags are undefined for some operands only,
 *   which is decided here
 */
export function maskFor(oracleCase: OracleCase, native: OracleResult, undefinedFlags: string): ComparisonMask {
  const { mnemonic, operandGva } = oracleCase;
  const shift = shiftCount(oracleCase);
  if (shift) {
    // Count 0 changes nothing; otherwise OF is defined for a count of 1, and CF of a shift for a count up to the width.
    if (shift.count === 0) return {};
    let names = undefinedFlags;
    if (shift.count !== 1) names += " OF";
    if (/^sh/.test(mnemonic) && shift.count >= shift.width) names += " CF";
    return { undefinedFlags: names };
  }
  // C1 says whether the result was rounded up, which depends on the processor's approximation. After a stack fault it says which.
  if (TRANSCENDENTAL.has(mnemonic)) {
    const stackFault = (native.state.fx[2] ?? 0) & ~(oracleCase.state.fx[2] ?? 0) & 0x40;
    return { undefinedFlags: stackFault ? undefinedFlags : `${undefinedFlags} C1`, x87UnitsInLastPlace: 2 };
  }
  // Two implementations may each be off by 1.5 * 2^-12.
  if (APPROXIMATE.has(mnemonic)) return { undefinedFlags, singleRelativeError: 3 * 2 ** -12 };
  const ranges = (...pairs: (readonly [number, number])[]): ComparisonMask => ({
    undefinedFlags,
    ignoredMemory: pairs.map(([from, to]) => ({ from: operandGva + from, to: operandGva + to })),
  });
  // Instruction and data pointers; MXCSR_MASK.
  if (/^(fnstenv|fnsave)$/.test(mnemonic))
    return parse(oracleCase).operandSize === 16 ? ranges([6, 14]) : ranges([12, 28]);
  if (/^(fxsave|xsave)/.test(mnemonic)) return ranges([6, 24], [28, 32]);
  return { undefinedFlags };
}

function isMapped(gva: bigint): boolean {
  return REGIONS.some((region) => gva >= region.gva && gva < region.gva + region.lengthBytes);
}

/** Why a native result cannot be compared with anything, or undefined if it can. */
export function whyIncomparable(oracleCase: OracleCase, native: OracleResult): string | undefined {
  if (native.outcome === "timeout") return "it did not end";
  if (native.outcome === "unsupported") return "it killed the runner";
  // The host's kernel hides whether its own half of the address space is mapped.
  if (native.vector === 14 && native.cr2 >= 1n << 47n) return "it reached for the host's kernel";
  // The runner's own code, stack and vDSO are mapped somewhere, too.
  if (native.vector === 14 && native.errorCode & 1 && !isMapped(native.cr2))
    return "it reached for the runner's own memory";
  const { prefixes } = parse(oracleCase);
  // SDM Vol. 2A, 2.1.1: reserved. AMD's processors let the prefix choose between LOOPE and LOOPNE.
  if (/^loopn?e$/.test(oracleCase.mnemonic) && (prefixes.has(0xf2) || prefixes.has(0xf3)))
    return "a repeat prefix on LOOPcc is reserved";
  // APM Vol. 3, "MOV CRn": AltMovCr8, which the guest's CPUID does not announce.
  if (oracleCase.mnemonic === "mov.cr" && prefixes.has(0xf0)) return "LOCK MOV CR0 names CR8 on the host's processor";
  if (oracleCase.mnemonic === "verw" && prefixes.has(0xf0) && native.vector !== Vector.UD)
    return "the host's processor takes LOCK VERW";
  const shift = shiftCount(oracleCase);
  if (shift && /d$/.test(oracleCase.mnemonic) && shift.count > shift.width) return "the result is undefined";
  return undefined;
}
