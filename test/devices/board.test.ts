import { describe, expect, it } from "vitest";
import { Board, type BoardOptions } from "../../runtime/board.ts";
import { Mmio, PciSlot, pciSlotBase, Ports, RESET_VALUE } from "../../runtime/board-map.ts";
import { PciFunction } from "../../runtime/devices/pci/pci-function.ts";
import { Msix, MSIX_BYTES } from "../../runtime/devices/pci/msix.ts";
import { MemoryDisk } from "../../runtime/disk/memory-disk.ts";
import { ticksAt } from "../../runtime/time/clock.ts";
import { ManualTime, PlainMemory, randomNumbers } from "./support.ts";

const RAM = 0x40_0000;

function make(overrides: Partial<BoardOptions> = {}) {
  const time = new ManualTime();
  const events: string[] = [];
  const sent: number[] = [];
  let pending = false;
  const memory = new DataView(new ArrayBuffer(256));
  const board = new Board({
    clock: time,
    timers: time.timers,
    tsc: { read: () => BigInt(ticksAt(time.nowNs(), 1_000_000_000)), hz: 1_000_000_000 },
    memory,
    guestMemory: new PlainMemory(RAM),
    ramBytes: RAM,
    crystalHz: 25_000_000,
    physicalAddressBits: 40,
    unixNsAtStart: 0n,
    serialOutput: { write: (byte) => sent.push(byte) > 0 },
    debugExitPort: 0xf4,
    onDebugExit: (status) => events.push(`exit ${status}`),
    onPowerOff: () => events.push("off"),
    onReset: () => events.push("reset"),
    onInterruptPending: (level) => (pending = level),
    onTaskPriority: (priority) => events.push(`cr8 ${priority}`),
    ...overrides,
  });
  const { ports, mmio } = board;
  const out = (port: number, ...values: number[]) => values.forEach((value) => ports.write(port, 1, value));
  const load = (gpa: number) => mmio.load(gpa, 4);
  const store = (gpa: number, value: number) => mmio.store(gpa, 4, value);
  const ioApic = (register: number, value: number) => {
    store(0xfec0_0000, register);
    store(0xfec0_0010, value);
  };
  const initializePics = () => {
    out(0x20, 0x11);
    out(0x21, 0x20, 0x04, 0x01, 0x00);
    out(0xa0, 0x11);
    out(0xa1, 0x28, 0x02, 0x01, 0x00);
  };
  return { board, time, events, sent, memory, ports, out, load, store, ioApic, initializePics, pending: () => pending };
}

describe("Board", () => {
  it("has everything where the map says", () => {
    const { ports, load } = make();
    expect(ports.read(Ports.SERIAL1.first + 5, 1)).toBe(0x60);
    expect(ports.read(Ports.I8042_COMMAND.first, 1)).toBe(0x14);
    expect(ports.read(Ports.PM1_CONTROL.first, 2)).toBe(1);
    expect(ports.read(0xe9, 1)).toBe(0xff); // no debug console was asked for
    ports.write(Ports.FW_CFG.first, 2, 0);
    expect(ports.read(Ports.FW_CFG.first + 1, 1)).toBe(0x51);
    expect(ports.read(0x518, 4)).toBe(0x4746_4320);
    ports.write(Ports.PCI_CONFIG.first, 4, 0x8000_0000);
    expect(ports.read(Ports.PCI_CONFIG.first + 4, 4)).toBe(0x0008_1b36);
    expect(load(Mmio.LOCAL_APIC.first + 0x30)).toBe(0x5_0014);
    expect(load(Mmio.IO_APIC.first)).toBe(0);
    expect(load(Mmio.PCI_WINDOW.first)).toBe(0xffff_ffff);
  });

  it("has virtio devices in the slots that the map names, their registers placed", () => {
    const disks = [1, 2].map((sectors) => new MemoryDisk(new Uint8Array(sectors * 512)));
    const { board, ports, load } = make({
      virtio: { random64: () => 1n, disks, console: { onOutput: () => undefined } },
    });
    const config = (slot: number, register: number): number => {
      ports.write(Ports.PCI_CONFIG.first, 4, 0x8000_0000 | (slot << 11) | register);
      return ports.read(Ports.PCI_CONFIG.first + 4, 4);
    };
    const { ENTROPY, CONSOLE, FIRST_DISK } = PciSlot;
    const slots = [ENTROPY, CONSOLE, FIRST_DISK, FIRST_DISK + 1];
    expect(slots.map((slot) => config(slot, 0) >>> 16)).toEqual([0x1044, 0x1043, 0x1042, 0x1042]);
    expect(config(FIRST_DISK + 2, 0)).toBe(0xffff_ffff);
    for (const slot of slots) {
      const base = pciSlotBase(slot);
      expect([config(slot, 0x10), config(slot, 0x14)]).toEqual([base, base + 0x4000]);
      expect(load(base)).toBe(0xffff_ffff);
      ports.write(Ports.PCI_CONFIG.first + 4, 4, 0); // BAR 1 away
      config(slot, 4);
      ports.write(Ports.PCI_CONFIG.first + 4, 2, 6);
      expect(load(base)).toBe(0);
    }
    expect(load(pciSlotBase(FIRST_DISK + 1) + 0x2000)).toBe(2); // capacity
    expect(Object.keys(board.save())).toEqual(
      expect.arrayContaining(["virtioEntropy", "virtioConsole", "virtioDisk0", "virtioDisk1"]),
    );
  });

  it("sends what the guest prints", () => {
    const { out, sent } = make();
    out(0x3f8, 0x68, 0x69);
    expect(sent).toEqual([0x68, 0x69]);
  });

  it("powers off, resets in every way, and leaves by the debug port", () => {
    const { ports, out, events } = make();
    ports.write(0x604, 2, 0x3400);
    out(Ports.RESET.first, RESET_VALUE);
    out(0x64, 0xfe);
    out(0x92, 0x01);
    ports.write(0xf4, 4, 1);
    expect(events).toEqual(["off", "reset", "reset", "reset", "exit 3"]);
  });

  it("interrupts through the PIC by the virtual wire, untouched by the APIC's task priority", () => {
    const { board, time, out, initializePics, pending } = make();
    initializePics();
    out(0x43, 0x34);
    out(0x40, 0xa9, 0x04); // 1 kHz
    while (board.pendingInterrupt() !== undefined) out(0x20, 0x20);
    expect(pending()).toBe(false);
    time.advance(1_000_000n);
    expect([board.hasInterrupt(), pending()]).toEqual([true, true]);
    expect(board.acknowledge()).toBe(0x20);
    expect([board.hasInterrupt(), pending()]).toEqual([false, false]);
  });

  it("interrupts through the I/O APIC: the timer at pin 2", () => {
    const { board, time, out, store, ioApic } = make();
    out(0x21, 0xff);
    out(0xa1, 0xff);
    store(0xfee0_00f0, 0x1ff);
    store(0xfee0_0350, 0x1_0700);
    ioApic(0x14, 0x30);
    out(0x43, 0x34);
    out(0x40, 0xa9, 0x04);
    if (board.hasInterrupt()) board.acknowledge();
    store(0xfee0_00b0, 0);
    time.advance(1_000_000n);
    expect(board.pendingInterrupt()).toBe(0x30);
  });

  it("a level interrupt of two PCI functions ends when both are served", () => {
    const { board, store, load, ioApic } = make();
    store(0xfee0_00f0, 0x1ff);
    ioApic(0x24, 0xa041); // pin 10: level, active low
    const [a, b] = [1, 3].map((device) => {
      const pciFunction = new PciFunction({ vendor: 1, device: 1, classCode: 0, interruptPin: device === 1 ? 4 : 2 });
      board.pci.add(device, pciFunction);
      return pciFunction;
    });
    a?.setInterrupt(true);
    b?.setInterrupt(true);
    expect(board.pendingInterrupt()).toBe(0x41);
    a?.setInterrupt(false);
    store(0xfee0_00b0, 0);
    expect(board.pendingInterrupt()).toBe(0x41);
    b?.setInterrupt(false);
    store(0xfee0_00b0, 0);
    expect(board.hasInterrupt()).toBe(false);
    expect(load(0xfee0_0120)).toBe(0);
  });

  it("delivers MSI-X of a PCI function", () => {
    const { board, ports, store } = make();
    store(0xfee0_00f0, 0x1ff);
    const msix = new Msix(1);
    const pciFunction = new PciFunction({ vendor: 1, device: 1, classCode: 0 }, [
      { index: 0, space: "memory32", bytes: MSIX_BYTES, target: msix },
    ]);
    msix.attach(pciFunction, 0);
    board.pci.add(4, pciFunction);
    const config = (register: number, value: number, size: 2 | 4 = 4) => {
      ports.write(0xcf8, 4, 0x8000_2000 | (register & 0xfc));
      ports.write(0xcfc + (register & 3), size, value);
    };
    config(0x10, Mmio.PCI_WINDOW.first);
    config(0x04, 0x6, 2);
    config(0x42, 0x8000, 2);
    store(Mmio.PCI_WINDOW.first, 0xfee0_0000);
    store(Mmio.PCI_WINDOW.first + 8, 0x52);
    store(Mmio.PCI_WINDOW.first + 12, 0);
    msix.notify(0);
    expect(board.pendingInterrupt()).toBe(0x52);
  });

  it("moves the local APIC, and asks others for MSRs that it does not have", () => {
    const writes: bigint[] = [];
    const { board, load } = make({
      paravirtual: {
        read: (msr) => (msr === 0x4b56_4d01 ? 7n : undefined),
        write: (msr, value) => (msr === 0x4b56_4d01 ? (writes.push(value), "done") : undefined),
      },
    });
    expect(board.msrs.read(0x4b56_4d01)).toBe(7n);
    expect(board.msrs.write(0x4b56_4d01, 5n)).toBe("done");
    expect([writes, board.msrs.read(0x10)]).toEqual([[5n], undefined]);
    expect(board.msrs.write(0x1b, 0xfee1_0900n)).toBe("done");
    expect([load(0xfee0_0030), load(0xfee1_0030)]).toEqual([0xffff_ffff, 0x5_0014]);
    expect(board.msrs.write(0x1b, 0xfee1_0d00n)).toBe("done");
    expect([load(0xfee1_0030), board.msrs.read(0x803)]).toEqual([0xffff_ffff, 0x5_0014n]);
  });

  it("takes further devices, and saves them", () => {
    const { board, ports } = make();
    let value = 5;
    const device = {
      readPort: () => value,
      writePort: () => {},
      save: () => value,
      restore: (state: unknown) => void (value = Number(state)),
    };
    board.add({ name: "extra", device, ports: [{ first: 0x5000, count: 1 }] });
    expect(ports.read(0x5000, 1)).toBe(5);
    const state = board.save();
    value = 6;
    board.restore(state);
    expect(ports.read(0x5000, 1)).toBe(5);
    expect(() => board.add({ name: "extra", device })).toThrow("two devices");
  });

  it("tells CR8 of a task priority written to the APIC", () => {
    const { board, store, load, events } = make();
    store(0xfee0_0080, 0xa5);
    expect(events).toEqual(["cr8 10"]);
    board.setTaskPriority(4);
    expect(load(0xfee0_0080)).toBe(0x40);
  });
});

/** Accesses as a hostile guest makes them: most to ports and addresses where something is. */
function disturb(
  { board, time, memory }: ReturnType<typeof make>,
  random: (limit: number) => number,
  count: number,
): void {
  const places = Object.values(Ports);
  const ranges = Object.values(Mmio);
  const value = () => (random(3) ? random(256) : random(2 ** 32));
  for (let step = 0; step < count; step++) {
    const size = ([1, 2, 4] as const)[random(3)] ?? 1;
    const place = places[random(places.length)];
    const port = place && random(8) ? place.first + random(place.count) : random(0x1_0000);
    const range = ranges[random(ranges.length)];
    const gpa =
      range && random(4) ? range.first + random(Math.min(range.bytes, 0x400)) : random(2 ** 32) * 2 ** random(20);
    switch (random(7)) {
      case 0:
        expect(board.ports.read(port, size)).toBeLessThanOrEqual(2 ** (8 * size) - 1);
        break;
      case 1:
        board.ports.write(port, size, value());
        break;
      case 2:
        board.mmio.read(gpa, 0, 1 + random(64));
        break;
      case 3:
        for (let at = 0; at < 64; at++) memory.setUint8(at, random(256));
        board.mmio.write(gpa, 0, 1 + random(64));
        break;
      case 4:
        time.jump(BigInt(random(1_000_000)));
        break;
      case 5:
        board.pendingInterrupt();
        break;
      default: {
        const msr = random(2) ? 0x800 + random(0x40) : ([0x1b, 0x6e0][random(2)] ?? 0x1b);
        if (random(2)) board.msrs.read(msr);
        else board.msrs.write(msr, random(3) ? BigInt(random(0x2000)) | 0xfee0_0000n : BigInt(random(2 ** 32)) << 20n);
      }
    }
  }
}

describe("Board under attack", () => {
  for (let seed = 1; seed <= 8; seed++) {
    it(`answers any access (seed ${seed})`, () => {
      const made = make({ debugOutput: () => {} });
      made.board.pci.add(
        2,
        new PciFunction({ vendor: 1, device: 1, classCode: 0, interruptPin: 1 }, [
          { index: 0, space: "memory64", bytes: 0x1000, target: new Msix(8) },
          { index: 2, space: "io", bytes: 64, target: { readMmio: () => 0, writeMmio: () => {} } },
        ]),
      );
      disturb(made, randomNumbers(seed), 20_000);
    });
  }
});

describe("Board snapshots", () => {
  it("a restored board goes on exactly as the saved one", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const first = make();
      disturb(first, randomNumbers(seed), 500);
      const state = structuredClone(first.board.save());
      const second = make();
      second.time.advance(first.time.nowNs());
      second.board.restore(state);
      expect(second.board.save()).toEqual(state);
      disturb(first, randomNumbers(seed + 1000), 500);
      disturb(second, randomNumbers(seed + 1000), 500);
      expect(second.board.save()).toEqual(first.board.save());
      expect(second.board.hasInterrupt()).toBe(first.board.hasInterrupt());
      expect(second.pending()).toBe(first.pending());
    }
  });
});
