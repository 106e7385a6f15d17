/**
 * One spelling for what objdump and Umbra's formatter name differently, so that the mnemonics of the two can be compared. Nothing
 * here makes two different instructions equal: sizes that objdump appends are in the operands of the other.
 */

/** Prefixes that are printed as words before the mnemonic. */
const PREFIX =
  /^(?:lock|rep|repz|repnz|data16|data32|addr16|addr32|rex(?:\.[WRXB]+)?|[cdefgs]s|bnd|notrack|xacquire|xrelease)\s+/;

/** Mnemonics to which objdump appends w, d or q when the operand size is not the default of the mode. */
// prettier-ignore
const SIZED = new Set([
  "push", "pop", "pusha", "popa", "pushf", "popf", "ret", "retf", "iret", "enter", "leave", "call", "jmp", "sysret", "sysexit",
  "sgdt", "sidt", "lgdt", "lidt", "fldenv", "fnstenv", "frstor", "fnsave", "pcmpestri", "pcmpestrm",
]);

/** objdump's names for the predicates of CMPPS and its kind. */
const COMPARISON = /^cmp(?:eq|lt|le|unord|neq|nlt|nle|ord)([ps][sd])$/;

const ALIASES: Readonly<Record<string, string>> = {
  movabs: "mov",
  sysretl: "sysret",
  "fneni(8087": "fneni",
  "fndisi(8087": "fndisi",
  "fnsetpm(287": "fnsetpm",
  pclmullqlqdq: "pclmulqdq",
  pclmulhqlqdq: "pclmulqdq",
  pclmullqhqdq: "pclmulqdq",
  pclmulhqhqdq: "pclmulqdq",
  // hints of extensions that Umbra does not announce: no operation without them
  bndmov: "nop",
  bndmk: "nop",
  bndstx: "nop",
  bndldx: "nop",
  bndcl: "nop",
  bndcu: "nop",
  bndcn: "nop",
  cldemote: "nop",
  prefetchit0: "nop",
  prefetchit1: "nop",
  rdsspd: "nop",
  rdsspq: "nop",
};

/** The mnemonic of a line of either disassembler, canonical. */
export function canonicalMnemonic(text: string): string {
  let rest = text;
  while (PREFIX.test(rest)) rest = rest.replace(PREFIX, "");
  let mnemonic = rest.split(/[\s,]/)[0]!;
  // 66 90 and 48 90: XCHG rAX,rAX is NOP
  if (/^xchg\s+(?:ax,\s*ax|eax,\s*eax|rax,\s*rax)$/.test(rest)) return "nop";
  mnemonic = mnemonic.replace(COMPARISON, "cmp$1").replace(/\.s$/, "");
  const stem = mnemonic.slice(0, -1);
  if (SIZED.has(stem) && /[wdq]$/.test(mnemonic)) mnemonic = stem;
  return ALIASES[mnemonic] ?? mnemonic;
}
