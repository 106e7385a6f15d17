import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchDebian } from "../../src/boot/debian.ts";
import { VmError } from "../../src/errors.ts";
import { describeComplaint, describeDifference } from "./difference.ts";
import { programNames } from "./programs.ts";
import { hasRootFileSystem, rootFileSystem, whyNoRootFileSystem } from "./root-file-system.ts";
import { Session } from "./session.ts";

const PREPARE_MS = 60_000;
/** A loaded host takes its time. */
const RUN_MS = 600_000;
/** What runs each day; `npm run test:system` runs all. */
const PROGRAMS = ["c", "openssl", "sqlite"] as const;

describe("a Debian system", () => {
  let session: Session | undefined;
  let directory: string | undefined;
  let reason = whyNoRootFileSystem();

  beforeAll(async () => {
    if (reason === undefined && !(await hasRootFileSystem())) reason = "it is built by npm run test:system";
    if (reason !== undefined) return;
    try {
      const note = (line: string): void => void process.stderr.write(`${line}\n`);
      const [root, debian] = [await rootFileSystem(note), await fetchDebian()];
      directory = await mkdtemp(join(tmpdir(), "umbra-system-"));
      session = new Session(root, debian, directory, "quick");
    } catch (error) {
      // Without a network there is nothing to compare; anything else is a defect.
      if (!(error instanceof VmError) || error.code !== "ERR_DOWNLOAD") throw error;
      reason = error.message;
    }
  }, PREPARE_MS);

  afterAll(async () => {
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  it(
    "boots from a disk, and its programs print what they print on this machine",
    async (context) => {
      if (session === undefined) {
        console.log(`skipped: no Debian system here: ${reason ?? "unknown"}`);
        return context.skip(reason);
      }
      const boot = await session.guest(PROGRAMS, "interpreter");
      expect(boot.complaint && describeComplaint(boot)).toBeUndefined();
      for (const [name, outcome] of boot.programs) {
        const why = outcome.comparison === "equal" ? "" : await describeDifference(directory ?? "", name, outcome);
        expect(`${name}: ${outcome.comparison} ${why}`).toBe(`${name}: equal `);
      }
    },
    RUN_MS,
  );
});

it("the programs of every day exist", () => {
  expect(programNames()).toEqual(expect.arrayContaining([...PROGRAMS]));
});
