/**
 * What the machine asks of the compiler's second back end, and what both know of the code that it makes; `src` joins the two.
 */
export interface TranslateRequest {
  /** the page that the code begins in, and others that it leads to. Places in the code count from the first byte of the first page */
  readonly pages: readonly CodePage[];
  /** offset in linear memory of the first code byte */
  readonly start: number;
  /** guestState.mode */
  readonly mode: number;
  /** where blocks begin that may be part of the region. Without it all code that can be reached in the first page is taken */
  readonly blocks?: ReadonlySet<number>;
  /** where indirect branches went, by the place of the branch; most often first */
  readonly targets?: BranchTargets;
}

/** Places by the place of the indirect branch that leads there. */
export type BranchTargets = ReadonlyMap<number, readonly number[]>;

/** A page of guest code. */
export interface CodePage {
  /** of its linear address from that of the first page, in pages */
  readonly distance: number;
  /** offset in linear memory of its first byte: a region looks whether it still is the one that is mapped there */
  readonly start: number;
  /** the 4096 bytes */
  readonly bytes: Uint8Array;
}

/** A region as a function of a WebAssembly module: (vCPU base, entry record) -> Exit. */
export interface TranslatedRegion {
  /** the name under which the module exports it */
  readonly name: string;
  /** the code bytes that went into it, as half-open ranges of offsets in linear memory, each within a page */
  readonly spans: readonly (readonly [first: number, end: number])[];
  /** link cells that it needs at EntryRecord.LINKS */
  readonly links: number;
  /** where its basic blocks begin: offsets in linear memory, the entry first */
  readonly blocks: readonly number[];
  /** guest instructions in it */
  readonly instructions: number;
}

/**
 * Regions in one module, which imports from "env" the memory, the table `handlers` of core.wasm, and what REGION_IMPORTS names.
 */
export interface TranslatedBatch {
  readonly binary: Uint8Array;
  /** one for each request, in their order; undefined if the instruction at `start` is left to the interpreter */
  readonly regions: readonly (TranslatedRegion | undefined)[];
}

export interface Translator {
  /** Begins a batch: requests are added one by one, each of which takes its time. There is one batch at a time. */
  begin(): BatchBuilder;
}

export interface BatchBuilder {
  add(request: TranslateRequest): void;
  finish(): TranslatedBatch;
}

/** A batch that went through the engine's compiler. It can be sent from thread to thread. */
export interface CompiledBatch {
  /** undefined if there is no region in it */
  readonly module: WebAssembly.Module | undefined;
  readonly regions: TranslatedBatch["regions"];
  readonly wasmBytes: number;
  /** milliseconds that the translator and the engine's compiler took */
  readonly translatingMs: number;
  readonly compilingMs: number;
  /** what went wrong: a bug, for which there are no regions */
  readonly failure?: string;
}

/** Where and when requests are translated: at once, in slices, or by a worker. Batches come back in the order of submission. */
export interface TranslationService {
  /** batches that may be under way at a time */
  readonly depth: number;
  /** why nothing more will come of it, when it has died by itself */
  readonly failure?: string | undefined;
  /** Takes requests on. What comes back, if anything does, is done, and `take` will not give it. */
  submit(requests: readonly TranslateRequest[]): CompiledBatch | undefined;
  /**
   * The next batch, if it is ready.
   *
   * @param finish take the time that it takes, on this thread
   */
  take(finish: boolean): CompiledBatch | undefined;
  /** Resolves when `take` gives something. */
  ready(): Promise<void>;
  /** Ends whatever runs elsewhere. */
  close(): void;
}

/**
 * The record in front of a block's first, where a machine with a translator enters the block. Besides these fields it has the
 * HANDLER (one of ENTRY_HANDLERS, or a region) and the PAGE_OFFSET of every record.
 */
export const EntryRecord = {
  /** u32 times that the block still runs before it is translated, or translated anew */
  COUNTDOWN: 24,
  /** u32 handler of the region that is entered while the countdown goes on */
  REGION: 28,
  /** u32 offset of the region's link cells */
  LINKS: 32,
  /** u8 ENTRY_MARK: no other record has that in this place */
  MARK: 45,
} as const;

/** Where an exit of a region leads to, once that is known. */
export const LinkCell = {
  BYTES: 8,
  /** u32 the record to go on with; 0 if it is not known */
  RECORD: 0,
  /** u32 offset of the page that its code lies in: an exit to another page makes sure that this is still what is mapped there */
  PAGE: 4,
} as const;

/** Rec.OPERAND_BYTES of an entry record. */
export const ENTRY_MARK = 0xff;

/** Handlers of entry records, by name: the last is that of regions whose entries are counted. */
export const ENTRY_HANDLERS = ["enter_block", "count_block", "count_region"] as const;

/** Functions of core.wasm that regions go on with, or call. */
export const REGION_IMPORTS = {
  /** (vCPU base, linear address, bytes): whether an access that missed the TLB has been entered there; otherwise it is the interpreter's */
  enter_read: ["i32", "i64", "i32"],
  enter_write: ["i32", "i64", "i32"],
  /** (vCPU base, RIP): like after any branch */
  goto: ["i32", "i64"],
  /** the same; the first block is the interpreter's: the instruction there misses the TLB, faults, or cannot be translated */
  goto_interpreter: ["i32", "i64"],
  /** (vCPU base, RIP, offset of a link cell): like goto, and notes the block for the next time */
  goto_link: ["i32", "i64", "i32"],
  /**
   * (vCPU base, RIP, offset in linear memory of the indirect branch that led there, RIP relative to that branch's page): like goto, and
   * notes the place now and then; see BranchTarget
   */
  goto_from: ["i32", "i64", "i32", "i64"],
} as const;
