import { describe, expect, it } from "vitest";
import { Uart16550 } from "../../runtime/devices/uart16550.ts";
import { RecordedLine } from "./support.ts";

const BASE = 0x3f8;
const RTS = 0x02;

function make(accepts: () => boolean = () => true) {
  const line = new RecordedLine();
  const sent: number[] = [];
  const uart = new Uart16550(line, {
    write: (byte) => {
      sent.push(byte);
      return accepts();
    },
  });
  const read = (register: number) => uart.readPort(BASE + register, 1);
  const write = (register: number, value: number) => uart.writePort(BASE + register, 1, value);
  return { uart, line, sent, read, write };
}

const text = (string: string) => new TextEncoder().encode(string);

describe("Uart16550", () => {
  it("has the registers of the data sheet after reset (table I)", () => {
    const { read } = make();
    expect([1, 2, 3, 4, 5].map(read)).toEqual([0, 0x01, 0, 0, 0x60]);
  });

  it("sends, and is ready for more at once", () => {
    const { sent, write, read } = make();
    for (const byte of text("hi")) write(0, byte);
    expect(sent).toEqual([...text("hi")]);
    expect(read(5) & 0x60).toBe(0x60);
  });

  it("keeps what the host cannot take, and tells the guest so", () => {
    let free = false;
    const { uart, sent, write, read, line } = make(() => free);
    write(2, 0x01);
    write(0, 0x41);
    write(1, 0x02);
    expect(sent).toEqual([0x41]);
    read(2);
    for (let byte = 0; byte < 20; byte++) write(0, byte);
    expect(read(5) & 0x60).toBe(0);
    expect(line.level).toBe(false);
    free = true;
    uart.outputReady();
    // Sixteen bytes fit; the others were lost, as the line status had warned.
    expect(sent).toEqual([0x41, ...Array.from({ length: 16 }, (_, index) => index)]);
    expect(line.level).toBe(true);
    expect(read(2)).toBe(0xc2);
  });

  it("switches to the divisor latch with DLAB", () => {
    const { write, read, sent } = make();
    write(3, 0x83);
    write(0, 0x01);
    write(1, 0x02);
    expect([read(0), read(1)]).toEqual([0x01, 0x02]);
    write(3, 0x03);
    expect(read(1)).toBe(0);
    expect(sent).toEqual([]);
  });

  it("keeps the scratch register", () => {
    const { write, read } = make();
    write(7, 0xa5);
    expect(read(7)).toBe(0xa5);
  });

  it("loses no input: it waits until the FIFO has room", () => {
    const { uart, read, write } = make();
    write(2, 0x01);
    write(4, RTS);
    uart.input(Array.from({ length: 40 }, (_, index) => index));
    expect(uart.inputBacklog).toBe(24);
    const got: number[] = [];
    while (read(5) & 1) got.push(read(0));
    expect(got).toEqual(Array.from({ length: 40 }, (_, index) => index));
  });

  it("identifies interrupts by priority, and clears each by its own access (table IV)", () => {
    const { uart, line, read, write } = make();
    write(2, 0x81); // FIFO, trigger at 8
    write(1, 0x0f);
    expect(line.level).toBe(true); // the transmitter is empty
    uart.inputBreak();
    uart.input(Array.from({ length: 8 }, () => 0x20));
    expect(read(2)).toBe(0xc6);
    expect(read(5) & 0x91).toBe(0x91);
    expect(read(2)).toBe(0xc4);
    for (let count = 0; count < 2; count++) read(0);
    expect(read(2)).toBe(0xcc); // below the trigger level: timeout
    while (read(5) & 1) read(0);
    expect(read(2)).toBe(0xc2);
    expect(read(2)).toBe(0xc1);
    expect(line.level).toBe(false);
  });

  it("gives an edge for each transmitter-empty interrupt", () => {
    const { line, read, write } = make();
    write(1, 0x02);
    expect(line.rises).toBe(1);
    expect(read(2)).toBe(0x02);
    write(0, 0x41);
    expect(line.rises).toBe(2);
    write(1, 0x00);
    expect(line.level).toBe(false);
  });

  it("does not clear a transmitter interrupt by reading IIR for another", () => {
    const { uart, read, write } = make();
    write(1, 0x03);
    uart.input([0x31]);
    expect(read(2)).toBe(0x04);
    read(0);
    expect(read(2)).toBe(0x02);
  });

  it("interrupts as soon as input comes, and is quiet when it is read", () => {
    const { uart, line, read, write } = make();
    write(1, 0x05);
    uart.input([0x41]);
    expect(line.level).toBe(true);
    read(0);
    expect(line.level).toBe(false);
    uart.inputBreak();
    read(0);
    expect(line.level).toBe(false);
  });

  it("drops the line status interrupt when the line status is read", () => {
    const { uart, line, read, write } = make();
    write(1, 0x04);
    write(4, RTS);
    uart.inputBreak();
    expect(line.level).toBe(true);
    expect(read(5) & 0x11).toBe(0x11);
    expect(line.level).toBe(false);
  });

  it("is not empty again before the host took what was sent", () => {
    let free = false;
    const { line, read, write } = make(() => free);
    write(0, 0x41);
    write(1, 0x02);
    expect(line.level).toBe(true);
    write(0, 0x42);
    expect([line.level, read(2), read(5) & 0x20]).toEqual([false, 0x01, 0]);
    free = true;
  });

  it("is empty at once in loopback", () => {
    const { line, read, write } = make();
    write(4, 0x10);
    write(1, 0x02);
    read(2);
    write(0, 0x41);
    expect(line.level).toBe(true);
  });

  it("loops back data and modem lines", () => {
    const { sent, uart, read, write } = make();
    read(6);
    write(4, 0x1a); // loopback, RTS, OUT2: the probe of Linux
    expect(read(6) & 0xf0).toBe(0x90);
    write(0, 0x55);
    uart.input([0x77]);
    expect(read(5) & 1).toBe(1);
    expect(read(0)).toBe(0x55);
    expect(sent).toEqual([]);
    write(4, 0x0b);
    expect(read(6) & 0xf0).toBe(0xb0);
    expect(read(0)).toBe(0x77);
  });

  it("notes modem changes until they are read", () => {
    const { line, read, write } = make();
    write(1, 0x08);
    write(4, 0x10);
    expect(line.level).toBe(true);
    expect(read(2)).toBe(0x00);
    expect(read(6)).toBe(0x0b); // CTS, DSR, DCD went away
    expect(line.level).toBe(false);
    write(4, 0x14); // OUT1 is RI
    write(4, 0x10);
    expect(read(6)).toBe(0x04); // the trailing edge of RI
  });

  it("overruns in loopback, where nothing waits", () => {
    const { read, write } = make();
    write(4, 0x10);
    write(0, 1);
    write(0, 2);
    expect(read(5) & 0x03).toBe(0x03);
    expect(read(5) & 0x02).toBe(0);
    expect(read(0)).toBe(2);
  });

  it("clears FIFOs on command, and when they are switched", () => {
    const { uart, read, write } = make();
    write(4, RTS);
    write(2, 0x01);
    uart.input([1, 2, 3]);
    write(2, 0x03);
    expect(read(5) & 1).toBe(0);
    uart.input([4, 5]);
    write(2, 0x00);
    expect(read(5) & 1).toBe(0);
    expect(read(2)).toBe(0x01);
  });

  it("gets no input before the guest asserts RTS, whatever is read and cleared until then", () => {
    const { uart, line, read, write } = make();
    uart.input(text("early"));
    expect([read(5) & 1, read(0)]).toEqual([0, 0]);
    // How Linux looks for the chip, and sets it up: FIFO on and off, cleared, data read, interrupts, and at last RTS.
    for (const value of [0x01, 0x07, 0x00]) write(2, value);
    read(0);
    write(1, 0x05);
    expect(read(5) & 1).toBe(1); // one byte for a driver that has no RTS
    write(2, 0x81); // and it is not lost when the FIFO is switched on
    write(4, 0x0b);
    expect(line.level).toBe(true);
    const got: number[] = [];
    while (read(5) & 1) got.push(read(0));
    expect(got).toEqual([...text("early")]);
    // Now that the guest has asked for it, what it clears is gone.
    uart.input([1, 2, 3]);
    write(2, 0x83);
    expect(read(5) & 1).toBe(0);
    // A guest that takes RTS back stops the host.
    write(1, 0);
    write(4, 0x09);
    uart.input([4]);
    expect([read(5) & 1, uart.inputBacklog]).toEqual([0, 1]);
  });

  it("gives input to a bare guest that polls, and knows no modem lines", () => {
    const { uart, read, write, sent } = make();
    uart.input(text("ab"));
    const poll = (): number => {
      for (let count = 0; count < 100; count++) if (read(5) & 1) return read(0);
      return -1;
    };
    for (const expected of text("ab")) {
      const byte = poll();
      expect(byte).toBe(expected);
      write(0, byte);
    }
    expect(poll()).toBe(-1);
    // From now on it has it at once, until it sets the chip up anew.
    uart.input([0x63]);
    expect([read(5) & 1, read(0), sent]).toEqual([1, 0x63, [...text("ab")]]);
    write(2, 0x07);
    uart.input([0x64]);
    expect(read(5) & 1).toBe(0);
    expect(poll()).toBe(0x64);
  });

  it("does not take what comes back in loopback for input", () => {
    const { read, write } = make();
    write(2, 0x01);
    write(4, 0x10);
    write(0, 0x55);
    write(2, 0x03);
    write(4, 0x00);
    write(1, 0x01);
    expect(read(5) & 1).toBe(0);
  });

  it("continues from a snapshot", () => {
    const { uart, write } = make(() => false);
    write(2, 0x01);
    write(1, 0x05);
    write(0, 0x41);
    write(0, 0x42);
    uart.input(Array.from({ length: 20 }, (_, index) => index));
    const state = structuredClone(uart.save());
    const other = make();
    other.uart.restore(state);
    expect(other.uart.save()).toEqual(state);
    other.uart.outputReady();
    expect(other.sent).toEqual([0x42]);
    expect(other.read(2)).toBe(0xc4);
    for (let byte = 0; byte < 20; byte++) expect(other.read(0)).toBe(byte);
  });
});
