import { arithmeticDefinitions } from "./arithmetic.ts";
import { bitDefinitions } from "./bits.ts";
import { conversionDefinitions } from "./conversion.ts";
import { decimalDefinitions } from "./decimal.ts";
import { divideDefinitions } from "./divide.ts";
import { exchangeDefinitions } from "./exchange.ts";
import { flagControlDefinitions } from "./flag-control.ts";
import { multiplyDefinitions } from "./multiply.ts";
import { noOperationDefinitions } from "./no-operation.ts";
import { shiftDefinitions } from "./shift.ts";
import { stringDefinitions } from "./string.ts";
import { controlDefinitions } from "./control.ts";
import { dataTransferDefinitions } from "./data-transfer.ts";
import type { Definition } from "./define.ts";
import { logicDefinitions } from "./logic.ts";
import { packedArithmeticDefinitions } from "./sse/arithmetic.ts";
import { packedCryptoDefinitions } from "./sse/crypto.ts";
import { packedMoveDefinitions } from "./sse/move.ts";
import { packedShuffleDefinitions } from "./sse/shuffle.ts";
import { packedStringDefinitions } from "./sse/string.ts";
import { stackDefinitions } from "./stack.ts";
import { systemDefinitions } from "./system.ts";
import { portDefinitions } from "./system-ports.ts";
import { segmentDefinitions } from "./system-segments.ts";
import { farDefinitions } from "./system-far.ts";
import { sseStateDefinitions } from "./sse/state.ts";
import { sseFloatDefinitions } from "./sse-float/index.ts";
import { x87Definitions } from "./x87/index.ts";

/** Name of a definition. */
export type Mnemonic = keyof typeof definitions;

/** What every mnemonic does. A family adds its record here. */
export const definitions = {
  ...arithmeticDefinitions,
  ...controlDefinitions,
  ...dataTransferDefinitions,
  ...logicDefinitions,
  ...stackDefinitions,
  ...stringDefinitions,
  ...shiftDefinitions,
  ...noOperationDefinitions,
  ...multiplyDefinitions,
  ...flagControlDefinitions,
  ...exchangeDefinitions,
  ...divideDefinitions,
  ...decimalDefinitions,
  ...conversionDefinitions,
  ...bitDefinitions,
  ...systemDefinitions,
  ...portDefinitions,
  ...segmentDefinitions,
  ...farDefinitions,
  ...sseStateDefinitions,
  ...sseFloatDefinitions,
  ...x87Definitions,
  ...packedArithmeticDefinitions,
  ...packedCryptoDefinitions,
  ...packedMoveDefinitions,
  ...packedShuffleDefinitions,
  ...packedStringDefinitions,
} as const satisfies Readonly<Record<string, Definition>>;
