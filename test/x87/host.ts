import { spawnSync } from "node:child_process";
import { mkdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Instructions of host.c, in the order of their numbers. */
// prettier-ignore
export const operations = [
  "f2xm1", "fyl2x", "fyl2xp1", "fptan", "fpatan", "fsin", "fcos", "fsincos", "fprem", "fprem1", "fscale", "fxtract", "frndint",
  "fsqrt", "fadd", "fsub", "fmul", "fdiv", "fcom", "fucom", "fcomi", "fucomi", "ftst", "fxam", "fld", "fstp", "fxch", "fchs",
  "fabs", "fldpi", "faddp", "fldl2t", "fldl2e", "fldlg2", "fldln2", "fcompp", "fcmovb", "fdecstp", "fincstp", "ffree", "ffreep",
] as const;
export type HostOperation = (typeof operations)[number];

/** x87 state as FNSAVE has it: registers in stack order, two tag bits for each physical register. */
export interface X87Image {
  readonly control: number;
  readonly status: number;
  readonly tags: number;
  /** ST(0)..ST(7): sign and exponent (16 bits) above the significand (64 bits) */
  readonly stack: readonly bigint[];
}

export interface HostAnswer extends X87Image {
  readonly rflags: number;
}

export interface HostCase extends X87Image {
  readonly operation: HostOperation;
}

const RECORD_BYTES = 112;
const SOURCE = fileURLToPath(new URL("host.c", import.meta.url));
const BUILD = fileURLToPath(new URL("../../build/x87/", import.meta.url));

function modifiedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** The compiled runner, or undefined where there is no x86-64 Linux host with a C compiler. */
export function hostRunner(): string | undefined {
  if (process.arch !== "x64" || process.platform !== "linux") return undefined;
  const program = `${BUILD}host`;
  if (modifiedMs(program) > modifiedMs(SOURCE)) return program;
  mkdirSync(BUILD, { recursive: true });
  const compiled = spawnSync("cc", ["-O1", "-o", program, SOURCE]);
  return compiled.status === 0 ? program : undefined;
}

/** Runs every case on the host's x87. */
export function runOnHost(program: string, cases: readonly HostCase[]): HostAnswer[] {
  const input = new Uint8Array(cases.length * RECORD_BYTES);
  const view = new DataView(input.buffer);
  cases.forEach((one, index) => {
    const at = index * RECORD_BYTES;
    view.setUint32(at, operations.indexOf(one.operation), true);
    view.setUint32(at + 4, one.control | 0xffff_0000, true);
    view.setUint32(at + 8, one.status | 0xffff_0000, true);
    view.setUint32(at + 12, one.tags | 0xffff_0000, true);
    for (let i = 0; i < 8; i++) {
      const value = one.stack[i] ?? 0n;
      view.setBigUint64(at + 32 + i * 10, BigInt.asUintN(64, value), true);
      view.setUint16(at + 40 + i * 10, Number(value >> 64n), true);
    }
  });
  const run = spawnSync(program, { input, maxBuffer: input.length + 1024 });
  const output = run.stdout;
  if (run.status !== 0 || output.length !== input.length) throw new Error(`host runner failed: ${run.signal ?? run.status}`);
  const bytes = new DataView(output.buffer, output.byteOffset, output.length);
  return cases.map((_, index) => {
    const at = index * RECORD_BYTES;
    const stack = Array.from({ length: 8 }, (_, i) => {
      const low = bytes.getBigUint64(at + 28 + i * 10, true);
      return (BigInt(bytes.getUint16(at + 36 + i * 10, true)) << 64n) | low;
    });
    return {
      control: bytes.getUint16(at, true),
      status: bytes.getUint16(at + 4, true),
      tags: bytes.getUint16(at + 8, true),
      stack,
      rflags: bytes.getUint32(at + 108, true),
    };
  });
}
