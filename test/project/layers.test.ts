import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");

/** What each file imports or does, and the rule that must object; undefined where nothing may. */
const CASES: readonly [file: string, source: string, rule: string | undefined][] = [
  ["runtime/abi/a1.ts", 'import "../memory/ram.ts";', "no-restricted-imports"],
  ["runtime/abi/a2.ts", 'import "node:fs";', "no-restricted-imports"],
  ["runtime/abi/a3.ts", 'import "binaryen";', "no-restricted-imports"],
  ["runtime/abi/a4.ts", 'import "../../jit/isa/row.ts";', "no-restricted-imports"],
  ["runtime/abi/a5.ts", 'import "./layout.ts";', undefined],
  ["runtime/memory/m1.ts", 'import "../../jit/isa/row.ts";', "no-restricted-imports"],
  [
    "runtime/memory/m2.ts",
    'import type { Row } from "../../jit/isa/row.ts"; export type { Row };',
    "no-restricted-imports",
  ],
  ["runtime/memory/m3.ts", 'import "../../src/errors.ts";', "no-restricted-imports"],
  ["runtime/memory/m4.ts", 'import "node:crypto";', "no-restricted-imports"],
  ["runtime/memory/m5.ts", 'import "binaryen";', "no-restricted-imports"],
  ["runtime/memory/m6.ts", 'import "../abi/layout.ts"; import "../cpu/cpu.ts";', undefined],
  ["runtime/r1.ts", 'import "../jit/isa/row.ts";', "no-restricted-imports"],
  ["runtime/r2.ts", 'export * from "../src/errors.ts";', "no-restricted-imports"],
  ["jit/isa/i1.ts", 'import "node:fs";', "no-restricted-imports"],
  ["jit/isa/i2.ts", 'import "binaryen";', "no-restricted-imports"],
  ["jit/isa/i3.ts", 'import "../../src/errors.ts";', "no-restricted-imports"],
  ["jit/isa/i4.ts", 'import "../../runtime/memory/ram.ts";', "no-restricted-imports"],
  ["jit/isa/i5.ts", 'import "../../runtime/abi/layout.ts"; import "../emit/module.ts";', undefined],
  ["jit/isa/i6.ts", 'import "../../runtime/board.ts";', "no-restricted-imports"],
  ["jit/emit/module.ts", 'import "binaryen";', undefined],
  ["jit/emit/e1.ts", 'import "binaryen";', "no-restricted-imports"],
  ["jit/interpreter/build.ts", 'import "node:fs";', undefined],
  ["src/s1.ts", 'import "binaryen";', "no-restricted-imports"],
  ["src/s2.ts", 'import "node:fs"; import "../jit/isa/row.ts"; import "../runtime/board.ts";', undefined],
  ["test/t1.ts", 'import "binaryen";', "no-restricted-imports"],
  ["src/s3.ts", "export const f = (x: any): unknown => x;", "no-explicit-any"],
  ["src/s4.ts", "export default 1;", "no-default-export"],
  ["src/s5.ts", "export namespace N { export const x = 1; }", "no-namespace"],
  ["src/s6.ts", "export async function f(): Promise<void> {} f();", "no-floating-promises"],
  ["test/t2.test.ts", 'import { it } from "vitest"; it.skip("x", () => {});', "no-disabled-tests"],
  ["test/t3.test.ts", 'import { it } from "vitest"; it.only("x", () => {});', "no-focused-tests"],
];

interface Diagnostic {
  readonly code: string;
  readonly filename: string;
  readonly severity: string;
}

describe("the lint rules", () => {
  let directory = "";
  let found: readonly Diagnostic[] = [];

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "umbra-lint-"));
    for (const file of [".oxlintrc.json", "tsconfig.json", "package.json"])
      cpSync(join(ROOT, file), join(directory, file));
    symlinkSync(join(ROOT, "node_modules"), join(directory, "node_modules"));
    for (const [file, source] of CASES) {
      mkdirSync(dirname(join(directory, file)), { recursive: true });
      writeFileSync(join(directory, file), `${source}\n`);
    }
    const oxlint = join(ROOT, "node_modules/oxlint/bin/oxlint");
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [oxlint, "--type-aware", "--format=json", "jit", "runtime", "src", "test"],
      {
        cwd: directory,
        encoding: "utf8",
      },
    );
    expect(stderr).toBe("");
    const report: { readonly diagnostics: readonly Diagnostic[] } = JSON.parse(stdout);
    found = report.diagnostics;
  });

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  for (const [file, source, rule] of CASES) {
    it(`${rule === undefined ? "allow" : `refuse (${rule})`} in ${file}: ${source}`, () => {
      const errors = found.filter(({ filename, severity }) => filename === file && severity === "error");
      const names = errors.map(({ code }) => /\(([^)]*)\)/.exec(code)?.[1]);
      if (rule === undefined) expect(names).toEqual([]);
      else expect(names).toContain(rule);
    });
  }

  it("leave enums to the compiler, which refuses them", () => {
    const file = join(directory, "enum.ts");
    writeFileSync(file, "export enum Colour { Red }\n");
    const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
    const compile = () =>
      execFileSync(process.execPath, [tsc, "--noEmit", "--erasableSyntaxOnly", "--ignoreConfig", "--types", "", file], {
        cwd: directory,
        encoding: "utf8",
        stdio: "pipe",
      });
    expect(compile).toThrow(expect.objectContaining({ stdout: expect.stringContaining("TS1294") }));
    const manifest = execFileSync(process.execPath, [tsc, "--showConfig", "-p", ROOT], { encoding: "utf8", cwd: ROOT });
    expect(manifest).toContain('"erasableSyntaxOnly": true');
  });
});
