import { describe, expect, it } from "vitest";
import { Pic8259Pair } from "../../runtime/devices/pic8259.ts";
import { RecordedLine } from "./support.ts";

function make({ icw4 = [1, 1], initialize = true }: { icw4?: readonly [number, number]; initialize?: boolean } = {}) {
  const output = new RecordedLine();
  const pic = new Pic8259Pair(output);
  const read = (port: number) => pic.readPort(port, 1);
  const write = (port: number, ...values: number[]) => values.forEach((value) => pic.writePort(port, 1, value));
  if (initialize) {
    // As an operating system does: vectors 0x20 and 0x28, cascade at 2, 8086 mode.
    write(0x20, 0x11);
    write(0x21, 0x20, 0x04, icw4[0]);
    write(0xa0, 0x11);
    write(0xa1, 0x28, 0x02, icw4[1]);
  }
  const raise = (irq: number) => pic.line(irq).set(true);
  const drop = (irq: number) => pic.line(irq).set(false);
  return { pic, output, read, write, raise, drop };
}

describe("Pic8259Pair", () => {
  it("raises nothing before it is initialized", () => {
    const { output, raise } = make({ initialize: false });
    raise(0);
    expect(output.level).toBe(false);
  });

  it("keeps a mask written before initialization: the probe of Linux", () => {
    const { read, write } = make({ initialize: false });
    write(0xa1, 0xff);
    write(0x21, 0xfb);
    expect([read(0x21), read(0xa1)]).toEqual([0xfb, 0xff]);
  });

  it("delivers by priority, with vectors of ICW2", () => {
    const { pic, output, raise, write } = make();
    raise(4);
    raise(1);
    expect(output.level).toBe(true);
    expect(pic.acknowledge()).toBe(0x21);
    expect(output.level).toBe(false); // IRQ 4 has to wait
    write(0x20, 0x20);
    expect(output.level).toBe(true);
    expect(pic.acknowledge()).toBe(0x24);
  });

  it("nests: a higher request interrupts a lower one in service", () => {
    const { pic, output, raise, read, write } = make();
    raise(4);
    pic.acknowledge();
    raise(1);
    expect(output.level).toBe(true);
    expect(pic.acknowledge()).toBe(0x21);
    write(0x20, 0x0b);
    expect(read(0x20)).toBe(0x12);
    write(0x20, 0x20); // ends the highest: IRQ 1
    expect(read(0x20)).toBe(0x10);
    write(0x20, 0x64); // specific: IRQ 4
    expect(read(0x20)).toBe(0);
  });

  it("masks, and remembers the request meanwhile", () => {
    const { pic, output, raise, read, write } = make();
    write(0x21, 0x10);
    raise(4);
    expect(output.level).toBe(false);
    expect(read(0x20)).toBe(0x10);
    write(0x21, 0x00);
    expect(pic.acknowledge()).toBe(0x24);
    expect(read(0x20)).toBe(0);
  });

  it("cascades, and holds lower requests of the secondary back", () => {
    const { pic, output, raise, read, write } = make();
    raise(12);
    raise(8);
    expect(pic.acknowledge()).toBe(0x28);
    expect(output.level).toBe(false);
    write(0xa0, 0x20);
    // The primary still serves its input 2.
    expect(output.level).toBe(false);
    write(0x20, 0x62);
    expect(output.level).toBe(true);
    expect(pic.acknowledge()).toBe(0x2c);
    write(0xa0, 0x0b);
    expect(read(0xa0)).toBe(0x10);
    write(0x20, 0x0b);
    expect(read(0x20)).toBe(0x04);
  });

  it("lets the secondary interrupt itself in special fully nested mode", () => {
    const { pic, output, raise } = make({ icw4: [0x11, 1] });
    raise(12);
    pic.acknowledge();
    raise(8);
    expect(output.level).toBe(true);
    expect(pic.acknowledge()).toBe(0x28);
  });

  it("answers an acknowledge without a request with IRQ 7, in service nowhere", () => {
    const { pic, raise, drop, read, write } = make();
    raise(3);
    drop(3);
    expect(pic.acknowledge()).toBe(0x27);
    write(0x20, 0x0b);
    expect(read(0x20)).toBe(0);
  });

  it("withdraws a request of the secondary that is masked, and makes it again", () => {
    const { pic, output, raise, write } = make();
    raise(11);
    write(0xa1, 0xff);
    expect(output.level).toBe(false);
    expect(pic.acknowledge()).toBe(0x27);
    write(0xa1, 0x00);
    expect(output.level).toBe(true);
    expect(pic.acknowledge()).toBe(0x2b);
  });

  it("needs an edge for each interrupt of an edge-triggered input", () => {
    const { pic, output, raise, drop, write } = make();
    raise(4);
    pic.acknowledge();
    write(0x20, 0x20);
    expect(output.level).toBe(false);
    drop(4);
    raise(4);
    expect(output.level).toBe(true);
  });

  it("repeats a level-triggered input while it is asserted", () => {
    const { pic, output, raise, drop, read, write } = make();
    write(0x4d1, 0x08); // IRQ 11
    expect(read(0x4d1)).toBe(0x08);
    raise(11);
    expect(pic.acknowledge()).toBe(0x2b);
    write(0xa0, 0x20);
    write(0x20, 0x20);
    expect(output.level).toBe(true);
    drop(11);
    expect(output.level).toBe(false);
  });

  it("keeps IRQ 0, 1, 2, 8 and 13 edge-triggered", () => {
    const { read, write } = make();
    write(0x4d0, 0xff);
    write(0x4d1, 0xff);
    expect([read(0x4d0), read(0x4d1)]).toEqual([0xf8, 0xde]);
  });

  it("ends by itself with automatic EOI, and rotates if asked to", () => {
    const { pic, output, raise, read, write, drop } = make({ icw4: [3, 1] });
    raise(1);
    pic.acknowledge();
    write(0x20, 0x0b);
    expect(read(0x20)).toBe(0);
    write(0x20, 0x80); // rotate in automatic EOI mode
    drop(1);
    raise(1);
    pic.acknowledge(); // 1 has the lowest priority now
    drop(1);
    raise(1);
    raise(4);
    expect(output.level).toBe(true);
    expect(pic.acknowledge()).toBe(0x24);
  });

  it("rotates on EOI, and sets priorities", () => {
    const { pic, raise, write } = make();
    raise(3);
    pic.acknowledge();
    write(0x20, 0xa0); // rotate on non-specific EOI: 3 is the lowest
    raise(5);
    raise(0);
    expect(pic.acknowledge()).toBe(0x25);
    write(0x20, 0x20);
    write(0x20, 0xc7); // 7 is the lowest: the usual order
    raise(4);
    expect(pic.acknowledge()).toBe(0x20);
  });

  it("lets everything but the masked through in special mask mode", () => {
    const { pic, output, raise, write } = make();
    raise(1);
    pic.acknowledge();
    raise(4);
    expect(output.level).toBe(false);
    write(0x21, 0x02);
    write(0x20, 0x68);
    expect(output.level).toBe(true);
    expect(pic.acknowledge()).toBe(0x24);
    write(0x20, 0x48);
    expect(output.level).toBe(false);
  });

  it("acknowledges by polling", () => {
    const { raise, read, write } = make();
    raise(4);
    write(0x20, 0x0c);
    expect(read(0x20)).toBe(0x84);
    write(0x20, 0x0c);
    expect(read(0x20)).toBe(0x00);
    write(0x20, 0x0b);
    expect(read(0x20)).toBe(0x10);
  });

  it("forgets edges, masks and services with ICW1", () => {
    const { pic, output, raise, read, write } = make();
    raise(3);
    pic.acknowledge();
    raise(4);
    write(0x21, 0x55);
    write(0x20, 0x68); // special mask mode
    write(0x20, 0x11);
    write(0x21, 0x40, 0x04, 0x01);
    expect([read(0x20), read(0x21), output.level]).toEqual([0, 0, false]);
    pic.line(3).set(false);
    raise(3);
    expect(pic.acknowledge()).toBe(0x43);
    write(0x21, 0x08);
    raise(5);
    expect(output.level).toBe(false);
  });

  it("leaves automatic EOI and its rotation with ICW1", () => {
    const { pic, raise, drop, read, write } = make({ icw4: [3, 1] });
    write(0x20, 0x80);
    write(0x20, 0x10);
    write(0x21, 0x20, 0x04); // without ICW4
    raise(1);
    pic.acknowledge();
    write(0x20, 0x0b);
    expect(read(0x20)).toBe(0x02);
    write(0x20, 0x11);
    write(0x21, 0x20, 0x04, 0x03); // automatic EOI, but no rotation
    drop(1);
    raise(1);
    raise(4);
    pic.acknowledge();
    drop(1);
    raise(1);
    expect(pic.acknowledge()).toBe(0x21);
  });

  it("continues from a snapshot", () => {
    const { pic, raise, write } = make();
    raise(4);
    pic.acknowledge();
    raise(1);
    raise(9);
    write(0xa1, 0x01);
    const state = structuredClone(pic.save());
    const other = make({ initialize: false });
    other.pic.restore(state);
    expect(other.pic.save()).toEqual(state);
    expect(other.pic.asserted).toBe(true);
    expect(other.pic.acknowledge()).toBe(0x21);
  });
});
