/** Physical destination of every processor, of 8 bits and of 32. */
function isBroadcast(destination: number, logical: boolean): boolean {
  return destination === 0xffff_ffff || (!logical && destination === 0xff);
}

/** Logical ID in x2APIC mode: cluster in the high half, one bit in the low half; SDM Vol. 3A, 11.12.10.2. */
export function x2apicLogicalId(id: number): number {
  return (((id >> 4) << 16) | (1 << (id & 15))) >>> 0;
}

/** Whether a message is for a processor in x2APIC mode; SDM Vol. 3A, 11.12.10. */
export function matchesX2apic(id: number, destination: number, logical: boolean): boolean {
  if (isBroadcast(destination, logical)) return true;
  if (!logical) return destination === id;
  const own = x2apicLogicalId(id);
  return destination >>> 16 === own >>> 16 && (destination & own & 0xffff) !== 0;
}

/** Whether a message is for a processor with these xAPIC registers; SDM Vol. 3A, 11.6.2. */
export function matchesXapic(
  id: number,
  logicalRegister: number,
  formatRegister: number,
  destination: number,
  logical: boolean,
): boolean {
  if (isBroadcast(destination, logical)) return true;
  if (!logical) return destination === id;
  const own = logicalRegister >>> 24;
  // The flat model; else clusters of four.
  if (formatRegister >>> 28 === 15) return (destination & own) !== 0;
  const cluster = (destination >> 4) & 15;
  return (cluster === 15 || cluster === own >> 4) && (destination & own & 15) !== 0;
}
