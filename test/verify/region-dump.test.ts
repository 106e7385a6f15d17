import { expect, test } from "vitest";
import { dumpRegion } from "../../src/inspect/region-dump.ts";

const PAGE = 4096;

test("a region of several pages is shown with the code of all of them", async () => {
  const [first, second] = [new Uint8Array(PAGE), new Uint8Array(PAGE)];
  first.set([0x48, 0xff, 0xc0, 0xe9, 0x18, 0x00, 0x00, 0x00], 0xff0); // inc rax; jmp 0x1010
  second.set([0x48, 0xff, 0xc3, 0xc3], 0x10); // inc rbx; ret
  const text = await dumpRegion({
    source: {
      pages: [
        { distance: 0, start: 0x10_0000, bytes: first },
        { distance: 1, start: 0x20_0000, bytes: second },
      ],
      blocks: new Set([0xff0, 0x1010]),
      targets: new Map(),
    },
    entry: 0xff0,
    pageGva: 0x40_0000n,
  });
  expect(text).toMatch(/400ff0 {2}48 ff c0 +inc rax/);
  expect(text).toMatch(/401010 {2}48 ff c3 +inc rbx/);
  expect(text).toMatch(/goes on with block 1/);
});
