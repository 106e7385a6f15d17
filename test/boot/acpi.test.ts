import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { irqOfPciPin, Mmio, PCI_IO_WINDOW, Ports } from "../../runtime/board-map.ts";
import { buildAcpiTables, type AcpiTable } from "../../runtime/boot/acpi.ts";
import { buffer, eisaId, integer, name, packageOf, path, scope } from "../../runtime/boot/aml.ts";
import { hasProgram } from "../../src/boot/command.ts";

const everything = { processors: 3, keyboard: true, virtioMmio: [{ first: 0xd000_0000, bytes: 0x200, gsi: 20 }] };

function sum(bytes: Uint8Array): number {
  return bytes.reduce((total, byte) => (total + byte) & 0xff, 0);
}

function view({ bytes }: AcpiTable): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The tables as a guest finds them: from the root pointer on, by the addresses in them. */
function follow(options = {}): Map<string, AcpiTable> {
  const { rsdp, tables } = buildAcpiTables(options);
  const at = (gpa: number): AcpiTable => {
    const found = tables.find((table) => table.gpa === gpa);
    if (found === undefined) throw new Error(`no table at 0x${gpa.toString(16)}`);
    return found;
  };
  const found = new Map<string, AcpiTable>();
  const add = (table: AcpiTable, signature = new TextDecoder().decode(table.bytes.subarray(0, 4))): void =>
    void found.set(signature, table);
  const root = at(rsdp);
  add(root, "RSDP");
  const xsdt = at(Number(view(root).getBigUint64(24, true)));
  add(xsdt);
  for (let offset = 36; offset < xsdt.bytes.length; offset += 8) add(at(Number(view(xsdt).getBigUint64(offset, true))));
  const fadt = found.get("FACP");
  if (fadt === undefined) throw new Error("no FADT");
  add(at(view(fadt).getUint32(36, true)));
  add(at(view(fadt).getUint32(40, true)));
  return found;
}

describe("ACPI tables", () => {
  it("lead from the root pointer to all others, each with its length and checksum", () => {
    const tables = follow(everything);
    expect([...tables.keys()].sort()).toEqual(["APIC", "DSDT", "FACP", "FACS", "RSDP", "XSDT"]);
    for (const [signature, table] of tables) {
      if (signature === "RSDP") {
        expect(new TextDecoder().decode(table.bytes.subarray(0, 8))).toBe("RSD PTR ");
        expect([sum(table.bytes.subarray(0, 20)), sum(table.bytes)]).toEqual([0, 0]);
      } else {
        expect(view(table).getUint32(4, true), signature).toBe(table.bytes.length);
        if (signature !== "FACS") expect(sum(table.bytes), signature).toBe(0);
      }
    }
  });

  it("lie in the firmware area, where a search finds the root pointer, and do not overlap", () => {
    const tables = buildAcpiTables({ ...everything, processors: 64 }).tables.toSorted(
      (left, right) => left.gpa - right.gpa,
    );
    expect(tables[0]).toMatchObject({ signature: "RSD PTR ", gpa: 0xe_0000 });
    for (const [index, { gpa, bytes }] of tables.entries()) {
      expect(gpa % 16).toBe(0);
      expect(gpa + bytes.length).toBeLessThanOrEqual(tables[index + 1]?.gpa ?? 0x10_0000);
    }
    expect((tables.find(({ signature }) => signature === "FACS")?.gpa ?? 1) % 64).toBe(0);
  });

  it("are the same for the same options", () => {
    expect(buildAcpiTables(everything)).toEqual(buildAcpiTables(everything));
  });

  it("describe power management", () => {
    const fadt = follow().get("FACP");
    if (fadt === undefined) throw new Error("no FADT");
    const at = view(fadt);
    expect([at.getUint16(46, true), at.getUint32(48, true)]).toEqual([9, 0]);
    expect([at.getUint32(56, true), at.getUint32(64, true), at.getUint32(76, true)]).toEqual([
      Ports.PM1_EVENT.first,
      Ports.PM1_CONTROL.first,
      Ports.PM_TIMER.first,
    ]);
    expect([at.getUint8(116), at.getBigUint64(120, true), at.getUint8(128)]).toEqual([1, 0xcf9n, 6]);
    expect(at.getUint32(112, true) & (1 << 10)).not.toBe(0);
    expect(at.getUint32(112, true) & (1 << 20)).toBe(0);
    // The power button is there, the sleep button is not; ports 0x60 and 0x64 are announced when they are wanted.
    expect(at.getUint32(112, true) & 0x30).toBe(0x20);
    const withKeyboard = follow({ keyboard: true }).get("FACP");
    expect([at.getUint16(109, true), withKeyboard && view(withKeyboard).getUint16(109, true)]).toEqual([5, 7]);
  });

  it("describe the interrupt controllers", () => {
    const madt = follow({ processors: 2 }).get("APIC");
    if (madt === undefined) throw new Error("no MADT");
    const at = view(madt);
    expect([at.getUint32(36, true), at.getUint32(40, true)]).toEqual([Mmio.LOCAL_APIC.first, 1]);
    const entries: number[][] = [];
    for (let offset = 44; offset < madt.bytes.length; offset += at.getUint8(offset + 1)) {
      entries.push([...madt.bytes.subarray(offset, offset + at.getUint8(offset + 1))]);
    }
    expect(entries).toEqual([
      [0, 8, 0, 0, 1, 0, 0, 0],
      [0, 8, 1, 1, 1, 0, 0, 0],
      [1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0],
      [2, 10, 0, 0, 2, 0, 0, 0, 0, 0],
      [2, 10, 0, 9, 9, 0, 0, 0, 0x0d, 0],
      [2, 10, 0, 10, 10, 0, 0, 0, 0x0f, 0],
      [2, 10, 0, 11, 11, 0, 0, 0, 0x0f, 0],
      [4, 6, 0xff, 0, 0, 1],
    ]);
  });
});

describe("AML", () => {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
  // prettier-ignore
  it.each([
    ["integers take the shortest form", integer(0), "00"],
    ["1", integer(1), "01"],
    ["a byte", integer(0xff), "0aff"],
    ["a word", integer(0x100), "0b0001"],
    ["a double word", integer(0x1_0000), "0c00000100"],
    ["a quad word", integer(2n ** 64n - 1n), "0effffffffffffffff"],
    ["EISA identifiers", eisaId("PNP0A03"), "0c41d00a03"],
    ["a short name is padded", path("_S5"), "5f53355f"],
    ["the root", path("\\"), "5c00"],
    ["two segments", path("\\_SB.PCI0"), "5c2e5f53425f50434930"],
    ["three segments", path("A.B.C"), "2f03415f5f5f425f5f5f435f5f5f"],
    ["a parent", path("^A"), "5e415f5f5f"],
    ["a buffer", buffer(Uint8Array.of(1, 2)), "11050a020102"],
    ["a package", packageOf(integer(5), integer(0)), "1205020a0500"],
    ["a name", name("X", integer(1)), "08585f5f5f01"],
    ["a length of one byte, at most", scope("A", new Uint8Array(0x3f - 5)), `103f415f5f5f${"00".repeat(0x3f - 5)}`],
    ["a length of two bytes", scope("A", new Uint8Array(0x40 - 5)), `104104415f5f5f${"00".repeat(0x40 - 5)}`],
    ["a length of two bytes, at most", scope("A", new Uint8Array(0xfff - 6)), `104fff415f5f5f${"00".repeat(0xfff - 6)}`],
    ["a length of three bytes", scope("A", new Uint8Array(0x1000 - 6)), `10810001415f5f5f${"00".repeat(0x1000 - 6)}`],
  ])("%s", (_name, bytes, expected) => {
    expect(hex(bytes)).toBe(expected);
  });
});

const IASL_MISSING = "skipped: iasl is not on the PATH (Debian package acpica-tools)";
const iasl = hasProgram("iasl");
if (!iasl) console.log(`test/boot/acpi.test.ts: ${IASL_MISSING}`);

describe.skipIf(!iasl)("as Intel's disassembler reads them", () => {
  /** Without white space and comments. */
  const disassembled = (table: AcpiTable): string => {
    const directory = mkdtempSync(join(tmpdir(), "umbra-acpi-"));
    try {
      writeFileSync(join(directory, "table.aml"), table.bytes);
      const output = execFileSync("iasl", ["-d", "table.aml"], {
        cwd: directory,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      });
      expect(output).not.toMatch(/error|warning|invalid/i);
      const text = readFileSync(join(directory, "table.dsl"), "utf8");
      // What it finds wrong it writes into the listing.
      expect(text).not.toMatch(/\*{4}|incorrect|invalid|unknown/i);
      return text.replaceAll(/\/\*.*?\*\/|\/\/[^\n]*/gs, "").replaceAll(/\s+/g, "");
    } finally {
      rmSync(directory, { recursive: true });
    }
  };

  it("every table is well-formed", () => {
    const { tables } = buildAcpiTables(everything);
    for (const table of tables)
      if (table.signature !== "RSD PTR ") expect(disassembled(table).length, table.signature).toBeGreaterThan(100);
  });

  it("the DSDT says what the board has", () => {
    const dsdt = follow(everything).get("DSDT");
    if (dsdt === undefined) throw new Error("no DSDT");
    const text = disassembled(dsdt);
    expect(text).toContain(String.raw`Name(\_S5,Package(0x04){0x05,0x05,Zero,Zero})`);
    expect(text).toContain('Device(PCI0){Name(_HID,EisaId("PNP0A03"))');
    const digits = (value: number, length: number): string =>
      `0x${value.toString(16).toUpperCase().padStart(length, "0")}`;
    expect(text).toContain(
      `0x0000,${digits(PCI_IO_WINDOW.first, 4)},${digits(PCI_IO_WINDOW.first + PCI_IO_WINDOW.count - 1, 4)},0x0000,${digits(PCI_IO_WINDOW.count, 4)},`,
    );
    expect(text).toContain(`0x00000000,${digits(Mmio.PCI_WINDOW.first, 8)},`);
    expect(text).toContain("IO(Decode16,0x03F8,0x03F8,0x01,0x08,)IRQNoFlags(){4}");
    expect(text).toContain("IO(Decode16,0x0070,0x0070,0x01,0x02,)IRQNoFlags(){8}");
    expect(text).toContain('Device(KBD){Name(_HID,EisaId("PNP0303"))');
    expect(text).toContain('Name(_HID,"LNRO0005")');
    expect(text).toContain("Interrupt(ResourceConsumer,Level,ActiveHigh,Shared,,,){0x00000014,}");
    expect(text.match(/Name\(_HID,"ACPI0007"\)/g)?.length).toBe(3);
    // INTB# of device 5.
    expect(text).toContain(
      `Package(0x04){0x0005FFFF,One,Zero,0x${irqOfPciPin(5, 2).toString(16).toUpperCase().padStart(2, "0")}}`,
    );
  });
});
