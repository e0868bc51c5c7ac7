// The list of bookings.

import { card, el } from "./dom.js";
import { headline, kwh, span } from "./words.js";

export function listOf(bookings) {
  const open = bookings.filter((one) => !one.finished);
  const past = bookings.filter((one) => one.finished);
  const parts = [el("h1", {}, "Bookings")];
  if (!bookings.length) {
    parts.push(card(null, el("p", {}, "There are no bookings yet."),
      el("p", { class: "soft small" }, "Book with chargemesh book on your computer; then everything else can be done here.")));
  }
  parts.push(...open.map(line));
  if (past.length) parts.push(el("h2", { class: "soft" }, "Earlier"), ...past.map(line));
  return parts;
}

function line(one) {
  const [words, kind] = headline(one);
  const used = one.energy_wh ? `${kwh(one.energy_wh)} kWh · ${one.cost.text}` : null;
  return el("a", { class: "card", href: `#/${one.id}` },
    el("div", { class: "row spread" },
      el("h2", {}, one.title || "Charger"),
      el("span", { class: `chip ${kind}` }, words)),
    el("p", { class: "soft small" }, [one.role === "host" ? "Your charger · " : "", span(one.start, one.end)].join("")),
    used && el("p", { class: "small" }, used),
    !one.finished && el("p", {}, one.next));
}
