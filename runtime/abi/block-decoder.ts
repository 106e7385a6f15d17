/** What the machine asks of the compiler's decoder; `src` joins the two. */
export interface DecodeRequest {
  /** offset in linear memory of the first code byte */
  readonly start: number;
  /** guestState.mode */
  readonly mode: number;
  /** offset in linear memory where the records go; room for MAXIMUM_BLOCK_RECORDS */
  readonly record: number;
  /** bytes from `start` to the limit of the code segment; Infinity in 64-bit mode. Fetching beyond it is #GP(0) */
  readonly codeBytes: number;
  /** offset of the first byte of the linear page that follows; 0 if fetching there faults, -1 if there is no RAM */
  readonly nextPage: () => number;
}

export interface DecodedBlock {
  readonly recordBytes: number;
  /** code bytes of the block in its first page */
  readonly byteLength: number;
  /** code bytes in the next page, of an instruction that crosses; 0 otherwise */
  readonly crossingBytes: number;
  /** offset of the next page's first byte, if the block reaches there */
  readonly nextPage: number;
  /** the last record has link fields: records that it leads to */
  readonly isLinked: boolean;
  /**
   * Where control may go on that can be known, from the first byte of the page that the block begins in: targets of direct branches, what
   * follows a conditional branch or a call, or where the block just ends.
   */
  readonly successors: readonly number[];
  /** field of the last record (an i64 of Rec) that says where an indirect branch went last; 0 if the block ends otherwise */
  readonly lastTarget: number;
}

/** Decodes guest code into the records that core.wasm runs. */
export interface BlockDecoder {
  decode(memory: DataView, request: DecodeRequest): DecodedBlock;
}

/** Instructions in a block, at most. */
export const MAXIMUM_BLOCK_INSTRUCTIONS = 64;
/** Records of a block, at most: its instructions, a page-crossing check, and a last record that falls through. */
export const MAXIMUM_BLOCK_RECORDS: number = MAXIMUM_BLOCK_INSTRUCTIONS + 2;
