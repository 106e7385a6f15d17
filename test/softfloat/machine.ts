import { addHelpers } from "../../jit/helpers/helper.ts";
import { softFloatHelpers } from "../../jit/helpers/softfloat/index.ts";
import { WasmModule } from "../../jit/emit/module.ts";
import { guestState } from "../../runtime/abi/guest-state.ts";
import { MemoryMap } from "../../runtime/abi/memory-map.ts";

/** One operation to be done: 40 bytes, as reference.c reads them. */
export const REQUEST_BYTES = 40;
/** 16 bytes of result, flags, and whether an unmasked SSE exception was taken. */
export const RESULT_BYTES = 24;

type Export = (cpu: number, ...operands: (number | bigint)[]) => number | bigint | undefined;

/** The floating-point helpers alone in a module, with a vCPU state of their own. */
export class SoftFloatMachine {
  readonly #exports: Readonly<Record<string, Export>>;
  readonly #view: DataView;
  /** three f80 slots outside the vCPU's state: destination, left, right */
  readonly #slots = [0x100, 0x110, 0x120] as const;

  constructor() {
    const module = new WasmModule();
    module.importMemory(64, 64);
    addHelpers(module, softFloatHelpers);
    for (const helper of softFloatHelpers) module.export(helper.name);
    module.validate();
    module.optimize({ level: 2 });
    const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
    const compiled = new WebAssembly.Module(module.binary() as Uint8Array<ArrayBuffer>);
    module.dispose();
    this.#exports = new WebAssembly.Instance(compiled, { env: { memory } }).exports as unknown as Record<
      string,
      Export
    >;
    this.#view = new DataView(memory.buffer);
  }

  /** Calls a helper directly. */
  call(name: string, ...operands: (number | bigint)[]): number | bigint | undefined {
    const helper = this.#exports[name];
    if (!helper) throw new Error(`no helper ${name}`);
    return helper(MemoryMap.CPU, ...operands);
  }

  #set(field: "mxcsr" | "fcw" | "fpRaised", value: number): void {
    this.#view.setUint32(MemoryMap.CPU + guestState[field].offset, value, true);
  }
  #get(field: "mxcsr" | "fpRaised"): number {
    return this.#view.getUint32(MemoryMap.CPU + guestState[field].offset, true);
  }

  #slot(index: 0 | 1 | 2, low: bigint, high: bigint): number {
    const offset = this.#slots[index];
    this.#view.setBigUint64(offset, low, true);
    this.#view.setBigUint64(offset + 8, high & 0xffffn, true);
    return offset;
  }

  /** Does what `reference NAME` does with one request. */
  run(name: string, request: DataView, requestAt: number, result: DataView, resultAt: number): void {
    const control = request.getUint32(requestAt, true);
    const extra = request.getUint32(requestAt + 4, true);
    const word = (at: number): bigint => request.getBigUint64(requestAt + at, true);
    const [a, aHigh, b, bHigh] = [word(8), word(16), word(24), word(32)];
    this.#set("fpRaised", 0);
    this.#set("mxcsr", control);
    this.#set("fcw", control);
    let value: bigint;
    let high = 0n;
    if (name.startsWith("f80")) {
      const destination = this.#slot(0, 0n, 0n);
      value = this.#runExtended(name, extra, [a, aHigh, b, bHigh], destination);
      if (value < 0n) {
        value = this.#view.getBigUint64(destination, true);
        high = this.#view.getBigUint64(destination + 8, true);
      }
      result.setUint32(resultAt + 16, this.#get("fpRaised"), true);
      result.setUint32(resultAt + 20, 0, true);
    } else {
      const narrow = name.startsWith("f32");
      const operand = (bits: bigint): number | bigint => (narrow ? Number(bits & 0xffff_ffffn) : bits);
      let returned: number | bigint | undefined;
      if (name.endsWith("_from_i32")) returned = this.call(name, Number(a & 0xffff_ffffn));
      else if (name.endsWith("_from_i64")) returned = this.call(name, a);
      else if (/_to_f..$|sqrt$|_rcp$/.test(name)) returned = this.call(name, operand(a));
      else if (/_to_i..$|_round$/.test(name)) returned = this.call(name, operand(a), extra);
      else if (/_compare$|_predicate$/.test(name)) returned = this.call(name, operand(a), operand(b), extra);
      else returned = this.call(name, operand(a), operand(b));
      value = typeof returned === "bigint" ? BigInt.asUintN(64, returned) : BigInt((returned ?? 0) >>> 0);
      const trapped = Number(this.call("sse_raise"));
      result.setUint32(resultAt + 16, this.#get("mxcsr") & 0x3f, true);
      result.setUint32(resultAt + 20, trapped, true);
    }
    result.setBigUint64(resultAt, value, true);
    result.setBigUint64(resultAt + 8, high, true);
  }

  /** @returns the value, or -1 when it is in the destination */
  #runExtended(
    name: string,
    extra: number,
    [a, aHigh, b, bHigh]: readonly [bigint, bigint, bigint, bigint],
    destination: number,
  ): bigint {
    const left = this.#slot(1, a, aHigh);
    const widened = /^(f80_\w+)_m(32|64)$/.exec(name);
    if (widened) {
      const [, operation = "", width = ""] = widened;
      const right = this.#slots[2];
      this.call(`f80_widen_f${width}`, right, width === "32" ? Number(b & 0xffff_ffffn) : b);
      this.call(operation, destination, left, right);
      return -1n;
    }
    if (name.endsWith("_from_f32")) this.call(name, destination, Number(a & 0xffff_ffffn));
    else if (/_from_/.test(name)) this.call(name, destination, a);
    else if (/_to_i/.test(name)) return this.#unsigned(this.call(name, left, extra), name);
    else if (/_to_f/.test(name)) return this.#unsigned(this.call(name, left), name);
    else if (name === "f80_compare") return this.#unsigned(this.call(name, left, this.#slot(2, b, bHigh), extra), name);
    else if (/_sqrt|_round_integer/.test(name)) this.call(name, destination, left);
    else this.call(name, destination, left, this.#slot(2, b, bHigh));
    return -1n;
  }

  #unsigned(value: number | bigint | undefined, name: string): bigint {
    return BigInt.asUintN(Number(/\d+$/.exec(name)?.[0] ?? 32), BigInt(value ?? 0));
  }
}
