import { type Capabilities, findCapabilities } from "./capabilities.ts";
import { DISK_KINDS } from "./disks.ts";
import { runProgramScenario, runScenario, type ScenarioResult } from "./scenario.ts";
import type { Surroundings, Threads } from "./surroundings.ts";

/** What a runtime is to do: boots of Linux take nearly all of the time, so that each way to use threads has one. */
export interface Work {
  /** threads of the scenarios with a machine */
  readonly machines: readonly Threads[];
  /** threads of a program, if one is to run */
  readonly program?: Threads;
}

export interface Report {
  readonly capabilities: Capabilities;
  readonly scenarios: readonly ScenarioResult[];
  readonly program: string | undefined;
}

export async function doWork(surroundings: Surroundings, { machines, program }: Work): Promise<Report> {
  const capabilities = await findCapabilities(surroundings);
  const scenarios: ScenarioResult[] = [];
  for (const threads of machines) {
    const kinds = DISK_KINDS.filter((kind) => capabilities.disks[kind][threads.host ?? "worker"] === "yes");
    scenarios.push(await runScenario(surroundings, threads, kinds));
  }
  return { capabilities, scenarios, program: program && (await runProgramScenario(surroundings, program)) };
}
