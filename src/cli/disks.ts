import type { Disk } from "../../runtime/disk/disk.ts";
import { OverlayDisk } from "../../runtime/disk/overlay-disk.ts";
import { VmError } from "../errors.ts";
import type { CommandHost } from "./host.ts";

const MODES = ["ro", "overlay"] as const;

/** What `--disk FILE[,ro|,overlay]` says. */
export interface DiskOption {
  readonly path: string;
  readonly mode: "rw" | (typeof MODES)[number];
}

/**
 * Reads the value of `--disk`. A comma belongs to the file's name unless letters alone come behind it.
 *
 * @throws {VmError} ERR_CONFIG
 */
export function parseDisk(text: string): DiskOption {
  const [, path, word] = /^(.*),([a-z]*)$/s.exec(text) ?? [text, text, "rw"];
  const mode = (["rw", ...MODES] as const).find((candidate) => candidate === word);
  if (mode === undefined)
    throw new VmError("ERR_CONFIG", `--disk: "${text}" ends in ",${word}", expected ",ro" or ",overlay"`);
  if (!path) throw new VmError("ERR_CONFIG", `--disk: "${text}" names no file`);
  return { path, mode };
}

/** Opens the disks that were asked for: all of them, or none. @throws {VmError} */
export async function openDisks(values: readonly string[], host: CommandHost): Promise<readonly Disk[]> {
  const options = values.map(parseDisk);
  const disks: Disk[] = [];
  try {
    for (const { path, mode } of options) {
      const disk = await host.openDisk(path, { readOnly: mode !== "rw" });
      disks.push(mode === "overlay" ? new OverlayDisk(disk) : disk);
    }
  } catch (error) {
    await closeDisks(disks);
    throw error;
  }
  return disks;
}

export async function closeDisks(disks: readonly Disk[]): Promise<void> {
  for (const disk of disks) await disk.close();
}
