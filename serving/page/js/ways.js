// Ways: the links to the sections, which one the reader is in, and where a shared address begins.

import { $ } from "./dom.js";
import { get, note } from "./state.js";

const links = () => [...document.querySelectorAll(".ways a")];
const target = (link) => link.getAttribute("href").slice(1);

export function mountWays() {
  for (const link of document.querySelectorAll("a[href^='#']")) link.addEventListener("click", go);
}

// Links within the page leave what stands after # alone: it is what is looked at.
function go(event) {
  event.preventDefault();
  const section = $(event.currentTarget.getAttribute("href"));
  section.scrollIntoView();
  section.focus({ preventScroll: true });
}

// Once all is drawn: to the section that the address names, and from then on it follows the reader.
export function followReader() {
  document.getElementById(get("at"))?.scrollIntoView({ behavior: "instant" });
  const watcher = new IntersectionObserver((entries) => {
    const here = entries.find((one) => one.isIntersecting);
    if (here) mark(here.target.id);
  }, { rootMargin: "-30% 0px -65% 0px" });
  for (const link of links()) watcher.observe(document.getElementById(target(link)));
}

function mark(id) {
  for (const link of links()) {
    if (target(link) === id) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  const first = target(links()[0]);
  note(id === first ? "" : id);
}
