import { beforeEach, describe, expect, it } from "vitest";
import type { TranslationStats } from "../../runtime/code/translation-queue.ts";
import type { Inspected } from "../mmu/support.ts";
import { CODE, collect, COUNT_UP, LateTranslation, openMachine, OTHER, ROUNDS, runTo } from "./support.ts";

/** Instructions of COUNT_UP. */
const INSTRUCTIONS = 3 * Number(ROUNDS) + 1;

describe("code that is translated while the guest goes on", () => {
  let service: LateTranslation;
  let machine: Inspected;
  const stats = (): Readonly<TranslationStats> => {
    const { translation } = machine.processor;
    if (!translation) throw new Error("no translation");
    return translation.stats;
  };
  /** Until the hot loop has waited long enough to be submitted. */
  function submit(): void {
    for (let round = 0; round < 20 && service.waiting.length === 0; round++)
      machine.processor.translation?.tick(Number(machine.processor.instructions));
    expect(service.waiting.length).toBe(1);
  }

  beforeEach(async () => {
    service = new LateTranslation();
    machine = await openMachine({ place: service });
    machine.write(CODE, Uint8Array.from(COUNT_UP));
    expect(runTo(machine, CODE)).toEqual({ rax: ROUNDS, instructions: INSTRUCTIONS });
    submit();
  });

  it("is interpreted until the batch is there, and counted alike before and after", () => {
    expect(runTo(machine, CODE)).toEqual({ rax: ROUNDS, instructions: INSTRUCTIONS });
    expect(collect(machine)).toBeUndefined();
    expect(stats().regions).toBe(0);
    service.finish();
    expect(stats().regions).toBe(0);
    collect(machine);
    expect(stats()).toMatchObject({ regions: 1, batches: 1, outdated: 0 });
    expect(runTo(machine, CODE)).toEqual({ rax: ROUNDS, instructions: INSTRUCTIONS });
  });

  it("is asked for once, however hot it is", () => {
    for (let round = 0; round < 5; round++) runTo(machine, CODE);
    expect(service.waiting.length).toBe(1);
    expect(service.waiting[0]?.length).toBe(1);
  });

  it("is not installed when it was written meanwhile", () => {
    machine.write(CODE + 2, Uint8Array.of(3));
    service.finish();
    collect(machine);
    expect(stats()).toMatchObject({ regions: 0, outdated: 1 });
    expect(runTo(machine, CODE)).toEqual({ rax: 3n * ROUNDS, instructions: INSTRUCTIONS });
  });

  it("is not installed when the guest wrote it through another mapping and ran it since", () => {
    machine.map(CODE, CODE, 0x1000, { execute: true });
    machine.map(0x50_0000, CODE, 0x1000, { write: true });
    machine.map(OTHER, OTHER, 0x1000, { execute: true });
    // mov byte [rdi+2], 5; hlt
    machine.write(OTHER, Uint8Array.of(0xc6, 0x47, 0x02, 0x05, 0xf4));
    machine.setState({ rip: BigInt(OTHER), rdi: 0x50_0000n });
    expect(machine.run().reason).toBe("halt");
    expect(runTo(machine, CODE).rax).toBe(5n * ROUNDS);
    service.finish();
    collect(machine);
    expect(stats()).toMatchObject({ regions: 0, outdated: 1 });
    expect(runTo(machine, CODE).rax).toBe(5n * ROUNDS);
  });

  it("is installed when it was written and written back, because the bytes are what counts", () => {
    machine.write(CODE + 2, Uint8Array.of(3));
    machine.write(CODE + 2, Uint8Array.of(1));
    // It must have been decoded again: regions belong to blocks.
    runTo(machine, CODE, { rcx: 2n });
    service.finish();
    collect(machine);
    expect(stats()).toMatchObject({ regions: 1, outdated: 0 });
    expect(runTo(machine, CODE)).toEqual({ rax: ROUNDS, instructions: INSTRUCTIONS });
  });

  it("is not found where other code was mapped meanwhile", () => {
    machine.map(CODE, OTHER, 0x1000, { execute: true });
    machine.write(OTHER, Uint8Array.from(COUNT_UP.with(2, 7)));
    service.finish();
    collect(machine);
    expect(stats().regions).toBe(1);
    expect(runTo(machine, CODE).rax).toBe(7n * ROUNDS);
    machine.map(CODE, CODE, 0x1000, { execute: true });
    expect(runTo(machine, CODE).rax).toBe(ROUNDS);
  });

  it("is watched for writes from its installation on", () => {
    service.finish();
    collect(machine);
    expect(stats().regions).toBe(1);
    machine.write(CODE + 2, Uint8Array.of(3));
    expect(machine.processor.blocks.stats.regionsDropped).toBe(1);
    expect(runTo(machine, CODE).rax).toBe(3n * ROUNDS);
  });

  it("stays with the interpreter when the translator fails", () => {
    service.fail();
    collect(machine);
    expect(stats()).toMatchObject({ regions: 0, failures: 1 });
    expect(stats().failure).toContain("a bug");
    expect(runTo(machine, CODE)).toEqual({ rax: ROUNDS, instructions: INSTRUCTIONS });
    expect(service.waiting.length).toBe(0);
  });
});

describe("a queue that is full", () => {
  /** `count` loops, one in each 16 bytes from CODE, called one after the other. */
  function loops(count: number): Uint8Array {
    const code = new Uint8Array(16 * count + 1);
    // L: dec ecx; jnz L; mov ecx, 100; nop; the next follows
    for (let at = 0; at < count; at++)
      code.set([0xff, 0xc9, 0x75, 0xfc, 0xb9, 100, 0, 0, 0, 0x66, 0x0f, 0x1f, 0x44, 0, 0, 0x90], 16 * at);
    code[16 * count] = 0xf4;
    return code;
  }

  it("has no more batches under way than the translator takes, of no more than 64 blocks", async () => {
    const service = new LateTranslation(2);
    const machine = await openMachine({ place: service });
    machine.write(CODE, loops(400));
    runTo(machine, CODE);
    expect(service.waiting.map((requests) => requests.length)).toEqual([16, 16]);
    service.finish();
    collect(machine);
    for (let round = 0; round < 8; round++) machine.processor.translation?.tick(Number(machine.processor.instructions));
    expect(service.waiting.map((requests) => requests.length)).toEqual([64, 64]);
  });

  it("lets blocks become hot again that it has no room for", async () => {
    const service = new LateTranslation(1);
    const machine = await openMachine({ place: service }, { memoryBytes: 0x10_0000 });
    machine.write(0x5_0000, loops(1500));
    runTo(machine, 0x5_0000);
    const stats = machine.processor.translation?.stats;
    expect(stats?.refused).toBeGreaterThan(300);
    const tick = (): void => {
      for (let round = 0; round < 8; round++)
        machine.processor.translation?.tick(Number(machine.processor.instructions));
    };
    while (service.waiting.length > 0) {
      service.fail();
      collect(machine);
      tick();
    }
    runTo(machine, 0x5_0000);
    tick();
    expect(service.waiting.length).toBe(1);
  });
});

describe("a latency in instructions", () => {
  it("has a batch installed at a fixed instruction, ready before or not", async () => {
    const service = new LateTranslation();
    const machine = await openMachine({ place: service, latency: 10_000 });
    machine.write(CODE, Uint8Array.from(COUNT_UP));
    runTo(machine, CODE);
    const translation = machine.processor.translation;
    for (let round = 0; round < 8; round++) translation?.tick(Number(machine.processor.instructions));
    const submitted = Number(machine.processor.instructions);
    expect(translation?.collect(submitted + 10_000)).toBe("late");
    service.finish();
    expect(translation?.collect(submitted + 9_999)).toBeUndefined();
    expect(translation?.stats.regions).toBe(0);
    expect(translation?.collect(submitted + 10_000)).toBeUndefined();
    expect(translation?.stats.regions).toBe(1);
  });
});
