import { aesHelpers } from "./aes.ts";
import { bitHelpers } from "./bits.ts";
import { divisionHelpers } from "./division.ts";
import { carrylessHelpers } from "./carryless.ts";
import { deliveryHelpers } from "./events/deliver.ts";
import { interruptReturn } from "./events/return.ts";
import type { Helper } from "./helper.ts";
import { memoryHelpers } from "./memory.ts";
import { shaHelpers } from "./sha.ts";
import { softFloatHelpers } from "./softfloat/index.ts";
import { stringHelpers } from "./string.ts";
import { stringCompareHelpers } from "./string-compare.ts";
import { x87Helpers } from "./x87/index.ts";

/** Every helper of core.wasm. */
export const allHelpers: readonly Helper[] = [
  ...memoryHelpers,
  ...deliveryHelpers,
  interruptReturn,
  ...divisionHelpers,
  ...bitHelpers,
  ...aesHelpers,
  ...carrylessHelpers,
  ...shaHelpers,
  ...softFloatHelpers,
  ...stringCompareHelpers,
  ...stringHelpers,
  ...x87Helpers,
];
