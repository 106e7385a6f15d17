import { generalProtection, type Fault } from "../cpu/fault.ts";
import type { MsrExtension } from "../cpu/hooks.ts";
import type { Clock } from "../time/clock.ts";
import type { GuestMemory, Stateful } from "./device.ts";
import type { RefusedStats, Refusing } from "./refused.ts";
import type { TimeStampCounter } from "./local-apic-timer.ts";

/** Model-specific registers; Linux, Documentation/virt/kvm/x86/msr.rst. */
const Msr = { WALL_CLOCK: 0x4b56_4d00, SYSTEM_TIME: 0x4b56_4d01 } as const;

/** Offsets in the structure of the system time, pvclock_vcpu_time_info. */
const SystemTime = {
  BYTES: 32,
  VERSION: 0,
  TSC_TIMESTAMP: 8,
  SYSTEM_TIME: 16,
  TSC_TO_SYSTEM_MUL: 24,
  TSC_SHIFT: 28,
  FLAGS: 29,
} as const;
/** Offsets in the structure of the wall clock, pvclock_wall_clock. */
const WallClock = { BYTES: 12, VERSION: 0, SECONDS: 4, NANOSECONDS: 8 } as const;

/** All processors see the same relation of TSC and time. */
const STABLE = 1;
const ENABLE = 1n;
const NS_PER_SECOND = 1_000_000_000n;

export interface KvmClockOptions {
  readonly clock: Clock;
  readonly tsc: TimeStampCounter;
  readonly guestMemory: GuestMemory;
  /** Unix time when guest time was 0, in nanoseconds */
  readonly unixNsAtStart: bigint;
}

export interface KvmClockState {
  readonly systemTime: bigint;
  readonly wallClock: bigint;
}

/**
 * KVM's paravirtual clock, as one processor sees it: a structure in guest memory says what time it was at some value of the TSC, and
 * how fast the TSC counts. The guest computes the time from it without leaving its own code.
 *
 * Guest time and TSC come from one clock here, so the structure stays true while the guest leaves its TSC alone. It is written when
 * the guest asks for it and when the TSC is moved.
 */
export class KvmClock implements MsrExtension, Refusing, Stateful<KvmClockState> {
  readonly #clock: Clock;
  readonly #tsc: TimeStampCounter;
  readonly #memory: GuestMemory;
  readonly #unixNsAtStart: bigint;
  readonly #scale: TscScale;
  #refusedTransfers = 0;
  #systemTime = 0n;
  #wallClock = 0n;

  constructor({ clock, tsc, guestMemory, unixNsAtStart }: KvmClockOptions) {
    this.#clock = clock;
    this.#tsc = tsc;
    this.#memory = guestMemory;
    this.#unixNsAtStart = unixNsAtStart;
    this.#scale = scaleOf(tsc.hz);
  }

  get refused(): Partial<RefusedStats> {
    return { transfers: this.#refusedTransfers };
  }

  read(msr: number): bigint | undefined {
    if (msr === Msr.SYSTEM_TIME) return this.#systemTime;
    return msr === Msr.WALL_CLOCK ? this.#wallClock : undefined;
  }

  /** The structures lie at multiples of 4, within RAM; what is asked for elsewhere is not written. */
  write(msr: number, value: bigint): "done" | Fault | undefined {
    if (msr === Msr.SYSTEM_TIME) {
      if (value & 2n) return generalProtection();
      this.#systemTime = value;
      this.#publish();
      return "done";
    }
    if (msr !== Msr.WALL_CLOCK) return undefined;
    if (value & 3n) return generalProtection();
    this.#wallClock = value;
    this.#publishWallClock();
    return "done";
  }

  /** The guest has written its TSC. */
  tscMoved(): void {
    this.#publish();
  }

  #publish(): void {
    if (!(this.#systemTime & ENABLE)) return;
    this.#edit(this.#systemTime & ~ENABLE, SystemTime.BYTES, (view) => {
      view.setBigUint64(SystemTime.TSC_TIMESTAMP, BigInt.asUintN(64, this.#tsc.read()), true);
      view.setBigUint64(SystemTime.SYSTEM_TIME, this.#clock.nowNs(), true);
      view.setUint32(SystemTime.TSC_TO_SYSTEM_MUL, this.#scale.multiplier, true);
      view.setInt8(SystemTime.TSC_SHIFT, this.#scale.shift);
      view.setUint8(SystemTime.FLAGS, STABLE);
    });
  }

  #publishWallClock(): void {
    this.#edit(this.#wallClock, WallClock.BYTES, (view) => {
      view.setUint32(WallClock.SECONDS, Number(BigInt.asUintN(32, this.#unixNsAtStart / NS_PER_SECOND)), true);
      view.setUint32(WallClock.NANOSECONDS, Number(this.#unixNsAtStart % NS_PER_SECOND), true);
    });
  }

  /** Fills a structure; its version is even whenever the guest runs, and another than before. Both structures begin with it. */
  #edit(at: bigint, byteLength: number, fill: (view: DataView) => void): void {
    const gpa = Number(at);
    const bytes = this.#memory.slice(gpa, byteLength);
    if (!bytes) {
      this.#refusedTransfers++;
      return;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, byteLength);
    const version = view.getUint32(SystemTime.VERSION, true);
    fill(view);
    view.setUint32(SystemTime.VERSION, ((version & ~1) + 2) >>> 0, true);
    this.#memory.written(gpa, byteLength);
  }

  save(): KvmClockState {
    return { systemTime: this.#systemTime, wallClock: this.#wallClock };
  }

  /** Memory is restored with what stood in it, and clock and TSC go on together: nothing has to be written. */
  restore({ systemTime, wallClock }: KvmClockState): void {
    this.#systemTime = systemTime;
    this.#wallClock = wallClock;
  }
}

/** ns = ((ticks shifted left by `shift`) * multiplier) >> 32; a negative shift goes right. */
interface TscScale {
  readonly multiplier: number;
  readonly shift: number;
}

/** The most exact scale: a multiplier with its top bit set. */
function scaleOf(hz: number): TscScale {
  const multiplierAt = (shift: number): bigint => {
    const [numerator, denominator] = [NS_PER_SECOND << 32n, BigInt(hz)];
    return shift >= 0 ? numerator / (denominator << BigInt(shift)) : (numerator << BigInt(-shift)) / denominator;
  };
  let shift = 0;
  while (multiplierAt(shift) >= 1n << 32n) shift++;
  while (multiplierAt(shift) < 1n << 31n) shift--;
  return { multiplier: Number(multiplierAt(shift)), shift };
}
