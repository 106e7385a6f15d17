import { describe, expect, it } from "vitest";
import { loadKernelImage } from "../../runtime/boot/detect.ts";
import { pcMemoryMap } from "../../runtime/boot/memory-ranges.ts";
import { type BareExit, createBareMachine } from "../../src/bare-machine.ts";
import { bzImage, concat, elf, multibootHeader } from "./support/images.ts";

const MEMORY_BYTES = 32 * 0x10_0000;
const KERNEL = 0x100_0000;

/** Starts a kernel as its format says, and returns what it writes to port 0x80 until it halts. */
async function portWrites(image: Uint8Array): Promise<number[]> {
  const machine = await createBareMachine({ memoryBytes: MEMORY_BYTES, mode: "long" });
  const { entry } = loadKernelImage(machine, image, { memoryMap: pcMemoryMap(MEMORY_BYTES), commandLine: "Hello" });
  machine.setState(entry);
  const values: number[] = [];
  let exit: BareExit;
  do {
    exit = machine.run({ maxInstructions: 100 });
    if (exit.port !== undefined) values.push(exit.port.value);
  } while (exit.reason === "port");
  machine.close();
  expect(exit.reason).toBe("halt");
  return values;
}

// prettier-ignore
const RELOAD_SEGMENTS = [
  0x8c, 0xd8,       // mov eax, ds
  0x8e, 0xd8,       // mov ds, eax
  0x8e, 0xc0,       // mov es, eax
  0x8e, 0xd0,       // mov ss, eax
  0xe7, 0x80,       // out 0x80, eax
  0x50, 0x59,       // push rax; pop rcx
];

describe("kernels run from the state that the loaders make", () => {
  it("Linux: 64-bit code, with the zero page at RSI", async () => {
    const image = bzImage();
    // prettier-ignore
    image.set([
      ...RELOAD_SEGMENTS,
      0x8b, 0x86, 0x28, 0x02, 0x00, 0x00, // mov eax, [rsi+0x228]
      0x0f, 0xb6, 0x00,                   // movzx eax, byte ptr [rax]
      0xe7, 0x80,                         // out 0x80, eax
      0x48, 0xc7, 0xc0, 0xff, 0xff, 0xff, 0xff, // mov rax, -1
      0x48, 0xc1, 0xe8, 0x20,             // shr rax, 32
      0xe7, 0x80,                         // out 0x80, eax
      0xf4,                               // hlt
    ], 2048 + 0x200);
    expect(await portWrites(image)).toEqual([0x18, "H".charCodeAt(0), 0xffff_ffff]);
  });

  it("PVH: 32-bit code, with the start information at EBX", async () => {
    // prettier-ignore
    const content = Uint8Array.of(
      ...RELOAD_SEGMENTS,
      0x8b, 0x03,       // mov eax, [ebx]
      0xe7, 0x80,       // out 0x80, eax
      0x8b, 0x43, 24,   // mov eax, [ebx+24]
      0x0f, 0xb6, 0x00, // movzx eax, byte ptr [eax]
      0xe7, 0x80,       // out 0x80, eax
      0xf4,             // hlt
    );
    const image = elf({ wide: true, content, gpa: KERNEL, pvh: KERNEL });
    expect(await portWrites(image)).toEqual([0x18, 0x336e_c578, "H".charCodeAt(0)]);
  });

  it("Multiboot: 32-bit code, the magic number in EAX, the information at EBX", async () => {
    // prettier-ignore
    const code = Uint8Array.of(
      0xe7, 0x80,       // out 0x80, eax
      ...RELOAD_SEGMENTS,
      0x8b, 0x43, 16,   // mov eax, [ebx+16]
      0x0f, 0xb6, 0x00, // movzx eax, byte ptr [eax]
      0xe7, 0x80,       // out 0x80, eax
      0xf4,             // hlt
    );
    const image = elf({ wide: false, content: concat(multibootHeader(3), code), gpa: KERNEL, entry: KERNEL + 12 });
    expect(await portWrites(image)).toEqual([0x2bad_b002, 0x18, "H".charCodeAt(0)]);
  });
});
