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
      const close = document.createElement("button");
      close.type = "button";
      close.ariaLabel = "Dismiss";
      close.textContent = "×";
      close.addEventListener("click", () => (element.hidden = true));
      element.replaceChildren(strong, text, close);
      element.hidden = false;
    },
    hide: () => (element.hidden = true),
  };
}
