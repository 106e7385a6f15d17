import { describe, expect, it } from "vitest";
import { MemoryMap } from "../../runtime/abi/memory-map.ts";
import { pciSlotBase, PciSlot } from "../../runtime/board-map.ts";
import type { RefusedStats } from "../../runtime/devices/refused.ts";
import { MemoryDisk } from "../../runtime/disk/memory-disk.ts";
import { OverlayDisk } from "../../runtime/disk/overlay-disk.ts";
import { STRUCTURE_BAR } from "../../runtime/virtio/pci-registers.ts";
import { Feature } from "../../runtime/virtio/virtio-device.ts";
import { createPc } from "../../src/pc/create.ts";
import type { Pc } from "../../src/pc/pc.ts";
import { randomNumbers } from "../devices/support.ts";
import * as guest from "../embedding/support/tiny-guest.ts";
import { type Buffer as GuestBuffer, BUFFERS, Driver, type DriverQueue } from "./driver.ts";

// A whole PC whose guest does its worst to the devices: the accesses are made here, as the processor makes them on the guest's
// behalf. What must hold: nothing throws, nothing outside RAM and the disks is touched, the host can count it, and afterwards
// devices and machine work.

const MEMORY = 64 << 20;
/** behind the registers of the processor, which interrupts change */
const STATE_END = MemoryMap.CPU + MemoryMap.CPU_STRIDE;
const SECTORS = 64;
const DISK_BYTES = SECTORS * 512;
const GUARD = 4096;
const INDIRECT = 0x1_0000;
const KVM_WALL_CLOCK = 0x4b56_4d00;
const KVM_SYSTEM_TIME = 0x4b56_4d01;
const Slot = {
  ENTROPY: PciSlot.ENTROPY,
  CONSOLE: PciSlot.CONSOLE,
  DISK: PciSlot.FIRST_DISK,
  READ_ONLY: PciSlot.FIRST_DISK + 1,
  OVERLAY: PciSlot.FIRST_DISK + 2,
} as const;

/** A disk in the middle of more memory, which must stay as it is. */
class GuardedDisk extends MemoryDisk {
  readonly #around: Uint8Array;

  constructor(readOnly = false) {
    const around = new Uint8Array(GUARD + DISK_BYTES + GUARD).fill(0xc5);
    const content = around.subarray(GUARD, GUARD + DISK_BYTES);
    content.forEach((_, at) => (content[at] = (at >> 9) + 1));
    super(content, { readOnly });
    this.#around = around;
  }

  get isWhole(): boolean {
    const outside = [this.#around.subarray(0, GUARD), this.#around.subarray(GUARD + DISK_BYTES)];
    return outside.every((bytes) => bytes.every((byte) => byte === 0xc5));
  }

  get isUnchanged(): boolean {
    return this.isWhole && this.bytes.every((byte, at) => byte === (at >> 9) + 1);
  }
}

/** The host's part of the linear memory: what devices have no business in. */
function below(pc: Pc): Buffer {
  return Buffer.from(pc.memory.buffer, STATE_END, MemoryMap.RAM - STATE_END);
}

interface Victim {
  readonly pc: Pc;
  readonly ram: Uint8Array;
  readonly disk: GuardedDisk;
  readonly readOnly: GuardedDisk;
  readonly base: GuardedDisk;
  readonly serial: () => string;
  readonly before: Buffer;
}

async function makeVictim(): Promise<Victim> {
  const disk = new GuardedDisk();
  const readOnly = new GuardedDisk(true);
  const base = new GuardedDisk(true);
  let serial = "";
  const pc = await createPc({
    kernel: guest.tinyKernel(guest.print("alive"), guest.exit(3)),
    memoryBytes: MEMORY,
    debugExitPort: guest.EXIT_PORT,
    console: { onOutput: () => undefined },
    disks: [disk, readOnly, new OverlayDisk(base)],
    onDiskError: (error) => expect.fail(String(error)),
    onSerial: (bytes) => (serial += new TextDecoder().decode(bytes)),
  });
  const ram = new Uint8Array(pc.memory.buffer, MemoryMap.RAM, MEMORY);
  return { pc, ram, disk, readOnly, base, serial: () => serial, before: Buffer.from(below(pc)) };
}

function driverOf({ pc, ram }: Victim, slot: number): Driver {
  const bar0 = pciSlotBase(slot);
  const { ports, mmio } = pc.board;
  const driver = new Driver({ ports, mmio, ram, slot, bar0, bar1: bar0 + STRUCTURE_BAR.bytes });
  driver.connect();
  return driver;
}

/** What must hold whatever the guest has done; at the end the guest runs, too. */
async function expectSound(victim: Victim): Promise<void> {
  const { pc, disk, readOnly, base } = victim;
  expect(below(pc).equals(victim.before)).toBe(true);
  expect([disk.isWhole, readOnly.isUnchanged, base.isUnchanged]).toEqual([true, true, true]);
  expect(await pc.run()).toEqual({ reason: "debug-exit", status: 7 });
  expect(victim.serial()).toBe("alive");
}

const DATA = BUFFERS + 0x1000;
const STATUS = BUFFERS + 0x800;

/** One request of a block driver. @returns status */
function request(victim: Victim, driver: Driver, type: number, sector: bigint, buffer: GuestBuffer): number {
  const header = new DataView(victim.ram.buffer, victim.ram.byteOffset + BUFFERS, 16);
  header.setUint32(0, type, true);
  header.setBigUint64(8, sector, true);
  victim.ram[STATUS] = 0xee;
  const queue = driver.queue();
  const readable: GuestBuffer[] = type === 0 ? [[BUFFERS, 16]] : [[BUFFERS, 16], buffer];
  const writable: GuestBuffer[] = type === 0 ? [buffer, [STATUS, 1]] : [[STATUS, 1]];
  queue.send(queue.chain(readable, writable));
  return victim.ram[STATUS] ?? 0xee;
}

const refused = ({ pc }: Victim): RefusedStats => pc.stats().refused;
const SLOTS = Object.entries(Slot);
const DISKS: readonly number[] = [Slot.DISK, Slot.READ_ONLY, Slot.OVERLAY];

/** Addresses where a driver has buffers, and where none can be: behind RAM, in a device, at the end of all addresses. */
const ADDRESSES: readonly bigint[] = [
  ...[BUFFERS, DATA, INDIRECT, MEMORY - 512, MEMORY - 1, MEMORY, MEMORY + 4096].map(BigInt),
  ...[0xc000_0000n, 0xfee0_0000n, 0xffff_f000n, 0x1_0000_0000n, 1n << 52n, (1n << 63n) - 1n, (1n << 64n) - 1n],
];
/** Of disk requests: those that there are, and others. */
const TYPES = [0, 1, 4, 8, 13, 11, 0xffff_ffff];
const FIRST_SECTORS = [0n, 1n, 63n, 64n, 65n, 1n << 32n, 1n << 55n, (1n << 64n) - 1n];
const LENGTHS = [0, 1, 15, 16, 512, 1024, 4096, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

/** Publishes a request that is one, though what it asks for may be too much. */
function ask(queue: DriverQueue, random: (limit: number) => number): void {
  const data: GuestBuffer = [DATA, 512 * random(4)];
  const toDevice = random(2) === 0;
  const readable: GuestBuffer[] = [[BUFFERS, 16], ...(toDevice ? [data] : [])];
  const writable: GuestBuffer[] = [...(toDevice ? [] : [data]), [STATUS, 1]];
  queue.publish(queue.chain(readable, writable));
}

/** Fills descriptor tables and rings with addresses, lengths and flags that may or may not go together. */
function scribble(view: DataView, queue: DriverQueue, random: (limit: number) => number): void {
  const pick = <T>(from: readonly T[]): T => from[random(from.length)] as T;
  for (const [table, entries] of [
    [queue.table, queue.size],
    [INDIRECT, 16],
  ] as const) {
    for (let index = 0; index < entries; index++) {
      const at = table + index * 16;
      view.setBigUint64(at, pick(ADDRESSES), true);
      view.setUint32(at + 8, pick(LENGTHS), true);
      view.setUint16(at + 12, random(8) > 0 ? random(4) : random(8), true);
      view.setUint16(at + 14, random(20) === 0 ? random(0x1_0000) : (index + 1) % queue.size, true);
    }
  }
  // An indirect table that is one, now and then.
  if (random(3) === 0) {
    view.setBigUint64(queue.table, BigInt(INDIRECT), true);
    view.setUint32(queue.table + 8, pick([16, 64, 256, 24, 0, 0xffff_fff0]), true);
    view.setUint16(queue.table + 12, 4, true);
  }
  for (let count = random(4); count >= 0; count--) queue.publish(random(10) === 0 ? random(0x1_0000) : random(16));
  if (random(20) === 0) queue.setAvailableIndex(random(0x1_0000));
}

/** Makes something available to a device. */
function attack({ ram }: Victim, queue: DriverQueue, random: (limit: number) => number): void {
  const view = new DataView(ram.buffer, ram.byteOffset, ram.byteLength);
  view.setUint32(BUFFERS, TYPES[random(TYPES.length)] ?? 0, true);
  view.setBigUint64(BUFFERS + 8, FIRST_SECTORS[random(FIRST_SECTORS.length)] ?? 0n, true);
  if (random(2) === 0) ask(queue, random);
  else scribble(view, queue, random);
}

describe("a PC whose guest does its worst", () => {
  it.each(SLOTS)("keeps devices inside RAM and disks, whatever their rings hold: %s", async (_, slot) => {
    const victim = await makeVictim();
    const driver = driverOf(victim, slot);
    let served = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const random = randomNumbers(seed * 31 + slot);
      const features = (seed % 3 ? Feature.INDIRECT_DESC : 0n) | (seed % 2 ? Feature.EVENT_IDX : 0n);
      victim.ram.fill(0, 0, 0x4_0000);
      driver.start({ features });
      for (let step = 0; step < 40; step++) {
        const queue = driver.queue(random(driver.queues.length));
        attack(victim, queue, random);
        if (slot === Slot.CONSOLE) victim.pc.consoleInput(Uint8Array.of(1, 2, 3));
        queue.notify();
        served += queue.takeUsed().length;
        if (!driver.needsReset) continue;
        victim.ram.fill(0, 0, 0x4_0000);
        driver.start({ features });
      }
    }
    const { virtqueues, diskRequests } = refused(victim);
    expect(served, "the rings must be good enough at times").toBeGreaterThan(100);
    expect(virtqueues).toBeGreaterThan(500);
    if (DISKS.includes(slot)) expect(diskRequests).toBeGreaterThan(20);
    // After a reset the device serves a driver that keeps to the rules.
    victim.ram.fill(0, 0, 0x4_0000);
    driver.start();
    const queue = driver.queue(driver.queues.length - 1);
    queue.send(queue.chain([[BUFFERS, 16]], [[DATA, 513]]));
    expect([driver.needsReset, queue.takeUsed().length]).toEqual([false, 1]);
    await expectSound(victim);
  });

  it("answers disk requests beyond the disk with an I/O error, and counts them", async () => {
    const victim = await makeVictim();
    const driver = driverOf(victim, Slot.DISK).start();
    const whole: GuestBuffer = [DATA, 1024];
    const bad: readonly (readonly [type: number, sector: bigint, buffer: GuestBuffer])[] = [
      [0, BigInt(SECTORS), [DATA, 512]],
      [0, BigInt(SECTORS - 1), whole],
      [1, BigInt(SECTORS - 1), whole],
      [1, 1n << 32n, whole],
      [0, (1n << 64n) - 1n, [DATA, 512]],
      [1, (1n << 64n) - 1n, whole],
      [0, 1n << 55n, [DATA, 512]], // 2^64 bytes
      [0, 0n, [DATA, 100]],
      [1, 0n, [DATA, 513]],
    ];
    const content = victim.disk.bytes.slice();
    victim.ram.fill(0x77, DATA, DATA + 1024);
    for (const [index, [type, sector, buffer]] of bad.entries()) {
      expect(request(victim, driver, type, sector, buffer), `type ${type}, sector ${sector}`).toBe(1);
      expect(refused(victim).diskRequests).toBe(index + 1);
    }
    expect(request(victim, driver, 99, 0n, [DATA, 512])).toBe(2); // VIRTIO_BLK_S_UNSUPP
    expect(victim.ram.subarray(DATA, DATA + 1024).every((byte) => byte === 0x77)).toBe(true);
    expect(victim.disk.bytes).toEqual(content);
    // The last sectors are there.
    expect(request(victim, driver, 0, BigInt(SECTORS - 2), whole)).toBe(0);
    expect([victim.ram[DATA], victim.ram[DATA + 512]]).toEqual([SECTORS - 1, SECTORS]);
    expect(refused(victim)).toMatchObject({ diskRequests: bad.length + 1, virtqueues: 0 });
    await expectSound(victim);
  });

  it("writes neither to a read-only disk nor below a copy on write", async () => {
    const victim = await makeVictim();
    victim.ram.fill(0x99, DATA, DATA + 512);
    const readOnly = driverOf(victim, Slot.READ_ONLY).start();
    expect(request(victim, readOnly, 1, 0n, [DATA, 512])).toBe(1);
    expect(request(victim, readOnly, 13, 0n, [DATA, 16])).toBe(1);
    expect(refused(victim).diskRequests).toBe(2);
    const overlay = driverOf(victim, Slot.OVERLAY).start();
    expect(request(victim, overlay, 1, 5n, [DATA, 512])).toBe(0);
    victim.ram.fill(0, DATA, DATA + 512);
    expect(request(victim, overlay, 0, 5n, [DATA, 512])).toBe(0);
    expect(victim.ram.subarray(DATA, DATA + 512).every((byte) => byte === 0x99)).toBe(true);
    expect(refused(victim).diskRequests).toBe(2);
    await expectSound(victim);
  });

  it("does no DMA beyond RAM for fw_cfg, and publishes no clock there", async () => {
    const victim = await makeVictim();
    const { ports, msrs } = victim.pc.board;
    const bigEndian = (value: number): number => new DataView(Uint32Array.of(value).buffer).getUint32(0);
    const transfer = (gpa: number): void => {
      ports.write(0x514, 4, bigEndian(Math.floor(gpa / 2 ** 32)));
      ports.write(0x518, 4, bigEndian(gpa % 2 ** 32));
    };
    for (const gpa of [MEMORY - 15, MEMORY, 0xffff_fff0, 2 ** 52, 2 ** 64 - 2 ** 12]) transfer(gpa);
    expect(refused(victim).transfers).toBe(5);
    const control = new DataView(victim.ram.buffer, victim.ram.byteOffset + DATA, 16);
    for (const [length, high, low] of [
      [16, 0, MEMORY - 15],
      [0xffff_ffff, 0, 0],
      [4, 0xffff_ffff, 0xffff_fffe],
    ] as const) {
      [0x0001_0000 | 8 | 2, length, high, low].forEach((word, index) => control.setUint32(index * 4, word));
      transfer(DATA);
      expect(control.getUint32(0), "FW_CFG_DMA_CTL_ERROR").toBe(1);
    }
    expect(refused(victim).transfers).toBe(8);
    for (const gpa of [BigInt(MEMORY), 1n << 52n, (1n << 64n) - 4n]) {
      expect(msrs.write(KVM_WALL_CLOCK, gpa)).toBe("done");
      expect(msrs.write(KVM_SYSTEM_TIME, gpa | 1n)).toBe("done");
    }
    expect(refused(victim).transfers).toBe(14);
    await expectSound(victim);
  });

  it("counts virtio registers that are none, and notifications before the driver is ready", async () => {
    const victim = await makeVictim();
    const driver = driverOf(victim, Slot.DISK);
    driver.write(0x3000, 2, 0); // notification
    driver.write(0x2000, 4, 1); // capacity
    driver.write(0x14, 4, 1); // device status, of one byte
    driver.write(0x16, 1, 0); // queue select, of two
    expect(refused(victim)).toMatchObject({ virtioRegisters: 4, virtqueues: 0 });
    driver.start();
    expect(request(victim, driver, 0, 1n, [DATA, 512])).toBe(0);
    expect(refused(victim)).toMatchObject({ virtioRegisters: 4 });
    await expectSound(victim);
  });
});
