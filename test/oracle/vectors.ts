import { readFileSync, writeFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { ByteWriter, itemBytes, readCase, readResult, writeCase, writeResult } from "./format.ts";
import type { OracleCase, OracleResult } from "./format.ts";

/**
 * A file of recorded vectors, gzip around: u32 "UMVE", u32 bytes of the header, the header as JSON, then for each vector its case and
 * its result as format.ts has them. The names of the encodings are in the header, in the order of the vectors.
 */
const MAGIC = 0x4556_4d55;
export const VECTOR_FORMAT = 1;

/** Where vectors come from. */
export interface Provenance {
  readonly format: typeof VECTOR_FORMAT;
  readonly processor: string;
  readonly kernel: string;
  readonly date: string;
  readonly seed: number;
  readonly count: number;
}

export interface Vector {
  readonly oracleCase: OracleCase;
  readonly result: OracleResult;
}

interface Header extends Provenance {
  /** encodings and mnemonics that occur */
  readonly names: readonly (readonly [encoding: string, mnemonic: string])[];
  /** for each vector, an index of `names` */
  readonly index: readonly number[];
}

export function writeVectors(
  path: string,
  provenance: Omit<Provenance, "format" | "count">,
  vectors: readonly Vector[],
): number {
  const names: [string, string][] = [];
  const known = new Map<string, number>();
  const index = vectors.map(({ oracleCase: { encoding, mnemonic } }) => {
    const key = `${encoding} ${mnemonic}`;
    const at = known.get(key) ?? names.push([encoding, mnemonic]) - 1;
    known.set(key, at);
    return at;
  });
  const header: Header = { format: VECTOR_FORMAT, ...provenance, count: vectors.length, names, index };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const writer = new ByteWriter();
  const start = writer.reserve(8 + text.length);
  start.view.setUint32(start.at, MAGIC, true);
  start.view.setUint32(start.at + 4, text.length, true);
  start.bytes.set(text, start.at + 8);
  for (const { oracleCase, result } of vectors) {
    writeCase(writer, oracleCase);
    writeResult(writer, delta(result, oracleCase));
  }
  const compressed = gzipSync(writer.bytes, { level: 9 });
  writeFileSync(path, compressed);
  return compressed.length;
}

export function readVectors(path: string): { readonly provenance: Provenance; readonly vectors: Vector[] } {
  const raw = gunzipSync(readFileSync(path));
  const bytes = new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== MAGIC) throw new Error(`${path}: not a file of vectors`);
  const headerBytes = view.getUint32(4, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerBytes))) as Header;
  if (header.format !== VECTOR_FORMAT)
    throw new Error(`${path}: format ${String(header.format)}, expected ${String(VECTOR_FORMAT)}`);
  const { names, index, ...provenance } = header;
  const vectors: Vector[] = [];
  let at = 8 + headerBytes;
  for (const nameIndex of index) {
    const [encoding = "", mnemonic = ""] = names[nameIndex] ?? [];
    const oracleCase = readCase(bytes, at, { encoding, mnemonic });
    at += itemBytes(bytes, at);
    const result = delta(readResult(bytes, at), oracleCase);
    at += itemBytes(bytes, at);
    vectors.push({ oracleCase, result });
  }
  return { provenance, vectors };
}

/**
 * The result with its state as the difference from the state before, or back: most of it is then zero, and compresses to nothing.
 * Exclusive or is its own inverse.
 */
function delta(result: OracleResult, { state: before }: OracleCase): OracleResult {
  const { state } = result;
  return {
    ...result,
    state: {
      rip: state.rip ^ before.rip,
      rflags: state.rflags ^ before.rflags,
      gpr: state.gpr.map((value, i) => value ^ (before.gpr[i] ?? 0n)),
      fsBase: state.fsBase ^ before.fsBase,
      gsBase: state.gsBase ^ before.gsBase,
      selectors: state.selectors.map((value, i) => value ^ (before.selectors[i] ?? 0)),
      fx: state.fx.map((value, i) => value ^ (before.fx[i] ?? 0)),
    },
  };
}
