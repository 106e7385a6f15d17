import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OverlayDisk } from "../../runtime/disk/overlay-disk.ts";
import { busyboxInitramfs } from "../../src/boot/busybox-initramfs.ts";
import { hasProgram } from "../../src/boot/command.ts";
import { type DebianFiles, fetchDebian } from "../../src/boot/debian.ts";
import { moduleEntries, moduleFiles } from "../../src/boot/modules.ts";
import { VmError } from "../../src/errors.ts";
import { openFileDisk } from "../../src/host/node/file-disk.ts";
import { createPc } from "../../src/pc/create.ts";
import type { PcOptions } from "../../src/pc/options.ts";

// Debian's own kernel with its own drivers, against disks that are made and looked at with e2fsprogs.
const PATH = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
const missing = ["mke2fs", "debugfs", "e2fsck", "flock"].filter((program) => !hasProgram(program, PATH));
let files: DebianFiles | undefined;
if (missing.length > 0) console.log(`not run: Debian's kernel on virtio: missing programs: ${missing.join(", ")}`);
else {
  try {
    files = await fetchDebian();
  } catch (error) {
    if (!(error instanceof VmError)) throw error;
    console.log(`not run: Debian's kernel on virtio: ${error.message}`);
  }
}

const DRIVERS = ["virtio_pci", "virtio_blk", "virtio_rng", "virtio_console", "ext4"];

let directory: string;
let big: Buffer;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "umbra-virtio-"));
  mkdirSync(join(directory, "content"));
  writeFileSync(join(directory, "content", "greeting"), "hello from the host\n");
  big = Buffer.from(Uint8Array.from({ length: 1_500_000 }, (_, index) => (index * index) >>> 7));
  writeFileSync(join(directory, "content", "big"), big);
  if (files) tool("mke2fs", "-q", "-t", "ext4", "-d", join(directory, "content"), at("fresh.img"), "16M");
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function at(name: string): string {
  return join(directory, name);
}

function tool(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, {
    encoding: "utf8",
    env: { ...process.env, PATH },
    stdio: ["ignore", "pipe", "ignore"],
  });
}

function hash(algorithm: "md5" | "sha256", bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest("hex");
}

async function boot({ kernel, busybox }: DebianFiles, script: string, options: Partial<PcOptions>) {
  let serial = "";
  const modules = await moduleFiles(kernel.packagePath, DRIVERS);
  const machine = await createPc({
    kernel: readFileSync(kernel.path),
    initrd: busyboxInitramfs({ busybox: readFileSync(busybox.path), script, extra: moduleEntries(modules) }),
    memoryBytes: 256 << 20,
    onSerial: (bytes) => (serial += new TextDecoder().decode(bytes)),
    ...options,
    commandLine: `console=ttyS0 cryptomgr.notests quiet nokaslr ${options.commandLine ?? ""}`,
  });
  const exit = await machine.run();
  return { exit, serial, instructions: machine.stats().instructions };
}

describe.runIf(files !== undefined)("Debian's kernel on virtio", () => {
  const script = `
mount -t ext4 /dev/vda /mnt
cat /mnt/greeting
md5sum /mnt/big
echo hello from the guest > /mnt/answer
cp /mnt/big /mnt/copy
umount /mnt
mount -t ext4 /dev/vdb /mnt && echo lost > /mnt/lost && sync && cat /mnt/lost
umount /mnt
cat /sys/block/vd?/ro /sys/block/vda/serial; echo
dd if=/dev/zero of=/dev/vdc count=1 2>&1 | grep -c -i error
cat /sys/class/misc/hw_random/rng_current
head -c 1000 /dev/hwrng | md5sum
`;

  async function run(debian: DebianFiles, image: string) {
    copyFileSync(at("fresh.img"), image);
    const below = openFileDisk(at("fresh.img"), { readOnly: true });
    const disks = [openFileDisk(image), new OverlayDisk(below), openFileDisk(at("fresh.img"), { readOnly: true })];
    const errors: unknown[] = [];
    try {
      const onDiskError = (error: unknown): void => void errors.push(error);
      return { ...(await boot(debian, script, { disks, onDiskError, clock: "instructions" })), errors };
    } finally {
      for (const disk of disks) await disk.close();
    }
  }

  it("mounts, reads and writes disks, and does exactly the same twice", { timeout: 900_000 }, async () => {
    if (!files) return;
    const before = hash("sha256", readFileSync(at("fresh.img")));
    const first = await run(files, at("first.img"));
    expect(first.exit).toEqual({ reason: "power-off" });
    expect(first.errors).toEqual([]);
    expect(first.serial).toContain("hello from the host\r\n");
    expect(first.serial).toContain(`${hash("md5", big)}  /mnt/big`);
    expect(first.serial).toContain("lost\r\n0\r\n0\r\n1\r\nfirst.img");
    expect(first.serial).toMatch(/\n[1-9]\r\nvirtio_rng\.0\r\n[0-9a-f]{32} {2}-/);

    // What the guest wrote is in the file, and the file system is whole; the images below and read-only are as they were.
    expect(tool("debugfs", "-R", "cat answer", at("first.img"))).toBe("hello from the guest\n");
    tool("debugfs", "-R", `dump copy ${at("copy")}`, at("first.img"));
    expect(readFileSync(at("copy")).equals(big)).toBe(true);
    tool("e2fsck", "-f", "-n", at("first.img"));
    expect(hash("sha256", readFileSync(at("fresh.img")))).toBe(before);

    mkdirSync(at("again"));
    const second = await run(files, join(at("again"), "first.img"));
    expect(second.serial).toBe(first.serial);
    expect(second.instructions).toBe(first.instructions);
    expect(readFileSync(join(at("again"), "first.img")).equals(readFileSync(at("first.img")))).toBe(true);
  });

  it("works without MSI, and talks on a virtio console", { timeout: 600_000 }, async () => {
    if (!files) return;
    let console = "";
    const disk = openFileDisk(at("fresh.img"), { readOnly: true });
    try {
      const { exit } = await boot(
        files,
        "tty; cat /sys/class/tty/console/active; md5sum /dev/vda; grep virtio /proc/interrupts; echo end of script",
        {
          disks: [disk],
          commandLine: "pci=nomsi console=hvc0",
          console: { onOutput: (bytes) => (console += new TextDecoder().decode(bytes)) },
        },
      );
      expect(exit).toEqual({ reason: "power-off" });
    } finally {
      disk.close();
    }
    expect(console).toContain("/dev/hvc0\r\nttyS0 hvc0\r\n");
    expect(console).toContain(`${hash("md5", readFileSync(at("fresh.img")))}  /dev/vda`);
    expect(console.match(/IO-APIC +1[01]-fasteoi +virtio/g)?.length).toBeGreaterThan(0);
    expect(console).not.toContain("MSI");
    expect(console).toContain("end of script\r\n");
  });
});
