/*
 * Runs single x87 instructions on the host's own x87, from and to full FSAVE images.
 *
 * argv[1]: the bytes of the instruction in hexadecimal; a memory operand is [RDI]. stdin: records of 144 bytes, four bytes that are
 * ignored, a 32-bit protected-mode FSAVE image and 32 bytes of memory; stdout: for each record the image that FNSAVE wrote
 * afterwards (108 bytes), the low halves of RFLAGS and RAX (two bytes each) and the memory.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct record { uint32_t ignored; uint8_t image[108]; uint8_t memory[32]; };
struct answer { uint8_t image[108]; uint16_t flags; uint16_t ax; uint8_t memory[32]; };

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  uint8_t *code = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (code == MAP_FAILED) return 2;
  uint8_t *at = code;
  for (const char *digits = argv[1]; digits[0] && digits[1]; digits += 2) {
    char byte[3] = {digits[0], digits[1], 0};
    *at++ = (uint8_t)strtoul(byte, 0, 16);
  }
  *at = 0xc3;
  struct record record;
  struct answer answer;
  while (fread(&record, sizeof record, 1, stdin) == 1) {
    uint64_t rflags, rax = 0;
    /* The red zone is left alone: the call pushes. */
    __asm__ volatile(
        "subq $128, %%rsp\n xorl %%eax, %%eax\n frstor (%4)\n call *%3\n fnsave (%2)\n pushfq\n popq %1\n addq $128, %%rsp"
        : "+a"(rax), "=&b"(rflags)
        : "r"(answer.image), "r"(code), "r"(record.image), "D"(record.memory)
        : "cc", "memory");
    answer.flags = (uint16_t)rflags;
    answer.ax = (uint16_t)rax;
    memcpy(answer.memory, record.memory, sizeof answer.memory);
    if (fwrite(&answer, sizeof answer, 1, stdout) != 1) return 1;
  }
  return 0;
}
