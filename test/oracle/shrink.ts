import { FX_BYTES } from "./format.ts";
import type { OracleCase } from "./format.ts";

/**
 * The case with plain values in the registers that its instruction is not likely to read, so that thousands of recorded cases compress
 * well. The result is run again after this, so a wrong guess costs variety, never truth.
 */
export function shrink(oracleCase: OracleCase): OracleCase {
  const { state, mnemonic, code } = oracleCase;
  const fx = new Uint8Array(FX_BYTES);
  const view = new DataView(fx.buffer);
  // MXCSR always as it was; the x87 part for x87 and MMX instructions, which are all that change it.
  const usesX87 = /^f|^emms|^x(save|rstor)/.test(mnemonic) || (code.includes(0x0f) && !usesXmm(oracleCase));
  if (usesX87) fx.set(state.fx.subarray(0, 160));
  else view.setUint16(0, 0x37f, true);
  fx.set(state.fx.subarray(24, 32), 24);
  if (usesXmm(oracleCase)) {
    const [register, rm] = registersOf(oracleCase);
    for (const i of new Set([0, register, rm])) fx.set(state.fx.subarray(160 + i * 16, 176 + i * 16), 160 + i * 16);
  }
  return { ...oracleCase, state: { ...state, fx } };
}

function usesXmm({ code, mnemonic }: OracleCase): boolean {
  return code.includes(0x0f) && (/(ps|pd|ss|sd)|^(p|mov|cvt|aes|sha|un|lddqu|mask|mpsad|fx|xs|xr|phmin|insertps)/.test(mnemonic));
}

/** ModRM.reg and ModRM.rm with REX, wherever ModRM may be: of the bytes behind 0F, 0F 38 and 0F 3A. */
function registersOf({ code }: OracleCase): [number, number] {
  const at = code.indexOf(0x0f);
  const second = code[at + 1];
  const modrm = code[at + (second === 0x38 || second === 0x3a ? 3 : 2)] ?? 0;
  const before = code[at - 1] ?? 0;
  const rex = (before & 0xf0) === 0x40 ? before : 0;
  return [((modrm >> 3) & 7) | (rex & 4 ? 8 : 0), (modrm & 7) | (rex & 1 ? 8 : 0)];
}
