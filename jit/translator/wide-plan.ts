import type { MemoryOperand, Operand } from "../isa/instruction.ts";
import type { Definition } from "../semantics/define.ts";
import { definitions, type Mnemonic } from "../semantics/registry.ts";
import type { RegionInstruction } from "./region.ts";
import { clearedRegister } from "./scalars.ts";
import { type GroupAccess, streamsApart } from "./group-order.ts";
import type { GroupPlan } from "./round-groups.ts";
import { keyOf, type StreamSite } from "./streams.ts";
import { countedLoop } from "./trip-count.ts";

/** Numbers of one format, a vector of which holds one of each round. */
export interface WideFormat {
  readonly scalar: "f32" | "f64";
  readonly vector: "f32x4" | "f64x2";
  readonly bytes: 4 | 8;
  readonly lanes: 2 | 4;
}

const DOUBLE: WideFormat = { scalar: "f64", vector: "f64x2", bytes: 8, lanes: 2 };
const SINGLE: WideFormat = { scalar: "f32", vector: "f32x4", bytes: 4, lanes: 4 };

export type WideSource =
  { readonly kind: "register"; readonly number: number } | { readonly kind: "memory"; readonly site: StreamSite };

/** What an instruction does in several rounds at once. `target` is the number of an XMM register. */
export type WideOperation =
  | { readonly kind: "copy"; readonly target: number; readonly source: WideSource }
  | { readonly kind: "clear"; readonly target: number }
  | { readonly kind: "store"; readonly site: StreamSite; readonly source: number }
  /** by the definition of the instruction that does the same to vectors */
  | {
      readonly kind: "compute";
      readonly current: RegionInstruction;
      readonly definition: Definition;
      readonly target: number;
      readonly source: WideSource;
    }
  /** `target` is carried from round to round: one round after the other, behind all else */
  | {
      readonly kind: "accumulate";
      readonly current: RegionInstruction;
      readonly target: number;
      readonly source: WideSource;
    };

/** How rounds of a loop run side by side; how many is a multiple of the lanes. */
export interface WidePlan extends GroupPlan {
  readonly format: WideFormat;
  readonly operations: readonly WideOperation[];
}

/** Vectors that are looked at while rounds run side by side; with more an engine runs out of registers. */
const MAXIMUM_NUMBERS = 8;

/** For an operation on scalars the same operation on vectors. */
const COUNTERPARTS: Readonly<Record<string, Mnemonic>> = {
  addsd: "addpd",
  subsd: "subpd",
  mulsd: "mulpd",
  divsd: "divpd",
  sqrtsd: "sqrtpd",
  addss: "addps",
  subss: "subps",
  mulss: "mulps",
  divss: "divps",
  sqrtss: "sqrtps",
};
/** Of those, which do not read their target. */
const UNARY: ReadonlySet<string> = new Set(["sqrtsd", "sqrtss"]);
/** Operations that have no lanes: on the low number of a vector they are what they are on all of it. */
const BITWISE: ReadonlySet<string> = new Set(
  "andps andpd andnps andnpd orps orpd xorps xorpd pand pandn por pxor".split(" "),
);
const WHOLE_MOVES: ReadonlySet<string> = new Set(["movaps", "movapd", "movups", "movupd", "movdqa", "movdqu"]);

/**
 * What is done with an XMM register: its low number is read; it is what an operation goes on computing with; all of it, or its low
 * number alone, gets another value.
 */
type Role = "read" | "update" | "set" | "set low";

/** Whether an operation takes what it reads as bits, not as a number. */
export function isBitwise(operation: WideOperation): boolean {
  return operation.kind === "compute" && BITWISE.has(operation.current.instruction.mnemonic);
}

/**
 * Finds out whether rounds of a loop can run side by side, each in a lane of vectors: undefined if not. All that rounds may hand on are
 * counters, and sums of what each of them computes. What a round leaves in other registers the last round leaves there as well, which
 * must not be among those that run side by side.
 */
export function planWideRounds(
  instructions: readonly RegionInstruction[],
  sites: ReadonlyMap<MemoryOperand, StreamSite>,
): WidePlan | undefined {
  const format = formatOf(instructions);
  const loop = format && countedLoop(instructions);
  if (!loop) return undefined;
  const operations: WideOperation[] = [];
  const roles = new RegisterRoles();
  for (const current of instructions) {
    if (current.definition.unit !== "sse") continue;
    const operation = operationOf(current, format, sites);
    if (!operation) return undefined;
    roles.note(operation, current.instruction.mnemonic);
    operations.push(operation);
  }
  if (!roles.areFit()) return undefined;
  const settled = operations.map((operation): WideOperation =>
    operation.kind === "compute" && roles.isCarried(operation.target)
      ? { ...operation, kind: "accumulate" }
      : operation,
  );
  const rounds = format.lanes * unrolling(settled);
  const apart = streamsApart(accessesOf(settled, format.bytes), rounds);
  return apart && { format, loop, operations: settled, rounds, apart };
}

/** How many vectors of rounds run at a time. */
function unrolling(operations: readonly WideOperation[]): number {
  const sums = operations.filter(({ kind }) => kind === "accumulate").length;
  const loaded = new Set(
    operations.flatMap((operation) => {
      const source = "source" in operation ? operation.source : -1;
      return typeof source === "object" && source.kind === "memory" ? [keyOf(source.site)] : [];
    }),
  );
  return 2 * (sums + loaded.size) <= MAXIMUM_NUMBERS ? 2 : 1;
}

/** The format of all scalars; undefined if there is none, or more than one. */
function formatOf(instructions: readonly RegionInstruction[]): WideFormat | undefined {
  let format: WideFormat | undefined;
  for (const { instruction } of instructions) {
    const { mnemonic } = instruction;
    if (!(mnemonic in COUNTERPARTS || mnemonic === "movsd" || mnemonic === "movss")) continue;
    const own = mnemonic.endsWith("d") ? DOUBLE : SINGLE;
    if (format && format !== own) return undefined;
    format = own;
  }
  return format;
}

function operationOf(
  current: RegionInstruction,
  format: WideFormat,
  sites: ReadonlyMap<MemoryOperand, StreamSite>,
): WideOperation | undefined {
  const { mnemonic, operands } = current.instruction;
  const cleared = clearedRegister(current);
  if (cleared !== undefined) return { kind: "clear", target: cleared };
  const [destination, from] = operands;
  const isMove = mnemonic === "movsd" || mnemonic === "movss";
  if (destination?.kind === "memory") {
    const site = sites.get(destination);
    const isFit = isMove && from?.kind === "register" && site && Math.abs(site.stream.stride) >= format.bytes;
    return isFit ? { kind: "store", site, source: from.number } : undefined;
  }
  if (destination?.kind !== "register" || destination.class !== "xmm" || operands.length !== 2) return undefined;
  const target = destination.number;
  const source = sourceOf(from, sites);
  if (!source) return undefined;
  const isWhole = WHOLE_MOVES.has(mnemonic);
  if (isMove || isWhole) {
    // A vector in memory is no number of a round.
    if (isWhole && source.kind === "memory") return undefined;
    return { kind: "copy", target, source };
  }
  if (BITWISE.has(mnemonic)) {
    if (source.kind === "memory" && source.site.stream.stride !== 0) return undefined;
    return { kind: "compute", current, definition: current.definition, target, source };
  }
  const counterpart = COUNTERPARTS[mnemonic];
  return counterpart && { kind: "compute", current, definition: definitions[counterpart], target, source };
}

function sourceOf(operand: Operand | undefined, sites: ReadonlyMap<MemoryOperand, StreamSite>): WideSource | undefined {
  if (operand?.kind === "register" && operand.class === "xmm") return { kind: "register", number: operand.number };
  if (operand?.kind !== "memory") return undefined;
  const site = sites.get(operand);
  return site && { kind: "memory", site };
}

/** Takes note of what a round does with XMM registers. */
class RegisterRoles {
  readonly #roles = new Map<number, Role[]>();

  note(operation: WideOperation, mnemonic: string): void {
    if (operation.kind === "store") return this.#add(operation.source, "read");
    const { kind, target } = operation;
    if (kind !== "clear" && operation.source.kind === "register") this.#add(operation.source.number, "read");
    if (kind === "clear") return this.#add(target, "set");
    // MOVSD between registers keeps the upper part, from memory it clears it.
    if (kind === "copy") {
      const isWhole = WHOLE_MOVES.has(mnemonic) || operation.source.kind === "memory";
      return this.#add(target, isWhole ? "set" : "set low");
    }
    if (!BITWISE.has(mnemonic)) return this.#add(target, UNARY.has(mnemonic) ? "set low" : "update");
    this.#add(target, "read");
    this.#add(target, "set low");
  }

  #add(number: number, role: Role): void {
    const roles = this.#roles.get(number);
    if (roles) roles.push(role);
    else this.#roles.set(number, [role]);
  }

  /** Whether a round goes on with what the one before it has left there. */
  isCarried(number: number): boolean {
    const roles = this.#roles.get(number) ?? [];
    return !roles[0]?.startsWith("set") && roles.some((role) => role !== "read");
  }

  /**
   * What rounds hand on must be used for nothing else. Of the others the upper parts must be what they are behind any round: those
   * that a round replaces it must not have used before.
   */
  areFit(): boolean {
    return [...this.#roles].every(([number, roles]) => {
      if (this.isCarried(number)) return roles.every((role) => role === "update");
      return !(roles[0] === "set low" && roles.includes("set"));
    });
  }
}

function accessesOf(operations: readonly WideOperation[], bytes: number): readonly GroupAccess[] {
  return operations.flatMap((operation): readonly GroupAccess[] => {
    if (operation.kind === "store") return [{ ...operation.site, bytes, isStore: true }];
    if (operation.kind === "clear" || operation.source.kind !== "memory") return [];
    return [{ ...operation.source.site, bytes, isStore: false }];
  });
}
