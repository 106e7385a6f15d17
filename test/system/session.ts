import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { onDisk } from "../../src/boot/cache.ts";
import type { DebianFiles } from "../../src/boot/debian.ts";
import type { Engine } from "../../src/engine.ts";
import { type GuestRun, guestFiles, runGuest } from "./guest.ts";
import { runNatively } from "./native.ts";
import type { Size } from "./programs.ts";
import { compare, type Comparison, readResult, type Result } from "./results.ts";
import type { RootFileSystem } from "./root-file-system.ts";
import { fillWorkDirectory, makeWorkDisk, readWorkDisk } from "./work-disk.ts";

/** A guest may take this much longer than the host, and a while on top for the boot. */
const SLOWEST_RATIO = 300;
const BOOT_SECONDS = 180;

/** One boot of the guest, and what came of its programs. */
export interface Boot {
  readonly run: GuestRun;
  /** why the run as a whole is not right: how it ended, or what is wrong with the disk that it wrote; undefined when all is well */
  readonly complaint: string | undefined;
  readonly programs: ReadonlyMap<string, ProgramOutcome>;
}

export interface ProgramOutcome {
  readonly comparison: Comparison;
  readonly native: Result;
  readonly guest: Result | undefined;
}

/** Runs programs natively and in guests, in folders of one scratch folder. */
export class Session {
  readonly #root: RootFileSystem;
  readonly #debian: DebianFiles;
  readonly #directory: string;
  readonly #size: Size;
  readonly #native = new Map<string, Result>();
  #boots = 0;

  /** @param directory an empty folder; whoever made it removes it */
  constructor(root: RootFileSystem, debian: DebianFiles, directory: string, size: Size) {
    this.#root = root;
    this.#debian = debian;
    this.#directory = directory;
    this.#size = size;
  }

  /** What a program does on this machine; it runs once, however often that is asked. @throws {VmError} ERR_TOOL */
  async native(name: string): Promise<Result> {
    const known = this.#native.get(name);
    if (known !== undefined) return known;
    const work = join(this.#directory, "native", name);
    await fillWorkDirectory(work);
    await runNatively(this.#root, work, this.#size, [name]);
    const result = await readResult(join(work, "results"), name);
    // The runner writes a status for whatever happens to the program.
    if (result === undefined) throw new Error(`${name} left no result on the host`);
    this.#native.set(name, result);
    return result;
  }

  /** Boots a guest that runs the programs one after the other, and compares. */
  async guest(
    names: readonly string[],
    engine: Engine,
    onProgress?: (instructions: bigint, seconds: number) => void,
  ): Promise<Boot> {
    const native = new Map<string, Result>();
    for (const name of names) native.set(name, await this.native(name));
    const directory = join(this.#directory, `guest-${++this.#boots}`);
    const disk = join(directory, "work.img");
    await onDisk(`write to ${directory}`, () => mkdir(directory, { recursive: true }));
    await makeWorkDisk(disk, join(directory, "content"));

    const nativeSeconds = [...native.values()].reduce((sum, { seconds }) => sum + seconds, 0);
    const limitSeconds = Math.ceil(BOOT_SECONDS + nativeSeconds * SLOWEST_RATIO);
    const run = await runGuest(await guestFiles(this.#debian, this.#size, names), this.#root, disk, {
      engine,
      limitSeconds,
      ...(onProgress && { onProgress }),
    });
    const damage = await readWorkDisk(disk, join(directory, "after"));
    const programs = new Map<string, ProgramOutcome>();
    for (const [name, expected] of native) {
      const guest = await readResult(join(directory, "after", "results"), name);
      programs.set(name, { native: expected, guest, comparison: compare(expected, guest) });
    }
    return { run, programs, complaint: complaintOf(run, limitSeconds, damage) };
  }
}

function complaintOf(run: GuestRun, limitSeconds: number, damage: string): string | undefined {
  if (run.exit === undefined) return `the guest was stopped after ${limitSeconds} s`;
  if (run.exit.reason !== "power-off") return `the guest ended with ${run.exit.reason}, expected power-off`;
  if (damage !== "") return `e2fsck finds fault with the disk that the guest wrote:\n${damage}`;
  return undefined;
}
