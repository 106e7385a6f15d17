import type { Encoding } from "./encoding.ts";
import { allEncodings } from "./encodings.ts";
import { operandPlan, Source, type OperandPlan } from "./operand-plan.ts";
import { FEATURES, type Feature } from "./row.ts";

/** Opcode maps, as the decoder numbers them. */
export const OpcodeMapNumber = { OneByte: 0, TwoByte: 1, Three38: 2, Three3a: 3, Vex38: 4, Vex3a: 5 } as const;

/** Prefix that selects a row, numbered as VEX.pp. */
export const PrefixClass = { None: 0, OperandSize: 1, F3: 2, F2: 3 } as const;

const PREFIX_CLASS_OF = {
  0: PrefixClass.None,
  0x66: PrefixClass.OperandSize,
  0xf3: PrefixClass.F3,
  0xf2: PrefixClass.F2,
};

const CONTROL_REGISTERS = (1 << 0) | (1 << 2) | (1 << 3) | (1 << 4) | (1 << 8);
const DEBUG_REGISTERS = 0xff;

/** An encoding, made ready for decoding. */
export interface Plan {
  readonly encoding: Encoding;
  readonly operands: readonly OperandPlan[];
  readonly modrm: boolean;
  readonly ignoreMod: boolean;
  readonly lockable: boolean;
  readonly repeatable: boolean;
  /** operand size is 64 bits in 64-bit mode, always / by default */
  readonly force64: boolean;
  readonly default64: boolean;
  /** 66 is part of the opcode, or VEX stands for it: the operand size is 32 or, by W, 64 */
  readonly ignore66: boolean;
  /** REX.W or VEX.W must be this; -1: either */
  readonly w: -1 | 0 | 1;
  readonly b0: boolean;
  readonly usesVvvv: boolean;
  /** bit n: ModRM.reg may be n */
  readonly regFields: number;
  /** bit n: control or debug register n exists */
  readonly validRegisters: number;
  /** the row to try when `w` or `b0` does not match */
  next: Plan | undefined;
}

/** What follows an opcode: one plan, or a plan for each ModRM byte. */
export interface Node {
  readonly modrm: boolean;
  /** at 0, if there is no ModRM byte; else memory forms by reg at 0..7, register forms by reg * 8 + rm at 8..71 */
  readonly plans: readonly (Plan | undefined)[];
  /** UD0 and UD1: #UD, whether or not the rest of the instruction can be fetched */
  readonly isUndefined: boolean;
}

const MEMORY_FORMS = 8;
const FORMS = 72;

export function createPlan(encoding: Encoding): Plan {
  const { flags, operands } = encoding;
  const plans = operands.map(operandPlan);
  const special = plans.find((plan) => plan.source === Source.Reg);
  return {
    encoding,
    operands: plans,
    modrm: encoding.modrm !== "none",
    ignoreMod: flags.has("ignoremod"),
    lockable: flags.has("lock"),
    repeatable: flags.has("rep") || flags.has("repz"),
    force64: flags.has("f64"),
    default64: flags.has("d64"),
    ignore66: encoding.vex || encoding.prefix === 0x66,
    w: flags.has("w0") ? 0 : flags.has("w1") ? 1 : -1,
    b0: flags.has("b0"),
    usesVvvv: plans.some((plan) => plan.source === Source.Vvvv),
    regFields: regFieldsOf(encoding, plans),
    validRegisters:
      special?.registerClass === "control"
        ? CONTROL_REGISTERS
        : special?.registerClass === "debug"
          ? DEBUG_REGISTERS
          : 0xffff,
    next: undefined,
  };
}

/** Values of ModRM.reg with which a row is valid, as bits. */
function regFieldsOf(encoding: Encoding, plans: readonly OperandPlan[]): number {
  if (encoding.extension !== undefined) return 1 << encoding.extension;
  const segment = plans.findIndex((plan) => plan.source === Source.Reg && plan.registerClass === "segment");
  if (segment < 0) return 0xff;
  // There are six segment registers, and MOV cannot load CS (SDM Vol. 2B, MOV: #UD).
  return segment === 0 ? 0b11_1101 : 0b11_1111;
}

/** First opcode byte that can vary, how many values it takes, and in which map. */
function opcodesOf(encoding: Encoding): { map: number; first: number; count: number } {
  const { opcode } = encoding;
  const first = opcode[opcode.length - 1]!;
  const inOpcode = encoding.operands.some((code) => operandPlan(code).source === Source.Opcode);
  const three = opcode[1] === 0x38 ? 0 : 1;
  const map =
    opcode.length === 1
      ? OpcodeMapNumber.OneByte
      : opcode.length === 2
        ? OpcodeMapNumber.TwoByte
        : (encoding.vex ? OpcodeMapNumber.Vex38 : OpcodeMapNumber.Three38) + three;
  return { map, first, count: inOpcode ? 8 - (first & 7) : 1 };
}

/** Whether a row may be taken with a prefix: 2 if the prefix is meant for it, 1 if the row does not mind the prefix. */
function rank(encoding: Encoding, prefixClass: number): 0 | 1 | 2 {
  switch (encoding.prefixRule) {
    case "any":
      return prefixClass === PrefixClass.None ? 2 : 1;
    case "np":
      return prefixClass === PrefixClass.None ? 2 : 0;
    case "nfx":
      return prefixClass === PrefixClass.None ? 2 : prefixClass === PrefixClass.OperandSize ? 1 : 0;
    default:
      return prefixClass === PREFIX_CLASS_OF[encoding.prefix] ? 2 : 0;
  }
}

/** Whether ModRM `form` (an index of Node.plans) can select the row. */
function matchesForm(plan: Plan, form: number): boolean {
  const { encoding } = plan;
  const isRegister = form >= MEMORY_FORMS;
  const reg = isRegister ? (form - MEMORY_FORMS) >> 3 : form;
  if (((plan.regFields >> reg) & 1) === 0) return false;
  if (!plan.ignoreMod && encoding.modrm === (isRegister ? "memory" : "register")) return false;
  return encoding.rm === undefined || encoding.rm === (form & 7);
}

/** Chains the plans, all but the last of which look at REX. */
function chain(plans: readonly Plan[]): Plan | undefined {
  const used: Plan[] = [];
  for (const plan of plans) {
    used.push(plan);
    if (plan.w < 0 && !plan.b0) break;
  }
  let next: Plan | undefined;
  for (const plan of used.toReversed()) next = plan.next === next ? plan : { ...plan, next };
  return next;
}

function createNode(plans: readonly Plan[]): Node | undefined {
  if (plans.length === 0) return undefined;
  const isUndefined = plans.every(({ encoding }) => /^ud[01]$/.test(encoding.mnemonic));
  if (!plans.some((plan) => plan.modrm)) return { modrm: false, plans: [chain(plans)], isUndefined };
  const forms: (Plan | undefined)[] = [];
  let previous: readonly Plan[] = [];
  for (let form = 0; form < FORMS; form++) {
    const matching = plans.filter((plan) => matchesForm(plan, form));
    const isSame = matching.length === previous.length && matching.every((plan, index) => plan === previous[index]);
    forms.push(isSame && form > 0 ? forms[form - 1] : chain(matching));
    previous = matching;
  }
  return { modrm: true, plans: forms, isUndefined };
}

/** Opcode maps times prefix classes times opcodes. */
const NODES = 6 * 4 * 256;

/** Rows of a processor with certain features, by map * 256 + opcode. */
export type Places = ReadonlyMap<number, readonly Encoding[]>;

/** Where in the opcode maps the rows stand that a processor with these features has. */
export function placesOf(features: ReadonlySet<Feature>): Places {
  const absent = FEATURES.filter((feature) => !features.has(feature));
  const places = new Map<number, Encoding[]>();
  for (const encoding of allEncodings()) {
    if (absent.some((feature) => encoding.flags.has(feature))) continue;
    const { map, first, count } = opcodesOf(encoding);
    for (let opcode = first; opcode < first + count; opcode++) {
      const key = map * 256 + opcode;
      const encodings = places.get(key);
      if (encodings === undefined) places.set(key, [encoding]);
      else encodings.push(encoding);
    }
  }
  return places;
}

/**
 * The tables for 64-bit mode, or for 16 and 32-bit mode. A node is made when its opcode is first met: a guest uses some of the opcodes,
 * in 64-bit mode mostly, and to make all nodes takes longer than to decode a kernel.
 */
export class Dispatch {
  readonly #places: Places;
  readonly #foreign: "i64" | "o64";
  /** by map * 1024 + prefix class * 256 + opcode; null if there is none, undefined as long as that is not known */
  readonly #nodes: (Node | null | undefined)[] = Array.from({ length: NODES });

  constructor(places: Places, is64: boolean) {
    this.#places = places;
    this.#foreign = is64 ? "i64" : "o64";
  }

  /** What follows an opcode with a prefix; null if they mean nothing. */
  node(map: number, prefixClass: number, opcode: number): Node | null {
    const index = map * 1024 + prefixClass * 256 + opcode;
    const node = this.#nodes[index];
    if (node !== undefined) return node;
    this.#make(map, opcode);
    return this.#nodes[index] ?? null;
  }

  /** Makes the nodes of an opcode. */
  #make(map: number, opcode: number): void {
    const encodings = this.#places.get(map * 256 + opcode) ?? [];
    const plans = encodings.filter(({ flags }) => !flags.has(this.#foreign)).map(createPlan);
    // Most opcodes mean the same with every prefix: they share one node.
    const nodes = new Map<string, Node | null>();
    for (let prefixClass = 0; prefixClass < 4; prefixClass++) {
      const ranked = (wanted: number): Plan[] => plans.filter((plan) => rank(plan.encoding, prefixClass) === wanted);
      const candidates = [...ranked(2), ...ranked(1)];
      const ids = candidates.map((plan) => plan.encoding.id).join(" ");
      const node = nodes.get(ids) ?? createNode(candidates) ?? null;
      nodes.set(ids, node);
      this.#nodes[map * 1024 + prefixClass * 256 + opcode] = node;
    }
  }
}
