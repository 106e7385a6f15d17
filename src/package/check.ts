// Packs the npm package and checks it: npm run check:package

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publintMessages, typesReport } from "./lint.ts";
import { pack } from "./pack.ts";

const directory = await mkdtemp(join(tmpdir(), "umbra-package-"));
try {
  const { tarball, size, unpackedSize, files } = await pack(directory);
  console.log(
    `${files.length} files, ${(size / 1e6).toFixed(2)} MB packed, ${(unpackedSize / 1e6).toFixed(2)} MB unpacked`,
  );
  const [messages, types] = await Promise.all([publintMessages(tarball), typesReport(tarball)]);
  console.log(messages.length === 0 ? "publint: nothing to say" : messages.join("\n"));
  console.log(types.text.trim());
  if (messages.length > 0 || !types.isFine) process.exitCode = 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}
