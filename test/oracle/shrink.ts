import type { Encoding } from "../../jit/isa/encoding.ts";
import { splitOperand } from "./form.ts";
import { FX_BYTES } from "./format.ts";
import type { OracleCase } from "./format.ts";

/**
 * The case with plain values in the floating-point and vector registers that its instruction does not name, so that thousands of
 * recorded cases compress well. The case is run after this, so a wrong guess costs variety, never truth.
 */
export function shrink(oracleCase: OracleCase, encoding: Encoding): OracleCase {
  const { state } = oracleCase;
  const letters = encoding.operands.map((code) => splitOperand(code, false)?.letter ?? "");
  const named = (set: string): boolean => letters.some((letter) => letter !== "" && set.includes(letter));
  const wholeState = encoding.operands.some((code) => code === "Mfx" || code === "Mxs");
  const fx = new Uint8Array(FX_BYTES);
  // MXCSR is always as it was.
  fx.set(state.fx.subarray(24, 32), 24);
  if (wholeState || encoding.mnemonic.startsWith("f") || encoding.mnemonic === "emms" || named("PQN")) {
    fx.set(state.fx.subarray(0, 24));
    fx.set(state.fx.subarray(32, 160), 32);
  } else {
    new DataView(fx.buffer).setUint16(0, 0x37f, true);
  }
  if (wholeState) fx.set(state.fx.subarray(160), 160);
  else if (named("VWU")) {
    // XMM0 is implied by some
    const numbers = new Set([0, ...registersOf(oracleCase.code)]);
    for (const i of numbers) fx.set(state.fx.subarray(160 + i * 16, 176 + i * 16), 160 + i * 16);
  }
  return { ...oracleCase, state: { ...state, fx } };
}

/** ModRM.reg and ModRM.rm with REX, wherever ModRM may be: behind 0F, 0F 38 and 0F 3A. */
function registersOf(code: Uint8Array): [number, number] {
  const at = code.indexOf(0x0f);
  const second = code[at + 1];
  const modrm = code[at + (second === 0x38 || second === 0x3a ? 3 : 2)] ?? 0;
  const before = code[at - 1] ?? 0;
  const rex = (before & 0xf0) === 0x40 ? before : 0;
  return [((modrm >> 3) & 7) | (rex & 4 ? 8 : 0), (modrm & 7) | (rex & 1 ? 8 : 0)];
}
