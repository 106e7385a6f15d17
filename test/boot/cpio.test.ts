import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { type ArchiveEntry, readCpio, writeCpio } from "../../runtime/boot/cpio.ts";
import { buildInitramfs, gunzip, gzip } from "../../runtime/boot/initramfs.ts";
import { busyboxInitramfs } from "../../src/boot/busybox-initramfs.ts";
import { hasProgram } from "../../src/boot/command.ts";

const cpio = hasProgram("cpio");
if (!cpio) console.log("not run: archives as cpio lists them: cpio is missing (Debian package cpio)");

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const entries: ArchiveEntry[] = [
  { kind: "directory", path: "dev", mode: 0o755 },
  { kind: "character", path: "dev/console", mode: 0o600, major: 5, minor: 1 },
  { kind: "block", path: "dev/vda", mode: 0o660, major: 254, minor: 0 },
  ...[0, 1, 2, 3, 4, 5].map((length): ArchiveEntry => ({
    kind: "file",
    path: `f${"x".repeat(length)}`,
    mode: 0o4755,
    bytes: bytes("abcde".slice(0, length)),
  })),
  { kind: "link", path: "sh", mode: 0o777, target: "bin/büsybox" },
];

describe("cpio archives", () => {
  it("come back as they went in, at every alignment of names and contents", () => {
    expect(readCpio(writeCpio(entries))).toEqual(entries);
  });

  it("are the same bytes for the same entries, and a multiple of 4", () => {
    const archive = writeCpio(entries);
    expect(archive).toEqual(writeCpio(structuredClone(entries)));
    expect(archive.length % 4).toBe(0);
  });

  it("have the header that the kernel reads", () => {
    const text = new TextDecoder().decode(writeCpio([{ kind: "file", path: "init", mode: 0o755, bytes: bytes("hi") }]));
    // magic, inode, mode, uid, gid, links, time, size, device (2), special device (2), name size, checksum
    expect(text.slice(0, 120)).toBe(
      "070701" +
        "00000001" + "000081ED" + "00000000" + "00000000" + "00000001" + "5E0BE100" + "00000002" +
        "00000000" + "00000000" + "00000000" + "00000000" + "00000005" + "00000000" +
        "init\0\0hi\0\0",
    ); // prettier-ignore
  });

  it.each(["", "/abs", "a//b", "a/", ".", "../x", "a\0b", "TRAILER!!!"])("refuse the path %j", (path) => {
    expect(() =>
      writeCpio([
        { kind: "directory", path: "a" },
        { kind: "directory", path },
      ]),
    ).toThrow("cannot be a path");
  });

  it("refuse what comes before its directory, or twice", () => {
    expect(() => writeCpio([{ kind: "directory", path: "a/b" }])).toThrow('"a/b" comes before its directory "a"');
    expect(() =>
      writeCpio([
        { kind: "directory", path: "a" },
        { kind: "link", path: "a", target: "b" },
      ]),
    ).toThrow('"a" is in the archive twice');
  });

  it("cut short anywhere: an error", () => {
    const archive = writeCpio(entries);
    for (let end = 0; end < archive.length - 124; end += 3)
      expect(() => readCpio(archive.subarray(0, end)), `${end}`).toThrow(/cut short/);
    expect(() => readCpio(bytes("x".repeat(200)))).toThrow('begins with "xxxxxx", expected "070701"');
  });

  it.skipIf(!cpio)("are what cpio lists", () => {
    const listing = execFileSync("cpio", ["-itv", "--quiet"], { input: writeCpio(entries), encoding: "utf8" });
    expect(listing).toMatch(/^crw-{7} .* 5, +1 .* dev\/console$/m);
    expect(listing).toMatch(/^-rwsr-xr-x .* 5 .* fxxxxx$/m);
  });
});

describe("initial RAM file systems", () => {
  it("get the directories that lead to their files, once, with the modes that were asked for", () => {
    const archive = buildInitramfs([
      { kind: "file", path: "a/b/c", bytes: bytes("1") },
      { kind: "directory", path: "a", mode: 0o700 },
      { kind: "file", path: "a/b/d", bytes: bytes("2") },
    ]);
    expect(readCpio(archive).map(({ path, mode }) => [path, mode])).toEqual([
      ["a", 0o700],
      ["a/b", 0o755],
      ["a/b/c", 0o644],
      ["a/b/d", 0o644],
    ]);
  });

  it("survive gzip", async () => {
    const archive = Uint8Array.from(writeCpio(entries));
    const compressed = await gzip(archive);
    expect([...compressed.subarray(0, 2)]).toEqual([0x1f, 0x8b]);
    expect(await gunzip(compressed)).toEqual(archive);
  });

  it("of busybox: an init that can be run, a console, and the script if there is one", () => {
    const files = new Map(
      readCpio(busyboxInitramfs({ busybox: bytes("ELF"), script: "echo hi\n" })).map((entry) => [entry.path, entry]),
    );
    expect(files.get("init")).toMatchObject({ kind: "file", mode: 0o755 });
    expect(files.get("bin/busybox")).toMatchObject({ mode: 0o755, bytes: bytes("ELF") });
    expect(files.get("dev/console")).toMatchObject({ kind: "character", major: 5, minor: 1 });
    expect(files.get("etc/umbra-script")).toMatchObject({ bytes: bytes("echo hi\n") });
    expect(readCpio(busyboxInitramfs({ busybox: bytes("ELF") })).some(({ path }) => path === "etc/umbra-script")).toBe(
      false,
    );
  });
});
