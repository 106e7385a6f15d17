import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { busyboxInitramfs } from "../../src/boot/busybox-initramfs.ts";
import { hasProgram } from "../../src/boot/command.ts";
import { fetchDebian } from "../../src/boot/debian.ts";
import { moduleEntries, moduleFiles } from "../../src/boot/modules.ts";
import {
  blobDisk,
  createMachine,
  type Disk,
  fileDisk,
  type HostThread,
  httpDisk,
  type MachineOptions,
  MemoryDisk,
  memoryDisk,
  overlayDisk,
} from "../../src/index.ts";
import { RangeServer } from "./support/range-server.ts";

// One guest with a disk of each kind: what it reads is what the host has, and what it writes is where it belongs.

const SECTORS = 600;
const folder = mkdtempSync(join(tmpdir(), "umbra-disks-"));
const locks = hasProgram("flock");
if (!locks) console.log("not run: disks in files: flock is missing (Debian package util-linux)");

let kernel: Uint8Array;
let initrd: Uint8Array;

/** Reads each disk whole, writes a text at sector 3 and reads it back past the guest's cache. */
const SCRIPT = `
for disk in /dev/vd?; do
  name=\${disk#/dev/}
  echo "$name read $(md5sum <$disk | cut -c 1-32)"
  if echo "written to $name" | dd of=$disk seek=3 bs=512 conv=sync,notrunc,fsync 2>/dev/null; then
    echo 3 >/proc/sys/vm/drop_caches
    echo "$name has $(dd if=$disk skip=3 bs=512 count=1 2>/dev/null | tr -d '\\000')"
  else echo "$name refuses"; fi
done
`;

beforeAll(async () => {
  const debian = await fetchDebian();
  kernel = readFileSync(debian.kernel.path);
  const modules = await moduleFiles(debian.kernel.packagePath, ["virtio_pci", "virtio_blk"]);
  initrd = busyboxInitramfs({
    busybox: readFileSync(debian.busybox.path),
    script: SCRIPT,
    extra: moduleEntries(modules),
  });
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true }));

/** A guest that runs SCRIPT. */
const guestOn = (host: HostThread): MachineOptions => ({
  kernel,
  initrd,
  host,
  memoryBytes: 128 << 20,
  commandLine: "console=ttyS0 quiet cryptomgr.notests",
});

/** Content of which every sector is another one. */
const image = (seed: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length: SECTORS * 512 }, (_, at) => (at >> 9) * 7 + seed + (at & 0xff));
const md5 = (bytes: Uint8Array): string => createHash("md5").update(bytes).digest("hex");

/** What the disk holds once the guest has written to it. */
function written(content: Uint8Array, name: string): Uint8Array {
  const after = content.slice();
  after.fill(0, 3 * 512, 4 * 512);
  after.set(new TextEncoder().encode(`written to ${name}\n`), 3 * 512);
  return after;
}

/** A disk of the embedder's own, which takes its time. */
class SlowDisk implements Disk {
  readonly sectors = SECTORS;
  readonly synchronous = false;
  readonly id = "slow";
  readonly readOnly: boolean;
  readonly bytes: Uint8Array;
  closed = 0;
  readonly #content: MemoryDisk;

  constructor(bytes: Uint8Array, readOnly = false) {
    this.bytes = bytes;
    this.readOnly = readOnly;
    this.#content = new MemoryDisk(bytes);
  }
  async read(sector: number, into: Uint8Array): Promise<void> {
    await sleep(1);
    this.#content.read(sector, into);
  }
  async write(sector: number, from: Uint8Array): Promise<void> {
    await sleep(1);
    this.#content.write(sector, from);
  }
  async writeZeroes(sector: number, count: number): Promise<void> {
    await sleep(1);
    this.#content.writeZeroes(sector, count);
  }
  flush(): void {}
  close(): void {
    this.closed++;
  }
}

describe("disks of every kind", { timeout: 280_000 }, () => {
  it.each([["worker"], ["same-thread"]] as const)("are read and written by a guest: %s", async (host: HostThread) => {
    const server = new RangeServer(image(3));
    const url = await server.start();
    const path = join(folder, `${host}.img`);
    const readOnlyPath = join(folder, `${host}-base.img`);
    writeFileSync(path, image(1));
    writeFileSync(readOnlyPath, image(5));
    const file = (): readonly [ReturnType<typeof fileDisk>, ReturnType<typeof overlayDisk>] => [
      fileDisk(path),
      overlayDisk(fileDisk(readOnlyPath, { readOnly: true })),
    ];
    const memory = image(4);
    const own = new SlowDisk(image(6));
    const base = new SlowDisk(image(7), true);
    const [plain, overlay] = locks ? file() : [memoryDisk(image(1)), overlayDisk(memoryDisk(image(5)))];
    const machine = await createMachine({
      ...guestOn(host),
      disks: [
        ...[plain, blobDisk(new Blob([image(2)])), httpDisk(url), memoryDisk(memory), overlay, own, overlayDisk(base)],
        ...[overlayDisk(httpDisk(url)), memoryDisk(memory, { readOnly: true })],
      ],
    });
    const errors: string[] = [];
    machine.on("diskError", ({ code }) => errors.push(code));
    let output = "";
    machine.serial.onOutput((bytes) => (output += new TextDecoder().decode(bytes)));
    expect((await machine.run()).reason).toBe("power-off");
    const { refused } = await machine.stats();
    await machine.close();
    await server.close();

    const seeds = [1, 2, 3, 4, 5, 6, 7, 3, 4];
    const readOnly = [1, 2, 8];
    expect(output.split("\r\n").filter((line) => line.startsWith("vd"))).toEqual(
      seeds.flatMap((seed, index) => {
        const name = `vd${String.fromCharCode(0x61 + index)}`;
        const after = readOnly.includes(index) ? `${name} refuses` : `${name} has written to ${name}`;
        return [`${name} read ${md5(image(seed))}`, after];
      }),
    );
    expect([errors, refused.virtqueues, refused.diskRequests]).toEqual([[], 0, 0]);
    // What the host has of it.
    if (locks) {
      expect(md5(readFileSync(path))).toBe(md5(written(image(1), "vda")));
      expect(md5(readFileSync(readOnlyPath))).toBe(md5(image(5)));
    }
    expect(md5(server.bytes)).toBe(md5(image(3)));
    expect(md5(memory), "a disk in memory is the machine's own copy").toBe(md5(image(4)));
    expect(md5(own.bytes)).toBe(md5(written(image(6), "vdf")));
    expect(md5(base.bytes)).toBe(md5(image(7)));
    expect([own.closed, base.closed], "whoever made a disk closes it").toEqual([0, 0]);
  });

  it.each([["worker"], ["same-thread"]] as const)("that fail are I/O errors of the guest: %s", async (host) => {
    const server = new RangeServer(image(3));
    const url = await server.start();
    server.fault = (request) => (request > 1 ? "status 404" : undefined);
    const own = new MemoryDisk(image(6));
    own.read = () => {
      throw new Error("the embedder's own trouble");
    };
    const machine = await createMachine({
      ...guestOn(host),
      disks: [httpDisk(url), own],
    });
    const errors = new Set<string>();
    machine.on("diskError", ({ code, message }) => errors.add(`${code} ${message.replace(/^.*: /, "")}`));
    let output = "";
    machine.serial.onOutput((bytes) => (output += new TextDecoder().decode(bytes)));
    expect((await machine.run()).reason).toBe("power-off");
    await machine.close();
    await server.close();
    expect([...errors].toSorted()).toEqual([
      "ERR_DISK_IO HTTP status 404 and 0 bytes at 0, expected 206 and 262144",
      "ERR_DISK_IO the embedder's own trouble",
    ]);
    expect(output).toContain("I/O error");
  });
});
