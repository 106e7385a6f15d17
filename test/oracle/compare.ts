import { Rflags } from "../../runtime/abi/guest-state.ts";
import type { OracleCase, OracleResult, Span } from "./format.ts";
import { backgroundImage, imageOffset, Selector } from "./layout.ts";

/** What of a result is not compared, or not exactly. */
export interface ComparisonMask {
  /** flags that the manual leaves undefined, by name and separated by blanks: "OF AF C0" */
  readonly undefinedFlags?: string;
  /** bytes of memory that are left out: half-open ranges of linear addresses */
  readonly ignoredMemory?: readonly { readonly from: number; readonly to: number }[];
  /** x87 registers may differ by so many units in the last place of the significand */
  readonly x87UnitsInLastPlace?: number;
  /** elements of XMM registers, as singles, may differ by this fraction of their value */
  readonly singleRelativeError?: number;
}

/** One line of a table of differences. */
export interface ComparedRow {
  readonly name: string;
  readonly before: string;
  readonly expected: string;
  readonly actual: string;
  readonly differs: boolean;
}

const GPR_NAMES = "rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split(" ");
const SEGMENT_NAMES = "es cs ss ds fs gs".split(" ");
/** Bit 1 reads as 1, IF and IOPL belong to the kernel, RF says how the exception arrived. */
const COMPARED_RFLAGS = Rflags.ARITHMETIC | Rflags.TF | Rflags.DF | Rflags.NT | Rflags.AC | Rflags.ID;
const CONDITION_CODES: Readonly<Record<string, number>> = { C0: 1 << 8, C1: 1 << 9, C2: 1 << 10, C3: 1 << 14 };
const RFLAG_BITS: Readonly<Record<string, number>> = Rflags;

const hex = (value: bigint | number, digits = 1): string => value.toString(16).padStart(digits, "0");

/** Compares what two runs of a case left. An empty list means equal; rows that changed but agree are there to read the others by. */
export function compareResults(
  oracleCase: OracleCase,
  expected: OracleResult,
  actual: OracleResult,
  mask: ComparisonMask = {},
): ComparedRow[] {
  if (isSame(expected, actual)) return [];
  const rows: ComparedRow[] = [];
  let different = false;
  const row = (name: string, before: string, want: string, got: string, equal = want === got): void => {
    if (!equal) different = true;
    if (!equal || want !== before) rows.push({ name, before, expected: want, actual: got, differs: !equal });
  };
  const { state } = oracleCase;

  row("end", "", describeEnd(expected), describeEnd(actual));
  row("rip", hex(state.rip), hex(expected.state.rip), hex(actual.state.rip));
  const wide = (state.selectors[1] ?? 0) === Selector.CODE64;
  // Outside 64-bit mode the upper halves do not exist, and on the way there they become undefined. SDM Vol. 1, 3.4.1.1.
  const isNarrow = !wide || expected.state.selectors[1] !== Selector.CODE64;
  for (const [i, name] of GPR_NAMES.entries()) {
    if (!wide && i > 7) break;
    const digits = isNarrow && i < 8 ? 8 : 16;
    const value = (result: OracleResult): string => hex(BigInt.asUintN(digits * 4, result.state.gpr[i] ?? 0n), digits);
    row(name, hex(BigInt.asUintN(digits * 4, state.gpr[i] ?? 0n), digits), value(expected), value(actual));
  }
  // A fault leaves the flags alone, also those that would have become undefined.
  const completed = expected.state.rip !== state.rip;
  const undefinedNames = completed ? (mask.undefinedFlags ?? "").split(" ") : [];
  let flagMask = COMPARED_RFLAGS;
  let statusMask = 0xffff;
  for (const name of undefinedNames) {
    flagMask &= ~(RFLAG_BITS[name] ?? 0);
    statusMask &= ~(CONDITION_CODES[name] ?? 0);
  }
  const flags = (rflags: bigint): string => flagNames(Number(rflags & 0x3f_ffffn) & flagMask);
  row("flags", flags(state.rflags), flags(expected.state.rflags), flags(actual.state.rflags));
  for (const [i, name] of SEGMENT_NAMES.entries()) {
    // The kernel's way back to user code clears the RPL of a null selector.
    const selector = (selectors: Uint16Array): string => hex((selectors[i] ?? 0) > 3 ? (selectors[i] ?? 0) : 0, 4);
    row(name, selector(state.selectors), selector(expected.state.selectors), selector(actual.state.selectors));
  }
  if (wide) {
    row("fsBase", hex(state.fsBase), hex(expected.state.fsBase), hex(actual.state.fsBase));
    row("gsBase", hex(state.gsBase), hex(expected.state.gsBase), hex(actual.state.gsBase));
  }
  compareFloatingPoint(row, state.fx, expected.state.fx, actual.state.fx, statusMask, mask);
  compareMemory(row, oracleCase, expected, actual, mask);
  return different ? rows : [];
}

/** Whether two results are equal in everything that can be compared at all: true for almost every case, and quickly found. */
function isSame(left: OracleResult, right: OracleResult): boolean {
  const { state: a } = left;
  const { state: b } = right;
  if (left.outcome !== right.outcome || left.vector !== right.vector || left.errorCode !== right.errorCode)
    return false;
  if (left.cr2 !== right.cr2 || a.rip !== b.rip || a.fsBase !== b.fsBase || a.gsBase !== b.gsBase) return false;
  if ((Number(a.rflags) ^ Number(b.rflags)) & COMPARED_RFLAGS) return false;
  for (let i = 0; i < 16; i++) if (a.gpr[i] !== b.gpr[i]) return false;
  for (let i = 0; i < 6; i++) if (a.selectors[i] !== b.selectors[i]) return false;
  for (let i = 0; i < a.fx.length; i++) if (a.fx[i] !== b.fx[i] && !isIgnoredInFx(i)) return false;
  if (left.changes.length !== right.changes.length) return false;
  return left.changes.every(({ gva, bytes }, i) => {
    const other = right.changes[i];
    return (
      other?.gva === gva && other.bytes.length === bytes.length && bytes.every((byte, at) => other.bytes[at] === byte)
    );
  });
}

/** Reserved, the instruction and data pointers, MXCSR_MASK, and what follows the ten bytes of an x87 register. */
function isIgnoredInFx(at: number): boolean {
  return (at >= 5 && at < 24) || (at >= 28 && at < 32) || (at >= 32 && at < 160 && at % 16 >= 10);
}

type Row = (name: string, before: string, expected: string, actual: string, equal?: boolean) => void;

function compareFloatingPoint(
  row: Row,
  before: Uint8Array,
  expected: Uint8Array,
  actual: Uint8Array,
  statusMask: number,
  mask: ComparisonMask,
): void {
  if (before === expected && expected === actual) return;
  const views = [before, expected, actual].map((fx) => new DataView(fx.buffer, fx.byteOffset, fx.byteLength));
  const [b, e, a] = views;
  if (!b || !e || !a) return;
  const word = (name: string, at: number, bits = 0xffff): void =>
    row(
      name,
      hex(b.getUint16(at, true) & bits, 4),
      hex(e.getUint16(at, true) & bits, 4),
      hex(a.getUint16(at, true) & bits, 4),
    );
  // The instruction and data pointers (bytes 6..23) are not compared: processors differ in when they keep them.
  word("fcw", 0);
  word("fsw", 2, statusMask);
  word("ftw", 4, 0xff);
  row("mxcsr", hex(b.getUint32(24, true), 8), hex(e.getUint32(24, true), 8), hex(a.getUint32(24, true), 8));
  for (let i = 0; i < 8; i++) {
    const at = 32 + i * 16;
    const text = (view: DataView): string =>
      `${hex(view.getUint16(at + 8, true), 4)}.${hex(view.getBigUint64(at, true), 16)}`;
    const want = text(e);
    const got = text(a);
    const equal = want === got || closeExtended(e, a, at, mask.x87UnitsInLastPlace ?? 0);
    row(`st${i}`, text(b), want, got, equal);
  }
  for (let i = 0; i < 16; i++) {
    const at = 160 + i * 16;
    const text = (view: DataView): string =>
      `${hex(view.getBigUint64(at + 8, true), 16)}_${hex(view.getBigUint64(at, true), 16)}`;
    const want = text(e);
    const got = text(a);
    row(`xmm${i}`, text(b), want, got, want === got || closeSingles(e, a, at, mask.singleRelativeError ?? 0));
  }
}

/** Whether two extended values of one sign are so many units in the last place apart, at most; also across a power of two. */
function closeExtended(expected: DataView, actual: DataView, at: number, units: number): boolean {
  if (units === 0) return false;
  const order = (view: DataView): bigint => {
    const signExponent = view.getUint16(at + 8, true);
    const magnitude = (BigInt(signExponent & 0x7fff) << 63n) | BigInt.asUintN(63, view.getBigUint64(at, true));
    return signExponent & 0x8000 ? -magnitude : magnitude;
  };
  const distance = order(expected) - order(actual);
  return distance <= BigInt(units) && distance >= -BigInt(units);
}

function closeSingles(expected: DataView, actual: DataView, at: number, relativeError: number): boolean {
  if (relativeError === 0) return false;
  for (let i = 0; i < 16; i += 4) {
    if (expected.getUint32(at + i, true) === actual.getUint32(at + i, true)) continue;
    const want = expected.getFloat32(at + i, true);
    const got = actual.getFloat32(at + i, true);
    if (!(Math.abs(want - got) <= Math.abs(want) * relativeError)) return false;
  }
  return true;
}

const background = backgroundImage();

/** Memory as the case found it. */
function byteBefore(oracleCase: OracleCase, gva: number): number {
  for (let i = oracleCase.patches.length - 1; i >= 0; i--) {
    const patch = oracleCase.patches[i];
    if (patch && gva >= patch.gva && gva < patch.gva + patch.bytes.length) return patch.bytes[gva - patch.gva] ?? 0;
  }
  return background[imageOffset(gva)] ?? 0;
}

function compareMemory(
  row: Row,
  oracleCase: OracleCase,
  expected: OracleResult,
  actual: OracleResult,
  mask: ComparisonMask,
): void {
  const toMap = (changes: readonly Span[]): Map<number, number> => {
    const bytes = new Map<number, number>();
    for (const { gva, bytes: values } of changes) for (const [i, value] of values.entries()) bytes.set(gva + i, value);
    return bytes;
  };
  if (expected.changes.length === 0 && actual.changes.length === 0) return;
  const want = toMap(expected.changes);
  const got = toMap(actual.changes);
  const ignored = (gva: number): boolean => (mask.ignoredMemory ?? []).some(({ from, to }) => gva >= from && gva < to);
  const lines = new Set<number>();
  for (const gva of [...want.keys(), ...got.keys()]) lines.add(gva - (gva % 8));
  for (const line of [...lines].sort((x, y) => x - y)) {
    let before = "";
    let left = "";
    let right = "";
    for (let gva = line; gva < line + 8; gva++) {
      const old = byteBefore(oracleCase, gva);
      before += hex(old, 2);
      left += ignored(gva) ? "--" : hex(want.get(gva) ?? old, 2);
      right += ignored(gva) ? "--" : hex(got.get(gva) ?? old, 2);
    }
    row(`[${hex(line, 8)}]`, before, left, right);
  }
}

const VECTOR_NAMES = "DE DB NMI BP OF BR UD NM DF 9 TS NP SS GP PF 15 MF AC MC XM".split(" ");
/** Vectors that push an error code. */
const WITH_ERROR_CODE = new Set([8, 10, 11, 12, 13, 14, 17]);

function describeEnd({ outcome, vector, errorCode, cr2 }: OracleResult): string {
  if (outcome !== "trap") return outcome;
  const name = `#${VECTOR_NAMES[vector] ?? vector}`;
  if (vector === 14) return `${name}(${hex(errorCode)}) cr2=${hex(cr2)}`;
  return WITH_ERROR_CODE.has(vector) ? `${name}(${hex(errorCode)})` : name;
}

function flagNames(flags: number): string {
  const names = ["CF", "PF", "AF", "ZF", "SF", "TF", "DF", "OF", "NT", "AC", "ID"];
  return names.filter((name) => flags & (RFLAG_BITS[name] ?? 0)).join(" ");
}

/** The rows as a table; a star marks those that differ. */
export function formatTable(rows: readonly ComparedRow[], expectedName: string, actualName: string): string {
  const header: ComparedRow = {
    name: "",
    before: "before",
    expected: expectedName,
    actual: actualName,
    differs: false,
  };
  const all = [header, ...rows];
  const width = (select: (row: ComparedRow) => string): number => Math.max(...all.map((each) => select(each).length));
  const names = width((each) => each.name);
  const befores = width((each) => each.before);
  const expecteds = width((each) => each.expected);
  return all
    .map((each) =>
      `${each.differs ? "*" : " "} ${each.name.padEnd(names)}  ${each.before.padEnd(befores)}  ${each.expected.padEnd(expecteds)}  ${each.actual}`.trimEnd(),
    )
    .join("\n");
}
