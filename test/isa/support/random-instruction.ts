import { type EncodeOptions, type MemoryLocation, operandSizes } from "../../../jit/isa/assemble.ts";
import type { Encoding } from "../../../jit/isa/encoding.ts";
import { type CodeSize, RIP } from "../../../jit/isa/instruction.ts";
import { operandPlan, Source } from "../../../jit/isa/operand-plan.ts";
import type { Random } from "./random.ts";

const PAIRS_16 = [[3, 6], [3, 7], [5, 6], [5, 7], [6, -1], [7, -1], [5, -1], [3, -1]] as const; // prettier-ignore

function randomDisplacement(random: Random, bits: 16 | 32): number {
  const kind = random.below(3);
  if (kind === 0) return 0;
  if (kind === 1) return random.below(256) - 128;
  return bits === 16 ? (random.word() << 16) >> 16 : random.word() | 0;
}

function randomMemory(random: Random, codeSize: CodeSize, addressSize: CodeSize): MemoryLocation {
  const long = random.chance(0.1);
  if (addressSize === 16) {
    const displacement = randomDisplacement(random, 16);
    if (random.chance(0.1)) return { kind: "memory", base: -1, displacement };
    const [base, index] = random.pick(PAIRS_16);
    return { kind: "memory", base, index, displacement, long };
  }
  const displacement = randomDisplacement(random, 32);
  const registers = codeSize === 64 ? 16 : 8;
  if (codeSize === 64 && random.chance(0.1)) return { kind: "memory", base: RIP, displacement };
  const base = random.chance(0.1) ? -1 : random.below(registers);
  const index = random.chance(0.5) ? -1 : random.below(registers);
  if (index < 0 || index === 4) return { kind: "memory", base, displacement, long };
  return { kind: "memory", base, index, scale: random.pick([1, 2, 4, 8] as const), displacement, long };
}

/** Random operands and prefixes for an encoding, or undefined if it does not exist in this mode. */
export function randomOptions(random: Random, encoding: Encoding, codeSize: CodeSize): EncodeOptions | undefined {
  const sizes = operandSizes(encoding, codeSize);
  if (sizes.length === 0) return undefined;
  const otherAddressSize: CodeSize = codeSize === 32 ? 16 : 32;
  const addressSize = random.chance(0.2) ? otherAddressSize : codeSize;
  const { flags } = encoding;
  const plans = encoding.operands.map(operandPlan);
  const registers = codeSize === 64 ? 16 : 8;
  const useHigh = random.chance(0.2);

  const regPlan = plans.find((plan) => plan.source === Source.Reg || plan.source === Source.Opcode);
  let reg = random.below(Math.min(registers, regPlan?.registerCount ?? registers));
  let regHigh = false;
  if (regPlan?.byteRegister === true && (useHigh || codeSize !== 64)) {
    reg &= 3;
    regHigh = random.chance(0.5);
  }
  if (regPlan?.registerClass === "segment" && plans[0] === regPlan && reg === 1) reg = 0;
  if (regPlan?.registerClass === "control") reg = random.pick(codeSize === 64 ? [0, 2, 3, 4, 8] : [0, 2, 3, 4]);
  if (regPlan?.registerClass === "debug") reg &= 7;
  // 90 is NOP, not XCHG rAX,rAX.
  if (encoding.opcode[0] === 0x90 && regPlan?.source === Source.Opcode && reg === 0) reg = 1;

  const rmPlan = plans.find((plan) => plan.source === Source.Rm);
  const isOffset = plans.some((plan) => plan.source === Source.Offset);
  const isMemory = encoding.modrm === "memory" || (encoding.modrm === "any" && random.chance(0.6));
  let rm: EncodeOptions["rm"];
  if (isOffset) {
    const bytes = addressSize >> 3;
    const low = BigInt(random.word());
    rm = {
      kind: "memory",
      base: -1,
      displacement: BigInt.asUintN(bytes * 8, low | (BigInt(random.word()) << 32n)),
    };
  } else if (isMemory) {
    rm = randomMemory(random, codeSize, addressSize);
    // A byte register beside memory with R8..R15 needs REX, which AH has no room for.
    if (regHigh && (rm.base >= 8 || (rm.index ?? -1) >= 8)) rm = { kind: "memory", base: 0 };
  } else if (encoding.modrm !== "none") {
    const number = random.below(Math.min(registers, rmPlan?.registerCount ?? 8));
    if (rmPlan?.byteRegister === true && (useHigh || codeSize !== 64)) {
      rm = { kind: "register", number: number & 3, high: random.chance(0.5) };
      if (rm.high === true) reg &= 7;
    } else rm = { kind: "register", number: regHigh ? number & 3 : number };
  }
  const repeatable = flags.has("rep") || flags.has("repz");
  const takesSegment = isMemory || isOffset || plans.some((plan) => plan.source === Source.Implied && plan.segment < 0);
  return {
    codeSize,
    operandSize: regHigh || (rm?.kind === "register" && rm.high === true) ? sizes[0]! : random.pick(sizes),
    addressSize,
    reg,
    regHigh,
    ...(rm === undefined ? {} : { rm }),
    vvvv: plans.some((plan) => plan.source === Source.Vvvv) ? random.below(registers) : 0,
    immediate: BigInt(random.word()) | (BigInt(random.word()) << 32n),
    secondImmediate: random.word() & 0xffff,
    lock: flags.has("lock") && isMemory && random.chance(0.2),
    ...(repeatable && random.chance(0.5) ? { repeat: random.pick([0xf2, 0xf3] as const) } : {}),
    ...(takesSegment && random.chance(0.2) ? { segment: codeSize === 64 ? random.pick([4, 5]) : random.below(6) } : {}),
  };
}
