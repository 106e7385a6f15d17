/** The time registers of the MC146818A: what they hold for a time, and the time that they hold. Data sheet, table 3. */

const Reg = {
  Seconds: 0x00,
  Minutes: 0x02,
  Hours: 0x04,
  Weekday: 0x06,
  Day: 0x07,
  Month: 0x08,
  Year: 0x09,
  Century: 0x32,
} as const;

/** Registers that show the time. */
export const TimeField: ReadonlySet<number> = new Set(Object.values(Reg));

export interface TimeFormat {
  /** else BCD */
  readonly binary: boolean;
  /** else 1..12 with bit 7 for the afternoon */
  readonly hours24: boolean;
}

const AFTERNOON = 0x80;

function encode(value: number, binary: boolean): number {
  return binary ? value : (Math.floor(value / 10) << 4) | (value % 10);
}

function decode(value: number, binary: boolean): number {
  return binary ? value : (value >> 4) * 10 + (value & 15);
}

function encodeHour(hour: number, { binary, hours24 }: TimeFormat): number {
  if (hours24) return encode(hour, binary);
  return encode(hour % 12 || 12, binary) | (hour >= 12 ? AFTERNOON : 0);
}

function decodeHour(value: number, { binary, hours24 }: TimeFormat): number {
  if (hours24) return decode(value, binary);
  return (decode(value & ~AFTERNOON, binary) % 12) + (value & AFTERNOON ? 12 : 0);
}

/** Seconds, minutes and hours of a Unix time, as the registers show them. */
export function timeOfDay(unixSeconds: number, format: TimeFormat): readonly [number, number, number] {
  const { binary } = format;
  const second = ((unixSeconds % 86_400) + 86_400) % 86_400;
  return [
    encode(second % 60, binary),
    encode(Math.floor(second / 60) % 60, binary),
    encodeHour(Math.floor(second / 3600), format),
  ];
}

/** Writes a Unix time into the registers. */
export function encodeTime(registers: Uint8Array, unixSeconds: number, format: TimeFormat): void {
  const { binary } = format;
  const date = new Date(unixSeconds * 1000);
  const [seconds, minutes, hours] = timeOfDay(unixSeconds, format);
  registers[Reg.Seconds] = seconds;
  registers[Reg.Minutes] = minutes;
  registers[Reg.Hours] = hours;
  registers[Reg.Weekday] = date.getUTCDay() + 1;
  registers[Reg.Day] = encode(date.getUTCDate(), binary);
  registers[Reg.Month] = encode(date.getUTCMonth() + 1, binary);
  registers[Reg.Year] = encode(date.getUTCFullYear() % 100, binary);
  registers[Reg.Century] = encode(Math.floor(date.getUTCFullYear() / 100), binary);
}

/** The Unix time that the registers hold; fields out of range carry over, as a calendar does. undefined if that is no date. */
export function decodeTime(registers: Uint8Array, format: TimeFormat): number | undefined {
  const field = (register: number) => decode(registers[register] ?? 0, format.binary);
  const ms = Date.UTC(
    field(Reg.Century) * 100 + field(Reg.Year),
    field(Reg.Month) - 1,
    field(Reg.Day),
    decodeHour(registers[Reg.Hours] ?? 0, format),
    field(Reg.Minutes),
    field(Reg.Seconds),
  );
  return Number.isNaN(ms) ? undefined : Math.floor(ms / 1000);
}
