import { describe, expect, it } from "vitest";
import { createBareMachine } from "../../src/bare-machine.ts";
import { ENGINES } from "../../src/engine.ts";
import { code } from "../mmu/support.ts";

// Flags that the next instruction but one overwrites are seen all the same if the one between faults.

const CODE = 0x1_0000;
const CARRY_AND_MORE = 0x8d5n;
/** #NM, #MF */
const [NO_DEVICE, X87_ERROR] = [7, 16];
/** CR0.NE, MP, TS over what the machine begins with */
const [NE, MP, TS] = [0x20n, 2n, 8n];

describe.each(ENGINES)("flags in front of a fault of a unit: %s", (engine) => {
  it.each([
    ["a pending x87 exception at an MMX instruction", "0f fe c6", { cr0: NE, fsw: 0x8081 }, X87_ERROR],
    ["TS at an MMX instruction", "0f fe c6", { cr0: TS, fsw: 0 }, NO_DEVICE],
    ["TS at an SSE instruction", "66 0f fe c6", { cr0: TS | MP, fsw: 0 }, NO_DEVICE],
  ] as const)("%s", async (_name, faulting, { cr0, fsw }, vector) => {
    const machine = await createBareMachine({ memoryBytes: 0x4_0000, mode: "long", engine });
    // add r9d, 0x31; (faulting); sub r10d, 0x10; hlt
    machine.write(CODE, code("41 83 c1 31", faulting, "41 83 ea 10 f4"));
    const change = { rip: BigInt(CODE), r9: 0x33n, rflags: CARRY_AND_MORE | 2n, fsw, fcw: 0x37e };
    machine.setState({ ...change, cr0: machine.getState().cr0 | cr0 });
    expect(machine.run()).toMatchObject({ reason: "exception", vector, instructions: 1 });
    // 0x64: no carry, odd parity, neither zero nor negative.
    expect(machine.getState()).toMatchObject({ rip: BigInt(CODE + 4), r9: 0x64n, rflags: 2n });
    machine.close();
  });
});
