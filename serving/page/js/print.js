// Print: on paper everything is light, and charts are as wide as the sheet.

import { redraw } from "./state.js";
import { applyTheme } from "./theme.js";

export function preparePrint() {
  const turn = (printing) => {
    document.body.classList.toggle("printing", printing);
    applyTheme();
    redraw();
  };
  window.addEventListener("beforeprint", () => turn(true));
  window.addEventListener("afterprint", () => turn(false));
}
