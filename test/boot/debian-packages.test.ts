import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cacheDirectory } from "../../src/boot/cache.ts";
import { hasProgram } from "../../src/boot/command.ts";
import { readPackageFiles } from "../../src/boot/deb.ts";
import { type DebianOptions, fetchDebian, type FetchProgress } from "../../src/boot/debian.ts";
import { findKernelPackage, parsePackages } from "../../src/boot/packages.ts";
import { readTar, type TarMember } from "../../src/boot/tar.ts";
import { deb, FakeMirror, type FakePackage, hash, stanza, tar, tarMember } from "./support/debian.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const large = Uint8Array.from({ length: 200_000 }, (_, index) => (index * 7) & 0xff);

function packages(version: string, kernel: Uint8Array = large): FakePackage[] {
  return [
    {
      name: "linux-image-cloud-amd64",
      version,
      depends: `linux-image-${version}-cloud-amd64 (= ${version})`,
      content: text("meta"),
    },
    {
      name: `linux-image-${version}-cloud-amd64`,
      version,
      depends: "kmod, linux-base (>= 4.3~), initramfs-tools (>= 0.120+deb8u2) | linux-initramfs-tool",
      content: deb({
        "etc/other": text("x"),
        [`boot/vmlinuz-${version}-cloud-amd64`]: kernel,
        "lib/modules/m.ko": text("m"),
      }),
    },
    { name: "busybox-static", version: "1:1.35.0-4+b1", content: deb({ "bin/busybox": text("BUSYBOX") }) },
  ];
}

let directory: string;
let mirror: FakeMirror;
let url: string;
let notes: FetchProgress[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "umbra-debian-"));
  mirror = new FakeMirror();
  url = await mirror.open();
  notes = [];
});
afterEach(async () => {
  await mirror.close();
  rmSync(directory, { recursive: true, force: true });
});

function fetchHere(options: DebianOptions = {}) {
  return fetchDebian({
    directory,
    mirror: url,
    environment: { PATH: "" },
    nowMs: () => 1_000_000,
    onProgress: (progress) => notes.push(progress),
    ...options,
  });
}

const dpkg = hasProgram("dpkg-deb");
if (!dpkg)
  console.log(
    "test/boot/debian-packages.test.ts: tests that unpack packages are skipped: dpkg-deb is not on the PATH (Debian package dpkg)",
  );

describe.skipIf(!dpkg)("Debian's kernel from a mirror", () => {
  it("follows the metapackage, checks, unpacks and keeps what it fetched", async () => {
    mirror.publish(packages("6.1.0-9"));
    const files = await fetchHere();
    expect(files.source).toBe("mirror");
    expect(files.kernel).toMatchObject({
      package: "linux-image-6.1.0-9-cloud-amd64",
      version: "6.1.0-9",
      sha256: hash(large),
    });
    expect(new Uint8Array(readFileSync(files.kernel.path))).toEqual(large);
    expect(readFileSync(files.busybox.path, "utf8")).toBe("BUSYBOX");
    expect(
      (await readPackageFiles(files.kernel.packagePath, (path) => path.endsWith(".ko"))).map(({ path }) => path),
    ).toEqual(["lib/modules/m.ko"]);
    const downloads = notes.filter((progress) => progress.kind === "download");
    expect(downloads.at(-1)).toMatchObject({ name: "busybox-static" });
    for (const { doneBytes, totalBytes } of downloads) expect(doneBytes).toBeLessThanOrEqual(totalBytes);
  });

  it("needs no network while the cache is fresh, and looks again after a week", async () => {
    mirror.publish(packages("1"));
    const first = await fetchHere();
    const before = mirror.requests.length;
    expect(await fetchHere()).toEqual({ ...first, source: "cache" });
    expect(mirror.requests.length).toBe(before);

    mirror.publish(packages("2", text("new kernel")));
    const second = await fetchHere({ nowMs: () => 1_000_000 + 8 * 86_400_000 });
    expect([second.kernel.version, second.source]).toEqual(["2", "mirror"]);
    // The kernel that it replaces is gone, busybox was not fetched again.
    expect([existsSync(first.kernel.path), existsSync(first.kernel.packagePath)]).toEqual([false, false]);
    expect(mirror.requests.filter((path) => path.endsWith("busybox-static.deb")).length).toBe(1);
  });

  it("uses an old cache when the network is gone, and says so", async () => {
    mirror.publish(packages("1"));
    const first = await fetchHere();
    await mirror.close();
    const later = { nowMs: () => 1_000_000 + 8 * 86_400_000 };
    expect(await fetchHere(later)).toEqual({ ...first, source: "cache" });
    expect(notes.at(-1)).toMatchObject({
      kind: "note",
      text: expect.stringMatching(/^using the kernel in the cache \(1\): cannot fetch /),
    });
    await expect(fetchHere({ ...later, refresh: true })).rejects.toMatchObject({
      name: "VmError",
      code: "ERR_DOWNLOAD",
    });
    mirror = new FakeMirror();
    await mirror.open();
  });

  it("fetches again what is damaged in the cache", async () => {
    mirror.publish(packages("1"));
    const { kernel } = await fetchHere();
    writeFileSync(kernel.path, "damaged");
    writeFileSync(kernel.packagePath, "damaged, too");
    const again = await fetchHere();
    expect(again.source).toBe("mirror");
    expect(new Uint8Array(readFileSync(again.kernel.path))).toEqual(large);
  });

  it("goes on where a download broke off", async () => {
    mirror.publish(packages("1"));
    mirror.breakAfter = 50_000;
    await expect(fetchHere()).rejects.toMatchObject({
      code: "ERR_DOWNLOAD",
      message: expect.stringMatching(/broke off after \d+ of \d+ bytes/),
    });
    const files = await fetchHere();
    expect(mirror.requests).toContainEqual(
      expect.stringMatching(/^\/debian\/pool\/linux-image-1-cloud-amd64\.deb bytes=[1-9]\d*-$/),
    );
    expect(files.kernel.sha256).toBe(hash(large));
    expect(readdirSync(join(directory, "packages")).filter((name) => !name.endsWith(".deb"))).toEqual([]);
  });

  it("starts over when what an earlier attempt left is damaged", async () => {
    mirror.publish(packages("1"));
    mirror.breakAfter = 50_000;
    await expect(fetchHere()).rejects.toThrow("broke off");
    const [part = ""] = readdirSync(join(directory, "packages"));
    const path = join(directory, "packages", part);
    const bytes = readFileSync(path);
    expect(bytes.length).toBeGreaterThan(0);
    writeFileSync(path, bytes.fill(0));
    expect((await fetchHere()).kernel.sha256).toBe(hash(large));
  });

  it("refuses a package whose hash is not the one in the index, and leaves nothing behind", async () => {
    mirror.publish(packages("1"));
    const name = "/debian/pool/linux-image-1-cloud-amd64.deb";
    mirror.files.set(name, Uint8Array.from(mirror.files.get(name) ?? []).fill(1, 100, 200));
    await expect(fetchHere()).rejects.toMatchObject({
      code: "ERR_DOWNLOAD",
      message: expect.stringMatching(/SHA-256 is [0-9a-f]{64}, expected [0-9a-f]{64}$/),
    });
    expect(readdirSync(join(directory, "packages"))).toEqual([]);
  });

  it("refuses a package that dpkg-deb cannot read, or that has no kernel", async () => {
    const broken = packages("1").map((item) =>
      item.name.startsWith("linux-image-1") ? { ...item, content: text("no package ".repeat(50)) } : item,
    );
    mirror.publish(broken);
    await expect(fetchHere()).rejects.toMatchObject({
      code: "ERR_DOWNLOAD",
      message: expect.stringMatching(/^linux-image-1-cloud-amd64_1\.deb: .*not a Debian format archive/),
    });
    mirror.publish(
      broken.map((item) =>
        item.name.startsWith("linux-image-1") ? { ...item, content: deb({ "boot/config": text("") }) } : item,
      ),
    );
    await expect(fetchHere()).rejects.toThrow("linux-image-1-cloud-amd64 1 has no file ^boot\\/vmlinuz-");
  });
});

describe("what cannot be fetched: one line each", () => {
  it.each([
    [
      "no URL",
      { mirror: "mirror.example" },
      "ERR_CONFIG",
      'the Debian mirror is "mirror.example", expected an http or https URL',
    ],
    [
      "no apt",
      { mirror: "" },
      "ERR_DOWNLOAD",
      "Debian's kernel is not in the cache, and there is no apt here to fetch it; give a Debian mirror with --mirror URL or UMBRA_DEBIAN_MIRROR",
    ],
    [
      "nobody there",
      { mirror: "http://127.0.0.1:9/debian" },
      "ERR_DOWNLOAD",
      /^cannot fetch http:\/\/127\.0\.0\.1:9\/debian\/dists\/stable\/Release: /,
    ],
  ])("%s", async (_name, options, code, message) => {
    await expect(fetchHere(options)).rejects.toMatchObject({
      name: "VmError",
      code,
      message: expect.stringMatching(message),
    });
  });

  it("no mirror", async () => {
    await expect(fetchHere()).rejects.toThrow(
      /is no Debian mirror with the suite stable: it has no dists\/stable\/Release$/,
    );
  });

  it("an index that is not what the Release file says", async () => {
    mirror.publish(packages("1"));
    mirror.files.set("/debian/dists/stable/main/binary-amd64/Packages.gz", text("nonsense"));
    await expect(fetchHere()).rejects.toThrow(/Packages\.gz: SHA-256 is/);
  });

  it("no such package", async () => {
    mirror.publish([]);
    await expect(fetchHere()).rejects.toThrow(/has no package linux-image-cloud-amd64 in stable\/main for amd64$/);
  });

  it("a cache folder that cannot be written", async () => {
    mirror.publish(packages("1"));
    writeFileSync(join(directory, "file"), "");
    await expect(fetchHere({ directory: join(directory, "file") })).rejects.toMatchObject({ code: "ERR_FILE" });
  });
});

describe.skipIf(!dpkg)("Debian's kernel through apt", () => {
  /** Programs in the place of apt, that know the packages of a folder; the lists are empty, or those of other packages, until `update`. */
  function fakeApt(items: readonly FakePackage[], { failing = "", old = [] as readonly FakePackage[] } = {}): string {
    const programs = mkdtempSync(join(directory, "programs-"));
    const program = (name: string, script: string): void => {
      writeFileSync(join(programs, name), `#!/bin/sh\nhere=${programs}\n${script}`);
      chmodSync(join(programs, name), 0o755);
    };
    for (const item of items) {
      writeFileSync(join(programs, `${item.name}.stanza`), `${stanza(item)}\n`);
      writeFileSync(join(programs, `${item.name}.package`), item.content);
    }
    for (const item of old) writeFileSync(join(programs, `${item.name}.old`), `${stanza(item)}\n`);
    program(
      "apt-cache",
      'for name; do :; done\nif [ -e "$here/updated" ]; then cat "$here/$name.stanza"; elif [ -e "$here/$name.old" ]; then cat "$here/$name.old"; else echo "N: Unable to locate package" >&2; exit 100; fi\n',
    );
    program(
      "apt-get",
      `for last; do :; done
echo "$*" >> "$here/log"
if [ "$last" = update ]; then touch "$here/updated"; exit 0; fi
name=\${last%%:*}
if [ "$name" = "${failing}" ]; then echo "E: Failed to fetch: no route to host" >&2; exit 100; fi
if [ ! -e "$here/updated" ]; then echo "E: Failed to fetch: 404 Not Found" >&2; exit 100; fi
echo "dlstatus:1:50.0000:Retrieving file 1 of 1" >&3
cp "$here/$name.package" "./$name.deb"
`,
    );
    return programs;
  }

  async function withPath<T>(programs: string, work: () => Promise<T>): Promise<T> {
    const before = process.env["PATH"];
    process.env["PATH"] = `${programs}:${before}`;
    try {
      return await work();
    } finally {
      process.env["PATH"] = before;
    }
  }

  const viaApt = (): Promise<unknown> =>
    fetchDebian({
      directory,
      environment: { PATH: process.env["PATH"] },
      onProgress: (progress) => notes.push(progress),
    });

  it("fetches lists of its own when apt has none, then the packages", async () => {
    const programs = fakeApt(packages("6.1"));
    const files = await withPath(programs, viaApt);
    expect(files).toMatchObject({ source: "apt", kernel: { version: "6.1", sha256: hash(large) } });
    const log = readFileSync(join(programs, "log"), "utf8");
    expect(log).toMatch(new RegExp(`Dir::State=${directory}/apt/state .*update`));
    expect(log).toContain("download linux-image-6.1-cloud-amd64:amd64=6.1");
    expect(notes).toContainEqual({ kind: "note", text: "fetching apt's list of packages" });
    const half = notes.find((progress) => progress.kind === "download");
    expect(half?.doneBytes).toBe(Math.round((half?.totalBytes ?? 0) / 2));
    expect(readdirSync(join(directory, "packages")).filter((name) => !name.endsWith(".deb"))).toEqual([]);
  });

  it("fetches new lists when the packages of the old ones are gone", async () => {
    const programs = fakeApt(packages("6.2"), { old: packages("6.1") });
    expect(await withPath(programs, viaApt)).toMatchObject({ source: "apt", kernel: { version: "6.2" } });
    const log = readFileSync(join(programs, "log"), "utf8").trim().split("\n");
    expect(log.map((line) => line.replace(/^.*(update|download .*)$/, "$1"))).toEqual([
      "download linux-image-6.1-cloud-amd64:amd64=6.1",
      "update",
      "download linux-image-6.2-cloud-amd64:amd64=6.2",
      "download busybox-static:amd64=1:1.35.0-4+b1",
    ]);
    expect(existsSync(join(directory, "apt"))).toBe(false);
  });

  it("shows apt's own reason when it fails", async () => {
    const programs = fakeApt(packages("6.1"), { failing: "busybox-static" });
    await expect(withPath(programs, viaApt)).rejects.toMatchObject({
      code: "ERR_DOWNLOAD",
      message: "cannot download busybox-static 1:1.35.0-4+b1: Failed to fetch: no route to host",
    });
  });

  it("says what to do when apt does not know the kernel", async () => {
    await expect(withPath(fakeApt([]), viaApt)).rejects.toThrow(
      "apt knows no package linux-image-cloud-amd64 here; is this Debian? Otherwise give a Debian mirror",
    );
  });
});

describe("lists of packages", () => {
  it("the stanzas of one name, not of one that begins like it", () => {
    const items = packages("1").concat(packages("2"));
    const index = items.map(stanza).join("\n");
    expect(parsePackages(index, "linux-image-cloud-amd64").map(({ version }) => version)).toEqual(["1", "2"]);
    expect(parsePackages(index, "linux-image")).toEqual([]);
    expect(parsePackages("Package: x\nVersion: 1\n", "x")).toEqual([]);
  });

  it("metapackages that lead in a circle: an error", async () => {
    const [record] = parsePackages(
      stanza({ name: "linux-image-x", version: "1", depends: "linux-image-x", content: text("") }).replace(
        "Size: 0",
        "Size: 1",
      ),
      "linux-image-x",
    );
    if (record === undefined) throw new Error("no record");
    const source = {
      name: "mirror" as const,
      find: () => Promise.resolve(record),
      fetch: () => Promise.resolve(),
      refresh: () => Promise.resolve(false),
    };
    await expect(findKernelPackage(source, "linux-image-x")).rejects.toThrow("leads to no kernel");
  });

  it("the cache folder follows XDG", () => {
    expect(cacheDirectory({ XDG_CACHE_HOME: "/somewhere" })).toBe("/somewhere/umbra");
    expect(cacheDirectory({ XDG_CACHE_HOME: "relative" })).toMatch(/\/\.cache\/umbra$/);
  });
});

describe("tar archives", () => {
  async function* chunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  async function read(bytes: Uint8Array, size = 1000): Promise<TarMember[]> {
    const members: TarMember[] = [];
    for await (const member of readTar(chunks(bytes, size), (path) => !path.startsWith("un"))) members.push(member);
    return members;
  }
  const longName = `${"d/".repeat(80)}file`;
  const archive = tar(
    tarMember("./dir/", text(""), "5"),
    tarMember("./dir/file", text("content")),
    tarMember("unwanted", large.subarray(0, 5000)),
    tarMember("sh", text(""), "2", "busybox"),
    tarMember("././@LongLink", text(`${longName}\0`), "L"),
    tarMember(longName.slice(0, 100), text("long")),
  );

  it.each([1, 7, 512, 100_000])("are read in chunks of %d bytes", async (size) => {
    const members = await read(archive, size);
    expect(members.map(({ path, kind, bytes }) => [path, kind, bytes.length])).toEqual([
      ["dir", "directory", 0],
      ["dir/file", "file", 7],
      ["unwanted", "file", 0],
      ["sh", "link", 0],
      [longName, "file", 4],
    ]);
    expect(members[3]?.target).toBe("busybox");
    expect(new TextDecoder().decode(members[1]?.bytes)).toBe("content");
  });

  it("cut short or damaged: an error", async () => {
    await expect(read(archive.subarray(0, 700))).rejects.toThrow("tar archive is cut short");
    await expect(read(archive.subarray(0, 1100))).rejects.toThrow("tar archive is cut short");
    const damaged = Uint8Array.from(archive);
    damaged[512] = 1;
    await expect(read(damaged)).rejects.toThrow("tar archive is damaged");
  });
});
