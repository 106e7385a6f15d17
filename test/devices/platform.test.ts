import { describe, expect, it } from "vitest";
import { AcpiPm } from "../../runtime/devices/acpi-pm.ts";
import { DebugConsole, DebugExit } from "../../runtime/devices/debug-ports.ts";
import { FwCfg } from "../../runtime/devices/fw-cfg.ts";
import { SystemPortA } from "../../runtime/devices/system-port-a.ts";
import { nsOfTick } from "../../runtime/time/clock.ts";
import { ManualTime, PlainMemory, RecordedLine } from "./support.ts";

describe("AcpiPm", () => {
  function make() {
    const time = new ManualTime();
    const line = new RecordedLine();
    let off = 0;
    const traced: string[] = [];
    const acpi = new AcpiPm(time, time.timers, line, () => off++, { unimplemented: (_, what) => traced.push(what) });
    return { time, line, acpi, traced, off: () => off };
  }

  it("switches off with SLP_EN and the type of S5 only", () => {
    const { acpi, off, traced } = make();
    expect(acpi.readPort(0x604, 2)).toBe(0x0001);
    acpi.writePort(0x604, 2, 5 << 10);
    expect([off(), acpi.readPort(0x604, 2)]).toEqual([0, 0x1401]);
    acpi.writePort(0x604, 2, 0x2000 | (3 << 10));
    expect([off(), traced]).toEqual([0, ["sleep type 3"]]);
    acpi.writePort(0x604, 2, 0x2000 | (5 << 10));
    expect([off(), acpi.readPort(0x604, 2) & 0x2000]).toEqual([1, 0]);
    acpi.writePort(0x605, 1, 0x34);
    expect(off()).toBe(2);
  });

  it("counts at 3.579545 MHz in 24 bits", () => {
    const { acpi, time } = make();
    time.advance(1_000_000_000n);
    expect(acpi.readPort(0x608, 4)).toBe(3_579_545);
    time.advance(4_000_000_000n);
    expect(acpi.readPort(0x608, 4)).toBe((5 * 3_579_545) % 2 ** 24);
  });

  it("raises the timer's status when its top bit changes, and an SCI if enabled", () => {
    const { acpi, time, line } = make();
    acpi.writePort(0x602, 2, 0x0001);
    const half = nsOfTick(2 ** 23, 3_579_545);
    time.advance(half - 1n);
    expect(line.level).toBe(false);
    time.advance(1n);
    expect(line.level).toBe(true);
    acpi.writePort(0x600, 2, 0x0001);
    expect(line.level).toBe(false);
    time.advance(half);
    expect(line.level).toBe(true);
  });

  it("shows the timer's status without its interrupt, and keeps it in a snapshot", () => {
    const { acpi, time, line } = make();
    time.advance(nsOfTick(2 ** 23, 3_579_545));
    expect([acpi.readPort(0x600, 2), line.level]).toEqual([0x0001, false]);
    const other = make();
    other.acpi.restore(structuredClone(acpi.save()));
    expect(other.acpi.readPort(0x600, 2)).toBe(0x0001);
  });

  it("raises an SCI for the power button until it is cleared", () => {
    const { acpi, line } = make();
    acpi.pressPowerButton();
    expect([line.level, acpi.readPort(0x601, 1)]).toEqual([false, 0x01]);
    acpi.writePort(0x603, 1, 0x01);
    expect([line.level, acpi.readPort(0x602, 2)]).toEqual([true, 0x0100]);
    acpi.writePort(0x600, 1, 0xff); // not its byte
    expect(line.level).toBe(true);
    acpi.writePort(0x601, 1, 0x01);
    expect([line.level, acpi.readPort(0x600, 2)]).toEqual([false, 0]);
  });

  it("has general-purpose events", () => {
    const { acpi, line } = make();
    acpi.writePort(0x622, 2, 0x0002);
    acpi.raiseEvent(0);
    expect(line.level).toBe(false);
    acpi.raiseEvent(1);
    expect([line.level, acpi.readPort(0x620, 2)]).toEqual([true, 3]);
    acpi.writePort(0x620, 2, 2);
    expect([line.level, acpi.readPort(0x620, 2)]).toEqual([false, 1]);
  });

  it("continues from a snapshot", () => {
    const { acpi, time } = make();
    acpi.writePort(0x602, 2, 0x0101);
    time.advance(10n);
    const state = structuredClone(acpi.save());
    const other = make();
    other.acpi.restore(state);
    other.acpi.pressPowerButton();
    expect(other.line.level).toBe(true);
    expect(other.acpi.readPort(0x602, 2)).toBe(0x0101);
  });
});

describe("FwCfg", () => {
  function make() {
    const memory = new PlainMemory(0x1_0000);
    const device = new FwCfg(memory, { ramBytes: 0x1_2345_6000, processors: 3 });
    device.addFile("etc/one", Uint8Array.of(1, 2, 3, 4, 5));
    device.addFile("opt/two", new TextEncoder().encode("hello"));
    const select = (key: number) => device.writePort(0x510, 2, key);
    const bytes = (count: number) => Array.from({ length: count }, () => device.readPort(0x511, 1));
    const view = new DataView(memory.bytes.buffer);
    /** Runs a DMA request that lies at 0x100. */
    const dma = (control: number, length: number, address: number) => {
      view.setUint32(0x100, control);
      view.setUint32(0x104, length);
      view.setBigUint64(0x108, BigInt(address));
      device.writePort(0x514, 4, 0);
      device.writePort(0x518, 4, 0x0001_0000); // 0x100, big-endian
      return view.getUint32(0x100);
    };
    return { memory, device, select, bytes, dma };
  }
  const text = (bytes: Iterable<number>) => String.fromCharCode(...bytes);

  it("has signature, identification, memory and processors", () => {
    const { select, bytes } = make();
    select(0);
    expect(text(bytes(4))).toBe("QEMU");
    expect(bytes(2)).toEqual([0, 0]); // beyond the end
    select(1);
    expect(bytes(4)).toEqual([3, 0, 0, 0]);
    select(3);
    expect(bytes(8)).toEqual([0x00, 0x60, 0x45, 0x23, 0x01, 0, 0, 0]);
    select(5);
    expect(bytes(2)).toEqual([3, 0]);
    select(0x7777);
    expect(bytes(1)).toEqual([0]);
  });

  it("lists its files, in big-endian", () => {
    const { select, bytes } = make();
    select(0x19);
    expect(bytes(4)).toEqual([0, 0, 0, 2]);
    const entry = bytes(64);
    expect(entry.slice(0, 8)).toEqual([0, 0, 0, 5, 0, 0x20, 0, 0]);
    expect(text(entry.slice(8, 16))).toBe("etc/one\0");
    select(0x21);
    expect(text(bytes(5))).toBe("hello");
  });

  it("has an empty list without files", () => {
    const device = new FwCfg(new PlainMemory(16), { ramBytes: 0, processors: 1 });
    device.writePort(0x510, 2, 0x19);
    expect([1, 2, 3, 4].map(() => device.readPort(0x511, 1))).toEqual([0, 0, 0, 0]);
    expect(device.save().offset).toBe(4);
  });

  it("replaces a file of the same name", () => {
    const { device, select, bytes } = make();
    device.addFile("etc/one", Uint8Array.of(9));
    select(0x20);
    expect(bytes(2)).toEqual([9, 0]);
    select(0x19);
    expect(bytes(8)).toEqual([0, 0, 0, 2, 0, 0, 0, 1]);
  });

  it("says that it has DMA", () => {
    const { device } = make();
    expect(device.readPort(0x514, 4)).toBe(0x554d_4551); // "QEMU" in memory order
    expect(device.readPort(0x518, 4)).toBe(0x4746_4320);
  });

  it("reads by DMA: select, read, skip, and zeros beyond the end", () => {
    const { memory, dma } = make();
    memory.bytes.fill(0xee, 0x200, 0x210);
    expect(dma((0x21 << 16) | 0x0a, 3, 0x200)).toBe(0);
    expect(text(memory.bytes.subarray(0x200, 0x203))).toBe("hel");
    expect(dma(0x04, 1, 0)).toBe(0);
    expect(dma(0x02, 4, 0x208)).toBe(0);
    expect([...memory.bytes.subarray(0x208, 0x20d)]).toEqual([0x6f, 0, 0, 0, 0xee]);
    expect(memory.writes).toContainEqual([0x200, 3]);
  });

  it("ends with an error outside RAM, and for writes", () => {
    const { dma, device } = make();
    expect(dma((0x21 << 16) | 0x0a, 0x100, 0xff80)).toBe(1);
    expect(dma((0x21 << 16) | 0x0a, 0xffff_ffff, 0)).toBe(1);
    expect(dma((0x21 << 16) | 0x18, 1, 0x200)).toBe(1);
    device.writePort(0x514, 4, 0xffff_ffff);
    device.writePort(0x518, 4, 0xffff_ffff); // no request there
  });
});

describe("debug ports", () => {
  it("leaves with (value << 1) | 1", () => {
    const exits: number[] = [];
    const device = new DebugExit((status) => exits.push(status));
    device.writePort(0xf4, 1, 0x10);
    device.writePort(0xf4, 4, 0);
    expect(exits).toEqual([0x21, 1]);
    expect(device.readPort(0xf4, 1)).toBe(0);
  });

  it("shows bytes, and can be found", () => {
    const bytes: number[] = [];
    const device = new DebugConsole((byte) => bytes.push(byte));
    device.writePort(0xe9, 1, 0x41);
    expect([bytes, device.readPort(0xe9, 1)]).toEqual([[0x41], 0xe9]);
  });
});

describe("SystemPortA", () => {
  it("keeps A20, and resets", () => {
    let resets = 0;
    const device = new SystemPortA(() => resets++);
    expect(device.readPort(0x92, 1)).toBe(0x02);
    device.writePort(0x92, 1, 0x00);
    expect([device.readPort(0x92, 1), resets]).toEqual([0, 0]);
    device.writePort(0x92, 1, 0x03);
    expect([device.readPort(0x92, 1), resets]).toEqual([2, 1]);
  });
});
