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

/** Mnemonics for whose memory operand only one of the two names a size. */
const UNSIZED = /^(?:prefetch|invlpg|clwb|clflush|lddqu|invpcid|cmpxchg16b)/;

/**
 * The operands of a line of either disassembler, canonical: without blanks, implied segments, empty displacements and indices,
 * and with the displacement of RIP as a signed number. Addresses are truncated to `targetBits` (objdump shows those of a 16-bit
 * branch in full).
 */
export function canonicalOperands(text: string, targetBits: number): string {
  let rest = text.replace(/\s*#.*$/, "").trim();
  while (PREFIX.test(rest)) rest = rest.replace(PREFIX, "");
  const mnemonic = rest.split(/\s/)[0]!;
  let operands = rest.slice(mnemonic.length).toLowerCase().replace(/,\s+/g, ",").trim();
  operands = operands
    .replace(/\*1(?=[\]+-])/g, "")
    .replace(/[+-]0x0(?=\])/g, "")
    .replace(/\+[re]iz(?:\*\d)?/g, "")
    .replace(/\[[re]iz(?:\*\d)?\+?(0x[0-9a-f]+)?\]/g, (_, displacement?: string) => `[${displacement ?? "0x0"}]`)
    .replace(/([cdefgs]s):(0x[0-9a-f]+)/g, "$1:[$2]")
    .replace(/ds:/g, "")
    .replace(/ss:(?=\[[re]?[bs]p)/g, "")
    .replace(/\bst\b(?!\()/g, "st(0)")
    .replace(/([re]ip)\+0xf{8}([89a-f][0-9a-f]{7})(?=\])/g, (_, base: string, low: string) => {
      return `${base}-0x${(0x1_0000_0000 - Number.parseInt(low, 16)).toString(16)}`;
    })
    .replace(/,0x1$/, ",1")
    // The size of an absolute offset is that of the accumulator.
    .replace(/^(al|[re]?ax),(?:byte|word|dword|qword) ptr ((?:[cdefgs]s:)?\[0x)/, "$1,$2")
    .replace(/^(?:byte|word|dword|qword) ptr ((?:[cdefgs]s:)?\[0x[0-9a-f]+\],(?:al|[re]?ax))$/, "$1");
  if (UNSIZED.test(mnemonic)) operands = operands.replace(/[a-z]+ ptr /g, "");
  if (/^0x[0-9a-f]+$/.test(operands)) operands = `0x${BigInt.asUintN(targetBits, BigInt(operands)).toString(16)}`;
  return operands;
}
