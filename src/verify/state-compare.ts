import { guestState, Segment } from "../../runtime/abi/guest-state.ts";
import type { Cpu } from "../../runtime/cpu/cpu.ts";
import { type StateField, StateView } from "../../runtime/cpu/state-view.ts";
import { type BareState, STATE_NAMES, StateAccess } from "../bare-state.ts";

/** Fields that two engines must agree in byte for byte whenever both have retired the same instructions. */
const FIELDS: readonly StateField[] = [
  ...(["gpr", "rip", "cpl", "mxcsr", "xmm", "fcw", "fsw", "ftop", "ftag", "fop", "fcs", "fds", "fip", "fdp"] as const),
  ...(["segmentBase", "segmentSelector", "segmentLimit", "segmentAttributes"] as const),
  ...(["gdtBase", "idtBase", "gdtLimit", "idtLimit"] as const),
  ...(["cr0", "cr2", "cr3", "cr4", "cr8", "xcr0", "efer", "dr"] as const),
  ...(["star", "lstar", "cstar", "fmask", "kernelGsBase", "sysenterCs", "sysenterEsp", "sysenterEip"] as const),
  ...(["tscAux", "tscOffset", "apicBase", "pat", "miscEnable", "instructions"] as const),
];

/** An x87 register takes 16 bytes, of which 10 are its value. */
const X87_BYTES = 10;

type Range = readonly [first: number, end: number];

const RANGES: readonly Range[] = joined([
  ...FIELDS.map((name): Range => {
    const { offset, size, count } = guestState[name];
    return [offset, offset + size * count];
  }),
  ...Array.from({ length: 8 }, (_, index): Range => {
    const at = guestState.fpr.offset + 16 * index;
    return [at, at + X87_BYTES];
  }),
]);

function joined(ranges: readonly Range[]): Range[] {
  const result: [number, number][] = [];
  for (const [first, end] of ranges.toSorted(([left], [right]) => left - right)) {
    const last = result.at(-1);
    if (last && first <= last[1]) last[1] = Math.max(last[1], end);
    else result.push([first, end]);
  }
  return result;
}

/** Everything of a processor that a guest can tell, at one moment. */
export interface ArchitecturalState {
  /** guestState */
  readonly bytes: Uint8Array;
  /** RFLAGS, which guestState holds in more than one way */
  readonly rflags: number;
  /** the interrupt shadow in force; a value of Shadow */
  readonly shadow: number;
  readonly nmiBlocked: boolean;
  /** MSRs without a field of guestState */
  readonly msrs: ReadonlyMap<number, bigint>;
}

/** The state of a processor as it is now. The bytes stay the processor's: copy them with `copyState` to keep them. */
export function stateOf(cpu: Cpu, memory: WebAssembly.Memory): ArchitecturalState {
  return {
    bytes: new Uint8Array(memory.buffer, cpu.state.base, guestState.byteLength),
    rflags: cpu.state.rflags,
    shadow: cpu.shadow,
    nmiBlocked: cpu.nmiBlocked,
    msrs: cpu.otherMsrs,
  };
}

export function copyState(state: ArchitecturalState): ArchitecturalState {
  return { ...state, bytes: state.bytes.slice(), msrs: new Map(state.msrs) };
}

export function statesAreEqual(left: ArchitecturalState, right: ArchitecturalState): boolean {
  if (left.rflags !== right.rflags || left.shadow !== right.shadow || left.nmiBlocked !== right.nmiBlocked)
    return false;
  for (const [first, end] of RANGES)
    for (let at = first; at < end; at++) if (left.bytes[at] !== right.bytes[at]) return false;
  if (left.msrs.size !== right.msrs.size) return false;
  for (const [msr, value] of left.msrs) if (right.msrs.get(msr) !== value) return false;
  return true;
}

/** A register in two states. */
export interface StateRow {
  readonly name: string;
  readonly left: string;
  readonly right: string;
  readonly differs: boolean;
}

/** Physical x87 registers show twice, as MMi and by TOP; the selectors' bases show in the segments. */
const HIDDEN = /^(mm\d|fsBase|gsBase)$/;

/** All registers of two states side by side. */
export function stateRows(left: ArchitecturalState, right: ArchitecturalState): StateRow[] {
  const rows: StateRow[] = [];
  const add = (name: string, a: string, b: string): void =>
    void rows.push({ name, left: a, right: b, differs: a !== b });
  const [one, other] = [namesOf(left), namesOf(right)];
  for (const name of STATE_NAMES) if (!HIDDEN.test(name)) add(name, show(one.get(name)), show(other.get(name)));
  const extra = (name: StateField): void => add(name, field(left, name), field(right, name));
  for (const name of ["tscOffset", "apicBase", "miscEnable", "instructions"] as const) extra(name);
  add("shadow", String(left.shadow), String(right.shadow));
  add("nmiBlocked", String(left.nmiBlocked), String(right.nmiBlocked));
  for (const msr of new Set([...left.msrs.keys(), ...right.msrs.keys()]))
    add(`msr ${msr.toString(16)}`, show(left.msrs.get(msr)), show(right.msrs.get(msr)));
  return rows;
}

function namesOf(state: ArchitecturalState): StateAccess {
  return new StateAccess(viewOf(state), state.bytes.buffer);
}

function field(state: ArchitecturalState, name: StateField): string {
  return show(viewOf(state).u64(name));
}

function viewOf({ bytes }: ArchitecturalState): StateView {
  return new StateView(bytes.buffer, bytes.byteOffset);
}

function show(value: BareState[keyof BareState] | undefined): string {
  if (value === undefined) return "-";
  if (typeof value === "bigint") return value.toString(16).padStart(16, "0");
  if (typeof value === "number") return value.toString(16).padStart(8, "0");
  // Highest byte first, as numbers are written.
  if (value instanceof Uint8Array)
    return [...value]
      .reverse()
      .map((byte) => byte.toString(16).padStart(2, "0"))
      .join("");
  return Object.values(value)
    .map((part: bigint | number) => part.toString(16))
    .join(" ");
}

/** RIP as a linear address. */
export function linearRip(state: ArchitecturalState): bigint {
  const view = viewOf(state);
  return codeSizeOf(state) === 64 ? view.rip : (view.rip + view.u64("segmentBase", Segment.CS)) & 0xffff_ffffn;
}

export function codeSizeOf(state: ArchitecturalState): 16 | 32 | 64 {
  return ([16, 32, 64] as const)[viewOf(state).mode & 3] ?? 64;
}

export function instructionsOf(state: ArchitecturalState): bigint {
  return viewOf(state).u64("instructions");
}
