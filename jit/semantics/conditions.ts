import type { Definition } from "./define.ts";
import type { ConditionCode } from "./emitter.ts";

/** The condition codes in the order of their encodings (tttn), and the flags that each one reads. SDM Vol. 2, B.1.4.7. */
export const CONDITION_FLAGS = {
  o: "OF",
  no: "OF",
  b: "CF",
  ae: "CF",
  e: "ZF",
  ne: "ZF",
  be: "CF ZF",
  a: "CF ZF",
  s: "SF",
  ns: "SF",
  p: "PF",
  np: "PF",
  l: "SF OF",
  ge: "SF OF",
  le: "ZF SF OF",
  g: "ZF SF OF",
} as const satisfies Record<ConditionCode, string>;

/** One definition for each condition code, under the mnemonic `prefix` + code: jo, jno, ... */
export function perCondition<const Prefix extends string>(
  prefix: Prefix,
  make: (code: ConditionCode, reads: string) => Definition,
): Readonly<Record<`${Prefix}${ConditionCode}`, Definition>> {
  const codes = Object.entries(CONDITION_FLAGS) as [ConditionCode, string][];
  const family = Object.fromEntries(codes.map(([code, reads]) => [`${prefix}${code}`, make(code, reads)]));
  return family as Record<`${Prefix}${ConditionCode}`, Definition>;
}
