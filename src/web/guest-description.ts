/** What the page boots unless it is given something else; written by the build, beside the page. */
export interface GuestDescription {
  readonly kernel: GuestFile;
  readonly initrd: GuestFile;
  readonly commandLine: string;
}

export interface GuestFile {
  /** relative to the description */
  readonly path: string;
  readonly name: string;
  readonly byteLength: number;
}
