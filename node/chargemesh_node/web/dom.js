// Small helpers to build the page. Text only ever goes in as text: nobody's words become markup.

/** el("p", {class: "soft"}, "words", child, …); a property that is a function listens: {click: …}. */
export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const card = (title, ...children) =>
  el("section", { class: "card" }, title && el("h2", {}, title), ...children);

/** Pairs of a word and a value; pairs without a value are left out. */
export const facts = (...pairs) =>
  el("dl", {}, pairs.filter(([, value]) => value).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));

export const list = (sentences) => el("ul", {}, sentences.map((one) => el("li", {}, one)));

/** A place in the page that is built anew only when what it shows has changed: typing is not disturbed. */
export class Slot {
  constructor(build) {
    this.build = build;
    this.node = el("div", { hidden: true });
    this.shown = undefined;
  }

  show(value) {
    const now = JSON.stringify(value) ?? "null";
    if (now === this.shown) return;
    this.shown = now;
    const built = value === null || value === undefined ? null : this.build(value);
    const next = built ?? el("div", { hidden: true });
    this.node.replaceWith(next);
    this.node = next;
  }
}

let fading = 0;

/** A sentence at the bottom of the screen, for a few seconds. */
export function notice(text) {
  const node = document.getElementById("notice");
  node.textContent = text;
  node.hidden = false;
  clearTimeout(fading);
  fading = setTimeout(() => { node.hidden = true; }, 7000);
}

/** Asks before something that can't be taken back. */
export function ask(text, yes) {
  const dialog = document.getElementById("ask");
  document.getElementById("ask-text").textContent = text;
  document.getElementById("ask-yes").textContent = yes;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/** A button that does `work` once at a time and tells what went wrong. */
export function button(text, work, kind = "") {
  const node = el("button", { type: "button", class: kind, click: () => busy(node, work) }, text);
  return node;
}

/** Does `work` while `node` can't be pressed; what went wrong is told in `place`, else at the bottom. */
export async function busy(node, work, place = null) {
  node.disabled = true;
  place?.replaceChildren();
  try {
    await work();
  } catch (error) {
    if (place) place.replaceChildren(el("p", { class: "wrong", role: "alert" }, error.message));
    else notice(error.message);
  } finally {
    node.disabled = false;
  }
}
