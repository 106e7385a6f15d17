import { Segment } from "../../runtime/abi/guest-state.ts";
import { type MemoryOperand, RIP } from "../isa/instruction.ts";
import type { RegionBlock, RegionInstruction } from "./region.ts";

/**
 * Accesses of a loop that advance by the same number of bytes in every round, at constant distances from each other: to an array, or
 * to something that stands still.
 */
export interface Stream {
  /** what all addresses contain: registers as of the beginning of a round, -1 for none; RIP stands for the page of the code */
  readonly base: number;
  readonly index: number;
  readonly scale: number;
  /** "w" if any of the accesses is a write: what can be written can be read */
  access: "r" | "w";
  /** bytes by which the addresses advance in a round */
  readonly stride: number;
  /** the bytes that a round touches: [low, high), relative to base + index * scale at its beginning */
  low: number;
  high: number;
  /** distances that must be multiples of 16 when base + index * scale is added */
  readonly aligned: number[];
}

export interface StreamSite {
  readonly stream: Stream;
  /** from base + index * scale at the beginning of a round */
  readonly distance: number;
}

/** Names what a site accesses. */
export function keyOf({ stream: { base, index, scale }, distance }: StreamSite): string {
  return `${base},${index},${scale},${distance}`;
}

const MAXIMUM_STREAMS = 8;
/** Bytes from the first to the last that a stream touches in a round: it must stay well inside a page. */
const MAXIMUM_SPAN = 1024;
const MAXIMUM_STRIDE = 1024;
const REGISTERS = 16;

/**
 * Finds the streams of a loop that is a single block.
 *
 * @param written for each instruction the general registers that it writes: a bit for each
 */
export function findStreams(
  { instructions }: RegionBlock,
  written: readonly number[],
): { readonly streams: readonly Stream[]; readonly sites: ReadonlyMap<MemoryOperand, StreamSite> } {
  const deltas = totalDeltas(instructions, written);
  const sofar = new Array<number>(REGISTERS).fill(0);
  const streams = new Map<string, Stream>();
  const sites = new Map<MemoryOperand, StreamSite>();
  for (const current of instructions) {
    for (const [index, access] of Object.values(current.definition.operands ?? {}).entries()) {
      const operand = current.instruction.operands[index];
      if (operand?.kind !== "memory" || access === "a") continue;
      const site = addSite(streams, current, operand, access === "r" ? "r" : "w", deltas, sofar);
      if (site) sites.set(operand, site);
    }
    const step = stepOf(current);
    if (step) sofar[step.register] = (sofar[step.register] ?? 0) + step.bytes;
  }
  return { streams: [...streams.values()], sites };
}

function addSite(
  streams: Map<string, Stream>,
  { instruction, definition, end }: RegionInstruction,
  operand: MemoryOperand,
  access: "r" | "w",
  deltas: readonly (number | undefined)[],
  sofar: readonly number[],
): StreamSite | undefined {
  const { base, index, scale, displacement, segment, width } = operand;
  if (instruction.addressSize !== 64 || segment === Segment.FS || segment === Segment.GS) return undefined;
  if (width < 8 || width > 128 || width % 8 !== 0) return undefined;
  if (instruction.encoding.operands.some((code) => code === "Ob" || code === "Ov")) return undefined;
  const isCode = base === RIP;
  const baseDelta = base >= 0 && !isCode ? deltas[base] : 0;
  const indexDelta = index >= 0 ? deltas[index] : 0;
  if (baseDelta === undefined || indexDelta === undefined) return undefined;
  const stride = baseDelta + scale * indexDelta;
  if (Math.abs(stride) > MAXIMUM_STRIDE) return undefined;
  const moved = (base >= 0 && !isCode ? (sofar[base] ?? 0) : 0) + (index >= 0 ? scale * (sofar[index] ?? 0) : 0);
  const distance = displacement + moved + (isCode ? end : 0);
  const mustBeAligned = width === 128 && definition.unaligned !== true;
  if (mustBeAligned && stride % 16 !== 0) return undefined;
  const key = `${base},${index},${scale}${isCode ? `,${distance >> 6}` : ""}`;
  let stream = streams.get(key);
  if (!stream) {
    if (streams.size >= MAXIMUM_STREAMS) return undefined;
    stream = { base, index, scale, access, stride, low: distance, high: distance + width / 8, aligned: [] };
    streams.set(key, stream);
  }
  const low = Math.min(stream.low, distance);
  const high = Math.max(stream.high, distance + width / 8);
  if (high - low > MAXIMUM_SPAN) return undefined;
  stream.low = low;
  stream.high = high;
  if (access === "w") stream.access = "w";
  if (mustBeAligned) stream.aligned.push(distance);
  return { stream, distance };
}

/** What a round adds to each register: undefined where that is no constant. */
function totalDeltas(
  instructions: readonly RegionInstruction[],
  written: readonly number[],
): readonly (number | undefined)[] {
  const deltas = new Array<number | undefined>(REGISTERS).fill(0);
  for (const [index, current] of instructions.entries()) {
    const step = stepOf(current);
    for (let register = 0; register < REGISTERS; register++) {
      if ((((written[index] ?? 0) >> register) & 1) === 0) continue;
      const delta = deltas[register];
      deltas[register] = step?.register === register && delta !== undefined ? delta + step.bytes : undefined;
    }
  }
  return deltas;
}

/** An instruction that adds a constant to a register, and does nothing else to any. */
function stepOf({ instruction }: RegionInstruction): { readonly register: number; readonly bytes: number } | undefined {
  const { mnemonic, operands } = instruction;
  const [target, source] = operands;
  if (target?.kind !== "register" || target.class !== "gpr" || target.width !== 64) return undefined;
  const register = target.number;
  switch (mnemonic) {
    case "inc":
      return { register, bytes: 1 };
    case "dec":
      return { register, bytes: -1 };
    case "add":
    case "sub":
      if (source?.kind !== "immediate") return undefined;
      return { register, bytes: mnemonic === "add" ? source.low | 0 : -(source.low | 0) };
    case "lea":
      if (source?.kind !== "memory" || source.base !== register || source.index >= 0) return undefined;
      return instruction.addressSize === 64 ? { register, bytes: source.displacement } : undefined;
    default:
      return undefined;
  }
}
