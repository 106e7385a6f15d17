/**
 * Registers of virtio over PCI; VIRTIO 1.2, 4.1.4.
 */

/** Offsets in the common configuration structure; 4.1.4.3. */
export const Common = {
  DEVICE_FEATURE_SELECT: 0x00,
  DEVICE_FEATURE: 0x04,
  DRIVER_FEATURE_SELECT: 0x08,
  DRIVER_FEATURE: 0x0c,
  CONFIG_MSIX_VECTOR: 0x10,
  NUM_QUEUES: 0x12,
  DEVICE_STATUS: 0x14,
  CONFIG_GENERATION: 0x15,
  QUEUE_SELECT: 0x16,
  QUEUE_SIZE: 0x18,
  QUEUE_MSIX_VECTOR: 0x1a,
  QUEUE_ENABLE: 0x1c,
  QUEUE_NOTIFY_OFF: 0x1e,
  QUEUE_DESC: 0x20,
  QUEUE_DRIVER: 0x28,
  QUEUE_DEVICE: 0x30,
  BYTES: 0x38,
} as const;

/** Types of configuration structures; 4.1.4. */
export const StructureType = { COMMON: 1, NOTIFY: 2, ISR: 3, DEVICE: 4, PCI: 5 } as const;

/** Bits of the ISR status; 4.1.4.5. */
export const Isr = { QUEUE: 1, CONFIGURATION: 2 } as const;

/** "No vector": also what a vector reads as that the device does not have. */
export const NO_VECTOR = 0xffff;

/** Where the structures are in the base address register: a page each. */
export const Structure = {
  COMMON: { first: 0x0000, bytes: Common.BYTES },
  ISR: { first: 0x1000, bytes: 1 },
  DEVICE: { first: 0x2000, bytes: 0x1000 },
  NOTIFY: { first: 0x3000, bytes: 0x1000 },
} as const;
export const STRUCTURE_BAR = { index: 0, bytes: 0x4000 } as const;
export const MSIX_BAR = 1;
/** Bytes between the notification addresses of two queues. */
export const NOTIFY_MULTIPLIER = 4;

/** Content of a capability behind ID and next pointer: length, type, BAR, id, padding, offset, length; then what the type adds. */
export function structureCapability(
  type: number,
  { first, bytes }: { readonly first: number; readonly bytes: number },
  extraBytes = 0,
): DataView {
  const content = new DataView(new ArrayBuffer(CAPABILITY_BYTES - 2 + extraBytes));
  content.setUint8(0, CAPABILITY_BYTES + extraBytes);
  content.setUint8(1, type);
  content.setUint8(2, STRUCTURE_BAR.index);
  content.setUint32(6, first, true);
  content.setUint32(10, bytes, true);
  return content;
}

/** Bytes of struct virtio_pci_cap; what a type adds comes behind. */
export const CAPABILITY_BYTES = 16;
