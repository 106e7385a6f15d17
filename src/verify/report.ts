import { createDecoder } from "../../jit/isa/decode.ts";
import { format } from "../../jit/isa/format.ts";
import { FEATURES } from "../../runtime/abi/features.ts";
import { dumpRegion } from "../inspect/region-dump.ts";
import type { Located } from "./locate.ts";
import type { Window } from "./lockstep.ts";
import { type ArchitecturalState, codeSizeOf, instructionsOf, stateRows } from "./state-compare.ts";

/** A difference between the engines, as far as it could be narrowed down. */
export interface Difference {
  readonly engine: string;
  /** the smallest stretch of instructions that is known to hold it */
  readonly window: Window;
  /** the instruction, if the difference shows when regions run one by one */
  readonly located: Located | undefined;
  /** the guest's code where the reference is at the end of the window: address and bytes */
  readonly code: { readonly gva: bigint; readonly bytes: Uint8Array; readonly size: 16 | 32 | 64 };
}

/** What `umbra run --verify` prints: where, both states, the guest's code, the region. */
export async function describeDifference(difference: Difference): Promise<string> {
  const { engine, window, located } = difference;
  const sections = [headline(difference), ""];
  if (located) {
    sections.push(states(engine, [located.before, located.expected, located.actual]));
    sections.push(pageList(located.pages));
    const { region } = located;
    const pageGva = region && region.gva - BigInt(region.entry);
    const dump =
      region && pageGva !== undefined
        ? await dumpRegion({ source: region.source, entry: region.entry, pageGva })
        : undefined;
    sections.push("", dump ?? listing(difference.code));
  } else {
    sections.push(states(engine, [window.mismatch.expected, window.mismatch.actual]));
    sections.push(pageList(window.mismatch.pages), "", "code where the interpreter is then:", listing(difference.code));
  }
  return sections.join("\n");
}

function headline({ engine, window, located }: Difference): string {
  const between = `between instructions ${window.from} and ${window.to}`;
  if (!located) {
    const [expected, actual] = window.mismatch.ended;
    const ended =
      expected === actual ? "" : `; interpreter: ${expected ?? "runs on"}, ${engine}: ${actual ?? "runs on"}`;
    return `interpreter and ${engine} differ ${between}; it does not show when regions run one by one${ended}`;
  }
  const { gva, before, region } = located;
  const where = region ? `, in the region at 0x${hex(region.gva)}` : ", in code that is not translated";
  return [
    `interpreter and ${engine} differ from instruction ${instructionsOf(before) + 1n} on${where}:`,
    "",
    `  ${hex(gva)}  ${instructionText(located)}`,
  ].join("\n");
}

/** The instruction that is run differently, in Intel syntax. */
export function instructionText({ gva, code, before }: Located): string {
  const instruction = createDecoder(new Set(FEATURES)).decode(code, 0, code.length, codeSizeOf(before));
  return typeof instruction === "string" ? "(bad)" : format(instruction, gva);
}

/** Registers side by side: of two states all that differ and the general ones, of three also what the instruction found. */
function states(engine: string, list: readonly ArchitecturalState[]): string {
  const expected = list.at(-2);
  const actual = list.at(-1);
  if (!expected || !actual) return "";
  const before =
    list.length === 3 && list[0]
      ? new Map(stateRows(list[0], list[0]).map(({ name, left }) => [name, left]))
      : undefined;
  const rows = stateRows(expected, actual).filter(
    ({ name, left, differs }) => differs || ALWAYS.test(name) || (before && before.get(name) !== left),
  );
  const table = rows.map(({ name, left, right, differs }) => [
    `${differs ? "*" : " "} ${name}`,
    ...(before ? [before.get(name) ?? ""] : []),
    left,
    right,
  ]);
  const head = ["", ...(before ? ["before"] : []), "interpreter", engine];
  return columns([head, ...table]);
}

const ALWAYS = /^(r[a-ds][xip]|r\d+|rip|rflags|rbp|cpl)$/;

function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function pageList(pages: readonly number[]): string {
  if (pages.length === 0) return "  memory is the same";
  const shown = pages.slice(0, 8).map((page) => `0x${(page * 4096).toString(16)}`);
  return `* memory differs in ${pages.length === 64 ? "64 or more" : pages.length} pages: ${shown.join(" ")}${pages.length > shown.length ? " ..." : ""}`;
}

function listing({ gva, bytes, size }: Difference["code"]): string {
  const decoder = createDecoder(new Set(FEATURES));
  const lines: string[] = [];
  for (let at = 0; at < bytes.length && lines.length < 16;) {
    const instruction = decoder.decode(bytes, at, bytes.length, size);
    const address = gva + BigInt(at);
    if (typeof instruction === "string") {
      lines.push(`  ${hex(address)}  (bad)`);
      at++;
    } else {
      lines.push(`  ${hex(address)}  ${format(instruction, address)}`);
      at += instruction.length;
    }
  }
  return lines.join("\n");
}

function hex(value: bigint): string {
  return BigInt.asUintN(64, value).toString(16);
}
