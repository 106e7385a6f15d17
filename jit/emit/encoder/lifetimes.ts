import { Op } from "./opcodes.ts";
import { childCount, firstChild, NOTHING, type Tree, UNLABELLED } from "./tree.ts";

/** From where to where a local that is set in one place is alive, counted in reads and writes of locals as they are encoded. */
export class Lifetimes {
  /** position of the last read, for locals that may share a place with others; -1 for those that may not, -2 without reads */
  readonly last: Int32Array;
  /** the loop at whose end the local dies, because it came in from outside and is read in every round; -1 if none */
  readonly loop: Int32Array;
  /** position at which each local is set first, and those at which some are set again */
  readonly #set: Int32Array;
  readonly #setAgain: (number[] | undefined)[] = [];
  readonly #scope: Int32Array;
  readonly #open: boolean[] = [true];
  /** positions at which the loops begin that are open, and their numbers */
  readonly #loopStarts: number[] = [];
  readonly #loopNumbers: number[] = [];
  readonly #words: Int32Array;
  #current = 0;
  #position = 0;
  /** by loop: the position behind it */
  readonly #loopEnds: number[] = [];

  /** @param fixed locals that keep their places: the parameters */
  constructor(tree: Tree, locals: number, fixed: number) {
    this.#words = tree.words;
    const all = new Int32Array(4 * locals);
    this.last = all.subarray(0, locals).fill(-2);
    this.loop = all.subarray(locals, 2 * locals).fill(-1);
    this.#set = all.subarray(2 * locals, 3 * locals).fill(-1);
    this.#scope = all.subarray(3 * locals);
    this.last.fill(-1, 0, fixed);
  }

  visit(node: number): void {
    const words = this.#words;
    switch (words[node + 1] ?? 0) {
      case NOTHING:
        return;
      case Op.LOCAL_GET:
        return this.#read(words[node + 2] ?? 0);
      case Op.LOCAL_SET:
        this.visit(words[node + 3] ?? 0);
        return this.#write(words[node + 2] ?? 0);
      case Op.LOCAL_TEE:
        this.visit(words[node + 3] ?? 0);
        this.#write(words[node + 2] ?? 0);
        return this.#read(words[node + 2] ?? 0);
      case Op.BLOCK: {
        if (words[node + 2] === UNLABELLED) break;
        const outer = this.#enter();
        this.#children(node);
        return this.#leave(outer);
      }
      case Op.LOOP: {
        this.#loopNumbers.push(this.#loopEnds.push(0) - 1);
        this.#loopStarts.push(this.#position);
        const outer = this.#enter();
        this.#children(node);
        this.#leave(outer);
        this.#loopEnds[this.#loopNumbers.pop() ?? 0] = this.#position;
        this.#loopStarts.pop();
        return;
      }
      case Op.IF: {
        const first = firstChild(words, node);
        const end = first + childCount(words, node);
        this.visit(words[first] ?? 0);
        for (let index = first + 1; index < end; index++) {
          const outer = this.#enter();
          this.visit(words[index] ?? 0);
          this.#leave(outer);
        }
        return;
      }
    }
    this.#children(node);
  }

  #children(node: number): void {
    const words = this.#words;
    const first = firstChild(words, node);
    const end = first + childCount(words, node);
    for (let index = first; index < end; index++) {
      const child = words[index] ?? 0;
      if (child !== 0) this.visit(child);
    }
  }

  #enter(): number {
    const outer = this.#current;
    this.#current = this.#open.push(true) - 1;
    return outer;
  }
  #leave(outer: number): void {
    this.#open[this.#current] = false;
    this.#current = outer;
  }

  #read(local: number): void {
    const position = this.#position++;
    const { last } = this;
    if (last[local] === -1) return;
    const set = this.#set[local] ?? -1;
    // Behind the block that sets a local it may never have been set, and must then be zero.
    const isSet = this.#open[this.#scope[local] ?? 0] === true;
    if (set < 0 || !isSet) {
      last[local] = -1;
      return;
    }
    last[local] = position;
    this.loop[local] = this.#loopSince(set);
  }

  /** The outermost open loop that began after a position; -1 if there is none. */
  #loopSince(position: number): number {
    const starts = this.#loopStarts;
    for (let index = 0; index < starts.length; index++)
      if ((starts[index] ?? 0) > position) return this.#loopNumbers[index] ?? -1;
    return -1;
  }

  #write(local: number): void {
    const position = this.#position++;
    this.#scope[local] = this.#current;
    if (this.#set[local] === -1) {
      this.#set[local] = position;
      return;
    }
    this.last[local] = -1;
    (this.#setAgain[local] ??= []).push(position);
  }

  /** Whether `host`, from a position on, keeps its value for as long as `local` is alive, which may share a place. */
  outlives(host: number, local: number, position: number): boolean {
    const loop = this.loop[local] ?? -1;
    const end = (loop < 0 ? this.last[local] : this.#loopEnds[loop]) ?? 0;
    const first = this.#set[host] ?? -1;
    if (first > position && first <= end) return false;
    const again = this.#setAgain[host];
    if (!again) return true;
    // They ascend.
    let [low, high] = [0, again.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((again[middle] ?? 0) > position) high = middle;
      else low = middle + 1;
    }
    return low === again.length || (again[low] ?? 0) > end;
  }
}
