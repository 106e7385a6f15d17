import type { Mnemonic } from "../semantics/registry.ts";
import type { OperandCode } from "./operand-code.ts";
import type { RowFlag } from "./row.ts";

/** A row together with where it stands in the opcode tables: everything that identifies one encoding. */
export interface Encoding {
  /** unique, stable and readable, for example "01", "0f.38.f0/f2", "f7/4", "0f.ae/7/reg"; keys manifests and coverage */
  readonly id: string;
  readonly mnemonic: Mnemonic;
  readonly operands: readonly OperandCode[];
  readonly flags: ReadonlySet<RowFlag>;
  /** opcode bytes without prefixes, for generators: [0x0f, 0x38, 0xf0]; a Z operand is added to the low three bits of the last */
  readonly opcode: readonly number[];
  /** mandatory prefix */
  readonly prefix: 0 | 0x66 | 0xf2 | 0xf3;
  /** key in the tables: what the prefixes 66, F2 and F3 mean for this encoding (see PrefixedRows) */
  readonly prefixRule: "np" | "nfx" | "any" | "66" | "f3" | "f2";
  /** opcode extension in ModRM.reg, if the row stands in a group */
  readonly extension?: number;
  /** low three bits of ModRM, if they select the row (mod = 3) */
  readonly rm?: number;
  /** whether a ModRM byte follows, and which of its forms are legal */
  readonly modrm: "none" | "any" | "register" | "memory";
  readonly vex: boolean;
}
