// SDM Vol. 2A, 2.3 (VEX) and Vol. 2, Tables, A-6 (group 17): BMI1 and BMI2, the VEX encodings of general registers.
// VEX is not recognized in real and virtual-8086 mode. VEX.L must be 0; VEX.vvvv must be 1111 where no B operand uses it.

import type { CheckedTable, OpcodeMap } from "../row.ts";

/** VEX.mmmmm = 2: 0F 38. */
// prettier-ignore
export const vex38 = {
  0xf2: { np: ["andn", "Gy,By,Ey", "l0", "no16", "bmi1"] },
  0xf3: {
    group: {
      1: { np: ["blsr", "By,Ey", "l0", "no16", "bmi1"] },
      2: { np: ["blsmsk", "By,Ey", "l0", "no16", "bmi1"] },
      3: { np: ["blsi", "By,Ey", "l0", "no16", "bmi1"] },
    },
  },
  0xf5: {
    np: ["bzhi", "Gy,Ey,By", "l0", "no16", "bmi2"],
    f3: ["pext", "Gy,By,Ey", "l0", "no16", "bmi2"],
    f2: ["pdep", "Gy,By,Ey", "l0", "no16", "bmi2"],
  },
  0xf6: { f2: ["mulx", "Gy,By,Ey", "l0", "no16", "bmi2"] },
  0xf7: {
    np: ["bextr", "Gy,Ey,By", "l0", "no16", "bmi1"],
    66: ["shlx", "Gy,Ey,By", "l0", "no16", "bmi2"],
    f3: ["sarx", "Gy,Ey,By", "l0", "no16", "bmi2"],
    f2: ["shrx", "Gy,Ey,By", "l0", "no16", "bmi2"],
  },
} as const satisfies OpcodeMap;

/** VEX.mmmmm = 3: 0F 3A. */
// prettier-ignore
export const vex3a = {
  0xf0: { f2: ["rorx", "Gy,Ey,Ib", "l0", "no16", "bmi2"] },
} as const satisfies OpcodeMap;

vex38 satisfies CheckedTable<typeof vex38>;
vex3a satisfies CheckedTable<typeof vex3a>;
