import { invariant } from "../../../runtime/abi/invariant.ts";
import type { Operations } from "../module.ts";
import type { Expression, Wasm, WasmType } from "../wasm.ts";
import { ACCESS, LANE, LANE_ACCESS, Op, PLAIN } from "./opcodes.ts";

/*
 * The expressions of one function, in an array of words. A node is named by the index of its first word:
 *
 *   header: bits 0..7 number of immediate words, bits 8.. number of children
 *   opcode
 *   immediate words
 *   children, in the order of their evaluation
 */

/** What the tree must know of the module that its functions belong to. */
export interface Names {
  functionIndex(name: string): number;
  tableIndex(name: string): number;
  typeIndex(params: readonly WasmType[], results: readonly WasmType[]): number;
}

/** A statement that has been found to do nothing. */
export const NOTHING = -1;
const INITIAL_WORDS = 1 << 14;
const floats = new DataView(new ArrayBuffer(16));

export class Tree {
  words: Int32Array = new Int32Array(INITIAL_WORDS);
  /** how often each local is read */
  readonly reads: number[] = [];
  #end = 1;
  readonly #labels = new Map<string, number>();

  get labelCount(): number {
    return this.#labels.size;
  }

  clear(): void {
    this.#end = 1;
    this.reads.length = 0;
    this.#labels.clear();
  }

  label(name: string): number {
    let label = this.#labels.get(name);
    if (label === undefined) {
      label = this.#labels.size;
      this.#labels.set(name, label);
    }
    return label;
  }

  /** A node with room for its immediates and children, which the caller fills in. */
  allocate(opcode: number, immediates: number, children: number): number {
    const node = this.#end;
    this.#end += 2 + immediates + children;
    if (this.#end > this.words.length) {
      const larger = new Int32Array(Math.max(2 * this.words.length, this.#end));
      larger.set(this.words);
      this.words = larger;
    }
    this.words[node] = immediates | (children << 8);
    this.words[node + 1] = opcode;
    return node;
  }

  /** A node without children, with one or two immediate words. */
  leaf(opcode: number, immediate: number, second?: number): Expression {
    const node = this.allocate(opcode, second === undefined ? 1 : 2, 0);
    this.words[node + 2] = immediate;
    if (second !== undefined) this.words[node + 3] = second;
    return node;
  }
  unary(opcode: number, child: Expression): Expression {
    const node = this.allocate(opcode, 0, 1);
    this.words[node + 2] = child;
    return node;
  }
  binary(opcode: number, left: Expression, right: Expression): Expression {
    const node = this.allocate(opcode, 0, 2);
    this.words[node + 2] = left;
    this.words[node + 3] = right;
    return node;
  }
  access(opcode: number, alignment: number, displacement: number, offset: number, value?: number): Expression {
    const node = this.allocate(opcode, 2, value === undefined ? 1 : 2);
    const { words } = this;
    words[node + 2] = 31 - Math.clz32(alignment);
    words[node + 3] = displacement;
    words[node + 4] = offset;
    if (value !== undefined) words[node + 5] = value;
    return node;
  }
  node(opcode: number, immediates: readonly number[], children: readonly Expression[]): Expression {
    const node = this.allocate(opcode, immediates.length, children.length);
    let at = node + 2;
    for (let index = 0; index < immediates.length; index++) this.words[at++] = immediates[index] ?? 0;
    for (let index = 0; index < children.length; index++) this.words[at++] = children[index] ?? 0;
    return node;
  }
}

type Build = (first: number, ...operands: number[]) => Expression;
type Group = Record<string, unknown>;

/** The operations of a type, making nodes of `tree`. */
function operations(tree: Tree, type: string): Group {
  const group: Group = {};
  const add = (path: string, build: Build): void => {
    const [name = "", from] = path.split(".");
    if (from === undefined) group[name] = build;
    else group[name] = { ...(group[name] as Group | undefined), [from]: build };
  };
  for (const [name, opcode] of Object.entries(PLAIN[type] ?? {})) {
    add(name, (first: number, second?: number, third?: number) => {
      if (second === undefined) return tree.unary(opcode, first);
      return third === undefined ? tree.binary(opcode, first, second) : tree.node(opcode, [], [first, second, third]);
    });
  }
  for (const [name, opcode] of Object.entries(LANE[type] ?? {}))
    add(name, (vector, lane = 0, ...value) => tree.node(opcode, [lane], [vector, ...value]));
  for (const [name, opcode] of Object.entries(ACCESS[type] ?? {}))
    add(name, (displacement: number, alignment: number, offset: number, value?: number) =>
      tree.access(opcode, alignment, displacement, offset, value),
    );
  return group;
}

function vectors(tree: Tree): Group {
  const group = operations(tree, "v128");
  for (const [name, opcode] of Object.entries(LANE_ACCESS))
    group[name] = (displacement = 0, alignment = 1, lane = 0, ...operands: number[]) =>
      tree.node(opcode, [Math.log2(alignment), displacement, lane], operands);
  group["const"] = (bytes: readonly number[]) => tree.node(Op.V128_CONST, wordsOf(bytes), []);
  return group;
}

/** 16 bytes as four words. */
function wordsOf(bytes: readonly number[]): number[] {
  bytes.forEach((byte, index) => floats.setUint8(index, byte));
  return [0, 4, 8, 12].map((at) => floats.getInt32(at, true));
}

/** The functions that make a tree. `addFunction` hands each finished one to the module. */
export function builderOf(tree: Tree, names: Names, addFunction: Wasm["addFunction"]): Wasm {
  const groups: Record<string, Group> = { v128: vectors(tree) };
  for (const type of ["i32", "i64", "f32", "f64", "i8x16", "i16x8", "i32x4", "i64x2", "f32x4", "f64x2"])
    groups[type] = operations(tree, type);
  const group = (type: string): Group => groups[type] ?? {};
  group("i32")["const"] = (value: number) => tree.leaf(Op.I32_CONST, value);
  group("i64")["const"] = (value: bigint) =>
    tree.leaf(Op.I64_CONST, Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
  group("f32")["const"] = (value: number) => {
    floats.setFloat32(0, value, true);
    return tree.leaf(Op.F32_CONST, floats.getInt32(0, true));
  };
  group("f64")["const"] = (value: number) => {
    floats.setFloat64(0, value, true);
    return tree.leaf(Op.F64_CONST, floats.getInt32(0, true), floats.getInt32(4, true));
  };
  group("i8x16")["shuffle"] = (low: Expression, high: Expression, mask: readonly number[]) =>
    tree.node(Op.SHUFFLE, wordsOf(mask), [low, high]);

  const structure: Omit<Wasm, keyof Operations> = {
    local: {
      get: (index: number) => {
        tree.reads[index] = (tree.reads[index] ?? 0) + 1;
        return tree.leaf(Op.LOCAL_GET, index);
      },
      set: (index: number, value: Expression) => {
        const node = tree.allocate(Op.LOCAL_SET, 1, 1);
        tree.words[node + 2] = index;
        tree.words[node + 3] = value;
        return node;
      },
    },
    memory: {
      copy: (...operands: Expression[]) => tree.node(Op.MEMORY_COPY, [], operands),
      fill: (...operands: Expression[]) => tree.node(Op.MEMORY_FILL, [], operands),
    },
    block: (label: string | null, statements: Expression[]) =>
      tree.node(Op.BLOCK, [label === null ? -1 : tree.label(label)], statements),
    loop: (label: string, body: Expression) => tree.node(Op.LOOP, [tree.label(label)], [body]),
    if: (condition: Expression, then: Expression, otherwise?: Expression) =>
      tree.node(Op.IF, [], otherwise === undefined ? [condition, then] : [condition, then, otherwise]),
    br: (label: string, condition?: Expression) =>
      condition === undefined
        ? tree.leaf(Op.BR, tree.label(label))
        : tree.node(Op.BR_IF, [tree.label(label)], [condition]),
    switch: (labels: string[], otherwise: string, index: Expression) => {
      invariant(labels.length < 255, "a node has at most 255 immediate words");
      return tree.node(
        Op.BR_TABLE,
        [...labels, otherwise].map((label) => tree.label(label)),
        [index],
      );
    },
    select: (condition: Expression, yes: Expression, no: Expression) => tree.node(Op.SELECT, [], [yes, no, condition]),
    drop: (value: Expression) => tree.unary(Op.DROP, value),
    return: (value?: Expression) => tree.node(Op.RETURN, [], value === undefined ? [] : [value]),
    unreachable: () => tree.node(Op.UNREACHABLE, [], []),
    call: (name: string, operands: Expression[]) => tree.node(Op.CALL, [names.functionIndex(name)], operands),
    returnCall: (name: string, operands: Expression[]) =>
      tree.node(Op.RETURN_CALL, [names.functionIndex(name)], operands),
    callIndirect: (table, index, operands, params, result) =>
      tree.node(Op.CALL_INDIRECT, [names.typeIndex(params, [result]), names.tableIndex(table)], [...operands, index]),
    returnCallIndirect: (table, index, operands, params, results) =>
      tree.node(
        Op.RETURN_CALL_INDIRECT,
        [names.typeIndex(params, results), names.tableIndex(table)],
        [...operands, index],
      ),
    load32Unsigned: (displacement: number, alignment: number, offset: Expression) =>
      tree.access(0x28, alignment, displacement, offset),
    addFunction,
  };
  const builder = { ...groups, ...structure } as unknown as Wasm;
  invariant(typeof builder.i32.add === "function", "the operations of i32");
  return builder;
}
