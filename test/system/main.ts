import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { fetchDebian } from "../../src/boot/debian.ts";
import type { Engine } from "../../src/engine.ts";
import { VmError } from "../../src/errors.ts";
import { describeComplaint, describeDifference } from "./difference.ts";
import { programNames, type Size } from "./programs.ts";
import { rootFileSystem, whyNoRootFileSystem } from "./root-file-system.ts";
import { Session } from "./session.ts";
import { formatTable, type TableRow } from "./table.ts";

const ENGINES = ["interpreter", "translator", "tiered"] as const satisfies readonly Engine[];
/** Where outputs that differ are kept. */
const KEPT = fileURLToPath(new URL("../../.cache/system", import.meta.url));

const USAGE = `npm run test:system -- [options]
Runs programs of a Debian system on this machine and in Umbra, and compares what they print. Needs root, for debootstrap and chroot.
  --only a,b      only these programs: ${programNames().join(", ")}
  --engine a,b    ${ENGINES.join(", ")} (tiered)
  --quick         less work for programs that have a small size, all in one boot
  --rebuild       build the Debian system anew, with the packages that the mirror has now
  --help          this text`;

/** @returns the exit code: 0 all equal, 1 some differ; 0 also when nothing can be run here, with the reason printed */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      engine: { type: "string", default: "tiered" },
      quick: { type: "boolean", default: false },
      rebuild: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const names = chosen("--only", values.only, programNames());
  const engines = chosen("--engine", values.engine, ENGINES);
  const size: Size = values.quick ? "quick" : "full";
  const reason = whyNoRootFileSystem();
  if (reason !== undefined) {
    console.log(`skipped: ${reason}`);
    return 0;
  }
  const root = await rootFileSystem(say, values.rebuild);
  const debian = await fetchDebian({ onProgress: (progress) => progress.kind === "note" && say(progress.text) });
  const directory = await mkdtemp(join(tmpdir(), "umbra-system-"));
  // Disks of half a gigabyte are not for leaving behind.
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    process.once(signal, () => {
      rmSync(directory, { recursive: true, force: true });
      process.exit(code);
    });
  }
  try {
    const session = new Session(root, debian, directory, size);
    const boots = size === "quick" ? [names] : names.map((name) => [name]);
    return await compareAll(session, engines, boots);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function compareAll(
  session: Session,
  engines: readonly Engine[],
  boots: readonly (readonly string[])[],
): Promise<number> {
  const rows: TableRow[] = [];
  let complaints = 0;
  for (const engine of engines) {
    for (const names of boots) {
      const label = `${engine}: ${names.join(", ")}`;
      for (const name of names) {
        const { seconds } = await session.native(name);
        say(`${name} takes ${seconds.toFixed(2)} s natively`);
      }
      say(`${label}: booting`);
      const boot = await session.guest(names, engine, (instructions, seconds) =>
        say(`${label}: ${seconds.toFixed(0)} s, ${(Number(instructions) / 1e9).toFixed(1)} G instructions`),
      );
      if (boot.complaint !== undefined) {
        complaints++;
        console.log(`${label}: ${describeComplaint(boot)}`);
      }
      for (const [program, outcome] of boot.programs) {
        const { comparison, native, guest } = outcome;
        rows.push({
          engine,
          program,
          comparison,
          nativeSeconds: native.seconds,
          guestSeconds: guest?.seconds,
          instructions: boot.run.stats.instructions,
        });
        say(`${engine}: ${program}: ${comparison}`);
        if (comparison !== "equal")
          console.log(`${engine}: ${program}: ${await describeDifference(KEPT, `${engine}-${program}`, outcome)}`);
      }
    }
  }
  console.log(formatTable(rows));
  const wrong = rows.filter(({ comparison }) => comparison !== "equal").length;
  console.log(`${rows.length} compared, ${wrong} differ${complaints > 0 ? `, ${complaints} boots went wrong` : ""}`);
  if (wrong > 0) console.log(`what they printed is in ${KEPT}`);
  return wrong + complaints > 0 ? 1 : 0;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

class UsageError extends Error {}

/** The names of a list with commas; all of `known` without one. */
function chosen<Name extends string>(
  option: string,
  text: string | undefined,
  known: readonly Name[],
): readonly Name[] {
  if (text === undefined) return known;
  return text.split(",").map((word) => {
    const found = known.find((name) => name === word);
    if (found === undefined) throw new UsageError(`${option}: "${word}" is none of ${known.join(", ")}`);
    return found;
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  const expected = error instanceof UsageError || error instanceof VmError;
  if (!expected && !(error instanceof TypeError && "code" in error)) throw error;
  console.error(`test:system: ${error.message}`);
  process.exitCode = 2;
}
