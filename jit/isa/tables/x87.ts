// SDM Vol. 2D, A.5 (Tables ): escape opcodes D8..DF.
//
// Register forms that the SDM leaves blank but that processors have executed since the 8087 are here as what they do: DC D0 (FCOM),
// DC D8 (FCOMP), DD C8 (FXCH), DE D0 (FCOMP), DF C0 (FFREEP), DF C8 (FXCH), DF D0 and DF D8 (FSTP), D9 D8 (FSTPNCE: FSTP that does not
// signal stack underflow), DB E0 and DB E1 (FENI, FDISI of the 8087) and DB E4 (FSETPM of the 287), which do nothing since.

import type { CheckedTable, OpcodeMap } from "../row.ts";

// prettier-ignore
export const x87 = {
  0xd8: {
    group: {
      0: { memory: ["fadd", "ST0,Md"], register: ["fadd", "ST0,Hi"] },
      1: { memory: ["fmul", "ST0,Md"], register: ["fmul", "ST0,Hi"] },
      2: { memory: ["fcom", "ST0,Md"], register: ["fcom", "ST0,Hi"] },
      3: { memory: ["fcomp", "ST0,Md"], register: ["fcomp", "ST0,Hi"] },
      4: { memory: ["fsub", "ST0,Md"], register: ["fsub", "ST0,Hi"] },
      5: { memory: ["fsubr", "ST0,Md"], register: ["fsubr", "ST0,Hi"] },
      6: { memory: ["fdiv", "ST0,Md"], register: ["fdiv", "ST0,Hi"] },
      7: { memory: ["fdivr", "ST0,Md"], register: ["fdivr", "ST0,Hi"] },
    },
  },
  0xd9: {
    group: {
      0: { memory: ["fld", "Md"], register: ["fld", "Hi"] },
      1: { register: ["fxch", "ST0,Hi"] },
      2: {
        memory: ["fst", "Md"],
        rm: {
          0: ["fnop", ""],
        },
      },
      3: { memory: ["fstp", "Md"], register: ["fstpnce", "Hi"] },
      4: {
        memory: ["fldenv", "Me"],
        rm: {
          0: ["fchs", ""],
          1: ["fabs", ""],
          4: ["ftst", ""],
          5: ["fxam", ""],
        },
      },
      5: {
        memory: ["fldcw", "Mw"],
        rm: {
          0: ["fld1", ""],
          1: ["fldl2t", ""],
          2: ["fldl2e", ""],
          3: ["fldpi", ""],
          4: ["fldlg2", ""],
          5: ["fldln2", ""],
          6: ["fldz", ""],
        },
      },
      6: {
        memory: ["fnstenv", "Me"],
        rm: {
          0: ["f2xm1", ""],
          1: ["fyl2x", ""],
          2: ["fptan", ""],
          3: ["fpatan", ""],
          4: ["fxtract", ""],
          5: ["fprem1", ""],
          6: ["fdecstp", ""],
          7: ["fincstp", ""],
        },
      },
      7: {
        memory: ["fnstcw", "Mw"],
        rm: {
          0: ["fprem", ""],
          1: ["fyl2xp1", ""],
          2: ["fsqrt", ""],
          3: ["fsincos", ""],
          4: ["frndint", ""],
          5: ["fscale", ""],
          6: ["fsin", ""],
          7: ["fcos", ""],
        },
      },
    },
  },
  0xda: {
    group: {
      0: { memory: ["fiadd", "ST0,Md"], register: ["fcmovb", "ST0,Hi"] },
      1: { memory: ["fimul", "ST0,Md"], register: ["fcmove", "ST0,Hi"] },
      2: { memory: ["ficom", "ST0,Md"], register: ["fcmovbe", "ST0,Hi"] },
      3: { memory: ["ficomp", "ST0,Md"], register: ["fcmovu", "ST0,Hi"] },
      4: { memory: ["fisub", "ST0,Md"] },
      5: {
        memory: ["fisubr", "ST0,Md"],
        rm: {
          1: ["fucompp", ""],
        },
      },
      6: { memory: ["fidiv", "ST0,Md"] },
      7: { memory: ["fidivr", "ST0,Md"] },
    },
  },
  0xdb: {
    group: {
      0: { memory: ["fild", "Md"], register: ["fcmovnb", "ST0,Hi"] },
      1: { memory: ["fisttp", "Md", "sse3"], register: ["fcmovne", "ST0,Hi"] },
      2: { memory: ["fist", "Md"], register: ["fcmovnbe", "ST0,Hi"] },
      3: { memory: ["fistp", "Md"], register: ["fcmovnu", "ST0,Hi"] },
      4: {
        rm: {
          0: ["fneni", ""],
          1: ["fndisi", ""],
          2: ["fnclex", ""],
          3: ["fninit", ""],
          4: ["fnsetpm", ""],
        },
      },
      5: { memory: ["fld", "Mt"], register: ["fucomi", "ST0,Hi"] },
      6: { register: ["fcomi", "ST0,Hi"] },
      7: { memory: ["fstp", "Mt"] },
    },
  },
  0xdc: {
    group: {
      0: { memory: ["fadd", "ST0,Mq"], register: ["fadd", "Hi,ST0"] },
      1: { memory: ["fmul", "ST0,Mq"], register: ["fmul", "Hi,ST0"] },
      2: { memory: ["fcom", "ST0,Mq"], register: ["fcom", "ST0,Hi"] },
      3: { memory: ["fcomp", "ST0,Mq"], register: ["fcomp", "ST0,Hi"] },
      4: { memory: ["fsub", "ST0,Mq"], register: ["fsubr", "Hi,ST0"] },
      5: { memory: ["fsubr", "ST0,Mq"], register: ["fsub", "Hi,ST0"] },
      6: { memory: ["fdiv", "ST0,Mq"], register: ["fdivr", "Hi,ST0"] },
      7: { memory: ["fdivr", "ST0,Mq"], register: ["fdiv", "Hi,ST0"] },
    },
  },
  0xdd: {
    group: {
      0: { memory: ["fld", "Mq"], register: ["ffree", "Hi"] },
      1: { memory: ["fisttp", "Mq", "sse3"], register: ["fxch", "ST0,Hi"] },
      2: { memory: ["fst", "Mq"], register: ["fst", "Hi"] },
      3: { memory: ["fstp", "Mq"], register: ["fstp", "Hi"] },
      4: { memory: ["frstor", "Mf"], register: ["fucom", "ST0,Hi"] },
      5: { register: ["fucomp", "ST0,Hi"] },
      6: { memory: ["fnsave", "Mf"] },
      7: { memory: ["fnstsw", "Mw"] },
    },
  },
  0xde: {
    group: {
      0: { memory: ["fiadd", "ST0,Mw"], register: ["faddp", "Hi,ST0"] },
      1: { memory: ["fimul", "ST0,Mw"], register: ["fmulp", "Hi,ST0"] },
      2: { memory: ["ficom", "ST0,Mw"], register: ["fcomp", "ST0,Hi"] },
      3: {
        memory: ["ficomp", "ST0,Mw"],
        rm: {
          1: ["fcompp", ""],
        },
      },
      4: { memory: ["fisub", "ST0,Mw"], register: ["fsubrp", "Hi,ST0"] },
      5: { memory: ["fisubr", "ST0,Mw"], register: ["fsubp", "Hi,ST0"] },
      6: { memory: ["fidiv", "ST0,Mw"], register: ["fdivrp", "Hi,ST0"] },
      7: { memory: ["fidivr", "ST0,Mw"], register: ["fdivp", "Hi,ST0"] },
    },
  },
  0xdf: {
    group: {
      0: { memory: ["fild", "Mw"], register: ["ffreep", "Hi"] },
      1: { memory: ["fisttp", "Mw", "sse3"], register: ["fxch", "ST0,Hi"] },
      2: { memory: ["fist", "Mw"], register: ["fstp", "Hi"] },
      3: { memory: ["fistp", "Mw"], register: ["fstp", "Hi"] },
      4: {
        memory: ["fbld", "Mt"],
        rm: {
          0: ["fnstsw", "AX"],
        },
      },
      5: { memory: ["fild", "Mq"], register: ["fucomip", "ST0,Hi"] },
      6: { memory: ["fbstp", "Mt"], register: ["fcomip", "ST0,Hi"] },
      7: { memory: ["fistp", "Mq"] },
    },
  },
} as const satisfies OpcodeMap;

x87 satisfies CheckedTable<typeof x87>;
