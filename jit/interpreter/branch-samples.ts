import { BranchTarget, MemoryMap } from "../../runtime/abi/memory-map.ts";
import type { WasmModule } from "../emit/module.ts";
import { StateBuilder } from "../emit/state.ts";
import type { Value } from "../emit/value.ts";

/**
 * Bits of a random number that say how many branches pass until the next sample: 31.5 on average. A fixed number could beat in time
 * with a loop, and see one of its branches again and again.
 */
const INTERVAL_BITS = 6;
/** Of the generator of those numbers; Numerical Recipes, 7.1. */
const MULTIPLIER = 1_664_525;
const INCREMENT = 1_013_904_223;

/**
 * Counts an indirect branch that has left a region, and takes a sample when it is time.
 *
 * @param branch its offset in linear memory
 * @param place where it leads, relative to its page
 */
export function countBranch(f: StateBuilder, branch: Value, place: Value): void {
  const left = f.let(f.sub(f.get("branchesToSample"), f.constant(32, 1)));
  f.set("branchesToSample", left);
  f.if(f.ltS(left, f.constant(32, 0)), () => f.callVoid("note_branch", [f.cpu, branch, place]));
}

/**
 * note_branch(cpu, branch, place): counts the place in the branch's bucket. If it is not there, it takes the entry with the lowest
 * count, and adds to that: what comes often stays. (A. Metwally, D. Agrawal, A. El Abbadi, "Efficient Computation of Frequent and Top-k
 * Elements in Data Streams".)
 */
export function addNoteBranch(module: WasmModule): void {
  const f = new StateBuilder(module.raw, "note_branch", ["i32", "i32", "i64"], []);
  const [branch, place] = [f.parameter(1), f.parameter(2)];
  const random = f.let(f.add(f.mul(f.get("sampleSeed"), f.constant(32, MULTIPLIER)), f.constant(32, INCREMENT)));
  f.set("sampleSeed", random);
  f.set("branchesToSample", f.shrU(random, f.constant(32, 32 - INTERVAL_BITS)));

  const bucket = f.shrU(f.mul(branch, f.constant(32, BranchTarget.MULTIPLIER)), f.constant(32, BranchTarget.SHIFT));
  const start = f.mul(bucket, f.constant(32, BranchTarget.BUCKET_BYTES));
  const first = f.let(f.add(start, f.constant(32, MemoryMap.BRANCH_TARGETS)));
  const end = f.let(f.add(first, f.constant(32, BranchTarget.BUCKET_BYTES)));
  const entry = f.variable(first);
  const rarest = f.variable(first);
  const least = f.variable(f.constant(32, -1));
  f.loop((again) => {
    const at = f.let(entry.get());
    const count = f.let(f.loadOffset(32, at, BranchTarget.COUNT));
    const isBranch = f.eq(f.loadOffset(32, at, BranchTarget.BRANCH), branch);
    const isPlace = f.eq(f.loadOffset(64, at, BranchTarget.PLACE), place);
    f.if(f.and(isBranch, isPlace), () => {
      f.storeOffset(at, f.add(count, f.constant(32, 1)), BranchTarget.COUNT);
      f.return();
    });
    f.if(f.ltU(count, least.get()), () => {
      least.set(count);
      rarest.set(at);
    });
    entry.set(f.add(at, f.constant(32, BranchTarget.ENTRY_BYTES)));
    f.continue(again, f.ltU(entry.get(), end));
  });
  f.storeOffset(rarest.get(), place, BranchTarget.PLACE);
  f.storeOffset(rarest.get(), branch, BranchTarget.BRANCH);
  f.storeOffset(rarest.get(), f.add(least.get(), f.constant(32, 1)), BranchTarget.COUNT);
  f.finish();
}
