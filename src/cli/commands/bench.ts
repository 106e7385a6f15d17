import { VmError } from "../../errors.ts";
import type { Arguments, Command } from "../arguments.ts";
import type { CommandHost } from "../host.ts";

/** Options with a value and switches of the benchmarks, which read them themselves: bench/slowdown/options.ts. */
export const bench: Command = {
  name: "bench",
  summary: "Measure: how much programs slow down on Umbra and its peers (slowdown), small loops (micro), a boot (boot)",
  operands: ["WHAT"],
  options: {
    suite: { value: "A,B", about: "slowdown: suites, or single workloads such as fp/fft", otherwise: "all" },
    engine: { value: "X,Y", about: "slowdown: engines", otherwise: "all that are usual" },
    quick: { about: "slowdown: small sizes, one round" },
    rounds: { value: "N", about: "times that every engine is started" },
    reps: { value: "N", about: "slowdown: repetitions of a workload in a round, at most" },
    seconds: { value: "S", about: "slowdown: a workload is not repeated after so many seconds" },
    size: { value: "N", about: "slowdown: order of the matrices" },
    json: { value: "FILE", about: "also write the results to FILE" },
    html: { value: "FILE", about: "slowdown: also write a page with charts to FILE" },
    "no-install": { about: "slowdown: do not install Debian packages that are missing" },
  },
  notes: `WHAT is slowdown, micro or boot. npm run bench -- slowdown --help names the suites and the engines.
Exit code: 0, 1 when a result was wrong or an engine failed, 2 when the arguments or the tools are not usable.`,
  run: runBenchmark,
};

async function runBenchmark({ operands, values, switches }: Arguments, host: CommandHost): Promise<number> {
  const [what = ""] = operands;
  if (!["slowdown", "micro", "boot"].includes(what)) {
    throw new VmError("ERR_CONFIG", `"${what}" is none of slowdown, micro, boot; see umbra bench --help`);
  }
  const options = [
    ...[...values].map(([name, value]) => `--${name}=${value}`),
    ...[...switches].map((name) => `--${name}`),
  ];
  return host.runBenchmark([what, ...options]);
}
