// Section: a part of the page that may lack its answer. It says why, in words, and offers to ask again.

import { ApiError } from "./api.js";
import { english, h } from "./dom.js";
import { t } from "./words.js";

// A function that asks and then draws. An answer that was overtaken by a later question is dropped.
// body: the element whose children are the section. lacks: the key of the words for what cannot be shown.
export function section(body, lacks, ask, draw) {
  const said = h("div", { class: "lacking", role: "status", hidden: true });
  body.prepend(said);
  let turn = 0;
  return async function update() {
    const mine = ++turn;
    try {
      const told = await ask();
      if (mine !== turn) return;
      await draw(told);
      show(body, said, false);
    } catch (error) {
      if (mine !== turn || error.name === "AbortError") return;
      if (!(error instanceof ApiError)) reportError(error);
      said.replaceChildren(...reason(error.passes ? "" : t(lacks), error, update));
      show(body, said, true);
    }
  };
}

function show(body, said, lacking) {
  said.hidden = !lacking;
  body.classList.toggle("lacks", lacking);
}

// Why something is not there: in the reader's language where it is ours, else in the service's own words.
export function reason(words, error, again) {
  const why = error.ours ? error.message && t(error.message) : english(error.message);
  const button = error.passes && h("button", { type: "button", class: "small", onclick: again }, t("fault.again"));
  return [h("p", {}, words, words && " ", why), button].filter(Boolean);
}
