import { BranchTarget, MemoryMap } from "../abi/memory-map.ts";

/** Where an indirect branch went, relative to the first byte of its page, and how often of the times that were looked at. */
export interface BranchSample {
  readonly place: number;
  readonly count: number;
}

/** What core.wasm has noted of indirect branches that left regions; see BranchTarget. */
export class BranchSamples {
  readonly #memory: DataView;

  constructor(memory: DataView) {
    this.#memory = memory;
  }

  /** Where the branch at an offset in linear memory went, most often first. */
  of(branch: number): readonly BranchSample[] {
    const bucket = Math.imul(branch, BranchTarget.MULTIPLIER) >>> BranchTarget.SHIFT;
    const first = MemoryMap.BRANCH_TARGETS + bucket * BranchTarget.BUCKET_BYTES;
    const samples: BranchSample[] = [];
    for (let at = first; at < first + BranchTarget.BUCKET_BYTES; at += BranchTarget.ENTRY_BYTES) {
      const count = this.#memory.getUint32(at + BranchTarget.COUNT, true);
      if (count === 0 || this.#memory.getUint32(at + BranchTarget.BRANCH, true) !== branch) continue;
      samples.push({ place: Number(this.#memory.getBigInt64(at + BranchTarget.PLACE, true)), count });
    }
    return samples.sort((left, right) => right.count - left.count);
  }
}
