import { encode, type MemoryLocation, operandSizes, type RegisterLocation } from "../../jit/isa/assemble.ts";
import type { Encoding } from "../../jit/isa/encoding.ts";
import { allEncodings } from "../../jit/isa/encodings.ts";
import { RIP } from "../../jit/isa/instruction.ts";
import { definitions } from "../../jit/semantics/registry.ts";
import type { BareState } from "../../src/bare-state.ts";
import type { Prng } from "../oracle/prng.ts";
import { f32, f64, integer } from "../oracle/values.ts";

/** Where programs and their data are, linear and guest-physical. */
export const CODE = 0x1_0000;
export const DATA = 0x2_0000;
export const DATA_BYTES = 0x3000;
/** the program proper begins here; the code before it fills the TLB */
const PROGRAM = CODE + 0x200;
const STACK = DATA + 0x2800;

export interface Program {
  readonly code: Uint8Array;
  readonly data: Uint8Array;
  readonly state: Partial<BareState>;
}

/** Encodings of 64-bit code whose instructions go on with the next one and are not the interpreter's alone. */
export const STRAIGHT: readonly Encoding[] = allEncodings().filter((encoding) => {
  const definition = definitions[encoding.mnemonic];
  if (!definition || definition.ends === true || definition.interpreterOnly === true) return false;
  // LEAVE by itself is in the tests of the instructions.
  if (/^(cli|sti|clac|stac|in|ins|out|outs|wrpkru|ldmxcsr|fxrstor|xrstor|popf|maskmov.*)$/.test(encoding.mnemonic))
    return false;
  return operandSizes(encoding, 64).length > 0;
});
export const COMMON: readonly Encoding[] = STRAIGHT.filter(
  ({ mnemonic }) => definitions[mnemonic]?.hot === true && definitions[mnemonic]?.unit === undefined,
);
export const SCALAR: readonly Encoding[] = STRAIGHT.filter(({ mnemonic }) =>
  /^(add|sub|mul|div|sqrt|min|max|ucomi|comi|mov|cvt.*)s[sd]$|^cvt/.test(mnemonic),
);
/** Numbers between registers of different kinds, whole and in part: what is known of them must not go along where it does not hold. */
export const MOVES: readonly Encoding[] = STRAIGHT.filter(({ mnemonic }) =>
  /^(mov(s[sd]|ap[sd]|up[sd]|dq[au]|[dq]|hlps|lhps|[hl]p[sd]|s[hl]dup|ddup)|shufp[sd]|unpck[hl]p[sd]|punpck.*|pshufd)$/.test(
    mnemonic,
  ),
);

/** A program of `length` random instructions, some of them branches among themselves. */
export function randomProgram(prng: Prng, length: number): Program {
  const pool = prng.pick([STRAIGHT, COMMON, COMMON, [...COMMON, ...SCALAR], [...MOVES, ...SCALAR]]);
  const hasCalls = prng.chance(40);
  const pieces: (Uint8Array | Branch)[] = [];
  while (pieces.length < length) {
    if (prng.chance(15)) pieces.push({ opcode: branchOpcode(prng), to: prng.below(length + 1) });
    else if (hasCalls && prng.chance(10))
      pieces.push(prng.chance(60) ? { opcode: CALL, to: prng.below(length + 1) } : Uint8Array.of(RET));
    else pieces.push(randomInstruction(prng, prng.pick(pool)));
  }
  return assemble(prng, pieces);
}

/** A program of one instruction of the given encoding. */
export function singleInstruction(prng: Prng, encoding: Encoding): Program {
  return assemble(prng, [randomInstruction(prng, encoding)]);
}

const CALL = 0xe8;
const RET = 0xc3;

/** A program of the given bytes, with random data and registers. */
export function programOf(prng: Prng, bytes: readonly number[]): Program {
  return assemble(prng, [Uint8Array.from(bytes)]);
}

interface Branch {
  readonly opcode: number;
  /** number of the piece that it leads to */
  readonly to: number;
}

function branchOpcode(prng: Prng): number {
  // Jcc, or JMP, LOOP, LOOPE, LOOPNE, JRCXZ: all of two bytes
  return prng.chance(85) ? 0x70 + prng.below(16) : prng.pick([0xeb, 0xe2, 0xe1, 0xe0, 0xe3]);
}

function assemble(prng: Prng, pieces: readonly (Uint8Array | Branch)[]): Program {
  const starts: number[] = [];
  let end = 0;
  for (const piece of pieces) {
    starts.push(end);
    end += lengthOf(piece);
  }
  starts.push(end);
  // HLT everywhere else.
  const code = new Uint8Array(0x400).fill(0xf4);
  code.set(warmUp(randomInteger(prng)));
  pieces.forEach((piece, index) => {
    const start = starts[index] ?? 0;
    const at = PROGRAM - CODE + start;
    if (piece instanceof Uint8Array) code.set(piece, at);
    else {
      const displacement = (starts[piece.to] ?? end) - (start + lengthOf(piece));
      // What is out of reach of a byte goes on with the next piece.
      const reachable = piece.opcode === CALL || (displacement >= -128 && displacement < 128) ? displacement : 0;
      const bytes = [0, 8, 16, 24].map((shift) => (reachable >> shift) & 0xff);
      code.set([piece.opcode, ...bytes.slice(0, lengthOf(piece) - 1)], at);
    }
  });
  const data = new Uint8Array(DATA_BYTES);
  for (let i = 0; i < data.length; i++) data[i] = prng.u32();
  return { code, data, state: randomState(prng) };
}

function lengthOf(piece: Uint8Array | Branch): number {
  return piece instanceof Uint8Array ? piece.length : piece.opcode === CALL ? 5 : 2;
}

/** Touches each data page for reading and writing, restores RAX, and jumps to the program. No flag changes. */
function warmUp(rax: bigint): number[] {
  const bytes: number[] = [];
  for (let page = DATA; page < DATA + DATA_BYTES; page += 0x1000) {
    const address = [page & 0xff, (page >> 8) & 0xff, (page >> 16) & 0xff, 0];
    bytes.push(0x8a, 0x04, 0x25, ...address, 0x88, 0x04, 0x25, ...address);
  }
  bytes.push(0x48, 0xb8);
  for (let i = 0n; i < 8n; i++) bytes.push(Number((rax >> (8n * i)) & 0xffn));
  const distance = PROGRAM - CODE - (bytes.length + 5);
  bytes.push(0xe9, distance & 0xff, (distance >> 8) & 0xff, 0, 0);
  return bytes;
}

function randomInteger(prng: Prng): bigint {
  return prng.chance(30) ? BigInt(DATA + prng.below(DATA_BYTES)) : integer(prng, 64);
}

/** Random registers; RIP at the warm-up code. */
export function randomState(prng: Prng): Partial<BareState> {
  const registers = ["rbx", "rcx", "rdx", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11"] as const;
  // The warm-up code gives RAX its value.
  const state: Record<string, unknown> = { rip: BigInt(CODE), rax: 0n, rsp: BigInt(STACK + 8 * prng.below(8)) };
  for (const name of registers) state[name] = randomInteger(prng);
  for (const name of ["r12", "r13", "r14", "r15"]) state[name] = BigInt(DATA + 0x400 + 16 * prng.below(0x80));
  if (prng.chance(50)) state["rcx"] = BigInt(prng.below(20));
  for (let i = 0; i < 16; i++) state[`xmm${i}`] = randomVector(prng);
  state["rflags"] = 2n | BigInt(prng.u32() & 0x8d5) | (prng.chance(10) ? 0x400n : 0n);
  state["mxcsr"] = prng.chance(70) ? 0x1fa0 : prng.pick([0x1f80, 0x1f3f | 0x40, 0x7fa0, 0x9fe0, 0x1fbf]);
  state["fsBase"] = BigInt(DATA + 16 * prng.below(16));
  state["gsBase"] = BigInt(DATA + 0x1000);
  return state as Partial<BareState>;
}

function randomVector(prng: Prng): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  const kind = prng.below(4);
  for (let lane = 0; lane < 2; lane++) {
    if (kind === 0) view.setBigUint64(lane * 8, prng.u64(), true);
    else if (kind === 1) view.setFloat64(lane * 8, (prng.u32() / 2 ** 20 - 2048) * (prng.chance(50) ? 1 : 1e-3), true);
    else if (kind === 2) view.setBigUint64(lane * 8, f64(prng), true);
    else view.setBigUint64(lane * 8, (f32(prng) << 32n) | f32(prng), true);
  }
  return bytes;
}

/** An instruction of the encoding with random operands, which lie in the data or near R12 to R15. */
export function randomInstruction(prng: Prng, encoding: Encoding): Uint8Array {
  for (;;) {
    const operandSize = prng.pick(operandSizes(encoding, 64));
    const isMemory = encoding.modrm === "memory" || (encoding.modrm === "any" && prng.chance(40));
    const rm: RegisterLocation | MemoryLocation = isMemory
      ? randomMemory(prng)
      : { kind: "register", number: encoding.rm ?? prng.below(16), high: false };
    try {
      return encode(encoding, {
        codeSize: 64,
        operandSize,
        addressSize: prng.chance(5) ? 32 : 64,
        reg: randomRegister(prng),
        rm,
        vvvv: prng.below(16),
        immediate: prng.chance(60) ? prng.below(70) : integer(prng, 64),
        secondImmediate: prng.below(4),
        ...(isMemory && prng.chance(5) ? { segment: prng.pick([4, 5]) } : {}),
      });
    } catch (error) {
      // Registers that the encoding does not have, and the like: another choice.
      if (!(error instanceof RangeError)) throw error;
    }
  }
}

/** Rarely RSP, without which nothing goes on for long. */
function randomRegister(prng: Prng): number {
  const number = prng.below(16);
  return number === 4 && !prng.chance(5) ? 0 : prng.chance(30) ? number & 7 : number;
}

function randomMemory(prng: Prng): MemoryLocation {
  const aligned = 16 * prng.below(0x80);
  const somewhere = prng.chance(60) ? aligned : prng.chance(85) ? prng.below(0x800) : 0xff0 + prng.below(16);
  const how = prng.below(10);
  if (how < 4) return { kind: "memory", base: -1, displacement: DATA + somewhere };
  if (how < 8)
    return { kind: "memory", base: 12 + prng.below(4), displacement: prng.chance(50) ? aligned : prng.below(0x100) };
  // Roughly the data: what follows the code by its distance.
  if (how < 9) return { kind: "memory", base: RIP, displacement: DATA - PROGRAM + prng.below(0x800) };
  return {
    kind: "memory",
    base: prng.below(16),
    index: prng.pick([0, 1, 2, 3, 5, 8]),
    scale: prng.pick([1, 2, 4, 8]),
    displacement: prng.below(64),
  };
}
