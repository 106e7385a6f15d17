const PAGE = 4096;
const WORDS = PAGE / 4;
/** Pages that are looked at: an estimate of a half is right within 3 % of the memory, in 19 of 20 cases. */
const SAMPLES = 1024;

/**
 * How many bytes of memory the guest has written to, roughly: the share of pages that hold anything but zeroes, in a sample of one page
 * out of each of 1,024 equal parts.
 *
 * @param ram begins at a page, and is that of a machine whose memory was fresh
 * @param random in [0, 1)
 */
export function estimateTouchedBytes(ram: Uint8Array, random: () => number = Math.random): number {
  const pages = Math.floor(ram.length / PAGE);
  const samples = Math.min(SAMPLES, pages);
  let touched = 0;
  for (let sample = 0; sample < samples; sample++) {
    const page = Math.floor(((sample + random()) * pages) / samples);
    if (isTouched(new Uint32Array(ram.buffer, ram.byteOffset + page * PAGE, WORDS))) touched++;
  }
  return Math.round((touched / Math.max(1, samples)) * pages) * PAGE;
}

function isTouched(words: Uint32Array): boolean {
  for (let index = 0; index < WORDS; index++) if (words[index] !== 0) return true;
  return false;
}
