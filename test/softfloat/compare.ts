import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { REQUEST_BYTES, RESULT_BYTES, type SoftFloatMachine } from "./machine.ts";
import { makeRequests } from "./requests.ts";

const SOURCE = fileURLToPath(new URL("reference.c", import.meta.url));
const BUILD = fileURLToPath(new URL("../../build/softfloat/", import.meta.url));
const BINARY = `${BUILD}reference`;

/** Compiles reference.c; gives a reason when that is not possible here. */
export function buildReference(): { readonly binary: string } | { readonly reason: string } {
  if (process.arch !== "x64" || process.platform !== "linux") return { reason: "the host is not x86-64 Linux" };
  if (existsSync(BINARY) && statSync(BINARY).mtimeMs > statSync(SOURCE).mtimeMs) return { binary: BINARY };
  mkdirSync(BUILD, { recursive: true });
  try {
    execFileSync("gcc", ["-O1", "-msse4.1", "-o", BINARY, SOURCE], { stdio: "pipe" });
  } catch (error) {
    return { reason: `gcc cannot compile reference.c: ${(error as Error).message.split("\n")[0]}` };
  }
  return { binary: BINARY };
}

/** All operations that reference.c and the helpers have in common. */
export const OPERATIONS: readonly string[] = [
  ...["f32", "f64"].flatMap((format) =>
    [
      "add",
      "sub",
      "mul",
      "div",
      "sqrt",
      "compare",
      "min",
      "max",
      "predicate",
      "round",
      "to_i32",
      "to_i64",
      "from_i32",
      "from_i64",
    ].map((name) => `${format}_${name}`),
  ),
  "f32_rcp",
  "f32_rsqrt",
  "f32_to_f64",
  "f64_to_f32",
  ...["add", "sub", "mul", "div", "sqrt", "compare", "round_integer", "from_f32", "from_f64", "from_i64"].map(
    (name) => `f80_${name}`,
  ),
  ...["to_f32", "to_f64", "to_i16", "to_i32", "to_i64", "add_m32", "add_m64", "mul_m64"].map((name) => `f80_${name}`),
];

const IE = 1;
const DE = 2;
const ZE = 4;
const OE_UE = 0x18;

/** Whether the x87 delivers a result at all, given what it raised and FCW's masks. */
function delivers(name: string, flags: number, fcw: number): boolean {
  const unmasked = flags & ~fcw;
  const stores = /_to_/.test(name);
  return (unmasked & (stores ? IE | OE_UE : IE | DE | ZE)) === 0;
}

function describe(request: DataView, at: number, view: DataView, resultAt: number): string {
  const hex = (value: bigint, digits = 16): string => value.toString(16).padStart(digits, "0");
  const operand = (from: number): string => {
    const high = request.getBigUint64(at + from + 8, true);
    return `${high === 0n ? "" : `${hex(high, 4)}:`}${hex(request.getBigUint64(at + from, true))}`;
  };
  const value = `${hex(view.getBigUint64(resultAt + 8, true), 4)}:${hex(view.getBigUint64(resultAt, true))}`;
  const flags = view.getUint32(resultAt + 16, true).toString(16);
  const control = request.getUint32(at, true).toString(16);
  const extra = request.getUint32(at + 4, true);
  return `control ${control} extra ${extra} ${operand(8)} ${operand(24)} -> ${value} flags ${flags} trap ${view.getUint32(resultAt + 20, true)}`;
}

/** Runs `count` requests on both and describes the first few that differ. */
export function differences(
  machine: SoftFloatMachine,
  binary: string,
  name: string,
  count: number,
  seed: number,
): { count: number; shown: string[] } {
  const requests = makeRequests(name, count, seed);
  const { stdout, status } = spawnSync(binary, [name], { input: requests, maxBuffer: 1 << 30 });
  if (status !== 0 || stdout.length !== count * RESULT_BYTES)
    throw new Error(`reference ${name} failed with status ${status}`);
  const request = new DataView(requests.buffer);
  const expected = new DataView(stdout.buffer, stdout.byteOffset, stdout.byteLength);
  const actual = new DataView(new ArrayBuffer(RESULT_BYTES));
  const wide = name.startsWith("f80");
  const bits = /_to_i64|_to_f64$|^f64_(?!to_|compare|predicate)|f64_from/.test(name) ? 64n : 32n;
  const shown: string[] = [];
  let different = 0;
  for (let i = 0; i < count; i++) {
    const at = i * REQUEST_BYTES;
    const resultAt = i * RESULT_BYTES;
    machine.run(name, request, at, actual, 0);
    const flags = expected.getUint32(resultAt + 16, true);
    let same =
      flags === actual.getUint32(16, true) && expected.getUint32(resultAt + 20, true) === actual.getUint32(20, true);
    const inDestination = wide && !/_to_|_compare/.test(name);
    const mask = inDestination || /_to_i64|_to_f64/.test(name) ? 64n : wide ? 32n : bits;
    const comparable = wide
      ? delivers(name, flags, request.getUint32(at, true))
      : expected.getUint32(resultAt + 20, true) === 0;
    if (comparable) {
      const low = BigInt.asUintN(Number(mask), expected.getBigUint64(resultAt, true)) === actual.getBigUint64(0, true);
      const high =
        !inDestination || (expected.getBigUint64(resultAt + 8, true) & 0xffffn) === actual.getBigUint64(8, true);
      same &&= low && high;
    }
    if (same) continue;
    if (++different <= 8) {
      shown.push(`${name}: ${describe(request, at, expected, resultAt)}`);
      shown.push(`${" ".repeat(name.length)}  got ${describe(request, at, actual, 0).replace(/.*-> /, "")}`);
    }
  }
  return { count: different, shown };
}
