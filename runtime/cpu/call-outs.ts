import type { CallOut } from "./call-out.ts";
import { controlCallOuts } from "./control-registers.ts";
import { cpuidCallOuts } from "./cpuid.ts";
import { debugCallOuts } from "./debug.ts";
import { farCallOuts } from "./far.ts";
import { fastSystemCallOuts } from "./fast-system-call.ts";
import { iretCallOuts } from "./iret.ts";
import { msrCallOuts } from "./msrs.ts";
import { portCallOuts } from "./ports.ts";
import { segmentCallOuts } from "./segments.ts";
import { softwareInterruptCallOuts } from "./software-interrupts.ts";
import { timeAndRandomCallOuts } from "./time-and-random.ts";
import { x87CallOuts } from "./x87-call-outs.ts";

/** Every function that a definition may name in `e.callOut`. */
export const callOuts: Readonly<Record<string, CallOut>> = {
  ...segmentCallOuts,
  ...farCallOuts,
  ...iretCallOuts,
  ...softwareInterruptCallOuts,
  ...fastSystemCallOuts,
  ...controlCallOuts,
  ...debugCallOuts,
  ...msrCallOuts,
  ...portCallOuts,
  ...cpuidCallOuts,
  ...timeAndRandomCallOuts,
  ...x87CallOuts,
};
