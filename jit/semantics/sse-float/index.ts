import { sseArithmeticDefinitions } from "./arithmetic.ts";
import { sseCompareDefinitions } from "./compare.ts";
import { sseConvertDefinitions } from "./convert.ts";
import { sseRoundDefinitions } from "./round.ts";

/** All floating-point instructions of SSE, SSE2, SSE3 and SSE4.1. */
export const sseFloatDefinitions = {
  ...sseArithmeticDefinitions,
  ...sseCompareDefinitions,
  ...sseConvertDefinitions,
  ...sseRoundDefinitions,
};
