/**
 * Instructions of the x87 and their bytes, in hexadecimal; memory operands are [RDI]. The waiting forms of control instructions are left
 * out: an FWAIT before them is an instruction of its own.
 */
// prettier-ignore
export const operations = {
  "f2xm1": "d9f0", "fyl2x": "d9f1", "fyl2xp1": "d9f9", "fptan": "d9f2", "fpatan": "d9f3", "fsin": "d9fe", "fcos": "d9ff",
  "fsincos": "d9fb", "fprem": "d9f8", "fprem1": "d9f5", "fscale": "d9fd", "fxtract": "d9f4", "frndint": "d9fc", "fsqrt": "d9fa",
  "fchs": "d9e0", "fabs": "d9e1", "ftst": "d9e4", "fxam": "d9e5", "fld1": "d9e8", "fldl2t": "d9e9", "fldl2e": "d9ea",
  "fldpi": "d9eb", "fldlg2": "d9ec", "fldln2": "d9ed", "fldz": "d9ee", "fdecstp": "d9f6", "fincstp": "d9f7", "fnop": "d9d0",
  "fld st0": "d9c0", "fld st3": "d9c3", "fxch st1": "d9c9", "fxch st0": "d9c8", "fstpnce st1": "d9d9", "fadd st0, st1": "d8c1",
  "fmul st0, st1": "d8c9", "fcom st1": "d8d1", "fcomp st2": "d8da", "fsub st0, st1": "d8e1", "fsubr st0, st1": "d8e9",
  "fdiv st0, st1": "d8f1", "fdivr st0, st1": "d8f9", "fcmovb st0, st1": "dac1", "fcmove st0, st1": "dac9",
  "fcmovbe st0, st1": "dad1", "fcmovu st0, st1": "dad9", "fucompp": "dae9", "fcmovnb st0, st1": "dbc1", "fcmovne st0, st1": "dbc9",
  "fcmovnbe st0, st1": "dbd1", "fcmovnu st0, st1": "dbd9", "fneni": "dbe0", "fndisi": "dbe1", "fnclex": "dbe2", "fninit": "dbe3",
  "fnsetpm": "dbe4", "fucomi st0, st1": "dbe9", "fcomi st0, st1": "dbf1", "fadd st1, st0": "dcc1", "fmul st1, st0": "dcc9",
  "fsubr st1, st0": "dce1", "fsub st1, st0": "dce9", "fdivr st1, st0": "dcf1", "fdiv st1, st0": "dcf9", "ffree st1": "ddc1",
  "fst st1": "ddd1", "fstp st1": "ddd9", "fstp st0": "ddd8", "fucom st1": "dde1", "fucomp st1": "dde9", "faddp st1, st0": "dec1",
  "fmulp st1, st0": "dec9", "fcompp": "ded9", "fsubrp st1, st0": "dee1", "fsubp st1, st0": "dee9", "fdivrp st1, st0": "def1",
  "fdivp st1, st0": "def9", "ffreep st1": "dfc1", "fucomip st0, st1": "dfe9", "fcomip st0, st1": "dff1", "fnstsw ax": "dfe0",
  "fadd m32": "d807", "fadd m64": "dc07", "fiadd m32int": "da07", "fiadd m16int": "de07", "fmul m32": "d80f", "fmul m64": "dc0f",
  "fimul m32int": "da0f", "fimul m16int": "de0f", "fcom m32": "d817", "fcom m64": "dc17", "ficom m32int": "da17",
  "ficom m16int": "de17", "fcomp m32": "d81f", "fcomp m64": "dc1f", "ficomp m32int": "da1f", "ficomp m16int": "de1f",
  "fsub m32": "d827", "fsub m64": "dc27", "fisub m32int": "da27", "fisub m16int": "de27", "fsubr m32": "d82f", "fsubr m64": "dc2f",
  "fisubr m32int": "da2f", "fisubr m16int": "de2f", "fdiv m32": "d837", "fdiv m64": "dc37", "fidiv m32int": "da37",
  "fidiv m16int": "de37", "fdivr m32": "d83f", "fdivr m64": "dc3f", "fidivr m32int": "da3f", "fidivr m16int": "de3f",
  "fld m32": "d907", "fst m32": "d917", "fstp m32": "d91f", "fld m64": "dd07", "fst m64": "dd17", "fstp m64": "dd1f",
  "fld m80": "db2f", "fstp m80": "db3f", "fild m32": "db07", "fisttp m32": "db0f", "fist m32": "db17", "fistp m32": "db1f",
  "fild m16": "df07", "fisttp m16": "df0f", "fist m16": "df17", "fistp m16": "df1f", "fild m64": "df2f", "fisttp m64": "dd0f",
  "fistp m64": "df3f", "fbld m80": "df27", "fbstp m80": "df37", "fldcw": "d92f", "fnstcw": "d93f", "fnstsw m16": "dd3f",
  "fldenv": "d927", "fnstenv": "d937", "fldenv 16": "66d927", "fnstenv 16": "66d937",
} as const satisfies Record<string, string>;

export type Operation = keyof typeof operations;
export const operationNames: readonly Operation[] = Object.keys(operations) as Operation[];
