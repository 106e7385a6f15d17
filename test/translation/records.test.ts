import { describe, expect, it } from "vitest";
import { openMachine, runTo } from "./support.ts";

const LOOP = 0x1_0000;
const SLED = 0x10_0000;
/** A block of 64 instructions has 66 records: this many bytes use up a fifteenth of the room for records. */
const PIECE_BYTES = 0x1_4000;
const PIECES = 40;

/** Three blocks that are linked to each other: L: add eax, 1; jmp M; M: add ebx, 1; dec ecx; jnz L; hlt. */
const LINKED = [0x83, 0xc0, 1, 0xeb, 2, 0xcc, 0xcc, 0x83, 0xc3, 1, 0xff, 0xc9, 0x75, 0xf2, 0xf4];

describe("the room for records, used several times over", () => {
  it.each(["interpreter", "tiered"] as const)(
    "keeps no link to records that are others now: %s",
    { timeout: 120_000 },
    async (engine) => {
      const machine = await openMachine({}, { engine, memoryBytes: 0x80_0000 });
      machine.write(LOOP, Uint8Array.from(LINKED));
      // NOPs, and an INC of EAX at the end of each piece; the piece ends with HLT.
      const piece = new Uint8Array(PIECE_BYTES).fill(0x90);
      piece.set([0xff, 0xc0, 0xf4], PIECE_BYTES - 3);
      for (let index = 0; index < PIECES; index++) machine.write(SLED + index * PIECE_BYTES, piece);
      const rounds = 100;
      for (let index = 0; index < PIECES; index++) {
        // One of the blocks gets new records, so that the three lie in different parts of the room.
        const step = (index % 100) + 1;
        machine.write(LOOP + (index % 2 === 0 ? 2 : 9), Uint8Array.of(step));
        runTo(machine, LOOP, { rbx: 0n, rcx: BigInt(rounds) });
        const [left, right] = [machine.read(LOOP + 2, 1)[0] ?? 0, machine.read(LOOP + 9, 1)[0] ?? 0];
        const { rax, rbx } = machine.getState();
        expect([rax, rbx]).toEqual([BigInt(left * rounds), BigInt(right * rounds)]);
        expect(runTo(machine, SLED + index * PIECE_BYTES)).toEqual({ rax: 1n, instructions: PIECE_BYTES - 1 });
      }
      // The first time round vacates nothing.
      expect(machine.processor.blocks.stats.recycled).toBeGreaterThan(16);
    },
  );
});
