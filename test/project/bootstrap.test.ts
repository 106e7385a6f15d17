import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DEBIAN_PACKAGES, isPresent, missingLine } from "../../src/cli/bootstrap/debian.mjs";
import { npmReason } from "../../src/cli/bootstrap/dependencies.mjs";
import { runtimesAreCurrent } from "../../src/cli/bootstrap/runtimes.mjs";
import { TASKS } from "../../src/cli/bootstrap/tasks.mjs";

const ROOT = join(import.meta.dirname, "..", "..");

interface LockEntry {
  readonly version?: string;
  readonly resolved?: string;
  /** a package of the checkout itself: `resolved` is its folder */
  readonly link?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

describe.each(["package-lock.json", "test/runtimes/package-lock.json"])("%s", (file) => {
  const text = readFileSync(join(ROOT, file), "utf8");
  const lock: { readonly packages: Readonly<Record<string, LockEntry>> } = JSON.parse(text);

  it("names no registry", () => {
    const fetched = Object.values(lock.packages).filter(({ link }) => !link);
    expect(fetched.filter(({ resolved }) => resolved !== undefined)).toEqual([]);
    expect(text).not.toMatch(/"https?:\/\/[^"]*\.tgz"/);
  });

  // npm leaves out what the registry at hand does not offer, and then refuses the file wherever it is offered.
  it("has an entry for every platform that a package is made for", () => {
    const absent = Object.values(lock.packages)
      .flatMap(({ optionalDependencies }) => Object.keys(optionalDependencies ?? {}))
      .filter((name) => lock.packages[`node_modules/${name}`] === undefined);
    expect(absent).toEqual([]);
  });
});

describe("package.json", () => {
  const manifest: { readonly scripts: Readonly<Record<string, string>> } = JSON.parse(
    readFileSync(join(ROOT, "package.json"), "utf8"),
  );

  it("has a script for every task, and nothing but tasks, start and what npm pack runs", () => {
    const { start, prepack, ...tasks } = manifest.scripts;
    expect(start).toBe("node src/cli/umbra.mjs");
    expect(prepack).toBe(tasks["package"]);
    expect(tasks).toEqual(
      Object.fromEntries(Object.keys(TASKS).map((name) => [name, `node src/cli/task.mjs ${name}`])),
    );
  });
});

describe("messages of the set-up", () => {
  it("name the reason why npm failed, in one line", () => {
    expect(npmReason(127, "spawn npm ENOENT")).toMatch(/^there is no npm on the PATH/);
    const offline = "npm error code ENOTFOUND\nnpm error errno ENOTFOUND\nnpm error network request to x failed";
    expect(npmReason(1, offline)).toBe("the package registry cannot be reached (ENOTFOUND); this step needs a network");
    expect(npmReason(1, "npm error code EUSAGE\nnpm error\nnpm error The lock file is old\n")).toMatch(
      /^The lock file is old \(/,
    );
    expect(npmReason(7, "")).toMatch(/^npm ended with code 7/);
  });

  it("say what is missing of Debian's packages and what is skipped, in one line", () => {
    const line = missingLine(DEBIAN_PACKAGES, "not root");
    expect(line).toBe(
      "missing Debian packages: gcc, libc6-dev, binutils, acpica-tools, e2fsprogs, util-linux, xz-utils, " +
        "debootstrap, chromium (not root); " +
        "skipped without them: recording hardware vectors, comparing the disassembler with objdump, " +
        "checking the ACPI tables with iasl, booting Debian's kernel on virtio disks, locking disk images, " +
        "kernel modules that are compressed with xz, comparing programs of a Debian system, " +
        "running the page in a browser",
    );
  });

  it("find commands on the PATH, and files where they are", () => {
    const wanted = { name: "x", provides: "umbra.mjs", usedFor: "", tasks: [] };
    expect(isPresent(wanted, join(ROOT, "src/cli"))).toBe(true);
    expect(isPresent(wanted, join(ROOT, "src"))).toBe(false);
    expect(isPresent({ ...wanted, provides: join(ROOT, "package.json") }, "")).toBe(true);
  });
});

describe("the runtimes for the tests", () => {
  let directory = "";
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "umbra-runtimes-"));
    mkdirSync(join(directory, "node_modules"));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));
  const write = (file: string, packages: Readonly<Record<string, object>>) =>
    writeFileSync(join(directory, file), JSON.stringify({ packages }));
  const here = { optional: true, os: [process.platform], cpu: process.arch };

  it("are wanted for this platform alone, in the version of the lock file", () => {
    expect(runtimesAreCurrent(directory)).toBe(true);
    write("package-lock.json", {
      "": {},
      "node_modules/there": { ...here, version: "1.0.0", cpu: ["mips"] },
      "node_modules/here": { ...here, version: "1.0.0", integrity: "x" },
    });
    expect(runtimesAreCurrent(directory)).toBe(false);
    write("node_modules/.package-lock.json", { "node_modules/here": { version: "1.0.0", integrity: "x" } });
    expect(runtimesAreCurrent(directory)).toBe(true);
    write("node_modules/.package-lock.json", { "node_modules/here": { version: "1.0.1", integrity: "y" } });
    expect(runtimesAreCurrent(directory)).toBe(false);
  });
});

/** A checkout of a made-up project around the real bootstrap: no dependencies, a builder that writes what it is told to. */
describe("the bootstrap", () => {
  let checkout = "";

  beforeEach(() => {
    checkout = mkdtempSync(join(tmpdir(), "umbra-bootstrap-"));
    const write = (file: string, text: string) => {
      mkdirSync(join(checkout, file, ".."), { recursive: true });
      writeFileSync(join(checkout, file), text);
    };
    cpSync(join(ROOT, "src/cli/bootstrap"), join(checkout, "src/cli/bootstrap"), { recursive: true });
    for (const file of ["task.mjs", "umbra.mjs"]) cpSync(join(ROOT, "src/cli", file), join(checkout, "src/cli", file));
    write("package.json", "{}");
    write("package-lock.json", '{ "packages": { "": {} } }');
    write("node_modules/.package-lock.json", '{ "packages": {} }');
    write("node_modules/node/bin/node", `#!/bin/sh\nexec "${process.execPath}" "$@"\n`);
    spawnSync("chmod", ["+x", join(checkout, "node_modules/node/bin/node")]);
    write("runtime/abi/layout.ts", "");
    write(
      "jit/interpreter/build.ts",
      `import { appendFileSync, writeFileSync } from "node:fs";
       appendFileSync("builds", "x");
       writeFileSync("build/core.wasm", "");
       writeFileSync("build/core.manifest.json", "");`,
    );
    write("src/cli/run.ts", "console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 7;");
  });

  afterEach(() => rmSync(checkout, { recursive: true, force: true }));

  const umbra = (...args: string[]) =>
    spawnSync(process.execPath, [join(checkout, "src/cli/umbra.mjs"), ...args], { encoding: "utf8", input: "" });
  const builds = () => readFileSync(join(checkout, "builds"), "utf8").length;

  it("hands over arguments and exit code", () => {
    const { status, stdout, stderr } = umbra("exec", "--entry", "0x10", "a b", "");
    expect(stderr).toBe("");
    expect([status, stdout]).toEqual([7, '["exec","--entry","0x10","a b",""]\n']);
  });

  it("builds once, and again when a source has changed, was added, or a product is gone", () => {
    umbra();
    expect(umbra().stderr).toBe("");
    expect(builds()).toBe(1);
    writeFileSync(join(checkout, "runtime/abi/layout.ts"), "export {};");
    umbra();
    expect(builds()).toBe(2);
    writeFileSync(join(checkout, "jit/new.ts"), "");
    umbra();
    expect(builds()).toBe(3);
    rmSync(join(checkout, "build/core.wasm"));
    umbra();
    umbra();
    expect(builds()).toBe(4);
    expect(readdirSync(join(checkout, ".cache"))).toEqual(["setup.log"]);
  });

  it("reports a build that fails, keeps no stamp of it, and does not start", () => {
    writeFileSync(join(checkout, "jit/interpreter/build.ts"), 'console.error("no such row"); process.exit(3);');
    for (let attempt = 0; attempt < 2; attempt++) {
      const { status, stdout, stderr } = umbra();
      expect([status, stdout]).toEqual([1, ""]);
      expect(stderr).toMatch(/^no such row\numbra: the build failed: .* ended with code 3 .*\n$/);
    }
    expect(existsSync(join(checkout, "build/.stamp"))).toBe(false);
  });

  it("takes the place of a set-up that was killed, and waits for one that lives", async () => {
    mkdirSync(join(checkout, ".cache"));
    const owner = spawn("sleep", ["1"]);
    writeFileSync(join(checkout, ".cache/setup.lock"), String(owner.pid));
    const started = Date.now();
    // Both at once: the second finds the work of the first done.
    const two = [0, 1].map(() => spawn(process.execPath, [join(checkout, "src/cli/umbra.mjs")], { stdio: "ignore" }));
    const codes = await Promise.all(two.map(async (child) => (await once(child, "exit"))[0] as unknown));
    expect(codes).toEqual([7, 7]);
    expect(Date.now() - started).toBeGreaterThan(900);
    expect(builds()).toBe(1);
  });

  it("says in one line that npm cannot install, without a stack trace", () => {
    rmSync(join(checkout, "node_modules"), { recursive: true });
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(checkout, "src/cli/umbra.mjs")], {
      encoding: "utf8",
      env: { PATH: join(checkout, "nowhere") },
    });
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^umbra: cannot install the npm dependencies: there is no npm on the PATH[^\n]*\n$/);
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`passes ${signal} on and lets the program end in its own way`, async () => {
      writeFileSync(
        join(checkout, "src/cli/run.ts"),
        `process.once("${signal}", () => { console.log("stopped"); process.exit(5); });
         setInterval(() => {}, 1000);
         console.log("ready");`,
      );
      const child = spawn(process.execPath, [join(checkout, "src/cli/umbra.mjs")], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let output = "";
      child.stdout.on("data", (chunk: Buffer) => {
        output += chunk.toString();
        if (output === "ready\n") child.kill(signal);
      });
      const [code] = (await once(child, "close")) as unknown[];
      expect([code, output]).toEqual([5, "ready\nstopped\n"]);
    });
  }

  it("ends with 128 and the signal's number when a signal ends the program", () => {
    writeFileSync(
      join(checkout, "src/cli/run.ts"),
      'process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 1000);',
    );
    expect(umbra().status).toBe(137);
  });

  it("refuses a task that does not exist, in one line", () => {
    const { status, stderr } = spawnSync(process.execPath, [join(checkout, "src/cli/task.mjs"), "tset"], {
      encoding: "utf8",
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^umbra: no such task: tset; there are setup, test, [^\n]*\n$/);
  });
});
