/**
 * The binary form of cases and results, shared with runner.c and with the recorded vectors. Little-endian; every item is padded to
 * a multiple of 8 bytes.
 *
 *   state (592 bytes)      0 u64 rip, 8 u64 rflags, 16 u64 gpr[16], 144 u64 fsBase, 152 u64 gsBase, 160 u16 selector[6] (ES CS SS DS FS GS),
 *                          172 u32 0, 176 u8 fx[416] (the first 416 bytes of an FXSAVE64 image)
 *   case                   0 u32 bytes in all, 4 u16 bytes of code, 6 u16 patches, 8 u32 gva of the code, 12 u32 gva of the memory operand, 16 state, 608 code,
 *                          then for each patch: u32 gva, u32 bytes, contents
 *   result                 0 u32 bytes in all, 4 u8 outcome, 5 u8 vector, 6 u16 changes, 8 u32 error code, 12 u32 signal, 16 state, 608 u64 cr2,
 *                          then for each changed quadword of memory: u32 gva, u32 8, contents
 */

export const STATE_BYTES = 592;
export const FX_BYTES = 416;
const CASE_HEADER_BYTES = 16;
const CASE_BYTES = CASE_HEADER_BYTES + STATE_BYTES;
const RESULT_BYTES = CASE_BYTES + 8;

/** Registers before or after a case. */
export interface CpuState {
  rip: bigint;
  rflags: bigint;
  /** SDM order: rax rcx rdx rbx rsp rbp rsi rdi r8..r15 */
  gpr: BigUint64Array;
  fsBase: bigint;
  gsBase: bigint;
  /** ES CS SS DS FS GS */
  selectors: Uint16Array;
  /** first 416 bytes of an FXSAVE64 image: x87 in stack order, MXCSR, XMM0..15 */
  fx: Uint8Array;
}

/** Bytes of memory, at a linear address below 4 GiB. */
export interface Span {
  readonly gva: number;
  readonly bytes: Uint8Array;
}

/** One snippet with everything it starts from. It ends at the first exception; the INT3 that surrounds it ends the well-behaved. */
export interface OracleCase {
  /** Encoding.id of the (first) instruction, or a name for a handwritten case */
  readonly encoding: string;
  readonly mnemonic: string;
  readonly code: Uint8Array;
  readonly codeGva: number;
  /** low 32 bits of the linear address of the explicit memory operand, 0 if there is none */
  readonly operandGva: number;
  readonly state: CpuState;
  readonly patches: readonly Span[];
}

/** "trap": an exception ended the case; "timeout": nothing did; "unsupported": the runner cannot run such a case; "crash": the back end threw. */
export type Outcome = "trap" | "timeout" | "unsupported" | "crash";
const OUTCOMES: readonly Outcome[] = ["trap", "timeout", "unsupported", "crash"];

export interface OracleResult {
  readonly outcome: Outcome;
  /** exception vector; 3 when the snippet ran to the INT3 behind it */
  readonly vector: number;
  /** as the processor pushed it; 0 where it pushes none */
  readonly errorCode: number;
  /** faulting linear address of a page fault, otherwise 0 */
  readonly cr2: bigint;
  /** as the processor pushed it: the faulting instruction, or the one after a trap */
  readonly state: CpuState;
  /** changed quadwords, in ascending order of the image */
  readonly changes: readonly Span[];
}

export function emptyState(): CpuState {
  return {
    rip: 0n,
    rflags: 0x202n,
    gpr: new BigUint64Array(16),
    fsBase: 0n,
    gsBase: 0n,
    selectors: new Uint16Array(6),
    fx: new Uint8Array(FX_BYTES),
  };
}

/** A growing buffer of encoded items. */
export class ByteWriter {
  #bytes = new Uint8Array(1 << 16);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Makes room for `count` bytes and returns where they start. */
  reserve(count: number): { readonly at: number; readonly bytes: Uint8Array; readonly view: DataView } {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#bytes.fill(0, at, this.#length);
    return { at, bytes: this.#bytes, view: this.#view };
  }
}

const padded = (count: number): number => (count + 7) & ~7;

function writeState(state: CpuState, bytes: Uint8Array, view: DataView, at: number): void {
  view.setBigUint64(at, state.rip, true);
  view.setBigUint64(at + 8, state.rflags, true);
  for (let i = 0; i < 16; i++) view.setBigUint64(at + 16 + i * 8, state.gpr[i] ?? 0n, true);
  view.setBigUint64(at + 144, state.fsBase, true);
  view.setBigUint64(at + 152, state.gsBase, true);
  for (let i = 0; i < 6; i++) view.setUint16(at + 160 + i * 2, state.selectors[i] ?? 0, true);
  bytes.set(state.fx, at + 176);
}

function readState(bytes: Uint8Array, view: DataView, at: number): CpuState {
  const gpr = new BigUint64Array(16);
  for (let i = 0; i < 16; i++) gpr[i] = view.getBigUint64(at + 16 + i * 8, true);
  const selectors = new Uint16Array(6);
  for (let i = 0; i < 6; i++) selectors[i] = view.getUint16(at + 160 + i * 2, true);
  return {
    rip: view.getBigUint64(at, true),
    rflags: view.getBigUint64(at + 8, true),
    gpr,
    fsBase: view.getBigUint64(at + 144, true),
    gsBase: view.getBigUint64(at + 152, true),
    selectors,
    fx: bytes.slice(at + 176, at + 176 + FX_BYTES),
  };
}

function writeSpans(writer: ByteWriter, spans: readonly Span[]): void {
  for (const span of spans) {
    const { at, bytes, view } = writer.reserve(8 + padded(span.bytes.length));
    view.setUint32(at, span.gva, true);
    view.setUint32(at + 4, span.bytes.length, true);
    bytes.set(span.bytes, at + 8);
  }
}

function readSpans(bytes: Uint8Array, view: DataView, from: number, count: number): Span[] {
  const spans: Span[] = [];
  let at = from;
  for (let i = 0; i < count; i++) {
    const length = view.getUint32(at + 4, true);
    spans.push({ gva: view.getUint32(at, true), bytes: bytes.slice(at + 8, at + 8 + length) });
    at += 8 + padded(length);
  }
  return spans;
}

/** Appends a case; its encoding id and mnemonic are not part of the binary form. */
export function writeCase(writer: ByteWriter, oracleCase: OracleCase): void {
  const { code, patches, state } = oracleCase;
  const start = writer.reserve(CASE_BYTES + padded(code.length));
  writeState(state, start.bytes, start.view, start.at + CASE_HEADER_BYTES);
  start.bytes.set(code, start.at + CASE_BYTES);
  writeSpans(writer, patches);
  const { view } = writer.reserve(0);
  view.setUint32(start.at, writer.bytes.length - start.at, true);
  view.setUint16(start.at + 4, code.length, true);
  view.setUint16(start.at + 6, patches.length, true);
  view.setUint32(start.at + 8, oracleCase.codeGva, true);
  view.setUint32(start.at + 12, oracleCase.operandGva, true);
}

export function readCase(bytes: Uint8Array, at: number, name: Pick<OracleCase, "encoding" | "mnemonic">): OracleCase {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const codeLength = view.getUint16(at + 4, true);
  return {
    ...name,
    code: bytes.slice(at + CASE_BYTES, at + CASE_BYTES + codeLength),
    codeGva: view.getUint32(at + 8, true),
    operandGva: view.getUint32(at + 12, true),
    state: readState(bytes, view, at + CASE_HEADER_BYTES),
    patches: readSpans(bytes, view, at + CASE_BYTES + padded(codeLength), view.getUint16(at + 6, true)),
  };
}

/** Bytes of the case or result at an offset. */
export function itemBytes(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true);
}

export function writeResult(writer: ByteWriter, result: OracleResult): void {
  const start = writer.reserve(RESULT_BYTES);
  writeState(result.state, start.bytes, start.view, start.at + CASE_HEADER_BYTES);
  start.view.setBigUint64(start.at + CASE_BYTES, result.cr2, true);
  writeSpans(writer, result.changes);
  const { view } = writer.reserve(0);
  view.setUint32(start.at, writer.bytes.length - start.at, true);
  view.setUint8(start.at + 4, OUTCOMES.indexOf(result.outcome));
  view.setUint8(start.at + 5, result.vector);
  view.setUint16(start.at + 6, result.changes.length, true);
  view.setUint32(start.at + 8, result.errorCode, true);
}

export function readResult(bytes: Uint8Array, at: number): OracleResult {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    outcome: OUTCOMES[view.getUint8(at + 4)] ?? "unsupported",
    vector: view.getUint8(at + 5),
    errorCode: view.getUint32(at + 8, true),
    cr2: view.getBigUint64(at + CASE_BYTES, true),
    state: readState(bytes, view, at + CASE_HEADER_BYTES),
    changes: readSpans(bytes, view, at + RESULT_BYTES, view.getUint16(at + 6, true)),
  };
}
