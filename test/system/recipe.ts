import { sha256 } from "../../src/boot/cache.ts";

/** What the root file system is made of. Whatever changes here makes it be built anew. */
export const RECIPE = {
  /** raise it when the way of building changes */
  version: 1,
  suite: "bookworm",
  variant: "minbase",
  packages: [
    "coreutils",
    "gawk",
    "gcc",
    "git",
    "gzip",
    "libc6-dev",
    "libpython3.11-testsuite",
    "openssl",
    "perl",
    "python3",
    "sqlite3",
    "stress-ng",
    "xz-utils",
  ],
  /** of the image; the file has holes where the file system is empty */
  imageMebibytes: 1536,
  /** mount points that Debian does not have */
  directories: ["work"],
  /** what no program here reads */
  removed: [
    "usr/share/doc",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/man",
    "var/cache/apt",
    "var/lib/apt/lists",
  ],
} as const;

/** Names the folder of the cache: equal recipes, equal names. */
export function recipeKey(recipe: object = RECIPE): string {
  return sha256(new TextEncoder().encode(JSON.stringify(recipe))).slice(0, 16);
}
