import { describe, expect, it } from "vitest";
import { ACCESS, LANE, LANE_ACCESS, PLAIN } from "../../jit/emit/encoder/opcodes.ts";
import { EncodedModule } from "../../jit/emit/encoder/module.ts";
import { FunctionBuilder } from "../../jit/emit/function.ts";
import { WasmModule } from "../../jit/emit/module.ts";
import type { Value } from "../../jit/emit/value.ts";
import type { Expression, Wasm, WasmType } from "../../jit/emit/wasm.ts";

type Build = (...operands: unknown[]) => Expression;
const MEMORY_PAGES = 16;

function operation(wasm: Wasm, type: string, path: string): Build {
  let member: unknown = wasm[type as keyof Wasm];
  for (const part of path.split(".")) member = (member as Record<string, unknown> | undefined)?.[part];
  if (typeof member !== "function") throw new Error(`no operation ${type}.${path}`);
  return member as Build;
}

/** The code section of a module with one function, made by each of the two builders. */
function bothWays(build: (wasm: Wasm) => Expression): { encoded: Uint8Array; binaryen: Uint8Array } {
  const modules = [new EncodedModule(), new WasmModule()] as const;
  const [encoded, binaryen] = modules.map((module) => {
    module.importMemory(MEMORY_PAGES, MEMORY_PAGES);
    module.raw.addFunction("f", [], [], [], [build(module.raw)]);
    module.export("f");
    return module.binary();
  });
  modules[1].dispose();
  if (!encoded || !binaryen) throw new Error("two modules");
  return { encoded, binaryen };
}

/** Operand types for which Binaryen accepts the operation: it says so itself when the module is validated, so all are tried. */
const TYPES: readonly WasmType[] = ["i32", "i64", "f32", "f64", "v128"];

function zero(wasm: Wasm, type: WasmType): Expression {
  if (type === "v128") return wasm.v128.const(new Array<number>(16).fill(3));
  return type === "i64" ? wasm.i64.const(5n as unknown as number) : wasm[type].const(7);
}

function* combinations(count: number): Generator<readonly WasmType[]> {
  if (count === 0) yield [];
  else for (const rest of combinations(count - 1)) for (const type of TYPES) yield [...rest, type];
}

/** Whether an engine accepts what the encoder makes of an operation with operands of some types; and what Binaryen makes of the same. */
function agrees(
  type: string,
  name: string,
  lead: readonly number[],
  counts: readonly number[],
  isStatement: boolean,
): boolean {
  for (const count of counts) {
    for (const types of combinations(count)) {
      const build = (wasm: Wasm): Expression => {
        const made = operation(wasm, type, name)(...lead, ...types.map((each) => zero(wasm, each)));
        return isStatement ? made : wasm.drop(made);
      };
      const { encoded } = withoutBinaryen(build);
      if (!WebAssembly.validate(encoded)) continue;
      const both = bothWays(build);
      expect(Buffer.from(both.encoded).toString("hex"), `${type}.${name}`).toContain(codeOf(both.binaryen));
      return true;
    }
  }
  return false;
}

function withoutBinaryen(build: (wasm: Wasm) => Expression): { encoded: Uint8Array<ArrayBuffer> } {
  const module = new EncodedModule();
  module.importMemory(MEMORY_PAGES, MEMORY_PAGES);
  module.raw.addFunction("f", [], [], [], [build(module.raw)]);
  return { encoded: module.binary() };
}

/** The instructions of the only function, in hexadecimal; sizes are below 128, so each takes one byte. */
function codeOf(binary: Uint8Array): string {
  let at = 8;
  while (at < binary.length) {
    const [id = 0, size = 0] = [binary[at], binary[at + 1]];
    if (id === 10) return Buffer.from(binary.subarray(at + 5, at + 2 + size)).toString("hex");
    at += 2 + size;
  }
  throw new Error("no code section");
}

describe("the encoder writes what Binaryen writes", () => {
  it.each(Object.keys(PLAIN))("%s: operations on values", (type) => {
    for (const name of Object.keys(PLAIN[type] ?? {}))
      expect(agrees(type, name, [], [1, 2, 3], false), `${type}.${name} is valid for no operands`).toBe(true);
  });

  it.each(Object.keys(LANE))("%s: lanes", (type) => {
    for (const name of Object.keys(LANE[type] ?? {})) {
      const isReplace = name === "replace_lane";
      const found = TYPES.some((lane) => {
        const build = (wasm: Wasm): Expression =>
          wasm.drop(operation(wasm, type, name)(zero(wasm, "v128"), 1, ...(isReplace ? [zero(wasm, lane)] : [])));
        if (!WebAssembly.validate(withoutBinaryen(build).encoded)) return false;
        const both = bothWays(build);
        expect(Buffer.from(both.encoded).toString("hex")).toContain(codeOf(both.binaryen));
        return true;
      });
      expect(found, `${type}.${name}`).toBe(true);
    }
  });

  it.each(Object.keys(ACCESS))("%s: loads and stores", (type) => {
    for (const name of Object.keys(ACCESS[type] ?? {})) {
      const isStore = name.startsWith("store");
      expect(agrees(type, name, [0x1234, 1], [isStore ? 2 : 1], isStore), `${type}.${name}`).toBe(true);
    }
  });

  it("loads and stores of lanes", () => {
    for (const name of Object.keys(LANE_ACCESS))
      expect(agrees("v128", name, [24, 1, 1], [2], name.startsWith("store")), name).toBe(true);
  });

  it.each([
    0n,
    1n,
    -1n,
    63n,
    64n,
    -64n,
    -65n,
    0x7fff_ffffn,
    0x8000_0000n,
    -0x8000_0000n,
    -0x8000_0001n,
    1n << 62n,
    -(1n << 63n),
    (1n << 63n) - 1n,
    0x1_0000_0000n,
  ])("the constant %s", (value) => {
    const both = bothWays((wasm) => wasm.drop(wasm.i64.const(value as unknown as number)));
    expect(Buffer.from(both.encoded).toString("hex")).toContain(codeOf(both.binaryen));
    const narrow = bothWays((wasm) => wasm.drop(wasm.i32.const(Number(BigInt.asIntN(32, value)))));
    expect(Buffer.from(narrow.encoded).toString("hex")).toContain(codeOf(narrow.binaryen));
  });
});

describe("locals of the encoder", () => {
  const run = (build: (f: FunctionBuilder) => void, argument: number): number => {
    const module = new EncodedModule();
    module.importMemory(1, 1);
    const f = new FunctionBuilder(module.raw, "f", ["i32"], ["i32"]);
    build(f);
    f.finish();
    module.export("f");
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.binary()), { env: { memory } });
    return (exports["f"] as (argument: number) => number)(argument);
  };

  it("what comes in from outside of a loop lives through all its rounds, and behind it if it is read there", () => {
    const result = run((f) => {
      const outside = f.let(f.mul(f.parameter(0), f.constant(32, 3)));
      const count = f.variable(f.constant(32, 0));
      const sum = f.variable(f.constant(32, 0));
      f.loop((again) => {
        const a = f.let(f.add(count.get(), outside));
        const b = f.let(f.mul(a, a));
        sum.set(f.add(sum.get(), f.add(b, a)));
        count.set(f.add(count.get(), f.constant(32, 1)));
        f.continue(again, f.ltU(count.get(), f.constant(32, 5)));
      });
      const c = f.let(f.mul(sum.get(), f.constant(32, 2)));
      const d = f.let(f.add(c, c));
      f.return(f.add(f.add(d, c), outside));
    }, 7);
    let expected = 0;
    for (let i = 0; i < 5; i++) expected += (i + 21) ** 2 + i + 21;
    expect(result).toBe(expected * 6 + 21);
  });

  it("a copy of a variable keeps its value when the variable changes, in a loop too", () => {
    const result = run((f) => {
      const x = f.variable(f.parameter(0));
      const sum = f.variable(f.constant(32, 0));
      f.loop((again) => {
        const before = f.let(x.get());
        const after = f.let(f.add(before, f.constant(32, 1)));
        x.set(after);
        sum.set(f.add(f.mul(sum.get(), f.constant(32, 10)), f.add(f.mul(before, before), after)));
        f.continue(again, f.ltU(after, f.constant(32, 4)));
      });
      f.return(sum.get());
    }, 1);
    expect(result).toBe((1 + 2) * 100 + (4 + 3) * 10 + (9 + 4));
  });

  it("a name that is read in several places, one behind the block that sets it, is there in all of them", () => {
    const build = (f: FunctionBuilder): void => {
      f.block((end) => {
        f.block((other) => {
          const name = f.let(f.mul(f.parameter(0), f.constant(32, 3)));
          f.break(other, f.ltU(name, f.constant(32, 100)));
          f.return(f.add(name, name));
          f.break(end);
        });
        f.return(f.constant(32, 7));
      });
      f.return(f.constant(32, 8));
    };
    expect(run(build, 5)).toBe(7);
    expect(run(build, 50)).toBe(300);
  });

  it("a variable that only one way sets is zero on the other", () => {
    const build = (f: FunctionBuilder): void => {
      const first = f.let(f.mul(f.parameter(0), f.constant(32, 5)));
      const used = f.let(f.add(first, first));
      const x = f.declare("i32", 32);
      f.if(f.gtU(used, f.constant(32, 20)), () => x.set(f.constant(32, 9)));
      f.return(x.get());
    };
    expect(run(build, 1)).toBe(0);
    expect(run(build, 3)).toBe(9);
  });

  it("the arms of an if run as they were written, however it is encoded", () => {
    const build = (order: "then" | "else" | "both") => (f: FunctionBuilder) => {
      const leave = (value: number) => () => f.return(f.constant(32, value));
      const result = f.variable(f.constant(32, 1));
      const go = (): void => result.set(f.constant(32, 2));
      const isZero = f.eq(f.parameter(0), f.constant(32, 0));
      f.if(isZero, order === "else" ? go : leave(10), order === "then" ? go : leave(20));
      f.return(result.get());
    };
    expect([run(build("then"), 0), run(build("then"), 1)]).toEqual([10, 2]);
    expect([run(build("else"), 0), run(build("else"), 1)]).toEqual([2, 20]);
    expect([run(build("both"), 0), run(build("both"), 1)]).toEqual([10, 20]);
  });

  it("not less than is not greater or equal for floats", () => {
    const result = run((f) => {
      const nan = f.floatConstant("f64", NaN);
      f.return(f.eqz(f.compareFloat("f64", "lt", nan, f.floatConstant("f64", 1))));
    }, 0);
    expect(result).toBe(1);
  });

  it("a value is not moved past a change of what it was made from", () => {
    const result = run((f) => {
      const x = f.variable(f.parameter(0));
      const old = f.let(f.add(x.get(), f.constant(32, 100)));
      x.set(f.constant(32, 1));
      f.return(f.add(old, x.get()));
    }, 5);
    expect(result).toBe(106);
  });

  it("a value is not moved past another assignment to its own local", () => {
    const result = run((f) => {
      const x = f.variable(f.parameter(0));
      x.set(f.sub(f.parameter(0), f.constant(32, 50)));
      x.set(f.constant(32, 0x3fee));
      const low = f.and(f.and(x.get(), f.constant(32, 0xff)), f.constant(32, 3));
      x.set(f.or(f.and(x.get(), f.constant(32, -256)), low));
      f.return(x.get());
    }, 0x2ffb);
    expect(result).toBe(0x3f02);
  });

  it("a load is not moved past a store", () => {
    const result = run((f) => {
      f.storeOffset(f.constant(32, 64), f.constant(32, 11));
      const before = f.let(f.loadOffset(32, f.constant(32, 64)));
      f.storeOffset(f.constant(32, 64), f.parameter(0));
      f.return(f.add(f.mul(before, f.constant(32, 1000)), f.loadOffset(32, f.constant(32, 64))));
    }, 22);
    expect(result).toBe(11022);
  });
});

describe("branch hints of the encoder", () => {
  const NAME = "metadata.code.branch_hint";
  const build = (body: (f: FunctionBuilder, condition: () => Value) => void): Uint8Array<ArrayBuffer> => {
    const module = new EncodedModule();
    module.importMemory(1, 1);
    const f = new FunctionBuilder(module.raw, "f", ["i32"], ["i32"]);
    body(f, () => f.unlikely(f.gtU(f.parameter(0), f.constant(32, 3))));
    f.return(f.constant(32, 0));
    f.finish();
    module.export("f");
    return module.binary();
  };
  /** [offset in the function, hint] of each hint, where all numbers take one byte; and the opcodes there. */
  const hintsOf = (binary: Uint8Array<ArrayBuffer>): readonly (readonly [opcode: number, hint: number])[] => {
    const module = new WebAssembly.Module(binary);
    const [section] = WebAssembly.Module.customSections(module, NAME);
    if (!section) return [];
    const bytes = new Uint8Array(section);
    const hints: [number, number][] = [];
    // One function, number 0.
    expect([bytes[0], bytes[1]]).toEqual([1, 0]);
    let at = 8;
    while (binary[at] !== 10) at += 2 + (binary[at + 1] ?? 0);
    // Behind the section's head and count, and the size of the body.
    const start = at + 4;
    for (let index = 0; index < (bytes[2] ?? 0); index++) {
      const [offset = 0, size, hint = -1] = bytes.subarray(3 + 3 * index, 6 + 3 * index);
      expect(size).toBe(1);
      hints.push([binary[start + offset] ?? -1, hint]);
    }
    return hints;
  };
  const [IF, BR_IF] = [0x04, 0x0d];

  it("say that an if is unlikely", () => {
    const binary = build((f, condition) =>
      f.if(condition(), () => f.storeOffset(f.constant(32, 0), f.constant(32, 1))),
    );
    expect(hintsOf(binary)).toEqual([[IF, 0]]);
  });
  it("go along when the if becomes a branch, or its condition the opposite", () => {
    const branch = build((f, condition) => f.block((end) => f.if(condition(), () => f.break(end))));
    expect(hintsOf(branch)).toEqual([[BR_IF, 0]]);
    const opposite = build((f, condition) => {
      const store = (): void => f.storeOffset(f.constant(32, 0), f.constant(32, 1));
      f.if(condition(), store, () => f.return(f.constant(32, 5)));
    });
    expect(hintsOf(opposite)).toEqual([[IF, 1]]);
  });
  it("are left out where there are none", () => {
    expect(
      hintsOf(build((f) => f.if(f.parameter(0), () => f.storeOffset(f.constant(32, 0), f.constant(32, 1))))),
    ).toEqual([]);
  });
});
