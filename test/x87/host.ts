import { spawnSync } from "node:child_process";
import { mkdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { operations, type Operation } from "./operations.ts";

/** x87 state as FNSAVE has it: registers in stack order, two tag bits for each physical register. */
export interface X87Image {
  readonly control: number;
  readonly status: number;
  readonly tags: number;
  /** ST(0)..ST(7): sign and exponent (16 bits) above the significand (64 bits) */
  readonly stack: readonly bigint[];
  /** 32 bytes at the memory operand */
  readonly memory: Uint8Array;
}

export interface Answer extends X87Image {
  /** low 16 bits */
  readonly rflags: number;
  readonly ax: number;
}

/** The state before; RFLAGS has ZF and PF set, AX is 0. */
export interface Case extends X87Image {
  readonly operation: Operation;
}

const RECORD_BYTES = 144;
const IMAGE_AT = 4;
export const IMAGE_BYTES = 108;
export const MEMORY_BYTES = 32;
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
  const compiled = spawnSync("gcc", ["-O1", "-o", program, SOURCE]);
  return compiled.status === 0 ? program : undefined;
}

/** Whether the host's processor is one of AMD's: what the manuals leave open is done as they do it. */
export function hostIsAmd(): boolean {
  const info = spawnSync("grep", ["-m1", "vendor_id", "/proc/cpuinfo"], { encoding: "utf8" });
  return info.stdout.includes("AuthenticAMD");
}

/** Writes the FSAVE image of a case. */
export function writeImage(view: DataView, at: number, { control, status, tags, stack }: X87Image): void {
  view.setUint32(at, control | 0xffff_0000, true);
  view.setUint32(at + 4, status | 0xffff_0000, true);
  view.setUint32(at + 8, tags | 0xffff_0000, true);
  for (let i = 0; i < 8; i++) {
    const value = stack[i] ?? 0n;
    view.setBigUint64(at + 28 + i * 10, BigInt.asUintN(64, value), true);
    view.setUint16(at + 36 + i * 10, Number(value >> 64n), true);
  }
}

export function readImage(view: DataView, at: number): Omit<X87Image, "memory"> {
  return {
    control: view.getUint16(at, true),
    status: view.getUint16(at + 4, true),
    tags: view.getUint16(at + 8, true),
    stack: Array.from({ length: 8 }, (_, i) => {
      return (BigInt(view.getUint16(at + 36 + i * 10, true)) << 64n) | view.getBigUint64(at + 28 + i * 10, true);
    }),
  };
}

/** Runs cases, all of one operation, on the host's x87. */
export function runOnHost(program: string, operation: Operation, cases: readonly Case[]): Answer[] {
  const input = new Uint8Array(cases.length * RECORD_BYTES);
  const view = new DataView(input.buffer);
  cases.forEach((one, index) => {
    const at = index * RECORD_BYTES;
    writeImage(view, at + IMAGE_AT, one);
    input.set(one.memory, at + IMAGE_AT + IMAGE_BYTES);
  });
  const run = spawnSync(program, [operations[operation]], { input, maxBuffer: input.length + 1024 });
  const output = run.stdout;
  if (run.status !== 0 || output.length !== input.length) {
    throw new Error(`host runner failed on ${operation}: ${run.signal ?? run.status}`);
  }
  const bytes = new DataView(output.buffer, output.byteOffset, output.length);
  return cases.map((_, index) => {
    const at = index * RECORD_BYTES;
    return {
      ...readImage(bytes, at),
      rflags: bytes.getUint16(at + IMAGE_BYTES, true),
      ax: bytes.getUint16(at + IMAGE_BYTES + 2, true),
      memory: Uint8Array.from(output.subarray(at + IMAGE_BYTES + 4, at + RECORD_BYTES)),
    };
  });
}
