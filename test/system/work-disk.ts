import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { onDisk } from "../../src/boot/cache.ts";
import { VmError } from "../../src/errors.ts";
import { PROGRAM_DIRECTORY, RUNNER, SYSTEM_DIRECTORY } from "./programs.ts";
import { makeImage, runTool } from "./root-file-system.ts";

const WORK_MEBIBYTES = 512;

/** Fills a folder with all that is below /work when programs begin to run. */
export async function fillWorkDirectory(directory: string): Promise<void> {
  await onDisk(`write to ${directory}`, async () => {
    await mkdir(directory, { recursive: true });
    await cp(PROGRAM_DIRECTORY, join(directory, "programs"), { recursive: true });
    await cp(join(SYSTEM_DIRECTORY, RUNNER), join(directory, RUNNER));
    await mkdir(join(directory, "results"));
  });
}

/** Makes the disk that the guest writes: programs and scripts, and room for what they leave behind. */
export async function makeWorkDisk(path: string, directory: string): Promise<void> {
  await fillWorkDirectory(directory);
  await makeImage(path, WORK_MEBIBYTES, directory);
}

/**
 * Takes the results from a work disk, and checks the file system that the guest wrote.
 *
 * @param into a folder, which gets the folder results
 * @returns what e2fsck complains about; empty when the file system is clean
 */
export async function readWorkDisk(path: string, into: string): Promise<string> {
  await onDisk(`write to ${into}`, () => mkdir(into, { recursive: true }));
  const check = await runTool("e2fsck", ["-f", "-n", path]);
  const dump = await runTool("debugfs", ["-R", `rdump results ${into}`, path]);
  if (dump.code !== 0) throw new VmError("ERR_TOOL", `debugfs ended with code ${dump.code}: ${dump.errors.trim()}`);
  return check.code === 0 ? "" : check.output.trim();
}
