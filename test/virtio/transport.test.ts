import { describe, expect, it } from "vitest";
import { Common, NO_VECTOR, Structure, StructureType } from "../../runtime/virtio/pci-registers.ts";
import { DeviceStatus, Feature } from "../../runtime/virtio/virtio-device.ts";
import { BUFFERS, echoDevice, Rig, type DriverOptions } from "./support.ts";

const { ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK } = DeviceStatus;

/** Capabilities of the vendor's kind: offset in configuration space by type. */
function structures(rig: Rig): Map<number, number> {
  const found = new Map<number, number>();
  for (let at = rig.readConfig(0x34, 1); at !== 0; at = rig.readConfig(at + 1, 1))
    if (rig.readConfig(at, 1) === 0x09) found.set(rig.readConfig(at + 3, 1), at);
  return found;
}

/** A chain through queue 0 of the echo device. */
function echo(rig: Rig): void {
  rig.queue().send(rig.queue().chain([], [[BUFFERS, 1]]));
}

describe("VirtioPci", () => {
  it("is a modern virtio device with a capability for each structure", () => {
    const rig = new Rig(echoDevice());
    expect([rig.readConfig(0, 2), rig.readConfig(2, 2), rig.readConfig(8, 1)]).toEqual([0x1af4, 0x1040 + 42, 1]);
    expect(rig.readConfig(0x2e, 2)).toBeGreaterThanOrEqual(0x40);
    const found = structures(rig);
    const { COMMON, NOTIFY, ISR, DEVICE } = Structure;
    const expected: [number, { first: number; bytes: number }][] = [
      [StructureType.COMMON, COMMON],
      [StructureType.NOTIFY, NOTIFY],
      [StructureType.ISR, ISR],
      [StructureType.DEVICE, DEVICE],
    ];
    for (const [type, { first, bytes }] of expected) {
      const at = found.get(type) ?? 0;
      const length = type === StructureType.NOTIFY ? 20 : 16;
      expect([rig.readConfig(at + 2, 1), rig.readConfig(at + 4, 1)]).toEqual([length, 0]);
      expect([rig.readConfig(at + 8, 4), rig.readConfig(at + 12, 4)]).toEqual([first, bytes]);
    }
    expect(rig.readConfig((found.get(StructureType.NOTIFY) ?? 0) + 16, 4)).toBe(4);
    expect(rig.readConfig((found.get(StructureType.PCI) ?? 0) + 2, 1)).toBe(20);
  });

  it("agrees on features that it offers, with VERSION_1 among them", () => {
    const rig = new Rig(echoDevice());
    expect(rig.offered).toBe(0b101n | Feature.INDIRECT_DESC | Feature.EVENT_IDX | Feature.VERSION_1);
    expect(rig.acceptFeatures(0b101n)).toBe(false);
    expect(rig.acceptFeatures(Feature.VERSION_1 | 0b10n)).toBe(false);
    expect(rig.acceptFeatures(Feature.VERSION_1 | (1n << 40n))).toBe(false);
    expect(rig.acceptFeatures(Feature.VERSION_1 | 0b100n)).toBe(true);
    expect(rig.transport.features).toBe(Feature.VERSION_1 | 0b100n);
    // From here on the choice stands.
    rig.write(Common.DRIVER_FEATURE_SELECT, 4, 0);
    rig.write(Common.DRIVER_FEATURE, 4, 0b001);
    expect(rig.transport.features).toBe(Feature.VERSION_1 | 0b100n);
    rig.write(Common.DEVICE_FEATURE_SELECT, 4, 2);
    expect(rig.read(Common.DEVICE_FEATURE, 4)).toBe(0);
  });

  it("sets status bits and clears none, except by a reset of everything", () => {
    const device = echoDevice();
    const rig = new Rig(device).start();
    const all = ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK;
    expect([rig.status, device.starts()]).toEqual([all, 1]);
    rig.status = ACKNOWLEDGE;
    expect(rig.status).toBe(all);
    rig.status = 64;
    expect(rig.needsReset).toBe(false);
    rig.status = 0;
    rig.write(Common.QUEUE_SELECT, 2, 0);
    expect([rig.status, rig.read(Common.QUEUE_ENABLE, 2), rig.read(Common.QUEUE_SIZE, 2)]).toEqual([0, 0, 256]);
    expect(rig.read(Common.QUEUE_MSIX_VECTOR, 2)).toBe(NO_VECTOR);
    expect([rig.read(Common.QUEUE_DESC, 4), rig.transport.features]).toEqual([0, 0n]);
  });

  it("describes its queues, and none beyond them", () => {
    const rig = new Rig(echoDevice([64, 16]));
    expect(rig.read(Common.NUM_QUEUES, 2)).toBe(2);
    const sizes = [0, 1, 2, 0xffff].map((queue) => {
      rig.write(Common.QUEUE_SELECT, 2, queue);
      return [rig.read(Common.QUEUE_SELECT, 2), rig.read(Common.QUEUE_SIZE, 2), rig.read(Common.QUEUE_NOTIFY_OFF, 2)];
    });
    expect(sizes).toEqual([
      [0, 64, 0],
      [1, 16, 1],
      [2, 0, 0],
      [0xffff, 0, 0],
    ]);
    rig.write(Common.QUEUE_SELECT, 2, 1);
    for (const size of [0, 3, 32, 8]) rig.write(Common.QUEUE_SIZE, 2, size);
    expect(rig.read(Common.QUEUE_SIZE, 2)).toBe(8);
    rig.write(Common.QUEUE_DEVICE, 4, 0x1234_5678);
    rig.write(Common.QUEUE_DEVICE + 4, 4, 0x9abc);
    expect([rig.read(Common.QUEUE_DEVICE, 4), rig.read(Common.QUEUE_DEVICE + 4, 4)]).toEqual([0x1234_5678, 0x9abc]);
  });

  it("takes registers whole only, and shows device configuration in any width", () => {
    const rig = new Rig(echoDevice());
    rig.write(Common.DEVICE_STATUS, 4, 1);
    rig.write(Common.QUEUE_SELECT, 1, 1);
    rig.write(Structure.DEVICE.first, 4, 0xffff_ffff);
    expect([rig.status, rig.read(Common.QUEUE_SELECT, 2), rig.traced.length]).toEqual([0, 0, 3]);
    const { first } = Structure.DEVICE;
    expect([rig.read(first, 4), rig.read(first + 2, 2), rig.read(first + 4, 4), rig.read(first + 0xffc, 4)]).toEqual([
      0x0403_0201, 0x0403, 5, 0,
    ]);
  });

  it("interrupts by MSI-X, each queue with its own vector", () => {
    const rig = new Rig(echoDevice([16, 16])).start();
    for (const index of [1, 0]) rig.queue(index).send(rig.queue(index).chain([], [[BUFFERS, 1]]));
    expect(rig.messages).toEqual([rig.message(1), rig.message(0)]);
    expect([rig.line.rises, rig.read(Structure.ISR.first, 1)]).toEqual([0, 0]);
    rig.write(Common.QUEUE_SELECT, 2, 0);
    rig.write(Common.QUEUE_MSIX_VECTOR, 2, 3); // there are three: 0 to 2
    expect(rig.read(Common.QUEUE_MSIX_VECTOR, 2)).toBe(NO_VECTOR);
    echo(rig);
    expect(rig.messages).toHaveLength(2);
  });

  it("interrupts by INTA# without MSI-X, until the ISR status is read", () => {
    const rig = new Rig(echoDevice()).start({ msix: false });
    echo(rig);
    echo(rig);
    expect([rig.line.level, rig.line.rises]).toEqual([true, 1]);
    expect([rig.read(Structure.ISR.first, 1), rig.line.level, rig.read(Structure.ISR.first, 1)]).toEqual([1, false, 0]);
    rig.transport.configurationChanged();
    expect([rig.line.level, rig.read(Structure.ISR.first, 1)]).toEqual([true, 2]);
    expect(rig.read(Common.CONFIG_GENERATION, 1)).toBe(1);
  });

  it("does nothing before DRIVER_OK, nor without bus mastering, nor for a queue that there is not", () => {
    const rig = new Rig(echoDevice()).start();
    rig.status = 0;
    rig.acceptFeatures(Feature.VERSION_1);
    rig.setUpQueue(0);
    echo(rig);
    expect(rig.queue().usedIndex).toBe(0);
    rig.status = ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK;
    rig.writeConfig(0x04, 2, 2);
    rig.queue().notify();
    expect(rig.queue().usedIndex).toBe(0);
    rig.writeConfig(0x04, 2, 6);
    for (const offset of [4, 2, 0xffc]) rig.write(Structure.NOTIFY.first + offset, 2, 0);
    expect(rig.queue().usedIndex).toBe(0);
    rig.queue().notify();
    expect(rig.queue().usedIndex).toBe(1);
  });

  it("lets configuration space reach the BAR", () => {
    const rig = new Rig(echoDevice());
    const at = structures(rig).get(StructureType.PCI) ?? 0;
    const access = (offset: number, byteLength: number, bar = 0): void => {
      rig.writeConfig(at + 4, 1, bar);
      rig.writeConfig(at + 8, 4, offset);
      rig.writeConfig(at + 12, 4, byteLength);
    };
    access(Common.DEVICE_STATUS, 1);
    rig.writeConfig(at + 16, 1, ACKNOWLEDGE);
    expect([rig.status, rig.readConfig(at + 16, 1)]).toEqual([ACKNOWLEDGE, ACKNOWLEDGE]);
    access(Structure.DEVICE.first, 4);
    expect(rig.readConfig(at + 16, 4)).toBe(0x0403_0201);
    for (const [offset, byteLength, bar] of [
      [Common.DEVICE_STATUS, 3, 0],
      [Common.DEVICE_STATUS, 1, 1],
      [0xffff_fffc, 4, 0],
      [0x4000, 4, 0],
      [1, 2, 0],
    ] as const) {
      access(offset, byteLength, bar);
      rig.writeConfig(at + 16, 4, 0xff);
      rig.readConfig(at + 16, 4);
      expect(rig.status).toBe(ACKNOWLEDGE);
    }
  });

  for (const [name, options] of Object.entries({
    "MSI-X": {},
    "INTA#": { msix: false },
    "event indexes": { features: Feature.EVENT_IDX },
  } satisfies Record<string, DriverOptions>)) {
    it(`goes on after a restore: ${name}`, () => {
      const before = new Rig(echoDevice()).start(options);
      echo(before);
      before.queue().publish(before.queue().chain([], [[BUFFERS, 3]]));
      before.queue().setUsedEvent(1);
      const after = new Rig(echoDevice());
      after.memory.bytes.set(before.memory.bytes);
      after.transport.restore(structuredClone(before.transport.save()));
      after.pci.restore(structuredClone(before.pci.save()));
      expect(after.transport.save()).toEqual(before.transport.save());
      expect([after.status, after.line.level]).toEqual([before.status, before.line.level]);
      for (const rig of [before, after]) rig.write(Structure.NOTIFY.first, 2, 0);
      expect(after.memory.bytes).toEqual(before.memory.bytes);
      expect(after.messages).toEqual(before.messages.slice(1));
      expect(before.queue().usedIndex).toBe(2);
    });
  }
});
