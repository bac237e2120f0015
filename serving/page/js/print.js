// Print: on paper everything is light, and laid out for the sheet, so that charts are drawn in its widths.

import { redraw } from "./state.js";
import { applyTheme } from "./theme.js";

export function preparePrint() {
  const turn = (printing) => {
    document.documentElement.classList.toggle("printing", printing);
    applyTheme();
    redraw();
  };
  window.addEventListener("beforeprint", () => turn(true));
  window.addEventListener("afterprint", () => turn(false));
}
