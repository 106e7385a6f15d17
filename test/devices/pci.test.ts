import { describe, expect, it } from "vitest";
import type { MmioDevice } from "../../runtime/devices/device.ts";
import { MmioBus } from "../../runtime/devices/mmio-bus.ts";
import { CapabilityId } from "../../runtime/devices/pci/config-space.ts";
import { Msix, MSIX_BYTES } from "../../runtime/devices/pci/msix.ts";
import { PciBus } from "../../runtime/devices/pci/pci-bus.ts";
import { PciFunction } from "../../runtime/devices/pci/pci-function.ts";
import { DevicePorts } from "../../runtime/devices/port-bus.ts";
import { RecordedLine } from "./support.ts";

const IDENTITY = {
  vendor: 0x1af4,
  device: 0x1042,
  subsystemVendor: 0x1af4,
  subsystem: 2,
  classCode: 0x01_0000,
  revision: 1,
};

function make() {
  const ports = new DevicePorts();
  const mmio = new MmioBus(new DataView(new ArrayBuffer(16)));
  const lines = new Map<number, RecordedLine>();
  const messages: string[] = [];
  let resets = 0;
  const pci = new PciBus(
    { ports, mmio, sendMsi: (address, data) => messages.push(`${address.toString(16)} ${data.toString(16)}`) },
    (irq) => {
      const line = new RecordedLine();
      lines.set(irq, line);
      return line;
    },
    () => resets++,
  );
  for (const first of [0xcf8, 0xcfc]) ports.claim({ first, count: 4 }, pci, 4);
  const select = (device: number, register: number, number = 0) =>
    ports.write(0xcf8, 4, 0x8000_0000 | (device << 11) | (number << 8) | register);
  const read = (device: number, register: number, size: 1 | 2 | 4 = 4) => {
    select(device, register & ~3);
    return ports.read(0xcfc + (register & 3), size);
  };
  const write = (device: number, register: number, value: number, size: 1 | 2 | 4 = 4) => {
    select(device, register & ~3);
    ports.write(0xcfc + (register & 3), size, value);
  };
  return { ports, mmio, lines, messages, pci, select, read, write, resets: () => resets };
}

const constant = (value: number): MmioDevice => ({ readMmio: () => value, writeMmio: () => {} });

describe("PciBus", () => {
  it("answers the probe of configuration mechanism 1", () => {
    const { ports } = make();
    ports.write(0xcfb, 1, 0x01);
    const before = ports.read(0xcf8, 4);
    ports.write(0xcf8, 4, 0x8000_0000);
    expect([before, ports.read(0xcf8, 4)]).toEqual([0, 0x8000_0000]);
    ports.write(0xcf8, 4, 0xffff_ffff);
    expect(ports.read(0xcf8, 4)).toBe(0x80ff_fffc);
    ports.write(0xcf8, 2, 0);
    expect(ports.read(0xcf8, 4)).toBe(0x80ff_fffc);
    expect(ports.read(0xcfa, 1)).toBe(0xff);
  });

  it("has a host bridge at device 0 and nobody elsewhere", () => {
    const { ports, read } = make();
    expect(read(0, 0x00)).toBe(0x0008_1b36);
    expect(read(0, 0x0a, 2)).toBe(0x0600);
    expect(read(0, 0x0e, 1)).toBe(0);
    expect(read(1, 0x00)).toBe(0xffff_ffff);
    ports.write(0xcf8, 4, 0x8001_0000); // bus 1
    expect(ports.read(0xcfc, 4)).toBe(0xffff_ffff);
    ports.write(0xcf8, 4, 0); // not enabled
    expect(ports.read(0xcfc, 2)).toBe(0xffff);
  });

  it("gives bytes, words and double words of a register", () => {
    const { pci, read } = make();
    pci.add(3, new PciFunction(IDENTITY));
    expect([read(3, 0), read(3, 0, 2), read(3, 2, 2), read(3, 1, 1), read(3, 3, 1)]).toEqual([
      0x1042_1af4, 0x1af4, 0x1042, 0x1a, 0x10,
    ]);
    expect(read(3, 1, 2)).toBe(0x421a);
    expect(read(3, 0x08)).toBe(0x0100_0001);
    expect(read(3, 0x2c)).toBe(0x0002_1af4);
  });

  it("resets when bit 2 of port 0xcf9 rises", () => {
    const { ports, resets } = make();
    ports.write(0xcf9, 1, 0x02);
    expect(resets()).toBe(0);
    ports.write(0xcf9, 1, 0x06);
    expect([resets(), ports.read(0xcf9, 1)]).toEqual([1, 0x06]);
    ports.write(0xcf9, 1, 0x06);
    expect(resets()).toBe(1);
  });

  it("marks a device with several functions", () => {
    const { pci, ports, read, select } = make();
    pci.add(3, new PciFunction(IDENTITY));
    expect(read(3, 0x0e, 1)).toBe(0);
    pci.add(3, new PciFunction({ ...IDENTITY, device: 0x1050 }), 1);
    expect(read(3, 0x0e, 1)).toBe(0x80);
    select(3, 0, 1);
    expect(ports.read(0xcfe, 2)).toBe(0x1050);
  });
});

describe("PciFunction", () => {
  it("keeps read-only registers, and clears status bits that are written as 1", () => {
    const { pci, read, write } = make();
    const pciFunction = new PciFunction(IDENTITY);
    pci.add(3, pciFunction);
    for (let register = 0; register < 0x40; register += 4) write(3, register, 0xffff_ffff);
    expect(read(3, 0x00)).toBe(0x1042_1af4);
    expect(read(3, 0x04, 2)).toBe(0x0547);
    expect(read(3, 0x3c)).toBe(0);
    pciFunction.config.set(6, 2, 0xf900);
    write(3, 0x06, 0x8000, 2);
    expect(read(3, 0x06, 2)).toBe(0x7900);
  });

  it("tells the size of base addresses, and maps them where the guest says", () => {
    const { pci, mmio, read, write } = make();
    const bars = [
      { index: 0, space: "memory32", bytes: 0x1000, target: constant(1) },
      { index: 2, space: "memory64", bytes: 0x4000, prefetchable: true, target: constant(2) },
    ] as const;
    const pciFunction = new PciFunction(IDENTITY, bars);
    pci.add(3, pciFunction);
    write(3, 0x10, 0xffff_ffff);
    expect(read(3, 0x10)).toBe(0xffff_f000);
    write(3, 0x14, 0xffff_ffff);
    expect(read(3, 0x14)).toBe(0);
    write(3, 0x18, 0xffff_ffff);
    write(3, 0x1c, 0xffff_ffff);
    expect([read(3, 0x18), read(3, 0x1c)]).toEqual([0xffff_c00c, 0xffff_ffff]);
    write(3, 0x10, 0xe000_0000);
    write(3, 0x18, 0x0010_0000);
    write(3, 0x1c, 0x0000_0008);
    expect(mmio.load(0xe000_0000, 4)).toBe(0xffff_ffff);
    write(3, 0x04, 0x02, 2);
    expect([mmio.load(0xe000_0ffc, 4), mmio.load(0xe000_1000, 4)]).toEqual([1, 0xffff_ffff]);
    expect(mmio.load(0x8_0010_0000, 4)).toBe(2);
    expect(pciFunction.barAddress(2)).toBe(0x8_0010_0000);
    write(3, 0x10, 0xe100_0000);
    expect([mmio.load(0xe000_0000, 4), mmio.load(0xe100_0000, 4)]).toEqual([0xffff_ffff, 1]);
    write(3, 0x04, 0x00, 2);
    expect(mmio.load(0xe100_0000, 4)).toBe(0xffff_ffff);
  });

  it("maps I/O space", () => {
    const { pci, ports, read, write } = make();
    const seen: string[] = [];
    const target: MmioDevice = {
      readMmio: (offset, size) => (seen.push(`r${size} ${offset}`), 0x1234_5678),
      writeMmio: (offset, size) => seen.push(`w${size} ${offset}`),
    };
    pci.add(3, new PciFunction(IDENTITY, [{ index: 1, space: "io", bytes: 32, target }]));
    write(3, 0x14, 0xffff_ffff);
    expect(read(3, 0x14)).toBe(0xffff_ffe1);
    write(3, 0x14, 0xc040);
    write(3, 0x04, 0x01, 2);
    expect(ports.read(0xc044, 4)).toBe(0x1234_5678);
    ports.write(0xc05e, 2, 1);
    expect(seen).toEqual(["r4 4", "w2 30"]);
  });

  it("drives INTx# unless it is disabled, and shows it in the status", () => {
    const { pci, lines, read, write } = make();
    const pciFunction = new PciFunction({ ...IDENTITY, interruptPin: 1 });
    pci.add(3, pciFunction);
    expect(read(3, 0x3c, 2)).toBe(0x010b); // INTA# of device 3: IRQ 11
    pciFunction.setInterrupt(true);
    expect(lines.get(11)?.level).toBe(true);
    expect(read(3, 0x06, 2) & 8).toBe(8);
    write(3, 0x04, 0x400, 2);
    expect(lines.get(11)?.level).toBe(false);
    expect(read(3, 0x06, 2) & 8).toBe(8);
    write(3, 0x04, 0, 2);
    expect(lines.get(11)?.level).toBe(true);
  });

  it("links capabilities, with their writable bits and hooks", () => {
    const { pci, read, write } = make();
    const pciFunction = new PciFunction(IDENTITY);
    const hooks: string[] = [];
    pciFunction.addCapability(CapabilityId.VENDOR, Uint8Array.of(0x10, 0x01, 0x02), Uint8Array.of(0, 0xf0, 0));
    pciFunction.addCapability(CapabilityId.VENDOR, Uint8Array.of(8, 0, 0, 0, 0, 0), new Uint8Array(6).fill(0xff), {
      beforeRead: (offset, size) => hooks.push(`r${size} ${offset}`),
      afterWrite: (offset, size) => hooks.push(`w${size} ${offset}`),
    });
    pci.add(3, pciFunction);
    expect(read(3, 0x06, 2) & 0x10).toBe(0x10);
    expect(read(3, 0x34, 1)).toBe(0x40);
    expect(read(3, 0x40)).toBe(0x0110_4809);
    expect(read(3, 0x48, 2)).toBe(0x0009);
    write(3, 0x40, 0xffff_ffff);
    expect(read(3, 0x40)).toBe(0xf110_4809);
    write(3, 0x4c, 0x1122_3344);
    expect(read(3, 0x4c)).toBe(0x1122_3344);
    expect(hooks).toEqual(["r2 0", "w4 4", "r4 4"]);
  });

  it("continues from a snapshot", () => {
    const bars = [{ index: 0, space: "memory32", bytes: 0x1000, target: constant(1) }] as const;
    const first = make();
    first.pci.add(3, new PciFunction(IDENTITY, bars));
    first.write(3, 0x10, 0xe000_0000);
    first.write(3, 0x04, 0x06, 2);
    const other = make();
    other.pci.add(3, new PciFunction(IDENTITY, bars));
    other.pci.restore(structuredClone(first.pci.save()));
    expect(other.mmio.load(0xe000_0000, 4)).toBe(1);
    expect(other.pci.save()).toEqual(first.pci.save());
  });
});

describe("Msix", () => {
  function withMsix() {
    const made = make();
    const msix = new Msix(4);
    const pciFunction = new PciFunction(IDENTITY, [{ index: 1, space: "memory32", bytes: MSIX_BYTES, target: msix }]);
    msix.attach(pciFunction, 1);
    made.pci.add(3, pciFunction);
    made.write(3, 0x14, 0xe000_0000);
    made.write(3, 0x04, 0x06, 2);
    const program = (vector: number, masked: number) => {
      made.mmio.store(0xe000_0000 + vector * 16, 4, 0xfee0_0000);
      made.mmio.store(0xe000_0008 + vector * 16, 4, 0x4040 + vector);
      made.mmio.store(0xe000_000c + vector * 16, 4, masked);
    };
    return { ...made, msix, program };
  }

  it("describes table and pending bits", () => {
    const { read, mmio } = withMsix();
    expect(read(3, 0x40)).toBe(0x0003_0011);
    expect(read(3, 0x44)).toBe(0x0000_0001);
    expect(read(3, 0x48)).toBe(0x0000_0801);
    expect([0, 1, 2, 3].map((vector) => mmio.load(0xe000_000c + vector * 16, 4))).toEqual([1, 1, 1, 1]);
    expect(mmio.load(0xe000_0040, 4)).toBe(0);
  });

  it("sends a message, and holds what is masked", () => {
    const { msix, messages, write, mmio, program } = withMsix();
    program(0, 0);
    program(1, 1);
    msix.notify(0);
    expect([messages, msix.enabled]).toEqual([[], false]);
    write(3, 0x42, 0x8000, 2);
    msix.notify(0);
    msix.notify(1);
    msix.notify(99);
    expect(messages).toEqual(["fee00000 4040"]);
    expect(mmio.load(0xe000_0800, 4)).toBe(2);
    mmio.store(0xe000_001c, 4, 0);
    expect(messages).toEqual(["fee00000 4040", "fee00000 4041"]);
    expect(mmio.load(0xe000_0800, 4)).toBe(0);
  });

  it("holds everything while the function is masked", () => {
    const { msix, messages, write, program } = withMsix();
    program(0, 0);
    write(3, 0x42, 0xc000, 2);
    msix.notify(0);
    expect(messages).toEqual([]);
    write(3, 0x42, 0x8000, 2);
    expect(messages).toEqual(["fee00000 4040"]);
  });
});
