import type { MemoryOperand, Operand } from "../isa/instruction.ts";
import { type GroupAccess, streamsApart } from "./group-order.ts";
import { boundedOperation } from "./magnitudes.ts";
import type { RegionInstruction } from "./region.ts";
import type { GroupPlan } from "./round-groups.ts";
import { clearedRegister } from "./scalars.ts";
import type { StreamSite } from "./streams.ts";
import { countedLoop } from "./trip-count.ts";
import { isTentative } from "./trial.ts";

/** Where an operand is; `width` in bits. */
export type SerialOperand =
  | { readonly kind: "register"; readonly number: number; readonly width: number }
  | { readonly kind: "memory"; readonly site: StreamSite; readonly width: number }
  | { readonly kind: "immediate"; readonly low: number; readonly width: number };

export interface SerialOperation {
  readonly current: RegionInstruction;
  readonly operands: readonly SerialOperand[];
}

/** How rounds of a loop on packed numbers run one after the other in a group. */
export interface SerialPlan extends GroupPlan {
  readonly format: "f32x4" | "f64x2";
  readonly operations: readonly SerialOperation[];
  /** XMM registers that are read and never written, and those that a round hands on to the next */
  readonly constants: readonly number[];
  readonly carried: readonly number[];
  /** of both, those that sums, differences and products are made of */
  readonly numbers: ReadonlySet<number>;
}

/** Rounds of a group. */
const ROUNDS = 2;
/** Instructions of a round; with more, rounds are long enough. */
const MAXIMUM_LENGTH = 32;

const PACKED = /^(add|sub|mul|div)p([sd])$/;
const STORES = /^mov([au]p[sd]|dq[au]|s[sd]|ntp[sd]|ntdq)$/;
/** Instructions that replace all of a register, whatever they read. */
const REPLACES =
  /^(mov(ap[sd]|up[sd]|dq[au]|ddup|s[hl]dup)|lddqu|pshufd|sqrtp[sd]|cvt(dq2p[sd]|ps2pd|pd2ps|t?p[sd]2dq))$/;
const LOADS = /^mov(s[sd]|[dq])$/;

/**
 * Finds out whether rounds of a loop can run in groups one after the other: undefined if not, or if there are no packed numbers. All that
 * general registers hand on must be counters.
 */
export function planSerialRounds(
  instructions: readonly RegionInstruction[],
  sites: ReadonlyMap<MemoryOperand, StreamSite>,
): SerialPlan | undefined {
  if (instructions.length > MAXIMUM_LENGTH) return undefined;
  const kinds = new Set(instructions.map(({ instruction }) => PACKED.exec(instruction.mnemonic)?.[2]));
  kinds.delete(undefined);
  const loop = kinds.size === 1 ? countedLoop(instructions) : undefined;
  if (!loop) return undefined;
  const operations: SerialOperation[] = [];
  const accesses: GroupAccess[] = [];
  const uses = new RegisterUses();
  for (const current of instructions) {
    if (current.definition.unit !== "sse") continue;
    const operation = operationOf(current, sites);
    if (!operation) return undefined;
    operations.push(operation);
    uses.note(operation);
    for (const [index, operand] of operation.operands.entries()) {
      if (operand.kind !== "memory") continue;
      accesses.push({ ...operand.site, bytes: operand.width / 8, isStore: index === 0 });
    }
  }
  const apart = streamsApart(accesses, ROUNDS);
  const format = kinds.has("s") ? "f32x4" : "f64x2";
  return apart && { loop, rounds: ROUNDS, apart, format, operations, ...uses.summary() };
}

function operationOf(
  current: RegionInstruction,
  sites: ReadonlyMap<MemoryOperand, StreamSite>,
): SerialOperation | undefined {
  const { mnemonic, operands } = current.instruction;
  const [target] = operands;
  const isStore = target?.kind === "memory";
  if (isStore ? !STORES.test(mnemonic) : !isTentative(current)) return undefined;
  const places: SerialOperand[] = [];
  for (const operand of operands) {
    const place = placeOf(operand, sites);
    if (!place) return undefined;
    places.push(place);
  }
  return { current, operands: places };
}

function placeOf(operand: Operand, sites: ReadonlyMap<MemoryOperand, StreamSite>): SerialOperand | undefined {
  switch (operand.kind) {
    case "register": {
      const { number, width } = operand;
      return operand.class === "xmm" ? { kind: "register", number, width } : undefined;
    }
    case "memory": {
      const site = sites.get(operand);
      const { width } = operand;
      return site && (width === 32 || width === 64 || width === 128) ? { kind: "memory", site, width } : undefined;
    }
    case "immediate":
      return { kind: "immediate", low: operand.low, width: operand.width };
    default:
      return undefined;
  }
}

/** Takes note of what a round does with XMM registers. */
class RegisterUses {
  readonly #inherited = new Set<number>();
  readonly #written = new Set<number>();
  readonly #numbers = new Set<number>();

  note({ current, operands }: SerialOperation): void {
    const { mnemonic } = current.instruction;
    const [target, ...sources] = operands;
    const cleared = clearedRegister(current);
    if (cleared !== undefined) return void this.#written.add(cleared);
    for (const source of sources) if (source.kind === "register") this.#read(source.number, mnemonic);
    if (target?.kind !== "register") return;
    const [source] = sources;
    const isWhole = REPLACES.test(mnemonic) || (LOADS.test(mnemonic) && source?.kind === "memory");
    if (!isWhole) this.#read(target.number, mnemonic);
    this.#written.add(target.number);
  }

  #read(number: number, mnemonic: string): void {
    if (this.#written.has(number)) return;
    this.#inherited.add(number);
    if (boundedOperation(mnemonic)?.isPacked) this.#numbers.add(number);
  }

  summary(): Pick<SerialPlan, "constants" | "carried" | "numbers"> {
    const inherited = [...this.#inherited];
    return {
      constants: inherited.filter((number) => !this.#written.has(number)),
      carried: inherited.filter((number) => this.#written.has(number)),
      numbers: this.#numbers,
    };
  }
}
