import { Op } from "./opcodes.ts";
import { childCount, firstChild } from "./simplify.ts";
import { NOTHING, type Tree } from "./tree.ts";

/** From where to where a local that is set in one place is alive, counted in reads and writes of locals as they are encoded. */
export class Lifetimes {
  /** position of the last read, for locals that may share a place with others; -1 for those that may not */
  readonly last: Int32Array;
  /** the loop at whose end the local dies, because it came in from outside and is read in every round; -1 if none */
  readonly loop: Int32Array;
  readonly #set: Int32Array;
  readonly #scope: Int32Array;
  readonly #open: boolean[] = [true];
  readonly #loops: { readonly id: number; readonly start: number }[] = [];
  readonly #words: Int32Array;
  readonly #scopes: number[] = [0];
  #position = 0;
  loopCount = 0;

  /** @param fixed locals that keep their places: the parameters */
  constructor(tree: Tree, locals: number, fixed: number) {
    this.#words = tree.words;
    this.last = new Int32Array(locals).fill(-2);
    this.loop = new Int32Array(locals).fill(-1);
    this.#set = new Int32Array(locals).fill(-1);
    this.#scope = new Int32Array(locals);
    this.last.fill(-1, 0, fixed);
  }

  visit(node: number): void {
    const words = this.#words;
    const opcode = words[node + 1] ?? 0;
    switch (opcode) {
      case NOTHING:
        return;
      case Op.LOCAL_GET:
        return this.#read(words[node + 2] ?? 0);
      case Op.LOCAL_SET:
        this.visit(words[node + 3] ?? 0);
        return this.#write(words[node + 2] ?? 0);
      case Op.BLOCK:
        if (words[node + 2] === -1) break;
        return this.#within(() => this.#children(node, 0));
      case Op.LOOP: {
        this.#loops.push({ id: this.loopCount++, start: this.#position });
        this.#within(() => this.#children(node, 0));
        this.#loops.pop();
        return;
      }
      case Op.IF: {
        const first = firstChild(words, node);
        this.visit(words[first] ?? 0);
        for (let index = 1; index < childCount(words, node); index++)
          this.#within(() => this.visit(words[first + index] ?? 0));
        return;
      }
    }
    this.#children(node, 0);
  }

  #children(node: number, from: number): void {
    const words = this.#words;
    const first = firstChild(words, node);
    for (let index = from; index < childCount(words, node); index++) this.visit(words[first + index] ?? 0);
  }

  #within(body: () => void): void {
    const scope = this.#open.push(true) - 1;
    this.#scopes.push(scope);
    body();
    this.#scopes.pop();
    this.#open[scope] = false;
  }

  #read(local: number): void {
    const position = this.#position++;
    const { last } = this;
    if (last[local] === -1) return;
    const set = this.#set[local] ?? -1;
    if (set < 0 || this.#open[this.#scope[local] ?? 0] !== true) {
      last[local] = -1;
      return;
    }
    last[local] = position;
    this.loop[local] = this.#loops.find(({ start }) => start > set)?.id ?? -1;
  }

  #write(local: number): void {
    const position = this.#position++;
    if (this.#set[local] !== -1) this.last[local] = -1;
    this.#set[local] = position;
    this.#scope[local] = this.#scopes[this.#scopes.length - 1] ?? 0;
  }
}
