import { invariant } from "../../../runtime/abi/invariant.ts";
import type { Expression } from "../wasm.ts";
import { Op, OPPOSITE } from "./opcodes.ts";

/*
 * The expressions of one function, in an array of words. A node is named by the index of its first word:
 *
 *   header: bits 0..7 number of immediate words, bits 8..27 number of children, bit 28 set if it does more than give a value,
 *           bit 29 of a condition that hardly ever holds
 *   opcode
 *   immediate words
 *   children, in the order of their evaluation
 */

/** A statement that has been found to do nothing. */
export const NOTHING = -1;
/** Bit of a header: the node, or one inside it, writes something or leaves. Loads do not count: what they read is always there. */
export const IMPURE: number = 1 << 28;
const IS_UNLIKELY = 1 << 29;
/** Label of a block that nothing leaves by a branch. */
export const UNLABELLED = -1;
/** What is known of where an `if` or `br_if` goes; as in the section of branch hints. */
export const Hint = { NONE: -1, UNLIKELY: 0, LIKELY: 1 } as const;

const MAXIMUM_CHILDREN = 0xf_ffff;
const INITIAL_WORDS = 1 << 14;
const INITIAL_LOCALS = 1 << 10;

export function firstChild(words: Int32Array, node: number): number {
  return node + 2 + ((words[node] ?? 0) & 0xff);
}
export function childCount(words: Int32Array, node: number): number {
  return ((words[node] ?? 0) >>> 8) & MAXIMUM_CHILDREN;
}
export function isPure(words: Int32Array, node: number): boolean {
  return ((words[node] ?? 0) & IMPURE) === 0;
}

export class Tree {
  words: Int32Array = new Int32Array(INITIAL_WORDS);
  /** how often each local is read */
  reads: Int32Array = new Int32Array(INITIAL_LOCALS);
  #end = 2;
  readonly #labels = new Map<string, number>();
  /** by label: how many branches name it */
  readonly #branches: number[] = [];

  get labelCount(): number {
    return this.#branches.length;
  }

  clear(): void {
    this.#end = 2;
    this.reads.fill(0);
    this.#labels.clear();
    this.#branches.length = 0;
  }

  label(name: string): number {
    let label = this.#labels.get(name);
    if (label === undefined) {
      label = this.#branches.push(0) - 1;
      this.#labels.set(name, label);
    }
    return label;
  }
  /** The label that a branch names. */
  target(name: string): number {
    const label = this.label(name);
    this.#branches[label] = (this.#branches[label] ?? 0) + 1;
    return label;
  }

  /** A node with room for its immediates and children, which the caller fills in. */
  allocate(opcode: number, immediates: number, children: number, effect = 0): number {
    const node = this.#end;
    this.#end += 2 + immediates + children;
    if (this.#end > this.words.length) {
      const larger = new Int32Array(Math.max(2 * this.words.length, this.#end));
      larger.set(this.words);
      this.words = larger;
    }
    this.words[node] = immediates | (children << 8) | effect;
    this.words[node + 1] = opcode;
    return node;
  }
  #effect(node: number): number {
    return (this.words[node] ?? 0) & IMPURE;
  }

  /** A node without children, with one or two immediate words. */
  leaf(opcode: number, immediate: number, effect = 0): Expression {
    const node = this.allocate(opcode, 1, 0, effect);
    this.words[node + 2] = immediate;
    return node;
  }
  wideLeaf(opcode: number, low: number, high: number): Expression {
    const node = this.allocate(opcode, 2, 0);
    this.words[node + 2] = low;
    this.words[node + 3] = high;
    return node;
  }
  get(local: number): Expression {
    this.#reserve(local);
    this.reads[local] = (this.reads[local] ?? 0) + 1;
    return this.leaf(Op.LOCAL_GET, local);
  }
  /** Makes room for what is known of a local. */
  #reserve(local: number): void {
    if (local < this.reads.length) return;
    const reads = new Int32Array(2 * local);
    reads.set(this.reads);
    this.reads = reads;
  }
  set(local: number, value: Expression): Expression {
    const node = this.allocate(Op.LOCAL_SET, 1, 1, IMPURE);
    this.words[node + 2] = local;
    this.words[node + 3] = value;
    return node;
  }
  unary(opcode: number, child: Expression): Expression {
    if (opcode === Op.I32_EQZ) {
      const opposite = OPPOSITE[this.words[child + 1] ?? 0] ?? 0;
      if (opposite !== 0) {
        this.words[child + 1] = opposite;
        return child;
      }
    }
    const node = this.allocate(opcode, 0, 1, this.#effect(child));
    this.words[node + 2] = child;
    return node;
  }
  binary(opcode: number, left: Expression, right: Expression): Expression {
    if (opcode === Op.I32_EQ && this.#isZero(right)) return this.unary(Op.I32_EQZ, left);
    if (opcode === Op.I64_EQ && this.#isZero(right)) return this.unary(Op.I64_EQZ, left);
    const node = this.allocate(opcode, 0, 2, this.#effect(left) | this.#effect(right));
    this.words[node + 2] = left;
    this.words[node + 3] = right;
    return node;
  }
  #isZero(node: number): boolean {
    const { words } = this;
    if (words[node + 2] !== 0) return false;
    return words[node + 1] === Op.I32_CONST || (words[node + 1] === Op.I64_CONST && words[node + 3] === 0);
  }
  access(opcode: number, alignment: number, displacement: number, offset: number, value?: number): Expression {
    const effect = value === undefined ? this.#effect(offset) : IMPURE;
    const node = this.allocate(opcode, 2, value === undefined ? 1 : 2, effect);
    const { words } = this;
    words[node + 2] = 31 - Math.clz32(alignment);
    words[node + 3] = displacement;
    words[node + 4] = offset;
    if (value !== undefined) words[node + 5] = value;
    return node;
  }
  /** @param effect IMPURE if the operation itself does something */
  node(opcode: number, immediates: readonly number[], children: readonly Expression[], effect = 0): Expression {
    let all = effect;
    for (let index = 0; index < children.length; index++) all |= this.#effect(children[index] ?? 0);
    const node = this.allocate(opcode, immediates.length, children.length, all);
    let at = node + 2;
    for (let index = 0; index < immediates.length; index++) this.words[at++] = immediates[index] ?? 0;
    for (let index = 0; index < children.length; index++) this.words[at++] = children[index] ?? 0;
    return node;
  }

  // ---- structure ----

  /** Statements in a row. What stands in blocks that nothing leaves joins the row, and what cannot be reached falls away. */
  block(name: string | null, statements: readonly Expression[]): Expression {
    const known = name === null ? UNLABELLED : this.label(name);
    const label = this.#branches[known] === 0 ? UNLABELLED : known;
    let used = 0;
    let count = 0;
    for (let isEnded = false; used < statements.length && !isEnded; used++) {
      const statement = statements[used] ?? 0;
      count += this.#isRow(statement) ? childCount(this.words, statement) : 1;
      isEnded = this.#neverEnds(statement);
    }
    const [only] = statements;
    if (label === UNLABELLED && used === 1 && only !== undefined) return only;
    invariant(count <= MAXIMUM_CHILDREN, "a block has too many statements");
    const node = this.allocate(Op.BLOCK, 1, count, IMPURE);
    const { words } = this;
    words[node + 2] = label;
    let at = node + 3;
    for (let index = 0; index < used; index++) {
      const statement = statements[index] ?? 0;
      if (this.#isRow(statement)) {
        const children = childCount(words, statement);
        const first = statement + 3;
        for (let child = first; child < first + children; child++) words[at++] = words[child] ?? 0;
      } else {
        words[at++] = statement;
      }
    }
    return node;
  }
  #isRow(node: number): boolean {
    return this.words[node + 1] === Op.BLOCK && this.words[node + 2] === UNLABELLED;
  }
  #isEmpty(node: number): boolean {
    return this.#isRow(node) && childCount(this.words, node) === 0;
  }

  /** Whether control never comes to what stands behind the statement. */
  #neverEnds(node: number): boolean {
    const { words } = this;
    switch (words[node + 1]) {
      case Op.BR:
      case Op.BR_TABLE:
      case Op.RETURN:
      case Op.RETURN_CALL:
      case Op.RETURN_CALL_INDIRECT:
      case Op.UNREACHABLE:
        return true;
      case Op.BLOCK: {
        const count = childCount(words, node);
        return words[node + 2] === UNLABELLED && count > 0 && this.#neverEnds(words[node + 2 + count] ?? 0);
      }
      default:
        return false;
    }
  }

  loop(name: string, body: Expression): Expression {
    const node = this.allocate(Op.LOOP, 1, 1, IMPURE);
    this.words[node + 2] = this.label(name);
    this.words[node + 3] = body;
    return node;
  }

  unlikely(condition: Expression): Expression {
    this.words[condition] = (this.words[condition] ?? 0) | IS_UNLIKELY;
    return condition;
  }

  /** An `if`, or what does the same with less: a branch on the condition, or arms that stand in a row. */
  if(condition: Expression, then: Expression, otherwise?: Expression): Expression {
    const hint = this.#hintOf(condition);
    if (otherwise === undefined || this.#isEmpty(otherwise)) return this.#conditional(condition, hint, then);
    if (this.#neverEnds(then)) return this.block(null, [this.#conditional(condition, hint, then), otherwise]);
    const opposite = hint === Hint.NONE ? hint : 1 - hint;
    if (this.#isEmpty(then)) return this.#conditional(this.unary(Op.I32_EQZ, condition), opposite, otherwise);
    if (this.#neverEnds(otherwise))
      return this.block(null, [this.#conditional(this.unary(Op.I32_EQZ, condition), opposite, otherwise), then]);
    return this.node(Op.IF, [hint], [this.#truth(condition), then, otherwise], IMPURE);
  }
  #conditional(condition: Expression, hint: number, then: Expression): Expression {
    if (this.words[then + 1] === Op.BR) return this.#branchIf(this.words[then + 2] ?? 0, condition, hint);
    const node = this.allocate(Op.IF, 1, 2, IMPURE);
    this.words[node + 2] = hint;
    this.words[node + 3] = this.#truth(condition);
    this.words[node + 4] = then;
    return node;
  }
  #branchIf(label: number, condition: Expression, hint: number): Expression {
    return this.node(Op.BR_IF, [label, hint], [this.#truth(condition)], IMPURE);
  }
  branch(name: string, condition?: Expression): Expression {
    const label = this.target(name);
    if (condition === undefined) return this.leaf(Op.BR, label, IMPURE);
    return this.#branchIf(label, condition, this.#hintOf(condition));
  }
  #hintOf(condition: Expression): number {
    return ((this.words[condition] ?? 0) & IS_UNLIKELY) === 0 ? Hint.NONE : Hint.UNLIKELY;
  }

  /** A condition without what only makes it 0 or 1. */
  #truth(condition: Expression): Expression {
    const { words } = this;
    for (let at = condition; ;) {
      const inner = words[at + 2] ?? 0;
      if (words[at + 1] === Op.I32_EQZ && words[inner + 1] === Op.I32_EQZ) at = words[inner + 2] ?? 0;
      else if (words[at + 1] === Op.I32_NE && this.#isZero(words[at + 3] ?? 0)) at = inner;
      else return at;
    }
  }
}
