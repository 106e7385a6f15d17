import { Op } from "./opcodes.ts";
import { childCount, firstChild, isPure, NOTHING, type Tree } from "./tree.ts";

/*
 * What makes a function smaller before it is encoded: locals that are never read are not set; those that are read soon after they
 * were set are set where they are first read or, if nothing else reads them, not at all. An engine's optimizing compiler does not
 * care, but its baseline compiler does, and most code that is translated never meets another.
 */

/** Statements that an expression may move down across. */
const MAXIMUM_DISTANCE = 8;

/** Simplifies the statements inside a node, last one first, so that what becomes unused falls away too. */
export function simplify(tree: Tree, body: number): void {
  new Simplifier(tree).inside(body);
}

class Simplifier {
  readonly #reads: Int32Array;
  readonly #words: Int32Array;

  constructor(tree: Tree) {
    this.#reads = tree.reads;
    this.#words = tree.words;
  }

  inside(node: number): void {
    const words = this.#words;
    const first = firstChild(words, node);
    switch (words[node + 1] ?? 0) {
      case Op.BLOCK:
      case Op.LOOP:
        return this.#list(first, first + childCount(words, node));
      case Op.IF:
        for (let index = childCount(words, node) - 1; index > 0; index--) this.#list(first + index, first + index + 1);
    }
  }

  /** Simplifies the statements that the words from `first` on name. */
  #list(first: number, end: number): void {
    const words = this.#words;
    for (let index = end - 1; index >= first; index--) {
      const statement = words[index] ?? 0;
      if (words[statement + 1] === Op.LOCAL_SET) this.#set(index, end, statement);
      else this.inside(statement);
    }
  }

  #set(index: number, end: number, statement: number): void {
    const words = this.#words;
    const local = words[statement + 2] ?? 0;
    const reads = this.#reads[local] ?? 0;
    const value = words[statement + 3] ?? 0;
    if (!isPure(words, value)) return;
    if (reads === 0) {
      this.#discount(value);
      words[statement + 1] = NOTHING;
      return;
    }
    const place = this.#placeBelow(index, end, local, value, reads === 1);
    if (place === 0) return;
    if (reads === 1) {
      words[statement + 1] = NOTHING;
      words[place] = value;
      this.#reads[local] = 0;
      return;
    }
    // The statement's own words become the node that sets the local where it is first read, and stands for that read.
    words[statement + 1] = Op.LOCAL_TEE;
    words[place] = statement;
    words[index] = 0;
  }

  /**
   * Where, in one of the next statements, the local is read first, if its value may as well be computed there; 0 if nowhere.
   *
   * @param isOnly there is no other read, which a branch in between might lead to
   */
  #placeBelow(index: number, end: number, local: number, value: number, isOnly: boolean): number {
    const words = this.#words;
    const last = Math.min(end, index + 1 + MAXIMUM_DISTANCE);
    for (let at = index + 1; at < last; at++) {
      const statement = words[at] ?? 0;
      const opcode = words[statement + 1] ?? 0;
      if (statement === 0 || opcode === NOTHING) continue;
      const place = this.#find(statement, local, value);
      if (place !== 0) return Math.max(place, 0);
      if (opcode === Op.BR_IF && isOnly) continue;
      if (opcode !== Op.LOCAL_SET) return 0;
      const other = words[statement + 2] ?? 0;
      if (other === local || this.#isRead(value, other)) return 0;
    }
    return 0;
  }

  /**
   * The word that names a read of the local which always runs, with nothing before it that could change `value`; -1 if there is
   * something, 0 if there is no read.
   */
  #find(node: number, local: number, value: number): number {
    const words = this.#words;
    const opcode = words[node + 1] ?? 0;
    if (opcode === Op.LOOP || opcode === Op.CALL || opcode === Op.CALL_INDIRECT) return -1;
    const first = firstChild(words, node);
    let count = childCount(words, node);
    if (opcode === Op.IF) count = 1;
    if (opcode === Op.BLOCK) {
      for (let index = first; index < first + count; index++) {
        const child = words[index] ?? 0;
        if (child !== 0 && words[child + 1] !== NOTHING) return this.#find(child, local, value);
      }
      return 0;
    }
    for (let index = first; index < first + count; index++) {
      const child = words[index] ?? 0;
      if (words[child + 1] === Op.LOCAL_GET) {
        if (words[child + 2] === local) return index;
        continue;
      }
      const found = this.#find(child, local, value);
      if (found !== 0) return found;
    }
    if (opcode !== Op.LOCAL_TEE) return 0;
    // Behind another assignment to the local, what is read is not this value any more.
    const other = words[node + 2] ?? 0;
    return other === local || this.#isRead(value, other) ? -1 : 0;
  }

  #isRead(node: number, local: number): boolean {
    const words = this.#words;
    if (words[node + 1] === Op.LOCAL_GET) return words[node + 2] === local;
    const first = firstChild(words, node);
    const end = first + childCount(words, node);
    for (let index = first; index < end; index++) if (this.#isRead(words[index] ?? 0, local)) return true;
    return false;
  }

  /** What was read in a value that is no longer computed. */
  #discount(node: number): void {
    const words = this.#words;
    if (words[node + 1] === Op.LOCAL_GET) {
      const local = words[node + 2] ?? 0;
      this.#reads[local] = (this.#reads[local] ?? 0) - 1;
      return;
    }
    const first = firstChild(words, node);
    const end = first + childCount(words, node);
    for (let index = first; index < end; index++) this.#discount(words[index] ?? 0);
  }
}
