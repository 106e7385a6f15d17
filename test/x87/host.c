/*
 * Runs single x87 instructions without a memory operand on the host's own x87, from and to full FSAVE images.
 *
 * stdin: records of 112 bytes, a u32 number of the instruction (see `operations` in host.ts) and a 32-bit protected-mode FSAVE image;
 * stdout: for each record the image that FNSAVE wrote afterwards (108 bytes) and the low 32 bits of RFLAGS.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct record { uint32_t operation; uint8_t image[108]; };
struct answer { uint8_t image[108]; uint32_t rflags; };

#define RUN(number, text)                                                                                              \
  case number:                                                                                                         \
    __asm__ volatile("xorl %%eax, %%eax\n frstor %2\n " text "\n fnsave %0\n pushfq\n popq %1"                         \
                     : "=m"(answer.image), "=r"(rflags)                                                                \
                     : "m"(record.image)                                                                               \
                     : "rax", "cc", "memory");                                                                         \
    break;

int main(void) {
  struct record record;
  struct answer answer;
  while (fread(&record, sizeof record, 1, stdin) == 1) {
    uint64_t rflags = 0;
    switch (record.operation) {
      RUN(0, "f2xm1") RUN(1, "fyl2x") RUN(2, "fyl2xp1") RUN(3, "fptan") RUN(4, "fpatan") RUN(5, "fsin") RUN(6, "fcos")
      RUN(7, "fsincos") RUN(8, "fprem") RUN(9, "fprem1") RUN(10, "fscale") RUN(11, "fxtract") RUN(12, "frndint")
      RUN(13, "fsqrt") RUN(14, "fadd %%st(1), %%st") RUN(15, "fsub %%st(1), %%st") RUN(16, "fmul %%st(1), %%st")
      RUN(17, "fdiv %%st(1), %%st") RUN(18, "fcom %%st(1)") RUN(19, "fucom %%st(1)") RUN(20, "fcomi %%st(1), %%st")
      RUN(21, "fucomi %%st(1), %%st") RUN(22, "ftst") RUN(23, "fxam") RUN(24, "fld %%st(0)") RUN(25, "fstp %%st(1)")
      RUN(26, "fxch %%st(1)") RUN(27, "fchs") RUN(28, "fabs") RUN(29, "fldpi") RUN(30, "faddp %%st, %%st(1)")
      RUN(31, "fldl2t") RUN(32, "fldl2e") RUN(33, "fldlg2") RUN(34, "fldln2") RUN(35, "fcompp") RUN(36, "fcmovb %%st(1), %%st")
      RUN(37, "fdecstp") RUN(38, "fincstp") RUN(39, "ffree %%st(1)") RUN(40, "ffreep %%st(1)")
      default: return 1;
    }
    memset(&answer.rflags, 0, sizeof answer.rflags);
    answer.rflags = (uint32_t)rflags;
    if (fwrite(&answer, sizeof answer, 1, stdout) != 1) return 1;
  }
  return 0;
}
