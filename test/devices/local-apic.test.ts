import { describe, expect, it } from "vitest";
import { Fault } from "../../runtime/cpu/fault.ts";
import { InterruptRouter } from "../../runtime/devices/interrupt-router.ts";
import { LocalApic } from "../../runtime/devices/local-apic.ts";
import { DeliveryMode } from "../../runtime/devices/local-apic-registers.ts";
import { ticksAt } from "../../runtime/time/clock.ts";
import { ManualTime } from "./support.ts";

const TSC_HZ = 2_000_000_000;
const TIMER_HZ = 25_000_000;
const X2APIC = 0xfee0_0d00n;

function make({ id = 0, router = new InterruptRouter(), time = new ManualTime() } = {}) {
  const events: string[] = [];
  let mapped: number | undefined;
  const ended: number[] = [];
  let tscOffset = 0n;
  const apic = new LocalApic({
    clock: time,
    timers: time.timers,
    tsc: { read: () => BigInt(ticksAt(time.nowNs(), TSC_HZ)) + tscOffset, hz: TSC_HZ },
    router,
    id,
    timerHz: TIMER_HZ,
    physicalAddressBits: 40,
    host: {
      interruptPending: (pending) => events.push(pending ? "pending" : "quiet"),
      taskPriorityChanged: (priority) => events.push(`cr8 ${priority}`),
      mapRegisters: (gpa) => (mapped = gpa),
      acknowledgeExternal: () => 0x33,
      endOfInterrupt: (vector) => ended.push(vector),
      nmi: () => events.push("nmi"),
      init: () => events.push("init"),
      startup: (vector) => events.push(`startup ${vector}`),
    },
  });
  const read = (offset: number) => apic.readMmio(offset, 4) >>> 0;
  const write = (offset: number, value: number) => apic.writeMmio(offset, 4, value);
  const send = (vector: number, level = false) =>
    apic.receive({ mode: DeliveryMode.FIXED, vector, level, assert: true });
  const setTsc = (offset: bigint) => {
    tscOffset = offset;
    apic.timer.tscChanged();
  };
  return { apic, time, router, events, ended, read, write, send, setTsc, mapped: () => mapped };
}

/** Enabled by software, as an operating system leaves it. */
function enabled(options: Parameters<typeof make>[0] = {}) {
  const made = make(options);
  made.write(0xf0, 0x1ff);
  return made;
}

describe("LocalApic registers", () => {
  it("has the state after reset that SDM 11.4.7.1 gives", () => {
    const { read, mapped } = make({ id: 3 });
    expect(mapped()).toBe(0xfee0_0000);
    expect(read(0x20)).toBe(0x0300_0000);
    expect(read(0x30)).toBe(0x0005_0014);
    expect(read(0xe0)).toBe(0xffff_ffff);
    expect(read(0xf0)).toBe(0xff);
    for (const lvt of [0x320, 0x330, 0x340, 0x350, 0x360, 0x370]) expect(read(lvt)).toBe(0x1_0000);
    for (const other of [0x80, 0xa0, 0xd0, 0x100, 0x180, 0x200, 0x280, 0x300, 0x310, 0x380, 0x390, 0x3e0]) {
      expect(read(other)).toBe(0);
    }
  });

  it("masks every LVT entry while disabled by software", () => {
    const { read, write } = enabled();
    write(0x350, 0x0700);
    expect(read(0x350)).toBe(0x0700);
    write(0xf0, 0xff);
    expect(read(0x350)).toBe(0x1_0700);
    write(0x350, 0x0700);
    expect(read(0x350)).toBe(0x1_0700);
  });

  it("notes accesses to registers that do not exist", () => {
    const { read, write, apic } = enabled();
    write(0x370, 0xfe);
    expect(read(0x40)).toBe(0);
    expect(apic.acknowledge()).toBe(0xfe);
    expect(read(0x280)).toBe(0);
    write(0x280, 0);
    expect(read(0x280)).toBe(0x80);
    write(0x280, 0);
    expect(read(0x280)).toBe(0);
  });

  it("takes accesses of any size", () => {
    const { apic, write } = enabled();
    write(0x80, 0x50);
    expect([apic.readMmio(0x30, 1) & 0xff, apic.readMmio(0x32, 2) & 0xffff, apic.readMmio(0x84, 4)]).toEqual([
      0x14, 5, 0,
    ]);
    apic.writeMmio(0x80, 1, 0x20);
    expect(apic.readMmio(0x80, 4)).toBe(0x50);
  });
});

describe("LocalApic interrupts", () => {
  it("delivers by priority, nests, and ends", () => {
    const { apic, read, write, send, events } = enabled();
    send(0x41);
    send(0x35);
    send(0x35);
    expect(events).toEqual(["pending"]);
    expect(apic.acknowledge()).toBe(0x41);
    expect(apic.hasInterrupt()).toBe(false);
    expect(read(0xa0)).toBe(0x40);
    expect(read(0x120)).toBe(0x2);
    send(0x4f); // of the same class: it waits
    expect(apic.hasInterrupt()).toBe(false);
    send(0x50);
    expect(apic.acknowledge()).toBe(0x50);
    write(0xb0, 0);
    expect(apic.hasInterrupt()).toBe(false);
    write(0xb0, 0);
    expect(apic.acknowledge()).toBe(0x4f);
    write(0xb0, 0);
    expect(apic.acknowledge()).toBe(0x35);
    write(0xb0, 0);
    write(0xb0, 0);
    expect(apic.hasInterrupt()).toBe(false);
  });

  it("holds back what the task priority forbids", () => {
    const { apic, write, read, send, events } = enabled();
    write(0x80, 0x45);
    send(0x4f);
    expect(apic.hasInterrupt()).toBe(false);
    expect(read(0xa0)).toBe(0x45);
    apic.setTaskPriority(3);
    expect(apic.hasInterrupt()).toBe(true);
    expect(read(0x80)).toBe(0x30);
    expect(events).toEqual(["cr8 4", "pending"]);
  });

  it("tells the I/O APICs the end of level-triggered interrupts only", () => {
    const { apic, write, read, send, ended } = enabled();
    send(0x60, true);
    expect(read(0x180 + 0x30)).toBe(1);
    apic.acknowledge();
    write(0xb0, 0);
    send(0x60);
    apic.acknowledge();
    write(0xb0, 0);
    expect(ended).toEqual([0x60]);
  });

  it("refuses vectors below 16", () => {
    const { apic, send, write, read } = enabled();
    send(0x0f);
    expect(apic.hasInterrupt()).toBe(false);
    write(0x280, 0);
    expect(read(0x280)).toBe(0x40);
  });

  it("takes no interrupts while disabled by software", () => {
    const { apic, send } = make();
    send(0x40);
    expect(apic.hasInterrupt()).toBe(false);
  });

  it("answers an acknowledge without an interrupt with the spurious vector", () => {
    const { apic, write, read } = enabled();
    write(0xf0, 0x1ef);
    expect(apic.acknowledge()).toBe(0xef);
    expect(read(0x170)).toBe(0);
  });

  it("is a virtual wire for the 8259A from reset on, on processor 0 alone", () => {
    const { apic, events } = make();
    apic.pin(0).set(true);
    expect(apic.hasInterrupt()).toBe(true);
    expect(apic.acknowledge()).toBe(0x33);
    apic.pin(0).set(false);
    expect(apic.hasInterrupt()).toBe(false);
    expect(events).toEqual(["pending", "quiet"]);
    const other = make({ id: 1 });
    other.apic.pin(0).set(true);
    expect(other.apic.hasInterrupt()).toBe(false);
  });

  it("masks the virtual wire by LVT LINT0, whatever the task priority", () => {
    const { apic, write } = enabled();
    write(0x350, 0x0700);
    apic.pin(0).set(true);
    write(0x80, 0xff);
    expect(apic.hasInterrupt()).toBe(true);
    write(0x350, 0x1_0700);
    expect(apic.hasInterrupt()).toBe(false);
  });

  it("delivers pins as their LVT entry says", () => {
    const { apic, write, events } = enabled();
    write(0x350, 0x0050);
    write(0x360, 0x0400);
    apic.pin(1).set(true);
    apic.pin(0).set(true);
    expect(events).toEqual(["nmi", "pending"]);
    expect(apic.acknowledge()).toBe(0x50);
  });
});

describe("LocalApic timer", () => {
  it("counts down once, by the divider", () => {
    const { apic, time, read, write } = enabled();
    write(0x320, 0x30);
    write(0x3e0, 0x3); // by 16
    write(0x380, 1000);
    time.advance(320_000n); // 8000 of 25 MHz = 500
    expect(read(0x390)).toBe(500);
    time.advance(319_000n);
    expect(apic.hasInterrupt()).toBe(false);
    time.advance(1_000n);
    expect(apic.acknowledge()).toBe(0x30);
    expect(read(0x390)).toBe(0);
    time.advance(10_000_000n);
    write(0xb0, 0);
    expect(apic.hasInterrupt()).toBe(false);
  });

  it("knows all dividers", () => {
    const divisors = [2, 4, 8, 16, 32, 64, 128, 1];
    [0x0, 0x1, 0x2, 0x3, 0x8, 0x9, 0xa, 0xb].forEach((code, index) => {
      const { time, read, write } = enabled();
      write(0x3e0, code);
      expect(read(0x3e0)).toBe(code);
      write(0x380, 1_000_000);
      time.advance(1_024_000n); // 25600 ticks
      expect(1_000_000 - read(0x390)).toBe(25_600 / (divisors[index] ?? 0));
    });
  });

  it("repeats in periodic mode, and makes one interrupt of missed periods", () => {
    const { apic, time, read, write } = enabled();
    write(0x320, 0x2_0030);
    write(0x3e0, 0xb);
    write(0x380, 25_000); // 1 ms
    let interrupts = 0;
    const take = () => {
      if (!apic.hasInterrupt()) return;
      apic.acknowledge();
      write(0xb0, 0);
      interrupts++;
    };
    for (let ms = 0; ms < 10; ms++) {
      time.advance(1_000_000n);
      take();
    }
    expect(interrupts).toBe(10);
    time.jump(5_500_000n);
    take();
    take();
    expect(interrupts).toBe(11);
    expect(read(0x390)).toBe(12_500);
    time.advance(500_000n);
    take();
    expect(interrupts).toBe(12);
    write(0x380, 0);
    time.advance(5_000_000n);
    take();
    expect(interrupts).toBe(12);
  });

  it("runs masked, without an interrupt", () => {
    const { apic, time, read, write } = enabled();
    write(0x3e0, 0xb);
    write(0x380, 1000);
    time.advance(20_000n);
    expect(read(0x390)).toBe(500);
    time.advance(40_000n);
    expect(apic.hasInterrupt()).toBe(false);
  });

  it("keeps counting from where it is when the divider or the mode changes", () => {
    const { apic, time, read, write } = enabled();
    write(0x3e0, 0xb);
    write(0x380, 1000);
    time.advance(20_000n);
    write(0x3e0, 0x0); // by 2
    expect(read(0x390)).toBe(500);
    time.advance(20_000n);
    expect(read(0x390)).toBe(250);
    write(0x320, 0x2_0030); // periodic from here on: the count goes on too
    expect(read(0x390)).toBe(250);
    time.advance(19_999n);
    expect(apic.hasInterrupt()).toBe(false);
    time.advance(1n);
    expect(apic.acknowledge()).toBe(0x30);
    expect(read(0x390)).toBe(1000);
  });

  it("interrupts at the TSC deadline, and disarms", () => {
    const { apic, time, write } = enabled();
    write(0x320, 0x4_0030);
    apic.writeMsr(0x6e0, 2_000_000n);
    expect(apic.readMsr(0x6e0)).toBe(2_000_000n);
    write(0x380, 1); // ignored in this mode
    time.advance(999_999n);
    expect(apic.hasInterrupt()).toBe(false);
    time.advance(1n);
    expect(apic.acknowledge()).toBe(0x30);
    expect(apic.readMsr(0x6e0)).toBe(0n);
    apic.writeMsr(0x6e0, 1n); // in the past
    write(0xb0, 0);
    time.advance(0n);
    expect(apic.hasInterrupt()).toBe(true);
  });

  it("follows a TSC that is set back or forth", () => {
    const { apic, time, write, setTsc } = enabled();
    write(0x320, 0x4_0030);
    apic.writeMsr(0x6e0, 2_000_000n);
    setTsc(-1_000_000n);
    time.advance(1_400_000n);
    expect(apic.hasInterrupt()).toBe(false);
    setTsc(-900_000n);
    time.advance(50_000n);
    expect(apic.hasInterrupt()).toBe(true);
  });

  it("ignores the deadline in other modes, and forgets it between them", () => {
    const { apic, time, write } = enabled();
    apic.writeMsr(0x6e0, 5n);
    expect(apic.readMsr(0x6e0)).toBe(0n);
    write(0x320, 0x4_0030);
    apic.writeMsr(0x6e0, 2_000n);
    write(0x320, 0x30);
    time.advance(1_000_000n);
    expect(apic.hasInterrupt()).toBe(false);
  });
});

describe("LocalApic messages", () => {
  it("sends itself interrupts, both ways", () => {
    const { apic, write } = enabled();
    write(0x300, 0x4_0041);
    expect(apic.acknowledge()).toBe(0x41);
    write(0x310, 0);
    write(0x300, 0x0051);
    expect(apic.acknowledge()).toBe(0x51);
  });

  it("sends edge-triggered interrupts, whatever the command's trigger mode is", () => {
    const { apic, write, read, ended } = enabled();
    write(0x300, 0x4_c041);
    expect(read(0x1a0)).toBe(0);
    apic.acknowledge();
    write(0xb0, 0);
    expect(ended).toEqual([]);
  });

  it("takes an ExtINT message as the 8259A's interrupt", () => {
    const { apic, write } = enabled();
    write(0x350, 0x1_0700);
    apic.receive({ mode: DeliveryMode.EXTERNAL, vector: 0, level: false, assert: true });
    const state = structuredClone(apic.save());
    expect(apic.acknowledge()).toBe(0x33);
    expect(apic.hasInterrupt()).toBe(false);
    const other = make();
    other.apic.restore(state);
    expect(other.apic.acknowledge()).toBe(0x33);
  });

  it("goes back to the state after reset with INIT, but keeps its base", () => {
    const { apic, time, read, write, send, events } = enabled();
    const before = make().apic.save();
    write(0x320, 0x2_0030);
    write(0x3e0, 0xb);
    write(0x380, 1000);
    write(0x80, 0x20);
    write(0xd0, 0x0100_0000);
    send(0x41);
    apic.acknowledge();
    send(0x52);
    apic.receive({ mode: DeliveryMode.EXTERNAL, vector: 0, level: false, assert: true });
    apic.receive({ mode: DeliveryMode.INIT, vector: 0, level: false, assert: true });
    expect(events.slice(-3)).toEqual(["cr8 0", "quiet", "init"]);
    expect({ ...apic.save(), timer: { ...apic.save().timer, sinceNs: 0n } }).toEqual(before);
    time.advance(1_000_000n);
    expect([apic.hasInterrupt(), read(0x390)]).toEqual([false, 0]);
  });

  it("reports an illegal vector", () => {
    const { write, read } = enabled();
    write(0x300, 0x4_0005);
    write(0x280, 0);
    expect(read(0x280)).toBe(0x20);
  });

  it("starts another processor: INIT, then STARTUP", () => {
    const router = new InterruptRouter();
    const first = enabled({ router });
    const second = make({ router, id: 1 });
    first.write(0x310, 1 << 24);
    first.write(0x300, 0xc500);
    first.write(0x300, 0x8500); // de-assertion
    first.write(0x300, 0x0608);
    expect(second.events).toEqual(["init", "startup 8"]);
    expect(first.events).toEqual([]);
  });

  it("finds destinations: physical, flat, clusters, shorthands, lowest priority", () => {
    const router = new InterruptRouter();
    const apics = [0, 1, 2].map((id) => enabled({ router, id }));
    apics.forEach(({ write }, id) => write(0xd0, 1 << (24 + id)));
    const takers = () =>
      apics.map(({ apic, write }) => (apic.hasInterrupt() ? (apic.acknowledge(), write(0xb0, 0), 1) : 0));
    const fixed = { mode: DeliveryMode.FIXED, vector: 0x40, level: false, assert: true };
    router.send(2, false, fixed);
    expect(takers()).toEqual([0, 0, 1]);
    router.send(0xff, false, fixed);
    expect(takers()).toEqual([1, 1, 1]);
    router.send(0b011, true, fixed);
    expect(takers()).toEqual([1, 1, 0]);
    apics[1]?.write(0x300, 0xc_0041);
    expect(takers()).toEqual([1, 0, 1]);
    apics[1]?.write(0x300, 0x8_0041);
    expect(takers()).toEqual([1, 1, 1]);
    apics[0]?.write(0x80, 0x20);
    router.send(0b111, true, { ...fixed, mode: DeliveryMode.LOWEST_PRIORITY });
    expect(takers()).toEqual([0, 1, 0]);
    apics.forEach(({ write }, id) => {
      write(0xe0, 0x0fff_ffff);
      write(0xd0, (0x10 | (1 << id)) << 24);
    });
    router.send(0x15, true, fixed);
    expect(takers()).toEqual([1, 0, 1]);
    router.send(0x21, true, fixed);
    expect(takers()).toEqual([0, 0, 0]);
    router.sendMsi(0xfee0_1000, 0x4055);
    expect(apics[1]?.apic.acknowledge()).toBe(0x55);
  });
});

describe("LocalApic x2APIC mode", () => {
  it("goes only the ways that SDM 11.12.5 allows", () => {
    const { apic, mapped } = make();
    expect(apic.readMsr(0x1b)).toBe(0xfee0_0900n);
    expect(apic.readMsr(0x802)).toBeInstanceOf(Fault);
    expect(apic.writeMsr(0x1b, 0xfee0_0500n)).toBeInstanceOf(Fault); // x2APIC without enable
    expect(apic.writeMsr(0x1b, 0xfee0_0901n)).toBeInstanceOf(Fault); // reserved bit
    expect(apic.writeMsr(0x1b, 1n << 40n)).toBeInstanceOf(Fault); // beyond the address width
    expect(apic.writeMsr(0x1b, 0xfec1_0900n)).toBe("done");
    expect(mapped()).toBe(0xfec1_0000);
    expect(apic.writeMsr(0x1b, X2APIC)).toBe("done");
    expect(mapped()).toBeUndefined();
    expect(apic.writeMsr(0x1b, 0xfee0_0900n)).toBeInstanceOf(Fault); // back to xAPIC
    expect(apic.writeMsr(0x1b, 0xfee0_0100n)).toBe("done");
    expect(apic.writeMsr(0x1b, X2APIC)).toBeInstanceOf(Fault); // from disabled
    expect(apic.writeMsr(0x1b, 0xfee0_0800n)).toBe("done");
    expect(apic.readMsr(0x1b)).toBe(0xfee0_0900n); // the bootstrap flag is the processor's
    expect(apic.readMsr(0x123)).toBeUndefined();
    expect(apic.writeMsr(0x123, 0n)).toBeUndefined();
  });

  it("has its registers as MSRs", () => {
    const { apic } = make({ id: 0x25 });
    apic.writeMsr(0x1b, 0xfee0_0c00n);
    expect(apic.readMsr(0x802)).toBe(0x25n);
    expect(apic.readMsr(0x803)).toBe(0x5_0014n);
    expect(apic.readMsr(0x80d)).toBe(0x2_0020n);
    expect(apic.writeMsr(0x80f, 0x1ffn)).toBe("done");
    expect(apic.writeMsr(0x83f, 0x77n)).toBe("done");
    expect(apic.readMsr(0x823)).toBe(1n << 23n);
    expect(apic.acknowledge()).toBe(0x77);
    expect(apic.writeMsr(0x80b, 0n)).toBe("done");
    expect(apic.writeMsr(0x830, (0x25n << 32n) | 0x4cn)).toBe("done");
    expect(apic.readMsr(0x830)).toBe((0x25n << 32n) | 0x4cn);
    expect(apic.acknowledge()).toBe(0x4c);
    expect(apic.writeMsr(0x830, (0x3_0020n << 32n) | 0x85dn)).toBe("done"); // another cluster
    expect(apic.writeMsr(0x830, (0x2_0040n << 32n) | 0x85dn)).toBe("done"); // another processor of it
    expect(apic.writeMsr(0x830, (0x26n << 32n) | 0x5dn)).toBe("done");
    expect(apic.hasInterrupt()).toBe(false);
    expect(apic.writeMsr(0x830, (0xffff_ffffn << 32n) | 0x3fn)).toBe("done");
    expect(apic.readMsr(0x821)).toBe(1n << 31n);
    expect(apic.writeMsr(0x830, (0x2_0020n << 32n) | 0x85dn)).toBe("done");
    expect(apic.acknowledge()).toBe(0x5d);
  });

  it("faults on what is reserved, read-only, write-only or absent", () => {
    const { apic } = make();
    apic.writeMsr(0x1b, X2APIC);
    for (const msr of [0x800, 0x802, 0x803, 0x80a, 0x80d, 0x80e, 0x810, 0x82f, 0x831, 0x839]) {
      expect(apic.writeMsr(msr, 0n)).toBeInstanceOf(Fault);
    }
    for (const msr of [0x800, 0x809, 0x80b, 0x80c, 0x80e, 0x82f, 0x831, 0x83f, 0x840, 0x8ff]) {
      expect(apic.readMsr(msr)).toBeInstanceOf(Fault);
    }
    expect(apic.writeMsr(0x80b, 1n)).toBeInstanceOf(Fault);
    expect(apic.writeMsr(0x828, 1n)).toBeInstanceOf(Fault);
    expect(apic.writeMsr(0x808, 0x100n)).toBeInstanceOf(Fault);
    expect(apic.writeMsr(0x832, 0x8_0000n)).toBeInstanceOf(Fault);
    expect(apic.writeMsr(0x838, 1n << 32n)).toBeInstanceOf(Fault);
    expect(apic.writeMsr(0x832, 0x1_0030n)).toBe("done");
  });

  it("is the processor's INTR pin when switched off", () => {
    const { apic, write } = make();
    apic.writeMsr(0x1b, 0xfee0_0100n);
    apic.pin(0).set(true);
    expect(apic.acknowledge()).toBe(0x33);
    write(0xf0, 0x1ff);
    expect(apic.matches(0, false)).toBe(false);
  });
});

describe("LocalApic snapshots", () => {
  it("continues: interrupts, timer and mode", () => {
    const { apic, time, write, send } = enabled();
    write(0x320, 0x2_0030);
    write(0x3e0, 0xb);
    write(0x380, 25_000);
    send(0x51, true);
    apic.acknowledge();
    send(0x62);
    write(0x80, 0x10);
    time.advance(400_000n);
    const state = structuredClone(apic.save());
    const other = make();
    other.time.advance(time.nowNs());
    other.apic.restore(state);
    expect(other.apic.save()).toEqual(state);
    expect(other.events.at(-1)).toBe("pending");
    expect(other.apic.acknowledge()).toBe(0x62);
    other.write(0xb0, 0);
    other.write(0xb0, 0);
    expect(other.ended).toEqual([0x51]);
    other.time.advance(599_999n);
    expect(other.apic.hasInterrupt()).toBe(false);
    other.time.advance(1n);
    expect(other.apic.acknowledge()).toBe(0x30);
  });
});
