import type { Engine } from "../engine.ts";
import { differingPages, pagesDiffer } from "./guest-memory.ts";
import { type ArchitecturalState, copyState, statesAreEqual } from "./state-compare.ts";
import { SLICE, type Subject, type SubjectMaker } from "./subject.ts";

export interface LockstepOptions {
  /** what the interpreter is compared with */
  readonly engine: Exclude<Engine, "interpreter">;
  /** instructions after which to stop, if the guest has not ended by then */
  readonly untilInstructions?: bigint;
  /** slices between two comparisons of all memory */
  readonly memoryEvery?: number;
  readonly onProgress?: (instructions: bigint) => void;
}

/** How the machines compare at one moment. */
export interface Mismatch {
  readonly expected: ArchitecturalState;
  readonly actual: ArchitecturalState;
  /** guest-physical pages that differ, 64 at most */
  readonly pages: readonly number[];
  /** how each machine ended, if it did */
  readonly ended: readonly [expected: string | undefined, actual: string | undefined];
}

/** They were equal at `from`, and no longer at `to`. */
export interface Window {
  readonly from: bigint;
  readonly to: bigint;
  readonly mismatch: Mismatch;
}

export interface Agreement {
  readonly instructions: bigint;
  readonly ended: string | undefined;
}

/** Instructions that the failing machine is given at once when the place is looked for. */
const CHUNK = 1024n;
const MEMORY_EVERY = 400;
/** milliseconds between two turns of the host's event loop */
const TURN_MS = 200;

/** Two machines that do the same, or should. */
export class Pair {
  readonly reference: Subject;
  readonly candidate: Subject;

  private constructor(reference: Subject, candidate: Subject) {
    this.reference = reference;
    this.candidate = candidate;
  }

  static async open(make: SubjectMaker, engine: Engine): Promise<Pair> {
    return new Pair(await make("interpreter"), await make(engine));
  }

  get instructions(): bigint {
    return this.reference.processor.instructions;
  }

  /** Runs both to a count of instructions; says how they differ then, and whether the guest has ended. */
  advance(
    target: bigint,
    memory: "all" | "none" | readonly number[],
  ): { mismatch?: Mismatch; ended?: string | undefined } {
    return this.#compare([this.reference.advance(target), this.candidate.advance(target)], memory);
  }

  /** Runs the candidate as it likes, for about CHUNK instructions, and the reference as far. */
  advanceChunk(end: bigint, memory: readonly number[]): ReturnType<Pair["advance"]> {
    const now = this.instructions;
    const target = end - now > CHUNK ? now + CHUNK : end;
    const ended = this.candidate.advance(target, true);
    return this.#compare([this.reference.advance(this.candidate.processor.instructions), ended], memory);
  }

  #compare(ended: Mismatch["ended"], memory: "all" | "none" | readonly number[]): ReturnType<Pair["advance"]> {
    const { reference, candidate } = this;
    const alike = ended[0] === ended[1] && statesAreEqual(reference.state, candidate.state);
    const memoryDiffers =
      memory !== "none" &&
      (memory === "all" || ended[0] !== undefined
        ? differingPages(reference.ram, candidate.ram, 1).length > 0
        : pagesDiffer(reference.ram, candidate.ram, memory));
    if (alike && !memoryDiffers) return { ended: ended[0] };
    const pages = differingPages(reference.ram, candidate.ram);
    return {
      mismatch: { expected: copyState(reference.state), actual: copyState(candidate.state), pages, ended },
      ended: ended[0],
    };
  }
}

/** Targets at which both machines stop in every pass, so that passes are alike. */
function nextTarget(now: bigint, until: bigint | undefined): bigint {
  const next = (now / BigInt(SLICE) + 1n) * BigInt(SLICE);
  return until !== undefined && until < next ? until : next;
}

/** Runs both machines to the end. Registers are compared after every slice, memory now and then. */
export async function scan(pair: Pair, options: LockstepOptions): Promise<Agreement | Window> {
  const { untilInstructions: until, memoryEvery = MEMORY_EVERY, onProgress } = options;
  let equalAt = pair.instructions;
  let lastTurn = performance.now();
  for (let slice = 1; ; slice++) {
    const from = pair.instructions;
    const target = nextTarget(from, until);
    const all = slice % memoryEvery === 0 || target === until;
    const { mismatch, ended } = pair.advance(target, all ? "all" : "none");
    if (mismatch) return { from: equalAt, to: target, mismatch };
    const now = pair.instructions;
    if (ended !== undefined) {
      const last = pair.advance(now, "all");
      return last.mismatch ? { from: equalAt, to: now, mismatch: last.mismatch } : { instructions: now, ended };
    }
    if (all) equalAt = now;
    if (now === until) return { instructions: now, ended };
    if (performance.now() - lastTurn > TURN_MS) {
      onProgress?.(now);
      await new Promise((resolve) => setTimeout(resolve, 0));
      lastTurn = performance.now();
    }
  }
}

/** A fresh pair goes through a window again, slice by slice: the first that ends differently. */
export function narrowToSlice(pair: Pair, window: Window, until: bigint | undefined): Window | undefined {
  runTo(pair, window.from, until);
  for (let from = pair.instructions; from < window.to;) {
    const { mismatch } = pair.advance(nextTarget(from, until), window.mismatch.pages);
    if (mismatch) return { from, to: nextTarget(from, until), mismatch };
    if (pair.instructions === from) return undefined;
    from = pair.instructions;
  }
  return undefined;
}

/** A fresh pair goes through a slice again in chunks. */
export function narrowToChunk(pair: Pair, slice: Window, until: bigint | undefined): Window | undefined {
  runTo(pair, slice.from, until);
  for (let from = pair.instructions; from < slice.to;) {
    const { mismatch } = pair.advanceChunk(slice.to, slice.mismatch.pages);
    if (mismatch) return { from, to: pair.instructions, mismatch };
    if (pair.instructions === from) return undefined;
    from = pair.instructions;
  }
  return undefined;
}

/** Brings a fresh pair to where the chunk begins, by the same stops. */
export function runToChunk(pair: Pair, slice: Window, chunk: Window, until: bigint | undefined): void {
  runTo(pair, slice.from, until);
  while (pair.instructions < chunk.from) pair.advanceChunk(slice.to, []);
}

function runTo(pair: Pair, instructions: bigint, until: bigint | undefined): void {
  while (pair.instructions < instructions) {
    const target = nextTarget(pair.instructions, until);
    pair.advance(target < instructions ? target : instructions, "none");
  }
}
