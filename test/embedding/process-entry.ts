// Run by Node.js, Deno and Bun, in a project that has nothing but the package: what to do and where files are, as JSON. Prints a Report.
import { readFile, writeFile } from "node:fs/promises";
import * as umbra from "umbra";
import { doWork, type Work } from "./work.ts";

export interface ProcessInput {
  readonly work: Work;
  readonly kernel: string;
  readonly initrd: string;
  readonly busybox: string;
  readonly diskUrl: string;
  /** a path where a disk image may be made */
  readonly diskFile: string;
}

const { work, diskUrl, diskFile, ...files } = JSON.parse(process.argv[2] ?? "") as ProcessInput;
const report = await doWork(
  {
    umbra,
    kernel: await readFile(files.kernel),
    initrd: await readFile(files.initrd),
    busybox: await readFile(files.busybox),
    diskUrl,
    lasting: {
      file: {
        description: umbra.fileDisk(diskFile),
        make: (bytes) => writeFile(diskFile, bytes),
        read: () => readFile(diskFile),
      },
      opfs: {
        description: umbra.opfsDisk("umbra.img"),
        make: async () => undefined,
        read: async () => new Uint8Array(0),
      },
    },
  },
  work,
);
console.log(JSON.stringify(report));
// And ends by itself: whatever a machine had left behind would keep it.
