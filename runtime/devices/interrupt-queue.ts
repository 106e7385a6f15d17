import type { Stateful } from "./device.ts";

/** A set of 256 vectors, as the IRR, ISR and TMR are: eight words of 32. */
class VectorSet {
  readonly words: Int32Array = new Int32Array(8);

  has(vector: number): boolean {
    return ((this.words[vector >> 5] ?? 0) & (1 << (vector & 31))) !== 0;
  }

  set(vector: number, present: boolean): void {
    const bit = 1 << (vector & 31);
    const word = this.words[vector >> 5] ?? 0;
    this.words[vector >> 5] = present ? word | bit : word & ~bit;
  }

  /** The highest vector in the set, -1 if it is empty. */
  get highest(): number {
    for (let index = 7; index >= 0; index--) {
      const word = this.words[index] ?? 0;
      if (word !== 0) return index * 32 + 31 - Math.clz32(word);
    }
    return -1;
  }

  clear(): void {
    this.words.fill(0);
  }
}

export interface InterruptQueueState {
  readonly taskPriority: number;
  readonly sets: readonly (readonly number[])[];
}

/** The interrupts that a local APIC has accepted, and in which order the processor gets them. SDM Vol. 3A, 11.8. */
export class InterruptQueue implements Stateful<InterruptQueueState> {
  /** task priority register: class in bits 4..7 */
  taskPriority = 0;
  readonly #request = new VectorSet();
  readonly #inService = new VectorSet();
  readonly #triggerMode = new VectorSet();

  clear(): void {
    this.taskPriority = 0;
    for (const set of this.#sets) set.clear();
  }

  /** Processor priority register; SDM Vol. 3A, 11.8.3.1. */
  get processorPriority(): number {
    const inService = Math.max(0, this.#inService.highest) & 0xf0;
    return (this.taskPriority & 0xf0) >= inService ? this.taskPriority : inService;
  }

  /** The vector that may interrupt the processor now, -1 if none. */
  get deliverable(): number {
    const vector = this.#request.highest;
    return vector >= 0 && vector >> 4 > this.processorPriority >> 4 ? vector : -1;
  }

  add(vector: number, level: boolean): void {
    this.#request.set(vector, true);
    this.#triggerMode.set(vector, level);
  }

  /** The processor takes `vector`. */
  serve(vector: number): void {
    this.#request.set(vector, false);
    this.#inService.set(vector, true);
  }

  /** The processor is done with the highest in service: yields it if it was level-triggered. */
  end(): number | undefined {
    const vector = this.#inService.highest;
    if (vector < 0) return undefined;
    this.#inService.set(vector, false);
    return this.#triggerMode.has(vector) ? vector : undefined;
  }

  /** Word 0..23 of the in-service, trigger-mode and request registers, in the order in which they stand. */
  word(index: number): number {
    return this.#sets[index >> 3]?.words[index & 7] ?? 0;
  }

  get #sets(): readonly VectorSet[] {
    return [this.#inService, this.#triggerMode, this.#request];
  }

  save(): InterruptQueueState {
    return { taskPriority: this.taskPriority, sets: this.#sets.map(({ words }) => [...words]) };
  }
  restore({ taskPriority, sets }: InterruptQueueState): void {
    this.taskPriority = taskPriority;
    this.#sets.forEach((set, index) => set.words.set(sets[index] ?? []));
  }
}
