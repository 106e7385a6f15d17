import type { WasmType } from "../wasm.ts";
import { Bytes } from "./bytes.ts";
import { Lifetimes } from "./lifetimes.ts";
import { Op } from "./opcodes.ts";
import { childCount, firstChild, simplify } from "./simplify.ts";
import { NOTHING, type Tree } from "./tree.ts";
import { EMPTY_BLOCK, TYPE_CODE } from "./types.ts";

/**
 * The body of a function in binary: its locals and its code. Core Specification, 5.4 and 5.5.13.
 *
 * @param locals types of the locals behind the parameters
 * @param hasResult the code leaves by `return` alone, and never at its end
 */
export function encodeBody(
  tree: Tree,
  parameters: number,
  locals: readonly WasmType[],
  statements: readonly number[],
  hasResult: boolean,
): Uint8Array<ArrayBuffer> {
  simplify(tree, statements);
  return new BodyEncoder(tree, parameters, locals).encode(statements, hasResult);
}

class BodyEncoder {
  readonly #words: Int32Array;
  readonly #code = new Bytes();
  readonly #parameters: number;
  readonly #types: readonly WasmType[];
  /** place of each local, -1 while it has none */
  readonly #places: Int32Array;
  /** types of the places behind the parameters */
  readonly #placeTypes: WasmType[] = [];
  readonly #free: Record<WasmType, number[]> = { i32: [], i64: [], f32: [], f64: [], v128: [] };
  readonly #lifetimes: Lifetimes;
  readonly #diesAtLoop = new Map<number, number[]>();
  readonly #labelDepth: Int32Array;
  #depth = 0;
  #position = 0;
  #loops = 0;

  constructor(tree: Tree, parameters: number, locals: readonly WasmType[]) {
    this.#words = tree.words;
    this.#parameters = parameters;
    this.#types = locals;
    const count = parameters + locals.length;
    this.#places = new Int32Array(count).fill(-1);
    for (let index = 0; index < parameters; index++) this.#places[index] = index;
    this.#lifetimes = new Lifetimes(tree, count, parameters);
    this.#labelDepth = new Int32Array(tree.labelCount);
  }

  encode(statements: readonly number[], hasResult: boolean): Uint8Array<ArrayBuffer> {
    for (const statement of statements) this.#lifetimes.visit(statement);
    this.#lifetimes.loop.forEach((loop, local) => {
      if (loop < 0) return;
      const dying = this.#diesAtLoop.get(loop);
      if (dying) dying.push(local);
      else this.#diesAtLoop.set(loop, [local]);
    });
    for (const statement of statements) this.#node(statement);
    if (hasResult) this.#code.byte(Op.UNREACHABLE);
    this.#code.byte(Op.END);
    const body = new Bytes();
    this.#declare(body);
    body.append(this.#code.view());
    return body.copy();
  }

  /** Runs of locals of one type. */
  #declare(body: Bytes): void {
    const runs: [WasmType, number][] = [];
    for (const type of this.#placeTypes) {
      const run = runs[runs.length - 1];
      if (run?.[0] === type) run[1]++;
      else runs.push([type, 1]);
    }
    body.unsigned(runs.length);
    for (const [type, count] of runs) {
      body.unsigned(count);
      body.byte(TYPE_CODE[type]);
    }
  }

  // ---- places of locals ----

  #place(local: number): number {
    const known = this.#places[local] ?? -1;
    if (known >= 0) return known;
    const type = this.#types[local - this.#parameters] ?? "i32";
    const isShared = (this.#lifetimes.last[local] ?? -1) >= 0;
    const free = isShared ? this.#free[type].pop() : undefined;
    const place = free ?? this.#parameters + this.#placeTypes.push(type) - 1;
    this.#places[local] = place;
    return place;
  }

  #read(local: number): void {
    const place = this.#place(local);
    const position = this.#position++;
    this.#code.byte(Op.LOCAL_GET);
    this.#code.unsigned(place);
    const { last, loop } = this.#lifetimes;
    if (last[local] === position && loop[local] === -1) this.#release(local);
  }

  #release(local: number): void {
    if ((this.#lifetimes.last[local] ?? -1) < 0) return;
    const type = this.#types[local - this.#parameters] ?? "i32";
    this.#free[type].push(this.#places[local] ?? 0);
  }

  // ---- code ----

  #children(node: number): void {
    const words = this.#words;
    const first = firstChild(words, node);
    const end = first + childCount(words, node);
    for (let index = first; index < end; index++) this.#node(words[index] ?? 0);
  }

  #structure(opcode: number, label: number, body: () => void): void {
    this.#code.byte(opcode);
    this.#code.byte(EMPTY_BLOCK);
    this.#depth++;
    if (label >= 0) this.#labelDepth[label] = this.#depth;
    body();
    this.#depth--;
    this.#code.byte(Op.END);
  }

  #branch(label: number): void {
    this.#code.unsigned(this.#depth - (this.#labelDepth[label] ?? 0));
  }

  #node(node: number): void {
    const words = this.#words;
    const code = this.#code;
    const opcode = words[node + 1] ?? 0;
    const immediate = words[node + 2] ?? 0;
    switch (opcode) {
      case NOTHING:
        return;
      case Op.LOCAL_GET:
        return this.#read(immediate);
      case Op.LOCAL_SET: {
        this.#node(words[node + 3] ?? 0);
        this.#position++;
        if ((this.#lifetimes.last[immediate] ?? -1) === -2) return code.byte(Op.DROP);
        const place = this.#place(immediate);
        code.byte(Op.LOCAL_SET);
        return code.unsigned(place);
      }
      case Op.BLOCK:
        if (immediate === -1) return this.#children(node);
        return this.#structure(Op.BLOCK, immediate, () => this.#children(node));
      case Op.LOOP: {
        const loop = this.#loops++;
        this.#structure(Op.LOOP, immediate, () => this.#children(node));
        for (const local of this.#diesAtLoop.get(loop) ?? []) this.#release(local);
        return;
      }
      case Op.IF: {
        const first = firstChild(words, node);
        this.#node(words[first] ?? 0);
        return this.#structure(Op.IF, -1, () => {
          this.#node(words[first + 1] ?? 0);
          if (childCount(words, node) < 3) return;
          code.byte(Op.ELSE);
          this.#node(words[first + 2] ?? 0);
        });
      }
      case Op.BR:
      case Op.BR_IF:
        this.#children(node);
        code.byte(opcode);
        return this.#branch(immediate);
      case Op.BR_TABLE: {
        this.#children(node);
        code.byte(opcode);
        const labels = (words[node] ?? 0) & 0xff;
        code.unsigned(labels - 1);
        for (let index = 0; index < labels; index++) this.#branch(words[node + 2 + index] ?? 0);
        return;
      }
      default:
        this.#children(node);
        code.opcode(opcode);
        return this.#immediates(node, opcode, immediate);
    }
  }

  #immediates(node: number, opcode: number, immediate: number): void {
    const words = this.#words;
    const code = this.#code;
    switch (opcode) {
      case Op.I32_CONST:
        return code.signed(immediate);
      case Op.I64_CONST:
        return code.signed64(immediate, words[node + 3] ?? 0);
      case Op.F32_CONST:
      case Op.F64_CONST:
      case Op.V128_CONST:
      case Op.SHUFFLE:
        for (let index = 0; index < ((words[node] ?? 0) & 0xff); index++) code.word(words[node + 2 + index] ?? 0);
        return;
      case Op.MEMORY_COPY:
        code.byte(0);
        return code.byte(0);
      case Op.MEMORY_FILL:
        return code.byte(0);
      default:
        for (let index = 0; index < ((words[node] ?? 0) & 0xff); index++) code.unsigned(words[node + 2 + index] ?? 0);
    }
  }
}
