import { invariant } from "../../../runtime/abi/invariant.ts";
import type { Operations } from "../module.ts";
import type { Expression, Wasm, WasmType } from "../wasm.ts";
import { ACCESS, LANE, LANE_ACCESS, Op, PLAIN } from "./opcodes.ts";
import { IMPURE, type Tree } from "./tree.ts";

/** What the tree must know of the module that its functions belong to. */
export interface Names {
  functionIndex(name: string): number;
  tableIndex(name: string): number;
  typeIndex(params: readonly WasmType[], results: readonly WasmType[]): number;
}

const floats = new DataView(new ArrayBuffer(16));

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
      tree.node(opcode, [Math.log2(alignment), displacement, lane], operands, name.startsWith("store") ? IMPURE : 0);
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
    tree.wideLeaf(Op.I64_CONST, Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
  group("f32")["const"] = (value: number) => {
    floats.setFloat32(0, value, true);
    return tree.leaf(Op.F32_CONST, floats.getInt32(0, true));
  };
  group("f64")["const"] = (value: number) => {
    floats.setFloat64(0, value, true);
    return tree.wideLeaf(Op.F64_CONST, floats.getInt32(0, true), floats.getInt32(4, true));
  };
  group("i8x16")["shuffle"] = (low: Expression, high: Expression, mask: readonly number[]) =>
    tree.node(Op.SHUFFLE, wordsOf(mask), [low, high]);

  const structure: Omit<Wasm, keyof Operations> = {
    local: {
      get: (index: number) => tree.get(index),
      set: (index: number, value: Expression) => tree.set(index, value),
    },
    memory: {
      copy: (...operands: Expression[]) => tree.node(Op.MEMORY_COPY, [], operands, IMPURE),
      fill: (...operands: Expression[]) => tree.node(Op.MEMORY_FILL, [], operands, IMPURE),
    },
    block: (label: string | null, statements: Expression[]) => tree.block(label, statements),
    loop: (label: string, body: Expression) => tree.loop(label, body),
    if: (condition: Expression, then: Expression, otherwise?: Expression) => tree.if(condition, then, otherwise),
    br: (label: string, condition?: Expression) => tree.branch(label, condition),
    switch: (labels: string[], otherwise: string, index: Expression) => {
      invariant(labels.length < 255, "a node has at most 255 immediate words");
      return tree.node(
        Op.BR_TABLE,
        [...labels, otherwise].map((label) => tree.target(label)),
        [index],
        IMPURE,
      );
    },
    select: (condition: Expression, yes: Expression, no: Expression) => tree.node(Op.SELECT, [], [yes, no, condition]),
    drop: (value: Expression) => tree.node(Op.DROP, [], [value], IMPURE),
    return: (value?: Expression) => tree.node(Op.RETURN, [], value === undefined ? [] : [value], IMPURE),
    unreachable: () => tree.node(Op.UNREACHABLE, [], [], IMPURE),
    call: (name: string, operands: Expression[]) => tree.node(Op.CALL, [names.functionIndex(name)], operands, IMPURE),
    returnCall: (name: string, operands: Expression[]) =>
      tree.node(Op.RETURN_CALL, [names.functionIndex(name)], operands, IMPURE),
    callIndirect: (table, index, operands, params, result) =>
      tree.node(
        Op.CALL_INDIRECT,
        [names.typeIndex(params, [result]), names.tableIndex(table)],
        [...operands, index],
        IMPURE,
      ),
    returnCallIndirect: (table, index, operands, params, results) =>
      tree.node(
        Op.RETURN_CALL_INDIRECT,
        [names.typeIndex(params, results), names.tableIndex(table)],
        [...operands, index],
        IMPURE,
      ),
    wideConstant: (low, high) => tree.wideLeaf(Op.I64_CONST, low, high),
    unlikely: (condition) => tree.unlikely(condition),
    load32Unsigned: (displacement: number, alignment: number, offset: Expression) =>
      tree.access(0x28, alignment, displacement, offset),
    addFunction,
  };
  // An object that grew property by property is a dictionary to the engine; a prototype is not.
  const quick = Object.fromEntries(Object.entries(groups).map(([type, made]) => [type, Object.create(made) as Group]));
  const builder = Object.create({ ...quick, ...structure }) as Wasm;
  invariant(typeof builder.i32.add === "function", "the operations of i32");
  return builder;
}
