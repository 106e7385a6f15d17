import { VmError } from "./errors.ts";

const PAGE = 4096;
const PRESENT = 1n;
const WRITE = 2n;
const USER = 4n;
const LARGE = 0x80n;
const NO_EXECUTE = 1n << 63n;
const ADDRESS = 0x000f_ffff_ffff_f000n;

/** Page tables that the embedder's `map` builds: 4-level in long mode, PAE in protected mode. They lie behind guest memory. */
export class PageTables {
  readonly #ram: DataView;
  readonly #first: number;
  readonly #end: number;
  readonly #long: boolean;
  #next: number;
  #root: number | undefined;

  /** @param first guest-physical address of the room for tables; @param end where it ends */
  constructor(ram: Uint8Array, first: number, end: number, long: boolean) {
    this.#ram = new DataView(ram.buffer, ram.byteOffset, ram.byteLength);
    this.#first = first;
    this.#end = end;
    this.#long = long;
    this.#next = first;
  }

  /** Guest-physical address of the root table: CR3. */
  get root(): number {
    this.#root ??= this.#table();
    return this.#root;
  }

  /** Root of tables that map the first 4 GiB one to one, with all rights. */
  identity(): number {
    const root = this.#table();
    const pointers = this.#table();
    this.#set(root, 0, BigInt(pointers) | PRESENT | WRITE | USER);
    for (let gigabyte = 0; gigabyte < 4; gigabyte++) {
      const directory = this.#table();
      this.#set(pointers, gigabyte, BigInt(directory) | PRESENT | WRITE | USER);
      for (let index = 0; index < 512; index++) {
        const gpa = BigInt(gigabyte) * 0x4000_0000n + BigInt(index) * 0x20_0000n;
        this.#set(directory, index, gpa | PRESENT | WRITE | USER | LARGE);
      }
    }
    return root;
  }

  /** @throws {VmError} ERR_CONFIG when an argument is no multiple of a page, or an address is out of reach */
  map(
    gva: bigint | number,
    gpa: bigint | number,
    lengthBytes: number,
    options: { readonly write?: boolean; readonly execute?: boolean; readonly user?: boolean },
  ): void {
    const { write = false, execute = false, user = false } = options;
    const given = { gva, gpa, lengthBytes };
    const [first, to, length] = (["gva", "gpa", "lengthBytes"] as const).map((name) => pages(name, given[name])) as [
      bigint,
      bigint,
      bigint,
    ];
    this.#requireReach(first, to, length);
    const rights = PRESENT | (write ? WRITE : 0n) | (user ? USER : 0n) | (execute || !this.#long ? 0n : NO_EXECUTE);
    for (let at = 0n; at < length; at += BigInt(PAGE)) this.#mapPage(first + at, (to + at) | rights);
  }

  /** Linear addresses must be canonical (32 bits without long mode), guest-physical ones below 2^40. */
  #requireReach(gva: bigint, gpa: bigint, length: bigint): void {
    const half = this.#long ? 1n << 47n : 1n << 32n;
    const top = 1n << 64n;
    const low = gva >= 0n && gva + length <= half;
    const high = this.#long && gva >= top - half && gva + length <= top;
    if (!low && !high)
      throw new VmError("ERR_CONFIG", `map: gva is 0x${gva.toString(16)}, expected an address that the mode can reach`);
    if (gpa < 0n || gpa + length > 1n << 40n)
      throw new VmError("ERR_CONFIG", `map: gpa is 0x${gpa.toString(16)}, expected less than 2^40`);
  }

  #mapPage(gva: bigint, entry: bigint): void {
    let table = this.root;
    for (let shift = this.#long ? 39n : 30n; shift > 12n; shift -= 9n) {
      const index = Number((gva >> shift) & 511n);
      const present = this.#get(table, index);
      if (present & PRESENT) {
        table = Number(present & ADDRESS);
        continue;
      }
      const next = this.#table();
      // The entries of PAE's root have no rights; elsewhere the last level decides.
      const rights = !this.#long && shift === 30n ? PRESENT : PRESENT | WRITE | USER;
      this.#set(table, index, BigInt(next) | rights);
      table = next;
    }
    this.#set(table, Number((gva >> 12n) & 511n), entry);
  }

  #table(): number {
    const at = this.#next;
    if (at + PAGE > this.#end) {
      const tables = (this.#end - this.#first) / PAGE;
      throw new VmError("ERR_CONFIG", `map: more than the ${tables} page tables that there is room for are needed`);
    }
    this.#next += PAGE;
    return at;
  }

  #get(table: number, index: number): bigint {
    return this.#ram.getBigUint64(table + 8 * index, true);
  }
  #set(table: number, index: number, entry: bigint): void {
    this.#ram.setBigUint64(table + 8 * index, entry, true);
  }
}

/** A multiple of the page size as bigint; a negative gva counts from the top, as sign-extended addresses do. */
function pages(name: string, value: bigint | number): bigint {
  const valid = typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value));
  const wide = valid ? BigInt(value) : undefined;
  if (wide === undefined || wide % BigInt(PAGE) !== 0n || (name === "lengthBytes" && wide < 0n)) {
    throw new VmError("ERR_CONFIG", `map: ${name} is ${String(value)}, expected a multiple of ${PAGE}`);
  }
  return name === "gva" ? BigInt.asUintN(64, wide) : wide;
}
