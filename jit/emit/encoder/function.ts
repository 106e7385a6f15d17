import type { WasmType } from "../wasm.ts";
import type { Bytes } from "./bytes.ts";
import { Lifetimes } from "./lifetimes.ts";
import { Op } from "./opcodes.ts";
import { simplify } from "./simplify.ts";
import { childCount, firstChild, Hint, NOTHING, type Tree, UNLABELLED } from "./tree.ts";
import { EMPTY_BLOCK, TYPE_CODE } from "./types.ts";

/** Which way a conditional branch of a function goes. Offsets count from the first byte of the function's locals. */
export interface BranchHint {
  readonly offset: number;
  /** 0 or 1: unlikely or likely */
  readonly likely: number;
}

export interface FunctionShape {
  readonly parameters: number;
  /** types of the locals behind the parameters */
  readonly locals: readonly WasmType[];
  /** the code leaves by `return` alone, and never at its end */
  readonly hasResult: boolean;
}

/**
 * Writes the body of a function: its locals to `head` and its code to `code`, which are emptied first. Core Specification, 5.4 and
 * 5.5.13.
 */
export function encodeBody(
  tree: Tree,
  shape: FunctionShape,
  body: number,
  head: Bytes,
  code: Bytes,
): readonly BranchHint[] {
  simplify(tree, body);
  const encoder = new BodyEncoder(tree, shape, code);
  code.length = 0;
  encoder.encode(body, shape.hasResult);
  head.length = 0;
  encoder.declare(head);
  return encoder.hints.map(({ offset, likely }) => ({ offset: head.length + offset, likely }));
}

class BodyEncoder {
  /** Offsets count from the first byte of the code. */
  readonly hints: BranchHint[] = [];
  readonly #words: Int32Array;
  readonly #reads: Int32Array;
  readonly #code: Bytes;
  readonly #parameters: number;
  readonly #types: readonly WasmType[];
  /** place of each local, -1 while it has none */
  readonly #places: number[];
  /** types of the places behind the parameters */
  readonly #placeTypes: WasmType[] = [];
  readonly #free: Readonly<Record<WasmType, number[]>> = { i32: [], i64: [], f32: [], f64: [], v128: [] };
  readonly #last: Int32Array;
  readonly #loop: Int32Array;
  readonly #diesAtLoop = new Map<number, number[]>();
  readonly #labelDepth: number[];
  #depth = 0;
  #position = 0;
  #loops = 0;
  /** locals that stand for another in its place */
  readonly #isAlias: boolean[];
  /** the `local.set` that was written last: where it begins and ends, its local and its place */
  #setStart = -1;
  #setEnd = -1;
  #setLocal = -1;
  #setPlace = -1;

  constructor(tree: Tree, { parameters, locals }: FunctionShape, code: Bytes) {
    this.#words = tree.words;
    this.#reads = tree.reads;
    this.#code = code;
    this.#parameters = parameters;
    this.#types = locals;
    const count = parameters + locals.length;
    this.#places = new Array<number>(count).fill(-1);
    for (let index = 0; index < parameters; index++) this.#places[index] = index;
    this.#isAlias = new Array<boolean>(count).fill(false);
    this.#labelDepth = new Array<number>(tree.labelCount).fill(0);
    const lifetimes = new Lifetimes(tree, count, parameters);
    this.#last = lifetimes.last;
    this.#loop = lifetimes.loop;
    this.#lifetimes = lifetimes;
  }
  readonly #lifetimes: Lifetimes;

  encode(body: number, hasResult: boolean): void {
    this.#lifetimes.visit(body);
    const loops = this.#loop;
    for (let local = 0; local < loops.length; local++) {
      const loop = loops[local] ?? -1;
      if (loop < 0) continue;
      const dying = this.#diesAtLoop.get(loop);
      if (dying) dying.push(local);
      else this.#diesAtLoop.set(loop, [local]);
    }
    this.#node(body);
    if (hasResult) this.#code.byte(Op.UNREACHABLE);
    this.#code.byte(Op.END);
  }

  /** Runs of locals of one type. */
  declare(head: Bytes): void {
    const types = this.#placeTypes;
    let runs = 0;
    for (let index = 0; index < types.length; index++) if (types[index] !== types[index - 1]) runs++;
    head.unsigned(runs);
    for (let start = 0, end = 0; start < types.length; start = end) {
      const type = types[start] ?? "i32";
      while (types[end] === type) end++;
      head.unsigned(end - start);
      head.byte(TYPE_CODE[type]);
    }
  }

  // ---- places of locals ----

  #place(local: number): number {
    const known = this.#places[local] ?? -1;
    if (known >= 0) return known;
    const type = this.#types[local - this.#parameters] ?? "i32";
    const free = (this.#last[local] ?? -1) >= 0 ? this.#free[type].pop() : undefined;
    const place = free ?? this.#parameters + this.#placeTypes.push(type) - 1;
    this.#places[local] = place;
    return place;
  }

  #read(local: number): void {
    const code = this.#code;
    const place = this.#place(local);
    const position = this.#position++;
    if (place === this.#setPlace && code.length === this.#setEnd) this.#readAfterSet(local);
    else code.indexed(Op.LOCAL_GET, place);
    if (this.#last[local] === position && this.#loop[local] === -1) this.#release(local);
  }

  /** The value that has just been set is still at hand; where nothing else reads it, it need not be set. */
  #readAfterSet(local: number): void {
    if (local === this.#setLocal && this.#reads[local] === 1) this.#code.length = this.#setStart;
    else this.#code.patch(this.#setStart, Op.LOCAL_TEE);
    this.#setEnd = -1;
  }

  #write(local: number): void {
    const code = this.#code;
    this.#position++;
    if (this.#last[local] === -2) return code.byte(Op.DROP);
    const place = this.#place(local);
    this.#setStart = code.length;
    code.indexed(Op.LOCAL_SET, place);
    this.#setEnd = code.length;
    this.#setLocal = local;
    this.#setPlace = place;
  }

  /** Lets a local that is a copy of another stand in that one's place, from `position` on, if nothing changes there meanwhile. */
  #alias(local: number, host: number, position: number): boolean {
    const last = this.#last;
    if ((last[local] ?? -1) < 0 || last[host] === -2 || this.#isAlias[host] === true) return false;
    if (!this.#lifetimes.outlives(host, local, position)) return false;
    // Neither gives its place back: it is the host's to the end.
    last[local] = -1;
    last[host] = -1;
    this.#isAlias[local] = true;
    this.#places[local] = this.#place(host);
    return true;
  }

  #set(local: number, value: number): void {
    const words = this.#words;
    const source = words[value + 2] ?? 0;
    const opcode = words[value + 1];
    if (opcode === Op.LOCAL_GET && this.#alias(local, source, this.#position + 1)) {
      this.#position += 2;
      return;
    }
    if (opcode === Op.LOCAL_TEE) {
      // The value is named, and then assigned to a variable: from there on the variable is as good as the name.
      this.#node(words[value + 3] ?? 0);
      if (this.#alias(source, local, this.#position + 2)) {
        this.#position += 2;
      } else {
        this.#write(source);
        this.#read(source);
      }
    } else {
      this.#node(value);
    }
    this.#write(local);
  }

  #release(local: number): void {
    if ((this.#last[local] ?? -1) < 0) return;
    const type = this.#types[local - this.#parameters] ?? "i32";
    this.#free[type].push(this.#places[local] ?? 0);
  }

  // ---- code ----

  #children(node: number): void {
    const words = this.#words;
    const first = firstChild(words, node);
    const end = first + childCount(words, node);
    for (let index = first; index < end; index++) {
      const child = words[index] ?? 0;
      if (child !== 0) this.#node(child);
    }
  }

  #open(opcode: number, label: number): void {
    this.#code.byte(opcode);
    this.#code.byte(EMPTY_BLOCK);
    this.#depth++;
    if (label >= 0) this.#labelDepth[label] = this.#depth;
  }
  #close(): void {
    this.#depth--;
    this.#code.byte(Op.END);
  }

  #branch(label: number): void {
    this.#code.unsigned(this.#depth - (this.#labelDepth[label] ?? 0));
  }
  #hint(hint: number): void {
    if (hint !== Hint.NONE) this.hints.push({ offset: this.#code.length, likely: hint });
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
      case Op.LOCAL_SET:
        return this.#set(immediate, words[node + 3] ?? 0);
      case Op.LOCAL_TEE:
        this.#node(words[node + 3] ?? 0);
        this.#write(immediate);
        return this.#read(immediate);
      case Op.BLOCK:
        if (immediate === UNLABELLED) return this.#children(node);
        this.#open(Op.BLOCK, immediate);
        this.#children(node);
        return this.#close();
      case Op.LOOP: {
        const loop = this.#loops++;
        this.#open(Op.LOOP, immediate);
        this.#children(node);
        this.#close();
        for (const local of this.#diesAtLoop.get(loop) ?? []) this.#release(local);
        return;
      }
      case Op.IF: {
        const first = firstChild(words, node);
        this.#node(words[first] ?? 0);
        this.#hint(immediate);
        this.#open(Op.IF, -1);
        this.#node(words[first + 1] ?? 0);
        if (childCount(words, node) === 3) {
          code.byte(Op.ELSE);
          this.#node(words[first + 2] ?? 0);
        }
        return this.#close();
      }
      case Op.BR:
        code.byte(opcode);
        return this.#branch(immediate);
      case Op.BR_IF:
        this.#children(node);
        this.#hint(words[node + 3] ?? 0);
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
        if (((words[node] ?? 0) & 0xff) !== 0 || opcode >= 0x100) this.#immediates(node, opcode, immediate);
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
