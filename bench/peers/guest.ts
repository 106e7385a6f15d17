import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { ArchiveEntry } from "../../runtime/boot/cpio.ts";
import { buildInitramfs } from "../../runtime/boot/initramfs.ts";
import type { Plan } from "./engine.ts";

/**
 * What every kernel is told. loglevel=6 lets it speak as soon as it has a console, which the boot timeline shows; the rate of the
 * serial line matters because a program waits until its line is out, as long as the bytes would take on the wire.
 */
export const COMMAND_LINE = "console=ttyS0,115200 cryptomgr.notests loglevel=6 panic=-1 reboot=t";

export const GUEST_MEMORY_MIB = 768;

/** Makes the initial RAM disk of a plan, with `init` as the guest's only other program, and returns its path. */
export async function writeGuestImage(plan: Plan, init: string): Promise<string> {
  const encoder = new TextEncoder();
  const commands = [
    ...Object.entries(plan.environment).map(([name, value]) => `${name}=${value}`),
    ...plan.items.map(({ program, args }) => [`/${basename(program)}`, ...args].join(" ")),
  ];
  const programs = [...new Set(plan.items.map(({ program }) => program))];
  const entries: ArchiveEntry[] = [
    { kind: "directory", path: "dev", mode: 0o755 },
    // The kernel opens the console before anything is mounted.
    { kind: "character", path: "dev/console", mode: 0o600, major: 5, minor: 1 },
    { kind: "file", path: "init", mode: 0o755, bytes: await readFile(init) },
    { kind: "file", path: "commands", mode: 0o644, bytes: encoder.encode(`${commands.join("\n")}\n`) },
    ...(await Promise.all(
      programs.map(async (program): Promise<ArchiveEntry> => ({
        kind: "file",
        path: basename(program),
        mode: 0o755,
        bytes: await readFile(program),
      })),
    )),
  ];
  const path = join(plan.folder, "initrd.img");
  await writeFile(path, buildInitramfs(entries));
  return path;
}
