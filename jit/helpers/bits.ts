import type { Helper } from "./helper.ts";

/** deposit_bits(source, mask): the low bits of source, spread to where mask has ones. SDM Vol. 2B, "PDEP". */
const depositBits: Helper = {
  name: "deposit_bits",
  params: ["i64", "i64"],
  result: "i64",
  emit(f, [source, mask]) {
    if (!source || !mask) return;
    const left = f.variable(mask);
    const bits = f.variable(source);
    const result = f.declare("i64", 64);
    f.block((done) =>
      f.loop((again) => {
        f.break(done, f.eqz(left.get()));
        const lowest = f.and(left.get(), f.neg(left.get()));
        const taken = f.neg(f.and(bits.get(), f.constant(64, 1)));
        result.set(f.or(result.get(), f.and(lowest, taken)));
        bits.set(f.shrU(bits.get(), f.constant(64, 1)));
        left.set(f.and(left.get(), f.sub(left.get(), f.constant(64, 1))));
        f.continue(again);
      }),
    );
    f.return(result.get());
  },
};

/** extract_bits(source, mask): the bits of source where mask has ones, packed to the bottom. SDM Vol. 2B, "PEXT". */
const extractBits: Helper = {
  name: "extract_bits",
  params: ["i64", "i64"],
  result: "i64",
  emit(f, [source, mask]) {
    if (!source || !mask) return;
    const left = f.variable(mask);
    const place = f.variable(f.constant(64, 1));
    const result = f.declare("i64", 64);
    f.block((done) =>
      f.loop((again) => {
        f.break(done, f.eqz(left.get()));
        const lowest = f.and(left.get(), f.neg(left.get()));
        const isSet = f.ne(f.and(lowest, source), f.constant(64, 0));
        result.set(f.or(result.get(), f.select(isSet, place.get(), f.constant(64, 0))));
        place.set(f.shl(place.get(), f.constant(64, 1)));
        left.set(f.and(left.get(), f.sub(left.get(), f.constant(64, 1))));
        f.continue(again);
      }),
    );
    f.return(result.get());
  },
};

/** The Castagnoli polynomial 11EDC6F41H, without its top bit and with its bits reversed. SDM Vol. 2A, "CRC32". */
const CASTAGNOLI_REVERSED = 0x82f6_3b78;

/** crc32c(sum, data, bits): the sum with the low `bits` bits (8, 16, 32 or 64) of data added, lowest bit first. */
const crc32c: Helper = {
  name: "crc32c",
  params: ["i32", "i64", "i32"],
  result: "i32",
  emit(f, [sum, data, bits]) {
    if (!sum || !data || !bits) return;
    const crc = f.variable(sum);
    const rest = f.variable(data);
    const count = f.variable(bits);
    f.loop((again) => {
      crc.set(f.xor(crc.get(), f.and(f.truncate(rest.get(), 32), f.constant(32, 0xff))));
      for (let bit = 0; bit < 8; bit++) {
        const feedback = f.and(f.neg(f.and(crc.get(), f.constant(32, 1))), f.constant(32, CASTAGNOLI_REVERSED));
        crc.set(f.xor(f.shrU(crc.get(), f.constant(32, 1)), feedback));
      }
      rest.set(f.shrU(rest.get(), f.constant(64, 8)));
      count.set(f.sub(count.get(), f.constant(32, 8)));
      f.continue(again, count.get());
    });
    f.return(crc.get());
  },
};

export const bitHelpers: readonly Helper[] = [depositBits, extractBits, crc32c];
