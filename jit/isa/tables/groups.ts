// SDM Vol. 2D, Table A-6: opcode extensions in bits 5..3 of ModRM. Opcode extensions that Intel reserves are #UD.

import type { CheckedTable, OpcodeMap } from "../row.ts";

/** Groups of the one-byte map. */
// prettier-ignore
export const oneByteGroups = {
  0x80: {
    group: {
      0: ["add", "Eb,Ib", "lock"],
      1: ["or", "Eb,Ib", "lock"],
      2: ["adc", "Eb,Ib", "lock"],
      3: ["sbb", "Eb,Ib", "lock"],
      4: ["and", "Eb,Ib", "lock"],
      5: ["sub", "Eb,Ib", "lock"],
      6: ["xor", "Eb,Ib", "lock"],
      7: ["cmp", "Eb,Ib"],
    },
  },
  0x81: {
    group: {
      0: ["add", "Ev,Iz", "lock"],
      1: ["or", "Ev,Iz", "lock"],
      2: ["adc", "Ev,Iz", "lock"],
      3: ["sbb", "Ev,Iz", "lock"],
      4: ["and", "Ev,Iz", "lock"],
      5: ["sub", "Ev,Iz", "lock"],
      6: ["xor", "Ev,Iz", "lock"],
      7: ["cmp", "Ev,Iz"],
    },
  },
  // an alias of 80 outside 64-bit mode
  0x82: {
    group: {
      0: ["add", "Eb,Ib", "lock", "i64"],
      1: ["or", "Eb,Ib", "lock", "i64"],
      2: ["adc", "Eb,Ib", "lock", "i64"],
      3: ["sbb", "Eb,Ib", "lock", "i64"],
      4: ["and", "Eb,Ib", "lock", "i64"],
      5: ["sub", "Eb,Ib", "lock", "i64"],
      6: ["xor", "Eb,Ib", "lock", "i64"],
      7: ["cmp", "Eb,Ib", "i64"],
    },
  },
  0x83: {
    group: {
      0: ["add", "Ev,Isb", "lock"],
      1: ["or", "Ev,Isb", "lock"],
      2: ["adc", "Ev,Isb", "lock"],
      3: ["sbb", "Ev,Isb", "lock"],
      4: ["and", "Ev,Isb", "lock"],
      5: ["sub", "Ev,Isb", "lock"],
      6: ["xor", "Ev,Isb", "lock"],
      7: ["cmp", "Ev,Isb"],
    },
  },
  0x8f: { group: { 0: ["pop", "Ev", "d64"] } },
  // extension 6 is an undocumented alias of 4
  0xc0: {
    group: {
      0: ["rol", "Eb,Ib"],
      1: ["ror", "Eb,Ib"],
      2: ["rcl", "Eb,Ib"],
      3: ["rcr", "Eb,Ib"],
      4: ["shl", "Eb,Ib"],
      5: ["shr", "Eb,Ib"],
      6: ["shl", "Eb,Ib"],
      7: ["sar", "Eb,Ib"],
    },
  },
  0xc1: {
    group: {
      0: ["rol", "Ev,Ib"],
      1: ["ror", "Ev,Ib"],
      2: ["rcl", "Ev,Ib"],
      3: ["rcr", "Ev,Ib"],
      4: ["shl", "Ev,Ib"],
      5: ["shr", "Ev,Ib"],
      6: ["shl", "Ev,Ib"],
      7: ["sar", "Ev,Ib"],
    },
  },
  0xd0: {
    group: {
      0: ["rol", "Eb,1"],
      1: ["ror", "Eb,1"],
      2: ["rcl", "Eb,1"],
      3: ["rcr", "Eb,1"],
      4: ["shl", "Eb,1"],
      5: ["shr", "Eb,1"],
      6: ["shl", "Eb,1"],
      7: ["sar", "Eb,1"],
    },
  },
  0xd1: {
    group: {
      0: ["rol", "Ev,1"],
      1: ["ror", "Ev,1"],
      2: ["rcl", "Ev,1"],
      3: ["rcr", "Ev,1"],
      4: ["shl", "Ev,1"],
      5: ["shr", "Ev,1"],
      6: ["shl", "Ev,1"],
      7: ["sar", "Ev,1"],
    },
  },
  0xd2: {
    group: {
      0: ["rol", "Eb,CL"],
      1: ["ror", "Eb,CL"],
      2: ["rcl", "Eb,CL"],
      3: ["rcr", "Eb,CL"],
      4: ["shl", "Eb,CL"],
      5: ["shr", "Eb,CL"],
      6: ["shl", "Eb,CL"],
      7: ["sar", "Eb,CL"],
    },
  },
  0xd3: {
    group: {
      0: ["rol", "Ev,CL"],
      1: ["ror", "Ev,CL"],
      2: ["rcl", "Ev,CL"],
      3: ["rcr", "Ev,CL"],
      4: ["shl", "Ev,CL"],
      5: ["shr", "Ev,CL"],
      6: ["shl", "Ev,CL"],
      7: ["sar", "Ev,CL"],
    },
  },
  0xc6: { group: { 0: ["mov", "Eb,Ib"] } },
  0xc7: { group: { 0: ["mov", "Ev,Iz"] } },
  0xf6: {
    group: {
      0: ["test", "Eb,Ib"],
      1: ["test", "Eb,Ib"],
      2: ["not", "Eb", "lock"],
      3: ["neg", "Eb", "lock"],
      4: ["mul", "Eb"],
      5: ["imul1", "Eb"],
      6: ["div", "Eb"],
      7: ["idiv", "Eb"],
    },
  },
  0xf7: {
    group: {
      0: ["test", "Ev,Iz"],
      1: ["test", "Ev,Iz"],
      2: ["not", "Ev", "lock"],
      3: ["neg", "Ev", "lock"],
      4: ["mul", "Ev"],
      5: ["imul1", "Ev"],
      6: ["div", "Ev"],
      7: ["idiv", "Ev"],
    },
  },
  0xfe: { group: { 0: ["inc", "Eb", "lock"], 1: ["dec", "Eb", "lock"] } },
  0xff: {
    group: {
      0: ["inc", "Ev", "lock"],
      1: ["dec", "Ev", "lock"],
      2: ["call", "Ev", "f64"],
      3: ["call.far", "Mp"],
      4: ["jmp", "Ev", "f64"],
      5: ["jmp.far", "Mp"],
      6: ["push", "Ev", "d64"],
    },
  },
} as const satisfies OpcodeMap;

/** Groups of the two-byte map (0F). */
// prettier-ignore
export const twoByteGroups = {
  0x00: {
    group: {
      0: ["sldt", "Rv/Mw", "no16"],
      1: ["str", "Rv/Mw", "no16"],
      2: ["lldt", "Ew", "no16"],
      3: ["ltr", "Ew", "no16"],
      4: ["verr", "Ew", "no16"],
      5: ["verw", "Ew", "no16"],
    },
  },
  0x01: {
    group: {
      0: { memory: ["sgdt", "Ms"] },
      1: {
        memory: ["sidt", "Ms"],
        rm: {
          0: { np: ["monitor", "AXn", "monitor"] },
          1: { np: ["mwait", "", "monitor"] },
          2: { np: ["clac", "", "smap"] },
          3: { np: ["stac", "", "smap"] },
        },
      },
      2: {
        memory: ["lgdt", "Ms"],
        rm: { 0: { np: ["xgetbv", "", "xsave"] }, 1: { np: ["xsetbv", "", "xsave"] } },
      },
      3: { memory: ["lidt", "Ms"] },
      4: ["smsw", "Rv/Mw"],
      6: ["lmsw", "Ew"],
      7: {
        memory: ["invlpg", "Mn"],
        rm: { 0: ["swapgs", "", "o64"], 1: ["rdtscp", "", "rdtscp"] },
      },
    },
  },
  // hints; the register form does nothing on Intel's processors and is #UD on AMD's
  0x0d: {
    group: {
      0: { memory: ["prefetch", "Mn"], register: ["nop", "Ev"] },
      1: { memory: ["prefetchw", "Mn"], register: ["nop", "Ev"] },
      2: { memory: ["prefetchwt1", "Mn"], register: ["nop", "Ev"] },
      3: { memory: ["prefetch", "Mn"], register: ["nop", "Ev"] },
      4: { memory: ["prefetch", "Mn"], register: ["nop", "Ev"] },
      5: { memory: ["prefetch", "Mn"], register: ["nop", "Ev"] },
      6: { memory: ["prefetch", "Mn"], register: ["nop", "Ev"] },
      7: { memory: ["prefetch", "Mn"], register: ["nop", "Ev"] },
    },
  },
  0x18: {
    group: {
      0: { memory: ["prefetchnta", "Mn"], register: ["nop", "Ev"] },
      1: { memory: ["prefetcht0", "Mn"], register: ["nop", "Ev"] },
      2: { memory: ["prefetcht1", "Mn"], register: ["nop", "Ev"] },
      3: { memory: ["prefetcht2", "Mn"], register: ["nop", "Ev"] },
      4: ["nop", "Ev"],
      5: ["nop", "Ev"],
      6: ["nop", "Ev"],
      7: ["nop", "Ev"],
    },
  },
  0x1e: {
    group: {
      0: ["nop", "Ev"],
      1: ["nop", "Ev"],
      2: ["nop", "Ev"],
      3: ["nop", "Ev"],
      4: ["nop", "Ev"],
      5: ["nop", "Ev"],
      6: ["nop", "Ev"],
      7: {
        memory: ["nop", "Ev"],
        register: ["nop", "Ev"],
        // landing pads of indirect branches; no operation while CET is not enabled
        rm: { 2: { f3: ["endbr64", ""] }, 3: { f3: ["endbr32", ""] } },
      },
    },
  },
  0x71: {
    group: {
      2: { register: { np: ["psrlw", "Nq,Ib", "mmx"], 66: ["psrlw", "Ux,Ib", "sse2"] } },
      4: { register: { np: ["psraw", "Nq,Ib", "mmx"], 66: ["psraw", "Ux,Ib", "sse2"] } },
      6: { register: { np: ["psllw", "Nq,Ib", "mmx"], 66: ["psllw", "Ux,Ib", "sse2"] } },
    },
  },
  0x72: {
    group: {
      2: { register: { np: ["psrld", "Nq,Ib", "mmx"], 66: ["psrld", "Ux,Ib", "sse2"] } },
      4: { register: { np: ["psrad", "Nq,Ib", "mmx"], 66: ["psrad", "Ux,Ib", "sse2"] } },
      6: { register: { np: ["pslld", "Nq,Ib", "mmx"], 66: ["pslld", "Ux,Ib", "sse2"] } },
    },
  },
  0x73: {
    group: {
      2: { register: { np: ["psrlq", "Nq,Ib", "mmx"], 66: ["psrlq", "Ux,Ib", "sse2"] } },
      3: { register: { 66: ["psrldq", "Ux,Ib", "sse2"] } },
      6: { register: { np: ["psllq", "Nq,Ib", "mmx"], 66: ["psllq", "Ux,Ib", "sse2"] } },
      7: { register: { 66: ["pslldq", "Ux,Ib", "sse2"] } },
    },
  },
  0xae: {
    group: {
      0: { memory: { np: ["fxsave", "Mfx", "fxsr"] }, register: { f3: ["rdfsbase", "Ry", "o64", "fsgsbase"] } },
      1: { memory: { np: ["fxrstor", "Mfx", "fxsr"] }, register: { f3: ["rdgsbase", "Ry", "o64", "fsgsbase"] } },
      2: { memory: { np: ["ldmxcsr", "Md", "sse"] }, register: { f3: ["wrfsbase", "Ry", "o64", "fsgsbase"] } },
      3: { memory: { np: ["stmxcsr", "Md", "sse"] }, register: { f3: ["wrgsbase", "Ry", "o64", "fsgsbase"] } },
      4: { memory: { np: ["xsave", "Mxs", "xsave"] } },
      5: { memory: { np: ["xrstor", "Mxs", "xsave"] }, register: { np: ["lfence", "", "sse2"] } },
      6: {
        memory: { np: ["xsaveopt", "Mxs", "xsaveopt"], 66: ["clwb", "Mn", "clwb"] },
        register: { np: ["mfence", "", "sse2"] },
      },
      7: {
        memory: { np: ["clflush", "Mn", "clflush"], 66: ["clflushopt", "Mn", "clflushopt"] },
        register: { np: ["sfence", "", "sse"] },
      },
    },
  },
  0xba: {
    group: {
      4: ["bt", "Ev,Ib"],
      5: ["bts", "Ev,Ib", "lock"],
      6: ["btr", "Ev,Ib", "lock"],
      7: ["btc", "Ev,Ib", "lock"],
    },
  },
  0xc7: {
    group: {
      1: { memory: [["cmpxchg8b", "Mq", "lock", "w0"], ["cmpxchg16b", "Mo", "lock", "w1", "cx16"]] },
      4: { memory: { np: ["xsavec", "Mxs", "xsavec"] } },
      6: { register: { nfx: ["rdrand", "Rv", "rdrand"] } },
      7: { register: { nfx: ["rdseed", "Rv", "rdseed"], f3: ["rdpid", "Ry", "f64", "rdpid"] } },
    },
  },
} as const satisfies OpcodeMap;

oneByteGroups satisfies CheckedTable<typeof oneByteGroups>;
twoByteGroups satisfies CheckedTable<typeof twoByteGroups>;
