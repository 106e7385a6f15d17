import { VmError } from "../errors.ts";

/** A feature of WebAssembly that core.wasm needs, with the smallest module that needs it, too, behind the eight bytes of its header. */
interface Requirement {
  readonly what: string;
  readonly since: string;
  readonly module: readonly number[];
}

/** type 0: () -> (); one function of it */
const FUNCTION = [1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0] as const;

const REQUIREMENTS: readonly Requirement[] = [
  {
    what: "tail calls",
    since: "Chrome 112, Firefox 121, Safari 18.2, Node.js 20",
    // return_call 0
    module: [...FUNCTION, 10, 6, 1, 4, 0, 0x12, 0, 0x0b],
  },
  {
    what: "SIMD",
    since: "Chrome 91, Firefox 89, Safari 16.4, Node.js 16.4",
    // i32.const 0, i8x16.splat, drop
    module: [...FUNCTION, 10, 9, 1, 7, 0, 0x41, 0, 0xfd, 0x0f, 0x1a, 0x0b],
  },
  {
    what: "shared memory",
    since: "Chrome 74, Firefox 79, Safari 15.2, Node.js 16.4",
    // a memory of one page
    module: [5, 4, 1, 3, 1, 1],
  },
];

/**
 * Makes sure that this host has what Umbra needs.
 *
 * @param wasm the engine; another one for tests
 * @throws {VmError} ERR_HOST, saying what is missing, and since when engines have it
 */
export function checkRequirements(
  wasm: Pick<typeof WebAssembly, "validate"> | undefined = globalThis.WebAssembly,
): void {
  if (!wasm) throw new VmError("ERR_HOST", "this JavaScript engine has no WebAssembly");
  const missing = REQUIREMENTS.filter(
    ({ module }) => !wasm.validate(Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...module])),
  );
  if (missing.length === 0) return;
  const list = missing.map(({ what, since }) => `${what} (${since})`).join(", ");
  throw new VmError("ERR_HOST", `this JavaScript engine lacks what Umbra needs of WebAssembly: ${list}`);
}
