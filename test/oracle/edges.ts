import { emptyState } from "./format.ts";
import type { OracleCase, Span } from "./format.ts";
import { CODE, DATA, NON_CANONICAL, Selector, STACK, UNMAPPED } from "./layout.ts";

/**
 * Cases that chance hardly finds: which of several faults comes first, and what of an access that cannot succeed shows in CR2.
 * Each family goes through all combinations of what decides it.
 */

const AC = 0x4_0000n;
const RFLAGS = 0x202n;
const REGISTERS = "rax rcx rdx rbx rsp rbp rsi rdi".split(" ");

interface Setting {
  readonly cs?: number;
  readonly ss?: number;
  readonly rflags?: bigint;
  readonly registers?: Readonly<Record<string, number | bigint>>;
  readonly patches?: readonly Span[];
  readonly operandGva?: number;
}

function edge(mnemonic: string, code: readonly number[], setting: Setting = {}): OracleCase {
  const {
    cs = Selector.CODE64,
    ss = Selector.DATA,
    rflags = RFLAGS,
    registers = {},
    patches = [],
    operandGva = 0,
  } = setting;
  const state = emptyState();
  const codeGva = CODE.gva + 0x400;
  const fx = new DataView(state.fx.buffer);
  fx.setUint16(0, 0x37f, true);
  fx.setUint32(24, 0x1f80, true);
  state.selectors.set([Selector.DATA, cs, ss, Selector.DATA, 0, 0]);
  state.rip = BigInt(cs & 4 ? codeGva - CODE.gva : codeGva);
  state.rflags = rflags;
  state.gpr[4] = BigInt(STACK.gva + 0x800);
  for (const [name, value] of Object.entries(registers)) state.gpr[REGISTERS.indexOf(name)] = BigInt(value);
  return { encoding: `edge/${mnemonic}`, mnemonic, code: Uint8Array.from(code), codeGva, operandGva, state, patches };
}

/** Little-endian words of 2, 4 or 8 bytes. */
function words(gva: number, size: number, values: readonly (number | bigint)[]): Span {
  const bytes = new Uint8Array(size * values.length);
  for (const [i, value] of values.entries()) {
    for (let byte = 0; byte < size; byte++)
      bytes[i * size + byte] = Number((BigInt(value) >> BigInt(8 * byte)) & 0xffn);
  }
  return { gva, bytes };
}

/** Memory operands of instructions that save and load state: alignment, segment limit, canonical address and absence in competition. */
function savedState(): OracleCase[] {
  // mnemonic and opcode with ModRM.reg; all of them with [rdi] and with [rbp].
  const instructions: readonly (readonly [string, readonly number[], number])[] = [
    ["fldenv", [0xd9], 4],
    ["fnstenv", [0xd9], 6],
    ["frstor", [0xdd], 4],
    ["fnsave", [0xdd], 6],
    ["fxsave", [0x0f, 0xae], 0],
    ["fxrstor", [0x0f, 0xae], 1],
    ["xsave", [0x0f, 0xae], 4],
    ["movaps", [0x0f, 0x28], 0],
  ];
  const cases: OracleCase[] = [];
  for (const [mnemonic, opcode, reg] of instructions) {
    const withRdi = [...opcode, (reg << 3) | 7];
    const withRbp = [...opcode, 0x45 | (reg << 3), 0];
    for (const rflags of [RFLAGS, RFLAGS | AC]) {
      for (const offset of [0, 1, 2, 4, 8, 12, 16]) {
        for (const prefix of mnemonic.startsWith("f") && !mnemonic.startsWith("fx") ? [[], [0x66]] : [[]]) {
          for (const base of [DATA.gva + 0x100, UNMAPPED + 0x100]) {
            const registers = { rdi: base + offset, rax: 3 };
            const setting = { rflags, registers, operandGva: registers.rdi };
            cases.push(edge(mnemonic, [...prefix, ...withRdi], setting));
          }
          const registers = { rbp: NON_CANONICAL + BigInt(offset), rax: 3 };
          cases.push(edge(mnemonic, [...prefix, ...withRbp], { rflags, registers }));
        }
      }
      for (const rbp of [
        0xdc0, 0xdf0, 0xe00, 0xe01, 0xff0, 0xff1, 0xff2, 0xff8, 0xffc, 0xffd, 0xffe, 0xfff, 0x1000, 0x1001,
      ]) {
        const segments = { cs: Selector.CODE32, ss: Selector.LDT_STACK16 };
        const setting = { ...segments, rflags, registers: { rbp, rax: 3 }, operandGva: STACK.gva + rbp };
        cases.push(edge(mnemonic, withRbp, setting));
      }
    }
  }
  for (const [mnemonic, prefix] of [
    ["maskmovdqu", [0x66]],
    ["maskmovq", []],
  ] as const) {
    for (const base of [DATA.gva + 0x100, UNMAPPED]) {
      for (const offset of [0, 1, 2, 4, 7, 8, 12]) {
        const setting = { rflags: RFLAGS | AC, registers: { rdi: base + offset } };
        cases.push(edge(mnemonic, [...prefix, 0x0f, 0xf7, 0xc1], setting));
      }
    }
  }
  return cases;
}

const SIZES = [
  [2, [0x66]],
  [4, []],
  [8, [0x48]],
] as const;

/** RET far and IRET: the order in which the frame is read, and that of the checks of what it holds. */
function farReturns(): OracleCase[] {
  const cases: OracleCase[] = [];
  for (const [size, prefix] of SIZES) {
    for (const cs of size === 8 ? [Selector.CODE64] : [Selector.CODE64, Selector.CODE32]) {
      for (const [mnemonic, opcode] of [
        ["retf", 0xcb],
        ["iret", 0xcf],
      ] as const) {
        // Across both ends of the stack.
        for (const page of [STACK.gva, STACK.gva + STACK.lengthBytes])
          for (let rsp = page - 5 * size; rsp <= page; rsp += 2)
            cases.push(edge(mnemonic, [...prefix, opcode], { cs, registers: { rsp } }));
        for (const offset of [0, 1, 2, 4]) {
          const rsp = STACK.gva + 0x800 + offset;
          const frame = words(rsp, size, [CODE.gva + 0x500, cs, RFLAGS, STACK.gva + 0x700, Selector.DATA]);
          const setting = { cs, rflags: RFLAGS | AC, registers: { rsp }, patches: [frame] };
          cases.push(edge(mnemonic, [...prefix, opcode], setting));
        }
        const rsp = STACK.gva + 0x800;
        const targets = [CODE.gva + 0x500, 0x500, 0x5000, NON_CANONICAL, 0x1_0000_0500n, 0x1_1000_0500n];
        const selectors = [
          Selector.CODE64,
          Selector.CODE32,
          Selector.LDT_CODE16,
          Selector.LDT_CODE32,
          0x30,
          Selector.DATA,
          0x1003,
          3,
          0,
        ];
        const stacks =
          mnemonic === "iret" ? [Selector.DATA, 0, 0x28, Selector.LDT_ABSENT, Selector.LDT_READ_ONLY, 0x1003] : [0];
        for (const rip of targets)
          for (const selector of selectors)
            for (const ss of stacks) {
              const frame = words(rsp, size, [rip, selector, RFLAGS, STACK.gva + 0x700, ss]);
              cases.push(edge(mnemonic, [...prefix, opcode], { cs, registers: { rsp }, patches: [frame] }));
            }
      }
    }
  }
  for (const released of [0, 4, 8, 16])
    for (let rsp = STACK.gva + 0xfe8; rsp <= STACK.gva + 0xff8; rsp += 4)
      for (const selector of [0, Selector.CODE32]) {
        const patches = [words(rsp, 4, [CODE.gva + 0x500, selector])];
        cases.push(edge("retf", [0xca, released, 0], { cs: Selector.CODE32, registers: { rsp }, patches }));
      }
  return cases;
}

/** ENTER, whose last access is only tried; ARPL, which writes only what changes; permissions before counts. */
function others(): OracleCase[] {
  const cases: OracleCase[] = [];
  for (const cs of [Selector.CODE64, Selector.CODE32])
    for (const rflags of [RFLAGS, RFLAGS | AC])
      for (const offset of [0, 1, 2, 4]) {
        const registers = { rsp: STACK.gva + 0x800 + offset, rbp: STACK.gva + 0x900 };
        for (const level of [0, 1, 2]) cases.push(edge("enter", [0xc8, 0, 0, level], { cs, rflags, registers }));
        cases.push(
          edge("enter", [0xc8, offset, 0, 0], { cs, rflags, registers: { ...registers, rsp: STACK.gva + 0x800 } }),
        );
        cases.push(edge("enter", [0xc8, 0, 0x10, 0], { cs, rflags, registers }));
      }
  for (const rdi of [DATA.gva + 0x100, DATA.gva + 0x2100, DATA.gva + 0x2fff, DATA.gva + 0x1fff, UNMAPPED])
    for (const rax of [0, 1, 2, 3])
      cases.push(edge("arpl", [0x63, 0x07], { cs: Selector.CODE32, registers: { rdi, rax } }));
  for (const opcode of [0x6c, 0x6d, 0x6e, 0x6f])
    for (const prefix of [[], [0xf3], [0xf2]])
      for (const rcx of [0, 1])
        cases.push(
          edge(opcode < 0x6e ? "ins" : "outs", [...prefix, opcode], {
            registers: { rcx, rdx: 0x80, rsi: DATA.gva, rdi: DATA.gva },
          }),
        );
  for (const code of [
    [0xf0, 0x0f, 0x00],
    [0xf0, 0x8b],
    [0xf0, 0x66, 0x0f, 0x5e, 0x44],
    [0x0f, 0xff],
    [0x0f, 0xb9, 0x05],
  ]) {
    // Cut off by the end of the code segment's page.
    const codeGva = CODE.gva + CODE.lengthBytes - code.length;
    const cut = edge("ud0", code);
    cases.push({ ...cut, codeGva, state: { ...cut.state, rip: BigInt(codeGva) } });
  }
  return cases;
}

export function edgeCases(): OracleCase[] {
  return [...savedState(), ...farReturns(), ...others()];
}
