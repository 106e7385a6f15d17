// SDM Vol. 2D, Table A-5: three-byte opcode map (0F 3A xx).

import type { CheckedTable, OpcodeMap } from "../row.ts";

// prettier-ignore
export const threeByte3a = {
  0x08: { 66: ["roundps", "Vps,Wps,Ib", "sse4.1"] },
  0x09: { 66: ["roundpd", "Vpd,Wpd,Ib", "sse4.1"] },
  0x0a: { 66: ["roundss", "Vss,Wss,Ib", "sse4.1"] },
  0x0b: { 66: ["roundsd", "Vsd,Wsd,Ib", "sse4.1"] },
  0x0c: { 66: ["blendps", "Vps,Wps,Ib", "sse4.1"] },
  0x0d: { 66: ["blendpd", "Vpd,Wpd,Ib", "sse4.1"] },
  0x0e: { 66: ["pblendw", "Vx,Wx,Ib", "sse4.1"] },
  0x0f: { np: ["palignr", "Pq,Qq,Ib", "ssse3"], 66: ["palignr", "Vx,Wx,Ib", "ssse3"] },
  0x14: { 66: ["pextrb", "Rd/Mb,Vx,Ib", "sse4.1"] },
  0x15: { 66: ["pextrw", "Rd/Mw,Vx,Ib", "sse4.1"] },
  0x16: { 66: ["pextrd", "Ey,Vx,Ib", "sse4.1"] }, // PEXTRQ with REX.W
  0x17: { 66: ["extractps", "Ed,Vx,Ib", "sse4.1"] },
  0x20: { 66: ["pinsrb", "Vx,Rd/Mb,Ib", "sse4.1"] },
  0x21: { 66: ["insertps", "Vx,Ux/Md,Ib", "sse4.1"] },
  0x22: { 66: ["pinsrd", "Vx,Ey,Ib", "sse4.1"] }, // PINSRQ with REX.W
  0x40: { 66: ["dpps", "Vps,Wps,Ib", "sse4.1"] },
  0x41: { 66: ["dppd", "Vpd,Wpd,Ib", "sse4.1"] },
  0x42: { 66: ["mpsadbw", "Vx,Wx,Ib", "sse4.1"] },
  0x44: { 66: ["pclmulqdq", "Vx,Wx,Ib", "pclmulqdq"] },
  0x60: { 66: ["pcmpestrm", "Vx,Wx,Ib", "sse4.2"] },
  0x61: { 66: ["pcmpestri", "Vx,Wx,Ib", "sse4.2"] },
  0x62: { 66: ["pcmpistrm", "Vx,Wx,Ib", "sse4.2"] },
  0x63: { 66: ["pcmpistri", "Vx,Wx,Ib", "sse4.2"] },
  0xcc: { np: ["sha1rnds4", "Vx,Wx,Ib", "sha"] },
  0xdf: { 66: ["aeskeygenassist", "Vx,Wx,Ib", "aes"] },
} as const satisfies OpcodeMap;

threeByte3a satisfies CheckedTable<typeof threeByte3a>;
