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

  map(gva: bigint, gpa: bigint, lengthBytes: number, { write = false, execute = false, user = false }: { readonly write?: boolean; readonly execute?: boolean; readonly user?: boolean }): void {
    for (const [name, value] of [["gva", gva], ["gpa", gpa], ["lengthBytes", BigInt(lengthBytes)]] as const) {
      if (value % BigInt(PAGE) !== 0n) throw new VmError("ERR_CONFIG", `map: ${name} is ${value}, expected a multiple of ${PAGE}`);
    }
    const rights = PRESENT | (write ? WRITE : 0n) | (user ? USER : 0n) | (execute || !this.#long ? 0n : NO_EXECUTE);
    for (let at = 0n; at < BigInt(lengthBytes); at += BigInt(PAGE)) this.#mapPage(gva + at, (gpa + at) | rights);
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
