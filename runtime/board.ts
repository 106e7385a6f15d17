import { invariant } from "./abi/invariant.ts";
import { gsiOfIsaIrq, IsaIrq, Mmio, Ports, type GpaRange, type PortRange } from "./board-map.ts";
import type { MsrExtension } from "./cpu/hooks.ts";
import { AcpiPm } from "./devices/acpi-pm.ts";
import { DebugConsole, DebugExit } from "./devices/debug-ports.ts";
import { SILENT, SharedLine, type AccessSize, type GuestMemory, type InterruptLine } from "./devices/device.ts";
import type { MmioDevice, PortDevice, Stateful, Tracer } from "./devices/device.ts";
import { FwCfg } from "./devices/fw-cfg.ts";
import { I8042 } from "./devices/i8042.ts";
import { InterruptRouter } from "./devices/interrupt-router.ts";
import { IoApic } from "./devices/io-apic.ts";
import type { TimeStampCounter } from "./devices/local-apic-timer.ts";
import { LocalApic } from "./devices/local-apic.ts";
import { MmioBus } from "./devices/mmio-bus.ts";
import { PciBus } from "./devices/pci/pci-bus.ts";
import { Pic8259Pair } from "./devices/pic8259.ts";
import { isRefusing, type RefusedStats, sumRefused } from "./devices/refused.ts";
import { Pit8254 } from "./devices/pit8254.ts";
import { DevicePorts } from "./devices/port-bus.ts";
import { Rtc } from "./devices/rtc.ts";
import { SystemPortA } from "./devices/system-port-a.ts";
import { Uart16550, type SerialOutput } from "./devices/uart16550.ts";
import type { Clock } from "./time/clock.ts";
import type { Timers } from "./time/timers.ts";
import type { VirtioConsole } from "./virtio/console.ts";
import { addVirtioDevices, type VirtioOptions } from "./virtio/virtio-devices.ts";

export interface BoardOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly tsc: TimeStampCounter;
  /** the linear memory in which accesses to device memory find their bytes */
  readonly memory: DataView;
  /** guest RAM, for DMA */
  readonly guestMemory: GuestMemory;
  readonly ramBytes: number;
  readonly processors?: number;
  /** what the local APIC timer counts: the processor model's crystalHz */
  readonly crystalHz: number;
  readonly physicalAddressBits: number;
  /** Unix time when the machine is switched on, in nanoseconds */
  readonly unixNsAtStart: bigint;
  readonly serialOutput: SerialOutput;
  readonly debugOutput?: (byte: number) => void;
  /** first of the four ports of isa-debug-exit; none by default */
  readonly debugExitPort?: number;
  readonly onDebugExit?: (status: number) => void;
  readonly onPowerOff: () => void;
  /** the guest asked for a reset of the machine */
  readonly onReset: () => void;
  /** an interrupt waits for the processor, or none does any more: guestState.pendingEvents */
  readonly onInterruptPending: (pending: boolean) => void;
  /** the task priority was written otherwise than through CR8: guestState.cr8, 0..15 */
  readonly onTaskPriority: (priority: number) => void;
  readonly onNmi?: () => void;
  readonly onInit?: () => void;
  readonly onStartup?: (vector: number) => void;
  /** registers of a paravirtual clock and the like, asked after the APIC's own */
  readonly paravirtual?: MsrExtension;
  /** devices on the PCI bus; none by default */
  readonly virtio?: VirtioOptions;
  readonly trace?: Tracer;
}

/** State of every device by its name in the table. */
export type BoardState = Readonly<Record<string, unknown>>;

/** A line of the table: what there is, and where. */
export interface Place {
  /** key of its state in a snapshot */
  readonly name: string;
  readonly device: PortDevice | MmioDevice | Partial<Stateful<unknown>>;
  readonly ports?: readonly PortRange[];
  /** bytes of the widest port access that the device takes; 1 if absent */
  readonly width?: AccessSize;
  readonly mmio?: GpaRange;
}

/**
 * The PC platform: makes the devices and joins them to the buses, the interrupt controllers and the host.
 *
 * Interrupts: an ISA IRQ goes to the PIC input of its number and to the I/O APIC pin of its GSI; the PIC's output goes to LINT0
 * of processor 0. Which of the two a guest listens to is decided by what it masks.
 *
 * The machine loop runs `timers.runDue(clock.nowNs())` between runs of the processor, and delivers `acknowledge()` when
 * `hasInterrupt()` and the processor takes interrupts. Further processors add their local APICs to `router`.
 */
export class Board implements Stateful<BoardState> {
  readonly ports: DevicePorts = new DevicePorts();
  readonly mmio: MmioBus;
  readonly router: InterruptRouter = new InterruptRouter();
  readonly localApic: LocalApic;
  readonly msrs: MsrExtension;
  readonly pci: PciBus;
  readonly serial: Uart16550;
  readonly keyboardController: I8042;
  readonly acpi: AcpiPm;
  readonly rtc: Rtc;
  readonly fwCfg: FwCfg;
  /** if there is one */
  readonly console: VirtioConsole | undefined;
  readonly #places: Place[];
  readonly #pic: Pic8259Pair;
  readonly #ioApic: IoApic;
  /** drivers of each ISA IRQ */
  readonly #irqs = new Map<number, SharedLine>();

  constructor(options: BoardOptions) {
    const { clock, timers, onReset, trace = SILENT } = options;
    this.mmio = new MmioBus(options.memory);
    this.#ioApic = new IoApic(this.router);
    this.localApic = this.#makeLocalApic(options);
    this.#pic = new Pic8259Pair(this.localApic.pin(0));
    this.msrs = msrsOf(this.localApic, options.paravirtual);

    const pit = new Pit8254(clock, timers, this.irq(IsaIrq.TIMER));
    this.rtc = new Rtc(clock, timers, this.irq(IsaIrq.RTC), options);
    this.serial = new Uart16550(this.irq(IsaIrq.SERIAL1), options.serialOutput);
    this.keyboardController = new I8042(this.irq(IsaIrq.KEYBOARD), onReset);
    this.acpi = new AcpiPm(clock, timers, this.irq(IsaIrq.SCI), options.onPowerOff, trace);
    this.fwCfg = new FwCfg(options.guestMemory, { ramBytes: options.ramBytes, processors: options.processors ?? 1 });
    const sendMsi = (address: number, data: number) => this.router.sendMsi(address, data);
    this.pci = new PciBus({ mmio: this.mmio, ports: this.ports, sendMsi }, (irq) => this.irq(irq), onReset);

    const P = Ports;
    // Order: sources of interrupts before their controllers, so that restoring a source cannot disturb a controller's state.
    // prettier-ignore
    this.#places = [
      { name: "pit",      device: pit,                     ports: [P.PIT, P.SYSTEM_B] },
      { name: "rtc",      device: this.rtc,                ports: [P.RTC] },
      { name: "serial1",  device: this.serial,             ports: [P.SERIAL1] },
      { name: "i8042",    device: this.keyboardController, ports: [P.I8042_DATA, P.I8042_COMMAND] },
      { name: "systemA",  device: new SystemPortA(onReset), ports: [P.SYSTEM_A] },
      { name: "acpi",     device: this.acpi,               ports: [P.PM1_EVENT, P.PM1_CONTROL, P.GPE0], width: 2 },
      { name: "acpiTimer", device: portsOnly(this.acpi),   ports: [P.PM_TIMER], width: 4 },
      { name: "fwCfg",    device: this.fwCfg,              ports: [{ first: P.FW_CFG.first, count: 4 }], width: 2 },
      { name: "fwCfgDma", device: portsOnly(this.fwCfg),   ports: [{ first: P.FW_CFG.first + 4, count: 8 }], width: 4 },
      { name: "pci",      device: this.pci,                ports: halves(P.PCI_CONFIG), width: 4 },
      ...debugPlaces(options),
      { name: "ioApic",   device: this.#ioApic,            mmio: Mmio.IO_APIC },
      { name: "pic",      device: this.#pic,               ports: [P.PIC_PRIMARY, P.PIC_SECONDARY, P.ELCR] },
      // It places its own registers, by IA32_APIC_BASE.
      { name: "localApic", device: this.localApic },
    ];
    for (const place of this.#places) this.#connect(place);
    this.console = options.virtio && addVirtioDevices(this, options.guestMemory, options.virtio, trace);
  }

  /** Whether an interrupt waits that the processor is to take when it takes any. */
  hasInterrupt(): boolean {
    return this.localApic.hasInterrupt();
  }

  /** The processor takes the interrupt: its vector. */
  acknowledge(): number {
    return this.localApic.acknowledge();
  }

  /** The interrupt that waits, taken; undefined if none does. */
  pendingInterrupt(): number | undefined {
    return this.hasInterrupt() ? this.acknowledge() : undefined;
  }

  /** CR8 was written. */
  setTaskPriority(priority: number): void {
    this.localApic.setTaskPriority(priority);
  }

  /**
   * Adds a device that is not part of the platform: its ports and memory are claimed, and its state goes into snapshots.
   * PCI functions go on `pci`; what they have beyond configuration registers is added here.
   */
  add(place: Place): void {
    invariant(!this.#places.some(({ name }) => name === place.name), `two devices are named ${place.name}`);
    this.#connect(place);
    // In front, because interrupt controllers come last.
    this.#places.unshift(place);
  }

  /** What the devices have refused the guest so far. */
  refused(): RefusedStats {
    const devices = this.#places.flatMap(({ device }) => (isRefusing(device) ? [device.refused] : []));
    return sumRefused([...devices, { ports: this.ports.unclaimed, mmio: this.mmio.unclaimed }]);
  }

  /** A new driver of an ISA IRQ. An IRQ is asserted while any of its drivers asserts it. */
  irq(number: number): InterruptLine {
    let shared = this.#irqs.get(number);
    if (!shared) {
      const pin = this.#ioApic.line(gsiOfIsaIrq(number));
      shared = new SharedLine({
        set: (level) => {
          this.#pic.line(number).set(level);
          pin.set(level);
        },
      });
      this.#irqs.set(number, shared);
    }
    return shared.driver();
  }

  #makeLocalApic(options: BoardOptions): LocalApic {
    let release: (() => void) | undefined;
    const apic: LocalApic = new LocalApic({
      ...options,
      router: this.router,
      id: 0,
      timerHz: options.crystalHz,
      host: {
        interruptPending: options.onInterruptPending,
        taskPriorityChanged: options.onTaskPriority,
        mapRegisters: (gpa) => {
          release?.();
          const range = gpa === undefined ? undefined : { first: gpa, bytes: Mmio.LOCAL_APIC.bytes };
          release =
            range &&
            this.mmio.claim(
              range,
              registersOf(() => apic),
            );
        },
        acknowledgeExternal: () => this.#pic.acknowledge(),
        endOfInterrupt: (vector) => this.#ioApic.endOfInterrupt(vector),
        nmi: () => options.onNmi?.(),
        init: () => options.onInit?.(),
        startup: (vector) => options.onStartup?.(vector),
      },
    });
    return apic;
  }

  #connect({ device, ports = [], width, mmio }: Place): void {
    if ("readPort" in device) for (const range of ports) this.ports.claim(range, device, width);
    if (mmio && "readMmio" in device) this.mmio.claim(mmio, device);
  }

  save(): BoardState {
    const state: Record<string, unknown> = { irqs: [...this.#irqs].map(([number, line]) => [number, line.save()]) };
    for (const { name, device } of this.#places) if (isStateful(device)) state[name] = device.save();
    return state;
  }

  /** For a board made with the same options and the same PCI functions. */
  restore(state: BoardState): void {
    for (const [number, levels] of (state["irqs"] ?? []) as [number, boolean[]][])
      this.#irqs.get(number)?.restore(levels);
    for (const { name, device } of this.#places) if (isStateful(device) && name in state) device.restore(state[name]);
  }
}

function isStateful(device: object): device is Stateful<unknown> {
  return "save" in device && "restore" in device;
}

/** A second set of ports of a device, with another width; its state is saved with the first. */
function portsOnly(device: PortDevice): PortDevice {
  return {
    readPort: (port, size) => device.readPort(port, size),
    writePort: (port, size, value) => device.writePort(port, size, value),
  };
}

/** The constructor of a local APIC places its registers before there is a device to name. */
function registersOf(device: () => MmioDevice): MmioDevice {
  return {
    readMmio: (offset, size) => device().readMmio(offset, size),
    writeMmio: (offset, size, value) => device().writeMmio(offset, size, value),
  };
}

/** Address and data register of the PCI configuration mechanism: an access over their border is two. */
function halves({ first, count }: PortRange): readonly PortRange[] {
  return [
    { first, count: count / 2 },
    { first: first + count / 2, count: count / 2 },
  ];
}

function debugPlaces({ debugOutput, debugExitPort, onDebugExit }: BoardOptions): readonly Place[] {
  const places: Place[] = [];
  if (debugOutput) {
    const ranges = [Ports.DEBUG_CONSOLE, Ports.FIRMWARE_DEBUG_CONSOLE];
    places.push({ name: "debugConsole", device: new DebugConsole(debugOutput), ports: ranges });
  }
  if (debugExitPort !== undefined) {
    const device = new DebugExit((status) => onDebugExit?.(status));
    places.push({ name: "debugExit", device, ports: [{ first: debugExitPort, count: 4 }], width: 4 });
  }
  return places;
}

function msrsOf(apic: LocalApic, paravirtual: MsrExtension | undefined): MsrExtension {
  return {
    read: (msr) => apic.readMsr(msr) ?? paravirtual?.read(msr),
    write: (msr, value) => apic.writeMsr(msr, value) ?? paravirtual?.write(msr, value),
    tscMoved: () => paravirtual?.tscMoved?.(),
  };
}
