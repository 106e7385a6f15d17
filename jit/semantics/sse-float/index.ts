import type { Definition } from "../define.ts";
import { sseArithmeticDefinitions } from "./arithmetic.ts";
import { sseCompareDefinitions } from "./compare.ts";
import { sseConvertDefinitions } from "./convert.ts";
import { sseRoundDefinitions } from "./round.ts";

/** All floating-point instructions of SSE, SSE2, SSE3 and SSE4.1. */
export const sseFloatDefinitions: Readonly<Record<string, Definition>> = {
  ...sseArithmeticDefinitions,
  ...sseCompareDefinitions,
  ...sseConvertDefinitions,
  ...sseRoundDefinitions,
};
