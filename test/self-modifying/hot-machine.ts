import type { BatchBuilder, Translator } from "../../runtime/abi/translator.ts";
import { MemoryMap } from "../../runtime/abi/memory-map.ts";
import type { Engine } from "../../src/engine.ts";
import { type Inspected, longMachine } from "../mmu/support.ts";

/** How often a block runs before "tiered" translates it: soon, and yet not before it has been interpreted. */
const HOT_AFTER = 4;

/** Counts what is translated. */
class Counter implements Translator {
  /** by guest-physical address of the entry */
  readonly counts = new Map<number, number>();
  readonly #inner: Translator;

  constructor(inner: Translator) {
    this.#inner = inner;
  }

  begin(): BatchBuilder {
    const builder = this.#inner.begin();
    const entries: number[] = [];
    return {
      add: (request) => {
        entries.push(request.start - MemoryMap.RAM);
        builder.add(request);
      },
      finish: () => {
        const batch = builder.finish();
        for (const [index, gpa] of entries.entries())
          if (batch.regions[index]) this.counts.set(gpa, (this.counts.get(gpa) ?? 0) + 1);
        return batch;
      },
    };
  }
}

export interface HotMachine {
  readonly machine: Inspected;
  /** regions compiled so far whose entry lies in [gpa, gpa + byteLength); what is compiled again was dropped before */
  compiled(gpa: number, byteLength: number): number;
}

/** The machine of `longMachine`, which translates early and says what it has translated. */
export async function hotMachine(engine: Engine): Promise<HotMachine> {
  let counter: Counter | undefined;
  const wrapTranslator = (inner: Translator): Translator => (counter = new Counter(inner));
  const machine = await longMachine(engine, 0x80_0000, {
    hotAfter: HOT_AFTER,
    batch: 1,
    wrapTranslator,
  });
  return {
    machine,
    compiled: (gpa, byteLength) =>
      [...(counter?.counts ?? [])]
        .filter(([entry]) => entry >= gpa && entry < gpa + byteLength)
        .reduce((sum, [, count]) => sum + count, 0),
  };
}
