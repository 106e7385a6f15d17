import { FEATURES } from "../../runtime/abi/features.ts";
import type { CompiledBatch, TranslationService, TranslateRequest } from "../../runtime/abi/translator.ts";
import { RegionTranslator } from "../../jit/translator/translator.ts";
import { type BareMachineOptions, createBareMachineWith } from "../../src/bare-machine.ts";
import type { LoadOptions } from "../../src/engine.ts";
import { failedBatch, translateBatch } from "../../src/translation/compile.ts";
import type { Inspected } from "../mmu/support.ts";

export const CODE = 0x1_0000;
export const OTHER = 0x2_0000;
export const STACK = 0x3_8000;

/** L: add eax, 1; dec ecx; jnz L; hlt. The byte to add is the third. */
export const COUNT_UP: readonly number[] = [0x83, 0xc0, 0x01, 0xff, 0xc9, 0x75, 0xf9, 0xf4];
/** Rounds that make COUNT_UP hot. */
export const ROUNDS = 1000n;

/** A translator that is done when the test says so, as a worker might be at any time. */
export class LateTranslation implements TranslationService {
  readonly depth: number;
  readonly waiting: (readonly TranslateRequest[])[] = [];
  readonly #done: CompiledBatch[] = [];
  readonly #translator = new RegionTranslator({ features: new Set(FEATURES) });

  constructor(depth = 2) {
    this.depth = depth;
  }
  submit(requests: readonly TranslateRequest[]): undefined {
    this.waiting.push(requests);
  }
  /** All that was submitted is translated now. */
  finish(): void {
    for (const requests of this.waiting.splice(0)) this.#done.push(translateBatch(this.#translator, requests));
  }
  fail(): void {
    for (const _ of this.waiting.splice(0)) this.#done.push(failedBatch(new Error("a bug")));
  }
  take(): CompiledBatch | undefined {
    return this.#done.shift();
  }
  ready(): Promise<void> {
    return Promise.resolve();
  }
  close(): void {
    this.waiting.length = 0;
  }
}

export async function openMachine(load: LoadOptions, options: Partial<BareMachineOptions> = {}): Promise<Inspected> {
  return (await createBareMachineWith(
    { memoryBytes: 0x4_0000, mode: "long", engine: "tiered", ...options },
    load,
  )) as Inspected;
}

/** Runs to HLT from `rip`, and gives RAX, which was 0, and the instructions. */
export function runTo(
  machine: Inspected,
  rip: number,
  state: Parameters<Inspected["setState"]>[0] = {},
): { readonly rax: bigint; readonly instructions: number } {
  machine.setState({ rip: BigInt(rip), rsp: BigInt(STACK), rax: 0n, rcx: ROUNDS, rflags: 2n, ...state });
  const { reason, instructions } = machine.run({ maxInstructions: 100_000_000 });
  if (reason !== "halt") throw new Error(`ended for the reason ${reason}`);
  return { rax: machine.getState().rax, instructions };
}

/** What the machine's loop does between two slices. */
export function collect(machine: Inspected): "late" | undefined {
  return machine.processor.translation?.collect(Number(machine.processor.instructions));
}
