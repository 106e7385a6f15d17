import type { Encoding } from "./encoding.ts";
import type { OperandCode } from "./operand-code.ts";
import { operandPlan, Source } from "./operand-plan.ts";
import type { Entry, Form, FormRows, Group, OpcodeMap, PrefixedRows, Row, RowFlag, Rows } from "./row.ts";
import { oneByteGroups, twoByteGroups } from "./tables/groups.ts";
import { oneByte } from "./tables/one-byte.ts";
import { threeByte38 } from "./tables/three-byte-38.ts";
import { threeByte3a } from "./tables/three-byte-3a.ts";
import { twoByte } from "./tables/two-byte.ts";
import { vex38, vex3a } from "./tables/vex.ts";
import { x87 } from "./tables/x87.ts";

type PrefixRule = Encoding["prefixRule"];

const PREFIX_RULES: readonly PrefixRule[] = ["np", "nfx", "any", "66", "f3", "f2"];

const MANDATORY: Readonly<Record<PrefixRule, Encoding["prefix"]>> = {
  np: 0,
  nfx: 0,
  any: 0,
  66: 0x66,
  f3: 0xf3,
  f2: 0xf2,
};

/** Flags that tell apart several rows of one place in the tables; they become part of the id. */
const SELECTORS: readonly RowFlag[] = ["i64", "o64", "w0", "w1", "b0"];

/** Where a row stands, as far as the walk through the tables has come. */
interface Place {
  readonly vex: boolean;
  readonly opcode: readonly number[];
  readonly extension?: number;
  readonly form?: "memory" | "register";
  readonly rm?: number;
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

function isRow(rows: Rows): rows is Row {
  return typeof rows[0] === "string";
}

function isRows(entry: Form | Group): entry is Rows {
  return Array.isArray(entry);
}

function isForms(form: Form | Group): form is FormRows {
  return "memory" in form || "register" in form || "rm" in form;
}

/** Forms of ModRM that the operands leave legal, or "none" if nothing in the row needs a ModRM byte. */
function modrmOf(operands: readonly OperandCode[], place: Place): Encoding["modrm"] {
  if (place.form !== undefined) return place.form;
  let modrm: Encoding["modrm"] = place.extension === undefined ? "none" : "any";
  for (const code of operands) {
    const plan = operandPlan(code);
    if (plan.source === Source.Rm) {
      if (!plan.memory) return "register";
      return plan.register ? "any" : "memory";
    }
    if (plan.source === Source.Reg) modrm = "any";
  }
  return modrm;
}

function encodingOf(row: Row, rule: PrefixRule, place: Place, selector: RowFlag | undefined): Encoding {
  const [mnemonic, text, ...flags] = row;
  const operands = text === "" ? [] : (text.split(",") as OperandCode[]);
  let id = (place.vex ? "vex." : "") + place.opcode.map(hex).join(".");
  if (MANDATORY[rule] !== 0) id += `/${rule}`;
  if (place.extension !== undefined) id += `/${place.extension}`;
  if (place.rm !== undefined) id += `/reg/${place.rm}`;
  else if (place.form !== undefined) id += place.form === "memory" ? "/mem" : "/reg";
  if (selector !== undefined) id += `/${selector}`;
  return {
    id,
    mnemonic,
    operands,
    flags: new Set(flags),
    opcode: place.opcode,
    prefix: MANDATORY[rule],
    prefixRule: rule,
    ...(place.extension === undefined ? {} : { extension: place.extension }),
    ...(place.rm === undefined ? {} : { rm: place.rm }),
    modrm: modrmOf(operands, place),
    vex: place.vex,
  };
}

function* walkRows(rows: Rows, rule: PrefixRule, place: Place): Generator<Encoding> {
  if (isRow(rows)) {
    yield encodingOf(rows, rule, place, undefined);
    return;
  }
  for (const row of rows) {
    const [, , ...flags] = row;
    yield encodingOf(
      row,
      rule,
      place,
      SELECTORS.find((flag) => flags.includes(flag)),
    );
  }
}

function* walkEntry(entry: Entry, place: Place): Generator<Encoding> {
  if (isRows(entry)) {
    yield* walkRows(entry, "any", place);
    return;
  }
  const prefixed: PrefixedRows = entry;
  for (const rule of PREFIX_RULES) {
    const rows = prefixed[rule];
    if (rows !== undefined) yield* walkRows(rows, rule, place);
  }
}

function* walkForm(form: Form, place: Place): Generator<Encoding> {
  if (isRows(form) || !isForms(form)) {
    yield* walkEntry(form, place);
    return;
  }
  if (form.memory !== undefined) yield* walkEntry(form.memory, { ...place, form: "memory" });
  // Before the register form as a whole: where both match, the first row wins.
  for (const [rm, entry] of Object.entries(form.rm ?? {})) {
    yield* walkEntry(entry, { ...place, form: "register", rm: Number(rm) });
  }
  if (form.register !== undefined) yield* walkEntry(form.register, { ...place, form: "register" });
}

function* walkMap(map: OpcodeMap, escape: readonly number[], vex: boolean): Generator<Encoding> {
  for (const [opcode, entry] of Object.entries(map)) {
    const place: Place = { vex, opcode: [...escape, Number(opcode)] };
    if (!("group" in entry)) {
      yield* walkForm(entry, place);
      continue;
    }
    for (const [extension, form] of Object.entries(entry.group)) {
      yield* walkForm(form, { ...place, extension: Number(extension) });
    }
  }
}

function flatten(): readonly Encoding[] {
  return [
    ...walkMap({ ...oneByte, ...oneByteGroups, ...x87 }, [], false),
    ...walkMap({ ...twoByte, ...twoByteGroups }, [0x0f], false),
    ...walkMap(threeByte38, [0x0f, 0x38], false),
    ...walkMap(threeByte3a, [0x0f, 0x3a], false),
    ...walkMap(vex38, [0x0f, 0x38], true),
    ...walkMap(vex3a, [0x0f, 0x3a], true),
  ];
}

const ENCODINGS = flatten();

/** Every encoding in the tables, in the order of the opcodes; where several match, the first wins. */
export function allEncodings(): readonly Encoding[] {
  return ENCODINGS;
}

/** Every encoding by its id. */
export const encodingsById: ReadonlyMap<string, Encoding> = new Map(
  ENCODINGS.map((encoding) => [encoding.id, encoding]),
);
