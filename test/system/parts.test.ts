import { describe, expect, it } from "vitest";
import { mirrorOf, proxyVariables } from "./mirror.ts";
import { recipeKey } from "./recipe.ts";
import { compare } from "./results.ts";
import { formatTable } from "./table.ts";

describe("the mirror that debootstrap uses", () => {
  const security = "Packages main trixie-security http://mirror.example/debian-security/ Debian";

  it("is the one in apt's configuration that has the suite", () => {
    const targets = `${security}\nPackages main trixie http://a.example/debian/ Debian\nPackages main bookworm http://b.example/debian/`;
    expect(mirrorOf(targets, "bookworm")).toBe("http://b.example/debian");
  });

  it("is else any of Debian's, but not the one of security updates", () => {
    const targets = `${security}\nSources main trixie http://s.example/ Debian\nPackages main trixie https://a.example/debian/ Debian`;
    expect(mirrorOf(targets, "bookworm")).toBe("https://a.example/debian");
  });

  it("is debootstrap's own where apt knows no other", () => {
    expect(mirrorOf("Packages main noble http://u.example/ubuntu/ Ubuntu\n", "bookworm")).toBeUndefined();
    expect(mirrorOf("Packages main bookworm cdrom:[Debian]/ Debian", "bookworm")).toBeUndefined();
    expect(mirrorOf("", "bookworm")).toBeUndefined();
  });

  it("is reached through apt's proxy, unless the environment names one", () => {
    const dump = 'Acquire::http::Proxy "http://proxy.example:3142";\nAcquire::https::Proxy "DIRECT";\n';
    expect(proxyVariables(dump, {})).toEqual({ http_proxy: "http://proxy.example:3142" });
    expect(proxyVariables(dump, { http_proxy: "http://other.example" })).toEqual({});
  });
});

describe("results", () => {
  const result = { output: Buffer.from("same\n"), code: 0, seconds: 1 };

  it("are equal when output and exit code are", () => {
    expect(compare(result, { ...result, seconds: 90 })).toBe("equal");
    expect(compare(result, { ...result, code: 1 })).toBe("differs");
    expect(compare(result, { ...result, output: Buffer.from("same") })).toBe("differs");
    expect(compare(result, undefined)).toBe("unfinished");
  });

  it("make a table", () => {
    const row = { engine: "tiered", program: "git", nativeSeconds: 0.5, instructions: 2_500_000_000n };
    const table = formatTable([
      { ...row, guestSeconds: 20, comparison: "equal" },
      { ...row, program: "c", guestSeconds: undefined, comparison: "unfinished" },
    ]);
    expect(table.split("\n")).toEqual([
      "engine  program  native s  guest s  ratio  instructions  equal",
      "tiered  git          0.50     20.0     40         2.5 G  yes",
      "tiered  c            0.50        -      -         2.5 G  NOT ENDED",
    ]);
  });
});

it("another recipe has another key", () => {
  expect(recipeKey({ packages: ["a"] })).not.toBe(recipeKey({ packages: ["b"] }));
  expect(recipeKey()).toMatch(/^[0-9a-f]{16}$/);
});
