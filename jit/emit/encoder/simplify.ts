import { Op } from "./opcodes.ts";
import { NOTHING, type Tree } from "./tree.ts";

/*
 * What makes a function smaller before it is encoded: locals that are never read are not set, and locals that are read once, soon
 * after they were set, are replaced by what they were set to. An engine's optimizing compiler does not care, but its baseline
 * compiler does, and most code that is translated never meets another.
 */

/** Statements that an expression may move down across. */
const MAXIMUM_DISTANCE = 8;

/** Simplifies a list of statements, last one first, so that what becomes unused falls away too. */
export function simplify(tree: Tree, statements: readonly number[]): void {
  new Simplifier(tree).list(statements);
}

export function firstChild(words: Int32Array, node: number): number {
  return node + 2 + ((words[node] ?? 0) & 0xff);
}
export function childCount(words: Int32Array, node: number): number {
  return (words[node] ?? 0) >>> 8;
}

class Simplifier {
  readonly #tree: Tree;
  #words: Int32Array;

  constructor(tree: Tree) {
    this.#tree = tree;
    this.#words = tree.words;
  }

  list(statements: readonly number[] | Int32Array): void {
    for (let index = statements.length - 1; index >= 0; index--) {
      const statement = statements[index] ?? 0;
      if (this.#words[statement + 1] === Op.LOCAL_SET) this.#set(statements, index, statement);
      else this.#inner(statement);
    }
  }

  #inner(node: number): void {
    const words = this.#words;
    const first = firstChild(words, node);
    switch (words[node + 1] ?? 0) {
      case Op.BLOCK:
      case Op.LOOP:
        return this.list(words.subarray(first, first + childCount(words, node)));
      case Op.IF:
        for (let index = childCount(words, node) - 1; index > 0; index--)
          this.list(words.subarray(first + index, first + index + 1));
    }
  }

  #set(statements: readonly number[] | Int32Array, index: number, statement: number): void {
    const words = this.#words;
    const local = words[statement + 2] ?? 0;
    const reads = this.#tree.reads[local] ?? 0;
    const value = words[statement + 3] ?? 0;
    if (reads > 1 || !this.#isPure(value)) return;
    if (reads === 0) {
      this.#discount(value);
      words[statement + 1] = NOTHING;
      return;
    }
    const place = this.#placeBelow(statements, index, local, value);
    if (place === 0) return;
    words[place] = value;
    this.#tree.reads[local] = 0;
    words[statement + 1] = NOTHING;
  }

  /** Where, in one of the next statements, the local is read, if its value may as well be computed there; 0 if nowhere. */
  #placeBelow(statements: readonly number[] | Int32Array, index: number, local: number, value: number): number {
    const words = this.#words;
    const end = Math.min(statements.length, index + 1 + MAXIMUM_DISTANCE);
    for (let at = index + 1; at < end; at++) {
      const statement = statements[at] ?? 0;
      const opcode = words[statement + 1] ?? 0;
      if (opcode === NOTHING) continue;
      const place = this.#find(statement, local);
      if (place !== 0) return Math.max(place, 0);
      if (opcode === Op.BR_IF) continue;
      if (opcode === Op.LOCAL_SET) {
        if (this.#reads(value, words[statement + 2] ?? 0)) return 0;
        continue;
      }
      return 0;
    }
    return 0;
  }

  /** The word that names a read of the local which always runs, with nothing but values before it; -1 after a call, 0 if there is none. */
  #find(node: number, local: number): number {
    const words = this.#words;
    const opcode = words[node + 1] ?? 0;
    if (opcode === Op.LOOP || opcode === Op.CALL || opcode === Op.CALL_INDIRECT) return -1;
    const first = firstChild(words, node);
    let count = childCount(words, node);
    if (opcode === Op.IF) count = 1;
    if (opcode === Op.BLOCK) {
      for (let index = 0; index < count; index++) {
        const child = words[first + index] ?? 0;
        if (words[child + 1] !== NOTHING) return this.#find(child, local);
      }
      return 0;
    }
    for (let index = 0; index < count; index++) {
      const child = words[first + index] ?? 0;
      if (words[child + 1] === Op.LOCAL_GET) {
        if (words[child + 2] === local) return first + index;
        continue;
      }
      const found = this.#find(child, local);
      if (found !== 0) return found;
    }
    return 0;
  }

  #reads(node: number, local: number): boolean {
    const words = this.#words;
    if (words[node + 1] === Op.LOCAL_GET) return words[node + 2] === local;
    const first = firstChild(words, node);
    for (let index = 0; index < childCount(words, node); index++)
      if (this.#reads(words[first + index] ?? 0, local)) return true;
    return false;
  }

  /** Whether computing a value can be left out, or put off: loads count as pure, because what they read from is always there. */
  #isPure(node: number): boolean {
    const words = this.#words;
    const opcode = words[node + 1];
    if (opcode === Op.CALL || opcode === Op.CALL_INDIRECT) return false;
    const first = firstChild(words, node);
    for (let index = 0; index < childCount(words, node); index++)
      if (!this.#isPure(words[first + index] ?? 0)) return false;
    return true;
  }

  /** What was read in a value that is no longer computed. */
  #discount(node: number): void {
    const words = this.#words;
    if (words[node + 1] === Op.LOCAL_GET) {
      const local = words[node + 2] ?? 0;
      this.#tree.reads[local] = (this.#tree.reads[local] ?? 0) - 1;
      return;
    }
    const first = firstChild(words, node);
    for (let index = 0; index < childCount(words, node); index++) this.#discount(words[first + index] ?? 0);
  }
}
