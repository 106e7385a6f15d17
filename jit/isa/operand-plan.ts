import type { ImmediateOperand, OperandWidth, RegisterClass, RegisterOperand } from "./instruction.ts";
import type { OperandCode } from "./operand-code.ts";

/** Where the bits of an operand are. */
export const Source = {
  /** implied by the opcode */
  Fixed: 0,
  /** ModRM.reg */
  Reg: 1,
  /** ModRM.mod and rm */
  Rm: 2,
  /** VEX.vvvv */
  Vvvv: 3,
  /** low three bits of the opcode */
  Opcode: 4,
  Immediate: 5,
  Relative: 6,
  Far: 7,
  /** absolute offset after the opcode */
  Offset: 8,
  /** memory whose address is in an implied register */
  Implied: 9,
} as const;

export type Source = (typeof Source)[keyof typeof Source];

/** Something that depends on the operand size: for 16, 32 and 64 bits. */
export type BySize<T> = readonly [T, T, T];

/** What an operand code says, taken apart so that nothing is left to parse when an instruction is decoded. */
export interface OperandPlan {
  readonly source: Source;
  /** legal as a register, as memory (Source.Rm only) */
  readonly register: boolean;
  readonly memory: boolean;
  /** register operands by number; a plan of byte registers holds AH CH DH BH at 16..19. Empty if there are none */
  readonly registers: BySize<readonly RegisterOperand[]>;
  readonly registerClass: RegisterClass;
  /** number of registers that can be encoded: 16 with REX, 8 if REX does not matter, 6 segment registers */
  readonly registerCount: number;
  /** byte register, whose numbers 4..7 mean AH CH DH BH without REX */
  readonly byteRegister: boolean;
  /** width of the memory, immediate or branch target */
  readonly width: BySize<OperandWidth>;
  /** bytes of an immediate or a displacement */
  readonly bytes: BySize<0 | 1 | 2 | 4 | 8>;
  /** the value of a fixed operand */
  readonly fixed?: BySize<RegisterOperand | ImmediateOperand>;
  /** base register of implied memory */
  readonly base: number;
  /** segment of implied memory that no prefix overrides, or -1 */
  readonly segment: number;
}

const NO_BYTES = [0, 0, 0] as const;
const NO_REGISTERS = [[], [], []] as const;

const NONE: OperandPlan = {
  source: Source.Fixed,
  register: false,
  memory: false,
  registers: NO_REGISTERS,
  registerClass: "gpr",
  registerCount: 0,
  byteRegister: false,
  width: NO_BYTES,
  bytes: NO_BYTES,
  base: -1,
  segment: -1,
};

const same = <T>(value: T): BySize<T> => [value, value, value];

/** Widths of the operand types that mean the same whatever the letter. */
const WIDTHS: Readonly<Record<string, BySize<OperandWidth>>> = {
  b: same(8),
  w: same(16),
  d: same(32),
  q: same(64),
  o: same(128),
  v: [16, 32, 64],
  z: [16, 32, 32],
  y: [32, 32, 64],
  ss: same(32),
  sd: same(64),
  ps: same(128),
  pd: same(128),
  x: same(128),
  t: same(80),
  a: [32, 64, 64],
  p: [32, 48, 80],
  // areas whose size depends on more than the operand size
  s: same(0),
  e: same(0),
  f: same(0),
  fx: same(0),
  xs: same(0),
  n: same(0),
};

function widthOf(type: string): BySize<OperandWidth> {
  const width = WIDTHS[type];
  if (width === undefined)
    throw new RangeError(`operand type ${type}: found no width, expected one of ${Object.keys(WIDTHS).join(" ")}`);
  return width;
}

/** Register operands are shared: one object for each class, number and width. */
const registerCache = new Map<string, readonly RegisterOperand[]>();

function registersOf(registerClass: RegisterClass, width: OperandWidth): readonly RegisterOperand[] {
  const key = `${registerClass} ${width}`;
  const known = registerCache.get(key);
  if (known !== undefined) return known;
  const made: RegisterOperand[] = [];
  for (let number = 0; number < 16; number++) made.push({ kind: "register", class: registerClass, number, width });
  if (registerClass === "gpr" && width === 8) {
    for (let number = 0; number < 4; number++) {
      made.push({ kind: "register", class: registerClass, number, width, high: true });
    }
  }
  registerCache.set(key, made);
  return made;
}

function registerPlan(
  source: Source,
  registerClass: RegisterClass,
  width: BySize<OperandWidth>,
  registerCount: number,
): OperandPlan {
  return {
    ...NONE,
    source,
    register: true,
    registers: [
      registersOf(registerClass, width[0]),
      registersOf(registerClass, width[1]),
      registersOf(registerClass, width[2]),
    ],
    registerClass,
    registerCount,
    byteRegister: registerClass === "gpr" && width[0] === 8,
    width,
  };
}

function fixedRegister(registerClass: RegisterClass, number: number, width: BySize<OperandWidth>): OperandPlan {
  const at = (size: 0 | 1 | 2): RegisterOperand => registersOf(registerClass, width[size])[number]!;
  return { ...NONE, registerClass, width, fixed: [at(0), at(1), at(2)] };
}

function impliedMemory(base: number, segment: number, width: BySize<OperandWidth>): OperandPlan {
  return { ...NONE, source: Source.Implied, memory: true, width, base, segment };
}

function fixedOperand(code: string): OperandPlan | undefined {
  switch (code) {
    case "AL":
      return fixedRegister("gpr", 0, same(8));
    case "CL":
      return fixedRegister("gpr", 1, same(8));
    case "AX":
      return fixedRegister("gpr", 0, same(16));
    case "DX":
      return fixedRegister("gpr", 2, same(16));
    case "EAX":
      return fixedRegister("gpr", 0, same(32));
    case "RAX":
      return fixedRegister("gpr", 0, same(64));
    case "eAX":
      return fixedRegister("gpr", 0, [16, 32, 32]);
    case "rAX":
      return fixedRegister("gpr", 0, [16, 32, 64]);
    case "rCX":
      return fixedRegister("gpr", 1, [16, 32, 64]);
    case "rDX":
      return fixedRegister("gpr", 2, [16, 32, 64]);
    case "ES":
    case "CS":
    case "SS":
    case "DS":
    case "FS":
    case "GS":
      return fixedRegister("segment", ["ES", "CS", "SS", "DS", "FS", "GS"].indexOf(code), same(16));
    case "ST0":
      return fixedRegister("x87", 0, same(80));
    case "XMM0":
      return fixedRegister("xmm", 0, same(128));
    case "1":
      return { ...NONE, width: same(8), fixed: same({ kind: "immediate", low: 1, high: 0, width: 8 }) };
    case "AXn":
      return impliedMemory(0, -1, same(0));
    case "BXb":
      return impliedMemory(3, -1, same(8));
    case "DIq":
      return impliedMemory(7, -1, same(64));
    case "DIx":
      return impliedMemory(7, -1, same(128));
    default:
      return undefined;
  }
}

function rmPlan(register: OperandPlan | undefined, memory: BySize<OperandWidth> | undefined): OperandPlan {
  return { ...(register ?? NONE), source: Source.Rm, memory: memory !== undefined, width: memory ?? NO_BYTES };
}

function immediatePlan(type: string): OperandPlan {
  if (type === "sb") return { ...NONE, source: Source.Immediate, width: [16, 32, 64], bytes: same(1) };
  if (type === "z") return { ...NONE, source: Source.Immediate, width: [16, 32, 64], bytes: [2, 4, 4] };
  const width = widthOf(type);
  return { ...NONE, source: Source.Immediate, width, bytes: width.map((bits) => bits / 8) as unknown as BySize<1> };
}

function parse(code: OperandCode): OperandPlan {
  const fixed = fixedOperand(code);
  if (fixed !== undefined) return fixed;
  const slash = code.indexOf("/");
  if (slash > 0) {
    const register = parse(code.slice(0, slash) as OperandCode);
    return rmPlan(register, widthOf(code.slice(slash + 2)));
  }
  const type = code.slice(1);
  switch (code[0]) {
    case "E":
      return rmPlan(registerPlan(Source.Rm, "gpr", widthOf(type), 16), widthOf(type));
    case "R":
      return rmPlan(registerPlan(Source.Rm, "gpr", widthOf(type), 16), undefined);
    case "M":
      return rmPlan(undefined, widthOf(type));
    case "G":
      return registerPlan(Source.Reg, "gpr", widthOf(type), 16);
    case "V":
      return registerPlan(Source.Reg, "xmm", widthOf(type), 16);
    case "W":
      return rmPlan(registerPlan(Source.Rm, "xmm", widthOf(type), 16), widthOf(type));
    case "U":
      return rmPlan(registerPlan(Source.Rm, "xmm", widthOf(type), 16), undefined);
    case "P":
      return registerPlan(Source.Reg, "mmx", widthOf(type), 8);
    case "Q":
      return rmPlan(registerPlan(Source.Rm, "mmx", widthOf(type), 8), widthOf(type));
    case "N":
      return rmPlan(registerPlan(Source.Rm, "mmx", widthOf(type), 8), undefined);
    case "H":
      return rmPlan(registerPlan(Source.Rm, "x87", same(80), 8), undefined);
    case "S":
      return registerPlan(Source.Reg, "segment", same(16), 6);
    case "C":
      return registerPlan(Source.Reg, "control", widthOf(type), 16);
    case "D":
      return registerPlan(Source.Reg, "debug", widthOf(type), 16);
    case "B":
      return registerPlan(Source.Vvvv, "gpr", widthOf(type), 16);
    case "Z":
      return registerPlan(Source.Opcode, "gpr", widthOf(type), 16);
    case "I":
      return immediatePlan(type);
    case "J":
      return { ...NONE, source: Source.Relative, width: [16, 32, 64], bytes: type === "b" ? same(1) : [2, 4, 4] };
    case "A":
      return { ...NONE, source: Source.Far, width: [32, 48, 48], bytes: [2, 4, 4] };
    case "O":
      return { ...NONE, source: Source.Offset, memory: true, width: widthOf(type) };
    case "X":
      return impliedMemory(6, -1, widthOf(type));
    case "Y":
      return impliedMemory(7, 0, widthOf(type));
    default:
      throw new RangeError(`operand code ${code}: found an unknown letter`);
  }
}

const plans = new Map<OperandCode, OperandPlan>();

/** What an operand code says. */
export function operandPlan(code: OperandCode): OperandPlan {
  let plan = plans.get(code);
  if (plan === undefined) {
    plan = parse(code);
    plans.set(code, plan);
  }
  return plan;
}
