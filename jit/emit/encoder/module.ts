import { invariant } from "../../../runtime/abi/invariant.ts";
import type { Wasm, WasmType } from "../wasm.ts";
import { Bytes } from "./bytes.ts";
import { builderOf } from "./builder.ts";
import { type BranchHint, encodeBody } from "./function.ts";
import { Tree } from "./tree.ts";
import { TYPE_CODE } from "./types.ts";

const FUNCTION_TYPE = 0x60;
const FUNCTION_REFERENCE = 0x70;
const Section = { CUSTOM: 0, TYPE: 1, IMPORT: 2, FUNCTION: 3, EXPORT: 7, CODE: 10 } as const;
const External = { FUNCTION: 0, TABLE: 1, MEMORY: 2 } as const;
/** Limits of a memory: with a maximum, shared. */
const SHARED = 3;

/** Core Specification, 7.4.1: the custom section of names, and its part for functions. */
const NAMES = "name";
const FUNCTION_NAMES = 1;

/** WebAssembly branch hinting proposal, "Binary format": stands in front of the code. */
const BRANCH_HINTS = "metadata.code.branch_hint";

interface DefinedFunction {
  readonly name: string;
  readonly type: number;
  readonly hints: readonly BranchHint[];
}

interface Import {
  readonly name: string;
  readonly encode: (bytes: Bytes) => void;
}

/**
 * A WebAssembly module that is written at once, without an optimizer in between. It imports everything from "env".
 * WebAssembly Core Specification, 5.5.
 */
export class EncodedModule {
  readonly raw: Wasm;
  /** Forgets what was built of a function that will not be finished. */
  readonly abandon: () => void;
  readonly #types: string[] = [];
  readonly #typeBytes: (readonly [readonly WasmType[], readonly WasmType[]])[] = [];
  readonly #imports: Import[] = [];
  readonly #importedFunctions = new Map<string, number>();
  readonly #tables = new Map<string, number>();
  readonly #functions: DefinedFunction[] = [];
  /** their bodies, as the section of code has them */
  readonly #bodies = new Bytes();
  readonly #exports: string[] = [];
  /** of functions, for profilers and debuggers */
  readonly #titles: (readonly [name: string, title: string])[] = [];

  constructor() {
    const tree = new Tree();
    this.abandon = () => tree.clear();
    const names = {
      functionIndex: (name: string) => this.#functionIndex(name),
      tableIndex: (name: string) => this.#tables.get(name) ?? 0,
      typeIndex: (params: readonly WasmType[], results: readonly WasmType[]) => this.#typeIndex(params, results),
    };
    const head = new Bytes();
    const code = new Bytes();
    this.raw = builderOf(tree, names, (name, params, results, locals, statements) => {
      const shape = { parameters: params.length, locals, hasResult: results.length > 0 };
      const hints = encodeBody(tree, shape, tree.block(null, statements), head, code);
      this.#bodies.unsigned(head.length + code.length);
      this.#bodies.append(head.view());
      this.#bodies.append(code.view());
      this.#functions.push({ name, type: this.#typeIndex(params, results), hints });
      tree.clear();
    });
  }

  /** Forgets all functions and exports, and keeps the imports: for the next module of the same kind. */
  clear(): void {
    this.abandon();
    this.#functions.length = 0;
    this.#bodies.length = 0;
    this.#exports.length = 0;
    this.#titles.length = 0;
  }

  /** Sizes in pages of 64 KiB. */
  importMemory(initialPages: number, maximumPages: number): void {
    this.#imports.push({
      name: "memory",
      encode: (bytes) => {
        bytes.byte(External.MEMORY);
        bytes.byte(SHARED);
        bytes.unsigned(initialPages);
        bytes.unsigned(maximumPages);
      },
    });
  }

  importTable(name: string, size: number): void {
    this.#tables.set(name, this.#tables.size);
    this.#imports.push({
      name,
      encode: (bytes) => {
        bytes.byte(External.TABLE);
        bytes.byte(FUNCTION_REFERENCE);
        bytes.byte(0);
        bytes.unsigned(size);
      },
    });
  }

  importFunction(name: string, params: readonly WasmType[], results: readonly WasmType[]): void {
    invariant(this.#functions.length === 0, "imports come before functions");
    const type = this.#typeIndex(params, results);
    this.#importedFunctions.set(name, this.#importedFunctions.size);
    this.#imports.push({
      name,
      encode: (bytes) => {
        bytes.byte(External.FUNCTION);
        bytes.unsigned(type);
      },
    });
  }

  export(name: string): void {
    this.#exports.push(name);
  }

  /** Gives a function the name by which profilers show it. */
  title(name: string, title: string): void {
    this.#titles.push([name, title]);
  }

  /** Whether a function was defined. */
  hasFunction(name: string): boolean {
    return this.#functions.some((candidate) => candidate.name === name);
  }

  #functionIndex(name: string): number {
    const imported = this.#importedFunctions.get(name);
    if (imported !== undefined) return imported;
    const index = this.#functions.findIndex((candidate) => candidate.name === name);
    invariant(index >= 0, `no function ${name}`);
    return this.#importedFunctions.size + index;
  }

  #typeIndex(params: readonly WasmType[], results: readonly WasmType[]): number {
    // Most are asked for with the very lists that they were made of.
    const same = this.#typeBytes.findIndex((type) => type[0] === params && type[1] === results);
    if (same >= 0) return same;
    const key = `${params.join()}>${results.join()}`;
    const known = this.#types.indexOf(key);
    if (known >= 0) return known;
    this.#typeBytes.push([params, results]);
    return this.#types.push(key) - 1;
  }

  binary(): Uint8Array<ArrayBuffer> {
    const out = new Bytes();
    // The magic number and version 1.
    for (const byte of [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) out.byte(byte);
    section(out, Section.TYPE, this.#typeBytes, (bytes, [params, results]) => {
      bytes.byte(FUNCTION_TYPE);
      for (const types of [params, results]) {
        bytes.unsigned(types.length);
        for (const type of types) bytes.byte(TYPE_CODE[type]);
      }
    });
    section(out, Section.IMPORT, this.#imports, (bytes, { name, encode }) => {
      bytes.name("env");
      bytes.name(name);
      encode(bytes);
    });
    section(out, Section.FUNCTION, this.#functions, (bytes, { type }) => bytes.unsigned(type));
    section(out, Section.EXPORT, this.#exports, (bytes, name) => {
      bytes.name(name);
      bytes.byte(External.FUNCTION);
      bytes.unsigned(this.#functionIndex(name));
    });
    this.#branchHints(out);
    this.#code(out);
    this.#names(out);
    return out.copy();
  }

  #code(out: Bytes): void {
    const count = new Bytes();
    count.unsigned(this.#functions.length);
    out.byte(Section.CODE);
    out.unsigned(count.length + this.#bodies.length);
    out.append(count.view());
    out.append(this.#bodies.view());
  }

  #names(out: Bytes): void {
    if (this.#titles.length === 0) return;
    const content = new Bytes();
    content.name(NAMES);
    section(content, FUNCTION_NAMES, this.#titles, (bytes, [name, title]) => {
      bytes.unsigned(this.#functionIndex(name));
      bytes.name(title);
    });
    out.byte(Section.CUSTOM);
    out.unsigned(content.length);
    out.append(content.view());
  }

  #branchHints(out: Bytes): void {
    const hinted = this.#functions.filter(({ hints }) => hints.length > 0);
    if (hinted.length === 0) return;
    const content = new Bytes();
    content.name(BRANCH_HINTS);
    content.unsigned(hinted.length);
    for (const defined of hinted) {
      content.unsigned(this.#functionIndex(defined.name));
      content.unsigned(defined.hints.length);
      for (const { offset, likely } of defined.hints) {
        content.unsigned(offset);
        content.unsigned(1);
        content.byte(likely);
      }
    }
    out.byte(Section.CUSTOM);
    out.unsigned(content.length);
    out.append(content.view());
  }
}

/** A section that is a vector of items. */
function section<T>(out: Bytes, id: number, items: readonly T[], encode: (bytes: Bytes, item: T) => void): void {
  const content = new Bytes();
  content.unsigned(items.length);
  for (const item of items) encode(content, item);
  out.byte(id);
  out.unsigned(content.length);
  out.append(content.view());
}
