import { readFile } from "node:fs/promises";
import { busyboxInitramfs } from "../../src/boot/busybox-initramfs.ts";
import { type DebianFiles } from "../../src/boot/debian.ts";
import { moduleEntries, moduleFiles } from "../../src/boot/modules.ts";
import type { Engine } from "../../src/engine.ts";
import { openFileDisk } from "../../src/host/node/file-disk.ts";
import { createPc } from "../../src/pc/create.ts";
import type { MachineExit } from "../../src/pc/exit.ts";
import type { MachineStats } from "../../src/pc/stats.ts";
import { RUNNER, type Size } from "./programs.ts";
import type { RootFileSystem } from "./root-file-system.ts";

const MEBIBYTE = 1 << 20;
const MEMORY_BYTES = 1024 * MEBIBYTE;
const MODULES = ["virtio_pci", "virtio_blk", "ext4", "virtio_rng"] as const;
/** A panic resets the machine, which ends it. */
const COMMAND_LINE = "console=ttyS0 cryptomgr.notests quiet panic=-1";

/**
 * What the guest does once its modules are loaded: it mounts both disks, runs the programs in Debian's tree, and powers off.
 * The links in /dev are what udev would make.
 */
function initScript(size: Size, names: readonly string[]): string {
  return `set -e
mount -t ext4 -o ro /dev/vda /mnt
mount -t ext4 /dev/vdb /mnt/work
mount -t proc proc /mnt/proc
mount -t sysfs sysfs /mnt/sys
mount -t devtmpfs devtmpfs /mnt/dev
mkdir -p /mnt/dev/pts /mnt/dev/shm
mount -t devpts devpts /mnt/dev/pts
mount -t tmpfs tmpfs /mnt/dev/shm
ln -s /proc/self/fd /mnt/dev/fd
ln -s fd/0 /mnt/dev/stdin
ln -s fd/1 /mnt/dev/stdout
ln -s fd/2 /mnt/dev/stderr
mount -t tmpfs tmpfs /mnt/tmp
chroot /mnt /bin/bash /work/${RUNNER} ${size} ${names.join(" ")} || echo "umbra: the programs could not be run"
umount /mnt/work
`;
}

/** What a guest boots from besides its disks. */
export interface GuestFiles {
  readonly kernel: Uint8Array;
  readonly initrd: Uint8Array;
  readonly commandLine: string;
}

/** Debian's unmodified kernel, and an initial RAM disk with its modules that runs the programs. */
export async function guestFiles(debian: DebianFiles, size: Size, names: readonly string[]): Promise<GuestFiles> {
  const [kernel, busybox, modules] = await Promise.all([
    readFile(debian.kernel.path),
    readFile(debian.busybox.path),
    moduleFiles(debian.kernel.packagePath, MODULES),
  ]);
  const script = initScript(size, names);
  return {
    kernel,
    initrd: busyboxInitramfs({ busybox, script, banner: "umbra: booted", extra: moduleEntries(modules) }),
    commandLine: COMMAND_LINE,
  };
}

export interface GuestRun {
  /** undefined: it did not end within its time and was stopped */
  readonly exit: MachineExit | undefined;
  readonly console: string;
  readonly stats: MachineStats;
  /** seconds of the host from the first instruction to the last */
  readonly seconds: number;
}

export interface GuestOptions {
  readonly engine: Engine;
  readonly limitSeconds: number;
  /** told now and then how many instructions the guest has run, and in which time */
  readonly onProgress?: (instructions: bigint, seconds: number) => void;
}

const PROGRESS_MS = 15_000;

/**
 * Boots a machine from the root image, which it only reads, and the work disk, which it writes, until it powers off.
 *
 * @throws {VmError} when a disk cannot be opened or the machine cannot be made
 */
export async function runGuest(
  files: GuestFiles,
  { image }: RootFileSystem,
  workDisk: string,
  { engine, limitSeconds, onProgress }: GuestOptions,
): Promise<GuestRun> {
  const disks = [openFileDisk(image, { readOnly: true }), openFileDisk(workDisk)];
  let stop: NodeJS.Timeout | undefined;
  let report: NodeJS.Timeout | undefined;
  try {
    const decoder = new TextDecoder();
    let console = "";
    const machine = await createPc({
      ...files,
      memoryBytes: MEMORY_BYTES,
      engine,
      disks,
      onDiskError: (error) => (console += `\n[disk: ${String(error)}]\n`),
      onSerial: (bytes) => (console += decoder.decode(bytes, { stream: true })),
    });
    const started = performance.now();
    const seconds = (): number => (performance.now() - started) / 1000;
    stop = setTimeout(() => machine.stop(), limitSeconds * 1000);
    report = setInterval(() => onProgress?.(machine.stats().instructions, seconds()), PROGRESS_MS);
    const exit = await machine.run();
    return {
      exit: exit.reason === "stopped" ? undefined : exit,
      console,
      stats: machine.stats(),
      seconds: seconds(),
    };
  } finally {
    clearTimeout(stop);
    clearInterval(report);
    for (const disk of disks) disk.close();
  }
}
