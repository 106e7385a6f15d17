import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import * as fs from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { hasProgram } from "../../src/boot/command.ts";
import { main } from "../../src/cli/main.ts";
import { parseDisk } from "../../src/cli/disks.ts";
import { VmError } from "../../src/errors.ts";
import { openFileDisk } from "../../src/host/node/file-disk.ts";
import { nodeHost } from "../../src/cli/node-host.ts";
import { fakeHost } from "../project/fake-host.ts";

vi.mock("node:fs", async (original) => {
  const real = await original<typeof fs>();
  return { ...real, fdatasyncSync: vi.fn<typeof fs.fdatasyncSync>(real.fdatasyncSync) };
});

const locks = hasProgram("flock");
if (!locks) console.log("not run: disk images in files: flock is missing (Debian package util-linux)");

let directory: string;
let image: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "umbra-disk-"));
  image = join(directory, "root.img");
  writeFileSync(
    image,
    Uint8Array.from({ length: 64 * 512 }, (_, index) => index >> 9),
  );
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function failure(work: () => unknown): VmError {
  try {
    work();
  } catch (error) {
    if (error instanceof VmError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe.skipIf(!locks)("openFileDisk", () => {
  it("reads and writes sectors of the file", () => {
    const disk = openFileDisk(image);
    expect(disk).toMatchObject({ sectors: 64, readOnly: false, synchronous: true, id: "root.img" });
    const read = new Uint8Array(1024);
    disk.read(3, read);
    expect([read[0], read[511], read[512]]).toEqual([3, 3, 4]);
    disk.write(63, new Uint8Array(512).fill(0xaa));
    disk.writeZeroes(1, 2);
    disk.close();
    const content = readFileSync(image);
    expect([0, 1, 2, 3, 62, 63].map((sector) => content[sector * 512 + 100])).toEqual([0, 0, 0, 3, 62, 0xaa]);
    expect(content.length).toBe(64 * 512);
  });

  it("has the host's disk write what was written, at each flush and not before", () => {
    const sync = vi.mocked(fs.fdatasyncSync);
    const disk = openFileDisk(image);
    sync.mockClear();
    disk.write(0, new Uint8Array(512));
    expect(sync).not.toHaveBeenCalled();
    disk.flush();
    expect(sync).toHaveBeenCalledTimes(1);
    sync.mockImplementationOnce(() => {
      throw Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO" });
    });
    expect(failure(() => disk.flush())).toMatchObject({
      code: "ERR_DISK_IO",
      message: `cannot flush disk ${image}: EIO: i/o error, fdatasync`,
    });
    disk.close();
  });

  it("says when the file has become shorter, or was closed", () => {
    const disk = openFileDisk(image);
    truncateSync(image, 512);
    expect(failure(() => disk.read(1, new Uint8Array(512)))).toMatchObject({
      code: "ERR_DISK_IO",
      message: `cannot read disk ${image} at sector 1: the file has become shorter`,
    });
    disk.close();
    disk.close();
    expect(failure(() => disk.read(0, new Uint8Array(512))).message).toMatch(/at sector 0: it is closed$/);
  });

  it("is locked against others while somebody may write it", () => {
    const writer = openFileDisk(image);
    for (const readOnly of [false, true]) {
      const error = failure(() => openFileDisk(image, { readOnly }));
      expect(error.code).toBe("ERR_DISK_LOCKED");
      expect(error.message).toMatch(/^disk .*root\.img is locked: /);
    }
    // Another process sees the lock, too, and so does another name of the file.
    expect(() => execFileSync("flock", ["--nonblock", image, "true"])).toThrow("Command failed");
    const link = join(directory, "link.img");
    fs.symlinkSync(image, link);
    expect(failure(() => openFileDisk(link)).code).toBe("ERR_DISK_LOCKED");
    writer.close();
    const readers = [openFileDisk(image, { readOnly: true }), openFileDisk(link, { readOnly: true })];
    expect(failure(() => openFileDisk(image)).code).toBe("ERR_DISK_LOCKED");
    for (const reader of readers) reader.close();
    openFileDisk(image).close();
  });

  it("gives the lock up when what it found is no disk", () => {
    writeFileSync(image, new Uint8Array(100));
    expect(failure(() => openFileDisk(image)).code).toBe("ERR_DISK_FORMAT");
    execFileSync("flock", ["--nonblock", image, "true"]);
  });
});

describe("parseDisk", () => {
  it("takes the words behind the last comma for what is done with the disk", () => {
    expect(["a.img", "a.img,ro", "a,b.img", "a,ro,overlay", "x,2"].map(parseDisk)).toEqual([
      { path: "a.img", mode: "rw" },
      { path: "a.img", mode: "ro" },
      { path: "a,b.img", mode: "rw" },
      { path: "a,ro", mode: "overlay" },
      { path: "x,2", mode: "rw" },
    ]);
    for (const text of ["a.img,", "a.img,readonly", "", ",ro"])
      expect(failure(() => parseDisk(text)).code).toBe("ERR_CONFIG");
  });
});

describe.skipIf(!locks)("umbra run --disk", () => {
  it("answers a bad disk with exactly one line and exit code 2, and changes nothing", async () => {
    const file = (name: string, bytes: Uint8Array): string => {
      const path = join(directory, name);
      writeFileSync(path, bytes);
      return path;
    };
    const partitioned = new Uint8Array(10 * 512);
    partitioned.set([0, 0, 0, 0, 0x83, 0, 0, 0, 1, 0, 0, 0, 20], 446);
    partitioned.set([0x55, 0xaa], 510);
    const table = new Uint8Array(40 * 512);
    table.set([0, 0, 0, 0, 0xee, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], 446);
    table.set([0x55, 0xaa], 510);
    table.set(new TextEncoder().encode("EFI PART"), 512);
    table.set([99], 512 + 32);
    const readOnly = file("read-only.img", new Uint8Array(512));
    chmodSync(readOnly, 0o444);
    const held = openFileDisk(image);
    const bad: [args: string[], complaint: RegExp][] = [
      [["--disk", join(directory, "absent")], /^umbra: cannot open disk .*absent: no such file$/],
      [["--disk", directory], /^umbra: cannot open disk .*: it is a directory, expected a raw disk image$/],
      [["--disk", file("odd", new Uint8Array(1000))], /^umbra: disk .*odd has 1000 bytes, expected a multiple of 512 /],
      [["--disk", file("none", new Uint8Array(0))], /^umbra: disk .*none has 0 bytes, expected a multiple of 512 /],
      [["--disk", image], /^umbra: disk .*root\.img is locked: expected no other machine that uses it$/],
      [["--disk", `${image},overlay`], /^umbra: disk .*root\.img is locked: another machine may write it/],
      [
        ["--disk", `${file("mbr", partitioned)},ro`],
        /mbr is cut short: it has 10 sectors, expected at least 21 by its /,
      ],
      [
        ["--disk", `${file("gpt", table)},overlay`],
        /gpt is cut short: it has 40 sectors, expected at least 100 by its /,
      ],
      [["--disk", "/dev/null,ro"], /^umbra: disk \/dev\/null is not a regular file, expected a raw disk image$/],
      [["--disk", `${image},rx`], /^umbra: --disk: ".*root\.img,rx" ends in ",rx", expected ",ro" or ",overlay"$/],
      [["--disk"], /^umbra: option '--disk <value>' argument missing; see umbra run --help$/],
      [["--console", "vga", "--kernel", "x"], /^umbra: --console: "vga" is none of serial, virtio$/],
    ];
    // Nobody keeps root from writing to a file, except sysfs to one that has no such operation.
    const unwritable = process.getuid?.() === 0 ? "/sys/kernel/notes" : readOnly;
    if (existsSync(unwritable))
      bad.push([["--disk", unwritable], /^umbra: cannot write disk .*: it is read-only here; /]);
    else console.log(`not run: a disk without permission to write: this is root, and there is no ${unwritable}`);
    const before = readdirSync(directory).map((name) => [name, readFileSync(join(directory, name)).toString("hex")]);
    for (const [args, complaint] of bad) {
      const host = fakeHost();
      host.openDisk = (path, options) => nodeHost.openDisk(path, options);
      expect(await main(["run", ...args], host), args.join(" ")).toBe(2);
      expect(host.complaints, args.join(" ")).toEqual([expect.stringMatching(complaint)]);
      expect(host.complaints[0]).not.toContain("\n");
    }
    held.close();
    expect(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name)).toString("hex")])).toEqual(
      before,
    );
  });

  it("closes the disks that it opened when a later one is bad, or the machine cannot be made", async () => {
    for (const args of [
      ["--disk", image, "--disk", join(directory, "absent")],
      ["--disk", image, "--kernel", join(directory, "absent")],
    ]) {
      const host = fakeHost();
      host.openDisk = (path, options) => nodeHost.openDisk(path, options);
      expect(await main(["run", ...args], host)).toBe(2);
      openFileDisk(image).close();
    }
    expect(existsSync(join(directory, "absent"))).toBe(false);
  });
});
