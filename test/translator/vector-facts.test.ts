import { describe, expect, it } from "vitest";
import { createBareMachine } from "../../src/bare-machine.ts";

const CODE = 0x1_0000;
const DE = 2;
const DENORMAL = 0x1234n;
/** All masked, round to nearest, PE sticky: what regions take for granted. */
const MXCSR = 0x1fa0;

function doubles(low: bigint, high: bigint): Uint8Array {
  return new Uint8Array(BigUint64Array.of(low, high).buffer);
}
function bits(value: number): bigint {
  return new BigUint64Array(Float64Array.of(value).buffer)[0] ?? 0n;
}

// What is known of all of a register, or of its numbers in one format, must not be taken for true of a part of another.
describe.each(["interpreter", "translator"] as const)("a denormal beside a copied number raises DE: %s", (engine) => {
  async function flags(code: readonly number[], xmm1: Uint8Array): Promise<number> {
    const machine = await createBareMachine({ memoryBytes: 0x4_0000, mode: "long", engine });
    machine.write(CODE, Uint8Array.from([...code, 0xf4]));
    const [third, one] = [bits(1 / 3), bits(1)];
    machine.setState({
      rip: BigInt(CODE),
      mxcsr: MXCSR,
      xmm0: doubles(third, third),
      xmm1,
      xmm2: doubles(one, one),
    });
    expect(machine.run({ maxInstructions: 100 }).reason).toBe("halt");
    return machine.getState().mxcsr & DE;
  }

  it("in the upper lane, behind MOVSD", async () => {
    // addpd xmm0, xmm0; movsd xmm1, xmm0; addpd xmm1, xmm2
    const code = [0x66, 0x0f, 0x58, 0xc0, 0xf2, 0x0f, 0x10, 0xc8, 0x66, 0x0f, 0x58, 0xca];
    expect(await flags(code, doubles(0n, DENORMAL))).toBe(DE);
  });

  it("in the same lane, behind MOVSS", async () => {
    // addsd xmm0, xmm0; movss xmm1, xmm0; addsd xmm1, xmm2
    const code = [0xf2, 0x0f, 0x58, 0xc0, 0xf3, 0x0f, 0x10, 0xc8, 0xf2, 0x0f, 0x58, 0xca];
    expect(await flags(code, doubles(0n, 0n))).toBe(DE);
  });
});
