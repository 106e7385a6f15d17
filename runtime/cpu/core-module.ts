/** What core.wasm exports; offsets are offsets in linear memory. */
export interface CoreExports {
  /** Runs from guestState.rip until control must come back; returns an Exit. */
  run(cpu: number): number;
  /** Guest-physical address, or -1n with the page fault in the exit fields. Access bits: see WalkAccess. */
  page_walk(cpu: number, gva: bigint, access: number): bigint;
  /** Offset of the code byte at a linear address, 0 on a fault, -1 where there is no RAM. */
  fetch_slow(cpu: number, linear: bigint): number;
  physical_read(cpu: number, gpa: bigint, to: number, byteLength: number): void;
  physical_write(cpu: number, gpa: bigint, from: number, byteLength: number): void;
  select_tlb(cpu: number): void;
  /** Empties entries of the three tables of the TLB bank at offset `bank`. */
  drop_entries(cpu: number, bank: number, first: number, count: number): void;
  /** handlers of records, and behind them the functions of translated regions */
  readonly handlers: WebAssembly.Table;
  /** What regions go on with; see REGION_IMPORTS. */
  goto(cpu: number, rip: bigint): number;
  goto_interpreter(cpu: number, rip: bigint): number;
  enter_read(cpu: number, gva: bigint, byteLength: number): number;
  enter_write(cpu: number, gva: bigint, byteLength: number): number;
  goto_link(cpu: number, rip: bigint, cell: number): number;
  goto_from(cpu: number, rip: bigint, branch: number, place: bigint): number;
}

/** Access bits of page_walk. */
export const WalkAccess = { WRITE: 1, USER: 2, FETCH: 4, IMPLICIT: 8, PROBE: 16 } as const;

/** What core.wasm imports. `gpa` is below 2^52; all bytes of an access lie in one page. */
export interface CoreImports {
  bus_read(gpa: bigint, to: number, byteLength: number): void;
  bus_write(gpa: bigint, from: number, byteLength: number): void;
  code_write(gpa: bigint, byteLength: number): void;
  /** A walk went through page table `page`; `trace` is what PAGE_TRACE should say of it. */
  trace_table(page: number, trace: bigint): void;
  /** A traced page table is about to be written. */
  page_table_write(gpa: bigint, from: number, byteLength: number): void;
  /** A data access while data breakpoints are armed; it may still fault. */
  data_access(gva: bigint, byteLength: number, write: number): void;
  call_out(number: number, instructionLength: number): number;
}

/** The compiled module, and the names of its call-outs by number. */
export interface Core {
  readonly module: WebAssembly.Module;
  readonly callOuts: readonly string[];
}
