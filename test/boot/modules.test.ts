import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hasProgram } from "../../src/boot/command.ts";
import { readModuleInfo } from "../../src/boot/module-info.ts";
import { moduleEntries, moduleFiles } from "../../src/boot/modules.ts";
import { VmError } from "../../src/errors.ts";
import { deb } from "./support/debian.ts";
import { kernelModule } from "./support/module.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const ROOT = "lib/modules/6.1.0/";

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "umbra-modules-"))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function packageOf(files: Readonly<Record<string, Uint8Array>>): string {
  const path = join(directory, "linux-image.deb");
  const list = text("kernel/fs/ext4/ext4.ko\nkernel/drivers/char/hw_random/rng-core.ko\n");
  writeFileSync(
    path,
    deb({
      [`${ROOT}modules.builtin`]: list,
      ...Object.fromEntries(Object.entries(files).map(([name, bytes]) => [`${ROOT}kernel/${name}`, bytes])),
    }),
  );
  return path;
}

async function namesOf(path: string, names: readonly string[]): Promise<string[]> {
  return (await moduleFiles(path, names)).map(({ name }) => name);
}

describe("readModuleInfo", () => {
  it("reads name, dependencies and what to load before", () => {
    const image = kernelModule("license=GPL", "softdep=pre: crc32c sha-256 post: late", "depends=a-b,c", "name=x");
    expect(readModuleInfo(image)).toEqual({ name: "x", depends: ["a_b", "c"], softDepends: ["crc32c", "sha_256"] });
    expect(readModuleInfo(kernelModule("depends=", "name=y"))).toEqual({ name: "y", depends: [], softDepends: [] });
  });

  it("takes nothing else for a module, whatever is damaged", () => {
    const image = kernelModule("name=x");
    expect(readModuleInfo(text("no module"))).toBeUndefined();
    for (let length = 0; length < image.length; length++)
      expect(readModuleInfo(image.subarray(0, length)), `${length} bytes`).toBeUndefined();
    for (const at of [0, 4, 5, 41, 58, 62]) {
      const damaged = image.slice();
      damaged[at] = 0xee;
      expect(readModuleInfo(damaged), `byte ${at}`).toBeUndefined();
    }
  });
});

const dpkg = hasProgram("dpkg-deb");
if (!dpkg) console.log("not run: taking modules out of packages: dpkg-deb is missing (Debian package dpkg)");

describe.skipIf(!dpkg)("moduleFiles", () => {
  it("puts each module after what it needs, once, and leaves out what is built in", async () => {
    const path = packageOf({
      "drivers/virtio/virtio.ko": kernelModule("depends=", "name=virtio"),
      "drivers/virtio/virtio_ring.ko": kernelModule("depends=", "name=virtio_ring"),
      "drivers/char/virtio-rng.ko": kernelModule("depends=virtio_ring,virtio,rng-core", "name=virtio_rng"),
      "drivers/block/virtio_blk.ko": kernelModule("softdep=pre: absent extra", "depends=virtio", "name=virtio_blk"),
      "lib/extra.ko": kernelModule("depends=virtio-ring", "name=extra"),
      "lib/unused.ko": kernelModule("depends=missing", "name=unused"),
    });
    expect(await namesOf(path, ["virtio_rng", "ext4", "virtio-blk"])).toEqual([
      "virtio_ring",
      "virtio",
      "virtio_rng",
      "extra",
      "virtio_blk",
    ]);
    expect(await moduleFiles(path, ["ext4"])).toEqual([]);
  });

  it("decompresses modules", async () => {
    const plain = kernelModule("depends=", "name=m");
    const files: Record<string, Uint8Array> = { "a.ko.gz": gzipSync(plain), "b.ko.zst": zstdCompressSync(plain) };
    if (hasProgram("xz")) files["c.ko.xz"] = execFileSync("xz", ["-c"], { input: plain });
    else console.log("not run: modules in xz: xz is missing");
    const path = packageOf(files);
    for (const { name, path: file, bytes } of await moduleFiles(
      path,
      Object.keys(files).map((key) => key.charAt(0)),
    )) {
      expect(Buffer.from(bytes).equals(plain), name).toBe(true);
      expect(file).toBe(`${ROOT}kernel/${name}.ko`);
    }
  });

  it("says which module is missing or damaged, and ends when modules need one another", async () => {
    const path = packageOf({
      "a.ko": kernelModule("depends=b", "name=a"),
      "b.ko": kernelModule("depends=a", "name=b"),
      "needs.ko": kernelModule("depends=gone", "name=needs"),
      "bad.ko": text("\x7fELF"),
      "bad-gzip.ko.gz": text("not gzip"),
      "bad-xz.ko.xz": text("not xz"),
    });
    expect(await namesOf(path, ["a"])).toEqual(["b", "a"]);
    const failure = (name: string): Promise<unknown> => moduleFiles(path, [name]).catch((error: unknown) => error);
    const complaints: readonly [string, string, RegExp][] = [
      ["zfs", "ERR_CONFIG", /linux-image\.deb has no kernel module zfs, expected one$/],
      ["needs", "ERR_CONFIG", /has no kernel module gone, which needs needs, expected one$/],
      ["bad", "ERR_DOWNLOAD", /kernel\/bad\.ko is damaged: no kernel module for 64 bits$/],
      ["bad-gzip", "ERR_DOWNLOAD", /bad-gzip\.ko\.gz cannot be decompressed: /],
      ["bad-xz", hasProgram("xz") ? "ERR_DOWNLOAD" : "ERR_TOOL", /xz/],
    ];
    for (const [name, code, message] of complaints) {
      const error = await failure(name);
      expect(error).toBeInstanceOf(VmError);
      expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    }
  });
});

describe("moduleEntries", () => {
  it("lists the modules in their order", () => {
    const files = ["virtio", "virtio_blk"].map((name) => ({ name, path: "", bytes: text(name) }));
    expect(moduleEntries([])).toEqual([]);
    expect(moduleEntries(files)).toEqual([
      { kind: "file", path: "lib/modules/virtio.ko", bytes: text("virtio") },
      { kind: "file", path: "lib/modules/virtio_blk.ko", bytes: text("virtio_blk") },
      {
        kind: "file",
        path: "etc/modules-to-load",
        bytes: text("/lib/modules/virtio.ko\n/lib/modules/virtio_blk.ko\n"),
      },
    ]);
  });
});
