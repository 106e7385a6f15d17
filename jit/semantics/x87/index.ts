import { x87ArithmeticDefinitions } from "./arithmetic.ts";
import { x87ControlDefinitions } from "./control.ts";
import { x87DataTransferDefinitions } from "./data-transfer.ts";
import { x87FunctionDefinitions } from "./functions.ts";

/** All of the x87. SDM Vol. 1, chapter 8. */
export const x87Definitions = {
  ...x87DataTransferDefinitions,
  ...x87ArithmeticDefinitions,
  ...x87FunctionDefinitions,
  ...x87ControlDefinitions,
} as const;
