import { describe, expect, it } from "vitest";
import { SharedLine, type AccessSize, type PortDevice } from "../../runtime/devices/device.ts";
import { MmioBus } from "../../runtime/devices/mmio-bus.ts";
import { DevicePorts } from "../../runtime/devices/port-bus.ts";
import { RecordedLine } from "./support.ts";

/** Remembers accesses, and reads as the low byte of the port. */
class Probe implements PortDevice {
  readonly seen: string[] = [];
  readPort(port: number, size: AccessSize): number {
    this.seen.push(`r${size} ${port.toString(16)}`);
    return size === 1 ? port : (port & 0xff) | 0x4433_2200;
  }
  writePort(port: number, size: AccessSize, value: number): void {
    this.seen.push(`w${size} ${port.toString(16)} ${value.toString(16)}`);
  }
}

describe("DevicePorts", () => {
  it("reads all ones where there is nobody, in every size", () => {
    const ports = new DevicePorts();
    expect([ports.read(0x80, 1), ports.read(0x80, 2), ports.read(0xffff, 4)]).toEqual([0xff, 0xffff, 0xffff_ffff]);
    ports.write(0xffff, 4, 0x1234_5678);
  });

  it("cuts what is wider than the device", () => {
    const ports = new DevicePorts();
    const probe = new Probe();
    ports.claim({ first: 0x20, count: 4 }, probe);
    expect(ports.read(0x20, 4)).toBe(0x2322_2120);
    ports.write(0x22, 2, 0xabcd);
    expect(probe.seen).toEqual(["r1 20", "r1 21", "r1 22", "r1 23", "w1 22 cd", "w1 23 ab"]);
  });

  it("cuts what is misaligned or goes over the end", () => {
    const ports = new DevicePorts();
    const probe = new Probe();
    ports.claim({ first: 0x100, count: 4 }, probe, 4);
    ports.write(0x101, 2, 0x1122);
    expect(ports.read(0x103, 2)).toBe(0xff03);
    expect(ports.read(0x102, 4)).toBe(0xffff_2202);
    expect(probe.seen).toEqual(["w1 101 22", "w1 102 11", "r1 103", "r2 102"]);
  });

  it("wraps at the last port", () => {
    const ports = new DevicePorts();
    ports.claim({ first: 0, count: 1 }, { readPort: () => 0x5a, writePort: () => {} });
    expect(ports.read(0xffff, 2)).toBe(0x5aff);
  });

  it("gives ports back to whom they had belonged", () => {
    const ports = new DevicePorts();
    const answers = (value: number): PortDevice => ({ readPort: () => value, writePort: () => {} });
    ports.claim({ first: 0x3f8, count: 8 }, answers(1));
    const release = ports.claim({ first: 0x3fc, count: 8 }, answers(2));
    expect([0x3f8, 0x3fc, 0x403].map((port) => ports.read(port, 1))).toEqual([1, 2, 2]);
    release();
    expect([0x3f8, 0x3fc, 0x403].map((port) => ports.read(port, 1))).toEqual([1, 1, 0xff]);
  });
});

describe("MmioBus", () => {
  const memory = new DataView(new ArrayBuffer(64));

  it("makes aligned pieces of any access", () => {
    const bus = new MmioBus(memory);
    const seen: string[] = [];
    bus.claim(
      { first: 0x1000, bytes: 0x100 },
      {
        readMmio: (offset, size) => (seen.push(`r${size} ${offset}`), 0x8000_0000 + offset),
        writeMmio: (offset, size, value) => seen.push(`w${size} ${offset} ${value.toString(16)}`),
      },
    );
    bus.read(0x1000, 8, 8);
    expect(memory.getBigUint64(8, true)).toBe(0x8000_0004_8000_0000n);
    memory.setBigUint64(16, 0x8877_6655_4433_2211n, true);
    bus.write(0x1001, 16, 8);
    // prettier-ignore
    expect(seen).toEqual(["r4 0", "r4 4", "w1 1 11", "w2 2 3322", "w4 4 77665544", "w1 8 88"]);
  });

  it("reads all ones where there is nobody, also beside a device", () => {
    const bus = new MmioBus(memory);
    bus.claim({ first: 0x1000, bytes: 2 }, { readMmio: () => 0, writeMmio: () => {} });
    memory.setUint32(0, 0);
    bus.read(0x0ffe, 0, 4);
    expect(memory.getUint32(0, true)).toBe(0x0000_ffff);
    bus.read(0xf_ffff_fff8, 0, 8);
    expect(memory.getBigUint64(0, true)).toBe(0xffff_ffff_ffff_ffffn);
    bus.write(0xf_ffff_fff8, 0, 8);
  });

  it("puts words and bytes in the order of memory", () => {
    const bus = new MmioBus(memory);
    bus.claim({ first: 0x1000, bytes: 0x10 }, { readMmio: () => 0x4433_2211, writeMmio: () => {} });
    bus.read(0x1002, 0, 7);
    expect([...new Uint8Array(memory.buffer, 0, 7)]).toEqual([0x11, 0x22, 0x11, 0x22, 0x33, 0x44, 0x11]);
  });

  it("prefers the latest claim, and the earlier one again after it", () => {
    const bus = new MmioBus(memory);
    const answers = (value: number) => ({ readMmio: () => value, writeMmio: () => {} });
    bus.claim({ first: 0, bytes: 0x100 }, answers(1));
    expect(bus.load(0x10, 4)).toBe(1);
    const release = bus.claim({ first: 0x10, bytes: 4 }, answers(2));
    expect([bus.load(0, 4), bus.load(0x10, 4), bus.load(0x14, 4), bus.load(0x10, 4)]).toEqual([1, 2, 1, 2]);
    release();
    expect(bus.load(0x10, 4)).toBe(1);
  });
});

describe("SharedLine", () => {
  it("is asserted while any driver asserts it", () => {
    const target = new RecordedLine();
    const shared = new SharedLine(target);
    const [a, b] = [shared.driver(), shared.driver()];
    a.set(true);
    b.set(true);
    a.set(false);
    expect(target.level).toBe(true);
    b.set(false);
    expect(target).toMatchObject({ level: false, rises: 1 });
  });
});
