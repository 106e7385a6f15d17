import { Bench } from "tinybench";
import type { Engine } from "../../src/engine.ts";
import { createBareMachine } from "../../src/index.ts";
import { assemble, CODE, DATA, MICRO_PROGRAMS, STACK, type MicroProgram } from "./programs.ts";

export interface MicroResult {
  readonly program: string;
  readonly engine: string;
  /** millions of guest instructions a second: median, slowest and fastest run */
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly runs: number;
}

const MEMORY_BYTES = 0x600_0000;
/** milliseconds measured for each program, after the same time of warm-up */
const TIME_MS = 1500;

/** Runs every micro program on every engine; `report` is called as each begins. */
export async function runMicroSuite(
  engines: readonly Engine[],
  report: (what: string) => void,
): Promise<MicroResult[]> {
  const results: MicroResult[] = [];
  for (const engine of engines) {
    for (const program of MICRO_PROGRAMS) {
      report(`${engine}: ${program.name}`);
      results.push(await measure(program, engine));
    }
  }
  return results;
}

async function measure(program: MicroProgram, engine: Engine): Promise<MicroResult> {
  const machine = await createBareMachine({ memoryBytes: MEMORY_BYTES, mode: "long", engine });
  machine.write(CODE, assemble(program.listing));
  const ones = new Float64Array(0x1_0000 / 8).fill(1.5);
  machine.write(DATA, new Uint8Array(ones.buffer));
  const expected = program.rounds * program.instructionsPerRound + 1;
  const bench = new Bench({ time: TIME_MS, warmupTime: TIME_MS / 3, throws: true });
  bench.add(program.name, () => {
    machine.setState({ rip: BigInt(CODE), rsp: STACK, rcx: BigInt(program.rounds), rbx: 0n, ...program.state });
    const exit = machine.run();
    // A wrong result would make a fast one worthless.
    if (exit.reason !== "halt" || exit.instructions !== expected) {
      throw new Error(`${program.name}: ${JSON.stringify(exit)}, expected a halt after ${expected} instructions`);
    }
  });
  const [task] = await bench.run();
  machine.close();
  const result = task?.result;
  if (!result || !("latency" in result)) throw new Error(`${program.name}: no result`);
  const rate = (milliseconds: number): number => expected / milliseconds / 1000;
  const { p50, min, max, samplesCount } = result.latency;
  return { program: program.name, engine, median: rate(p50), low: rate(max), high: rate(min), runs: samplesCount };
}
