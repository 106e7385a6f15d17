/** The line above the terminal that says what went wrong, or what is worth knowing. */
export interface Notice {
  show(title: string, text: string, kind: "error" | "information"): void;
  hide(): void;
}

export function openNotice(element: HTMLElement): Notice {
  return {
    show(title, text, kind) {
      const strong = document.createElement("strong");
      strong.textContent = title;
      element.dataset["kind"] = kind;
      element.replaceChildren(strong, text);
      element.hidden = false;
    },
    hide: () => (element.hidden = true),
  };
}
