import { loadProgram } from "../program.ts";
import { placeProgram, run } from "./commands/exec.ts";
import type { CommandHost } from "./host.ts";

const LIMIT = 1_000_000;
const BASE = 0x10_0000n;
const MEMORY_BYTES = 16 * 1024 * 1024;

/** Counts the primes below a million with the sieve of Eratosthenes, into EAX; a byte of 1 at 0x200000 + n says that n is composite. */
// prettier-ignore
const SIEVE = Uint8Array.of(
  0xbf, 0x00, 0x00, 0x20, 0x00, //       mov edi, 0x200000
  0xbe, 0x40, 0x42, 0x0f, 0x00, //       mov esi, 1000000
  0x31, 0xc0,                   //       xor eax, eax
  0xb9, 0x02, 0x00, 0x00, 0x00, //       mov ecx, 2
  0x80, 0x3c, 0x0f, 0x00,       // outer: cmp byte ptr [rdi+rcx], 0
  0x75, 0x17,                   //       jne next
  0xff, 0xc0,                   //       inc eax
  0x48, 0x89, 0xca,             //       mov rdx, rcx
  0x48, 0x0f, 0xaf, 0xd2,       //       imul rdx, rdx
  0x48, 0x39, 0xf2,             // mark: cmp rdx, rsi
  0x73, 0x09,                   //       jae next
  0xc6, 0x04, 0x17, 0x01,       //       mov byte ptr [rdi+rdx], 1
  0x48, 0x01, 0xca,             //       add rdx, rcx
  0xeb, 0xf2,                   //       jmp mark
  0xff, 0xc1,                   // next: inc ecx
  0x39, 0xf1,                   //       cmp ecx, esi
  0x72, 0xdd,                   //       jb outer
  0xf4,                         //       hlt
);

/**
 * Runs a small program of 64-bit code, and prints what it computed and how fast.
 *
 * @returns exit code
 */
export async function demonstrate(host: CommandHost): Promise<number> {
  host.print(`\nA demonstration: ${SIEVE.length} bytes of x86-64 code count the primes below ${LIMIT}.\n`);
  const machine = await host.createMachine({ memoryBytes: MEMORY_BYTES, mode: "long" });
  placeProgram(machine, loadProgram(SIEVE, { base: BASE, memoryBytes: MEMORY_BYTES }));
  const started = host.nowMs();
  const outcome = run(machine, Number.MAX_SAFE_INTEGER);
  const elapsedMs = Math.max(host.nowMs() - started, 0.001);
  if (outcome.reason !== "halt") {
    host.complain(`umbra: the demonstration ended with "${outcome.reason}", expected "halt"`);
    return 1;
  }
  const rate = (outcome.instructions / elapsedMs / 1000).toFixed(0);
  const millions = (outcome.instructions / 1e6).toFixed(1);
  host.print(
    `  There are ${machine.register("rax")}: ${millions} million instructions in ${elapsedMs.toFixed(0)} ms, ${rate} million a second.\n`,
  );
  return 0;
}
