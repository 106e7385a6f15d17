/**
 * A layout is a struct described as data: offsets are computed here, once, for generated wasm code and for TypeScript alike.
 */

/** Scalar field types; little-endian, naturally aligned. */
export type Scalar = "u8" | "u16" | "u32" | "u64" | "v128";

const SIZE: Readonly<Record<Scalar, number>> = { u8: 1, u16: 2, u32: 4, u64: 8, v128: 16 };

export interface ArrayField<T extends Scalar = Scalar> {
  readonly type: T;
  readonly count: number;
}

export type Field = Scalar | ArrayField;

/** A fixed-length array of scalars. */
export function array<T extends Scalar>(type: T, count: number): ArrayField<T> {
  return { type, count };
}

/** Where one field lives, relative to the start of its struct. */
export interface Placed {
  /** byte offset from the start of the struct */
  readonly offset: number;
  /** bytes of one element */
  readonly size: number;
  readonly type: Scalar;
  /** number of elements; 1 for a plain scalar */
  readonly count: number;
}

export type Layout<F extends Readonly<Record<string, Field>>> = { readonly [K in keyof F]: Placed } & {
  /** bytes of the whole struct, a multiple of 16 */
  readonly byteLength: number;
};

/** Places the fields in order, each at its natural alignment. */
export function layout<const F extends Readonly<Record<string, Field>>>(fields: F): Layout<F> {
  const placed: Record<string, Placed | number> = {};
  let offset = 0;
  for (const [name, field] of Object.entries(fields)) {
    const { type, count } = typeof field === "string" ? { type: field, count: 1 } : field;
    const size = SIZE[type];
    offset = (offset + size - 1) & -size;
    placed[name] = { offset, size, type, count };
    offset += size * count;
  }
  placed["byteLength"] = (offset + 15) & -16;
  return placed as Layout<F>;
}
