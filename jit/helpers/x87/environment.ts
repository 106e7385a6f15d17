import type { Helper } from "../helper.ts";
import { isEmpty, slot } from "./registers.ts";

/** Values of the two-bit tags. SDM Vol. 1, 8.1.7. */
const Tag = { VALID: 0, ZERO: 1, SPECIAL: 2, EMPTY: 3 } as const;

/** The tag word as FNSTENV stores it: two bits for each physical register, worked out from its contents. */
const fullTagsHelper: Helper = {
  name: "x87_full_tags",
  params: [],
  result: "i32",
  emit(f) {
    const tags = f.variable(f.constant(32, 0));
    const register = f.variable(f.constant(32, 7));
    f.loop((again) => {
      const number = f.let(register.get());
      const at = slot(f, number);
      const significand = f.let(f.loadOffset(64, at));
      const exponent = f.let(f.extend(f.and(f.loadOffset(16, at, 8), f.constant(16, 0x7fff)), 32));
      const tag = f.variable(f.constant(32, Tag.SPECIAL));
      f.if(
        isEmpty(f, number),
        () => tag.set(f.constant(32, Tag.EMPTY)),
        () => {
          f.if(
            f.eqz(exponent),
            () => f.if(f.eqz(significand), () => tag.set(f.constant(32, Tag.ZERO))),
            () => {
              const normal = f.and(f.ne(exponent, f.constant(32, 0x7fff)), f.ltS(significand, f.constant(64, 0)));
              f.if(normal, () => tag.set(f.constant(32, Tag.VALID)));
            },
          );
        },
      );
      tags.set(f.or(f.shl(tags.get(), f.constant(32, 2)), tag.get()));
      register.set(f.sub(number, f.constant(32, 1)));
      f.continue(again, f.geS(register.get(), f.constant(32, 0)));
    });
    f.return(tags.get());
  },
};

/** Sets guestState.ftag from a full tag word: only empty or not is taken over. */
const setTagsHelper: Helper = {
  name: "x87_set_tags",
  params: ["i32"],
  result: "none",
  emit(f, [tags]) {
    if (!tags) return;
    // A register is empty when both of its bits are set.
    const bits = f.variable(f.not(f.and(tags, f.shrU(tags, f.constant(32, 1)))));
    bits.set(f.and(bits.get(), f.constant(32, 0x5555)));
    for (const [shift, mask] of [
      [1, 0x3333],
      [2, 0x0f0f],
      [4, 0x00ff],
    ] as const) {
      const word = f.let(bits.get());
      bits.set(f.and(f.or(word, f.shrU(word, f.constant(32, shift))), f.constant(32, mask)));
    }
    f.set("ftag", bits.get());
  },
};

export const environmentHelpers: readonly Helper[] = [fullTagsHelper, setTagsHelper];
