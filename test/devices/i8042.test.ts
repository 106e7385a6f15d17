import { describe, expect, it } from "vitest";
import { I8042 } from "../../runtime/devices/i8042.ts";
import { RecordedLine } from "./support.ts";

function make() {
  const line = new RecordedLine();
  let resets = 0;
  const controller = new I8042(line, () => resets++);
  const command = (value: number) => controller.writePort(0x64, 1, value);
  const data = (value: number) => controller.writePort(0x60, 1, value);
  const status = () => controller.readPort(0x64, 1);
  /** Everything in the output buffer. */
  const drain = () => {
    const bytes: number[] = [];
    while (status() & 1) bytes.push(controller.readPort(0x60, 1));
    return bytes;
  };
  return { controller, line, command, data, status, drain, resets: () => resets };
}

describe("I8042", () => {
  it("answers the tests of a kernel's probe", () => {
    const { command, drain } = make();
    command(0xaa);
    expect(drain()).toEqual([0x55]);
    command(0xab);
    expect(drain()).toEqual([0x00]);
    command(0xa9);
    expect(drain()).toEqual([0x01]); // no mouse
  });

  it("keeps the command byte and the rest of its RAM", () => {
    const { command, data, drain } = make();
    command(0x60);
    data(0x43);
    command(0x20);
    expect(drain()).toEqual([0x43]);
    command(0xad);
    command(0x20);
    expect(drain()).toEqual([0x53]);
    command(0x7f);
    data(0x99);
    command(0x3f);
    expect(drain()).toEqual([0x99]);
  });

  it("switches its ports on and off in the command byte", () => {
    const { command, data, drain } = make();
    const config = () => {
      command(0x20);
      return drain()[0];
    };
    command(0xa7);
    expect(config()).toBe(0x25);
    command(0xad);
    expect(config()).toBe(0x35);
    command(0xa8);
    expect(config()).toBe(0x15);
    data(0xf4); // to the keyboard: that switches its port on
    expect(drain()).toEqual([0xfa]);
    expect(config()).toBe(0x05);
    command(0xad);
    command(0xae);
    expect(config()).toBe(0x05);
  });

  it("pulses reset", () => {
    const { command, data, resets } = make();
    command(0xff);
    expect(resets()).toBe(0);
    command(0xfe);
    expect(resets()).toBe(1);
    command(0xd1);
    data(0x02);
    expect(resets()).toBe(2);
  });

  it("has a keyboard that resets and identifies itself", () => {
    const { data, drain } = make();
    data(0xff);
    expect(drain()).toEqual([0xfa, 0xaa]);
    data(0xf2);
    expect(drain()).toEqual([0xfa, 0xab, 0x83]);
    data(0xed);
    expect(drain()).toEqual([0xfa]);
    data(0x02);
    expect(drain()).toEqual([0xfa]);
    data(0xf0);
    data(0x00);
    expect(drain()).toEqual([0xfa, 0xfa, 0x02]);
    data(0x12);
    expect(drain()).toEqual([0xfe]);
  });

  it("has a keyboard that remembers its scan code set until a reset, and is silent when disabled", () => {
    const { controller, data, drain } = make();
    for (const byte of [0xf0, 0x03, 0xf0, 0x00]) data(byte);
    expect(drain()).toEqual([0xfa, 0xfa, 0xfa, 0xfa, 0x03]);
    for (const byte of [0xff, 0xf0, 0x00, 0xf5]) data(byte);
    expect(drain()).toEqual([0xfa, 0xaa, 0xfa, 0xfa, 0x02, 0xfa]);
    controller.keyboard.input([0x1c]);
    expect(drain()).toEqual([]);
    const other = make();
    other.controller.restore(structuredClone(controller.save()));
    other.controller.keyboard.input([0x1c]);
    expect(other.drain()).toEqual([]);
    other.data(0xf4);
    other.controller.keyboard.input([0x1c]);
    expect(other.drain()).toEqual([0xfa, 0x1c]);
  });

  it("interrupts for each byte, with an edge", () => {
    const { controller, line } = make();
    controller.keyboard.input([0x1c, 0xf0, 0x1c]);
    expect(line).toMatchObject({ level: true, rises: 1 });
    expect([1, 2, 3].map(() => controller.readPort(0x60, 1))).toEqual([0x1c, 0xf0, 0x1c]);
    expect(line).toMatchObject({ level: false, rises: 3 });
  });

  it("does not interrupt when the command byte forbids it", () => {
    const { command, data, line } = make();
    command(0x60);
    data(0x00);
    command(0xaa);
    expect(line.level).toBe(false);
  });

  it("loses bytes rather than collect them for ever", () => {
    const { command, drain } = make();
    for (let count = 0; count < 1000; count++) command(0xaa);
    expect(drain().length).toBe(17);
  });

  it("continues from a snapshot", () => {
    const { controller, data, command } = make();
    data(0xf0);
    command(0xd2);
    const state = structuredClone(controller.save());
    const other = make();
    other.controller.restore(state);
    other.data(0x77);
    expect(other.drain()).toEqual([0xfa, 0x77]);
    other.data(0x00);
    expect(other.drain()).toEqual([0xfa, 0x02]);
  });
});
