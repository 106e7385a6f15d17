import { describe, expect, it } from "vitest";
import { InterruptRouter } from "../../runtime/devices/interrupt-router.ts";
import { IoApic } from "../../runtime/devices/io-apic.ts";
import type { ApicMessage } from "../../runtime/devices/local-apic-host.ts";

/** Writes down what is sent. */
class Recorder extends InterruptRouter {
  readonly sent: string[] = [];
  override send(destination: number, logical: boolean, { mode, vector, level }: ApicMessage): void {
    this.sent.push(`${logical ? "L" : "P"}${destination} mode ${mode} ${vector.toString(16)}${level ? " level" : ""}`);
  }
}

function make() {
  const router = new Recorder();
  const apic = new IoApic(router);
  const read = (register: number) => {
    apic.writeMmio(0, 4, register);
    return apic.readMmio(0x10, 4) >>> 0;
  };
  const write = (register: number, value: number) => {
    apic.writeMmio(0, 4, register);
    apic.writeMmio(0x10, 4, value);
  };
  const entry = (pin: number, low: number, destination = 0) => {
    write(0x11 + pin * 2, destination << 24);
    write(0x10 + pin * 2, low);
  };
  return { apic, sent: router.sent, read, write, entry };
}

describe("IoApic", () => {
  it("has 24 masked pins after reset (data sheet 3.2)", () => {
    const { read, write, apic } = make();
    expect(read(0x01)).toBe(0x0017_0011);
    for (let pin = 0; pin < 24; pin++) expect([read(0x10 + pin * 2), read(0x11 + pin * 2)]).toEqual([0x1_0000, 0]);
    expect(read(0x40)).toBe(0);
    write(0x00, 0x0500_0000);
    expect([read(0x00), read(0x02)]).toEqual([0x0500_0000, 0x0500_0000]);
    expect(apic.readMmio(0x20, 4)).toBe(0);
  });

  it("keeps the read-only bits of an entry", () => {
    const { read, entry } = make();
    entry(3, 0xffff_ffff, 0xa5);
    expect([read(0x16), read(0x17)]).toEqual([0x0001_afff, 0xa500_0000]);
  });

  it("sends an edge once, to where the entry says", () => {
    const { apic, sent, entry } = make();
    entry(2, 0x0030, 1);
    entry(4, 0x0934, 3);
    apic.line(2).set(true);
    apic.line(2).set(true);
    apic.line(4).set(true);
    expect(sent).toEqual(["P1 mode 0 30", "L3 mode 1 34"]);
    apic.line(2).set(false);
    apic.line(2).set(true);
    expect(sent.length).toBe(3);
  });

  it("loses an edge at a masked pin", () => {
    const { apic, sent, entry } = make();
    apic.line(2).set(true);
    entry(2, 0x0030);
    expect(sent).toEqual([]);
  });

  it("sends a level until its end finds it gone", () => {
    const { apic, sent, read, entry } = make();
    entry(10, 0x1_8041);
    apic.line(10).set(true);
    expect(sent).toEqual([]);
    entry(10, 0x8041);
    expect(sent).toEqual(["P0 mode 0 41 level"]);
    expect(read(0x24) & 0x4000).toBe(0x4000);
    apic.line(10).set(false);
    apic.line(10).set(true);
    expect(sent.length).toBe(1);
    apic.endOfInterrupt(0x40);
    expect(sent.length).toBe(1);
    apic.endOfInterrupt(0x41);
    expect(sent.length).toBe(2);
    apic.line(10).set(false);
    apic.endOfInterrupt(0x41);
    expect(sent.length).toBe(2);
    expect(read(0x24) & 0x4000).toBe(0);
  });

  it("ends a level by hand: edge mode and back", () => {
    const { apic, read, entry } = make();
    entry(10, 0x8041);
    apic.line(10).set(true);
    apic.line(10).set(false);
    entry(10, 0x1_8041);
    expect(read(0x24) & 0x4000).toBe(0x4000);
    entry(10, 0x1_0041);
    entry(10, 0x1_8041);
    expect(read(0x24) & 0x4000).toBe(0);
  });

  it("continues from a snapshot", () => {
    const { apic, entry } = make();
    entry(10, 0x8041);
    apic.line(10).set(true);
    const state = structuredClone(apic.save());
    const other = make();
    other.apic.restore(state);
    expect(other.sent).toEqual([]);
    other.apic.endOfInterrupt(0x41);
    expect(other.sent).toEqual(["P0 mode 0 41 level"]);
  });
});
