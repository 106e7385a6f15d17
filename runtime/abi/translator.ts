/**
 * What the machine asks of the compiler's second back end, and what both know of the code that it makes; `src` joins the two.
 */
export interface TranslateRequest {
  /** offset in linear memory of the first code byte */
  readonly start: number;
  /** guestState.mode */
  readonly mode: number;
}

/** A region as a WebAssembly module that imports env.memory and exports the function `region` (vCPU base) -> RegionAction. */
export interface TranslatedRegion {
  readonly binary: Uint8Array;
  /** the code bytes that went into it, as half-open ranges of offsets in linear memory, within one page */
  readonly spans: readonly (readonly [first: number, end: number])[];
  /** the most instructions that it runs between two looks at the budget; it must not be entered with less */
  readonly bound: number;
}

export interface Translator {
  /** undefined if the instruction at `start` is left to the interpreter */
  translate(memory: DataView, request: TranslateRequest): TranslatedRegion | undefined;
}

/** How to go on after a region, at guestState.rip. */
export const RegionAction = {
  /** like after any branch */
  GOTO: 0,
  /** with the interpreter: the instruction there misses the TLB, faults, or cannot be translated */
  INTERPRET: 1,
} as const;

/**
 * The record in front of a block's first, where a machine with a translator enters the block. Besides these fields it has the
 * HANDLER (one of ENTRY_HANDLERS) and the PAGE_OFFSET of every record.
 */
export const EntryRecord = {
  /** u32 times that the block still runs before it is translated */
  COUNTDOWN: 24,
  /** u32 TranslatedRegion.bound */
  BOUND: 28,
  /** u32 place of the region's function in the table `regions` of core.wasm */
  SLOT: 32,
} as const;

/** Handlers of entry records, by name; they stand next to each other in the table of core.wasm, in this order. */
export const ENTRY_HANDLERS = ["enter_block", "count_block", "enter_region"] as const;
