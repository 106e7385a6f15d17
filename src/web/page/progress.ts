import { element } from "./dom.ts";

/** The bar above the terminal while something is on its way. */
export interface ProgressBar {
  /** @param share from 0 to 1; undefined when nobody knows */
  show(label: string, detail: string, share: number | undefined): void;
  hide(): void;
}

export function openProgress(): ProgressBar {
  const whole = element("progress", HTMLElement);
  const label = element("progress-label", HTMLElement);
  const detail = element("progress-detail", HTMLElement);
  const bar = element("progress-bar", HTMLProgressElement);
  return {
    show(text, more, share) {
      whole.hidden = false;
      label.textContent = text;
      detail.textContent = more;
      if (share === undefined) bar.removeAttribute("value");
      else bar.value = share;
    },
    hide: () => (whole.hidden = true),
  };
}
