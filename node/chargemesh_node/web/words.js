// How states, amounts and times read on a small screen.

const HEADLINES = {
  PENDING: ["Waiting for an answer", ""],
  RESERVED: ["Reserved", ""],
  REJECTED: ["Declined", "warn"],
  FAILED: ["Came to nothing", "past"],
  CANCELED: ["Cancelled", "past"],
  NO_SHOW: ["Not used", "warn"],
};

/** [words, kind of chip] for a booking's three states together. */
export function headline(one) {
  if (one.session === "ACTIVE") return ["Charging", ""];
  if (one.settlement === "DISPUTED") return ["Disputed", "warn"];
  if (one.settlement === "PAID") return ["Paid", "past"];
  if (one.settlement === "CLAIMED") return ["Payment to be confirmed", ""];
  if (one.session === "COMPLETED" || one.reservation === "FULFILLED") return ["To be paid", "warn"];
  if (["CANCELED", "NO_SHOW"].includes(one.reservation) && !one.finished) return ["Fee to be paid", "warn"];
  return HEADLINES[one.reservation] ?? [one.reservation, ""];
}

export const kwh = (wh) => (wh / 1000).toFixed(wh < 100000 ? 2 : 1);

/** Watt hours of a reading in kWh as people type it, with a point or a comma. */
export function typedKwh(text) {
  const number = Number(text.trim().replace(/\s*kwh$/i, "").replace(",", "."));
  if (!text.trim() || !Number.isFinite(number) || number < 0) throw new Error("Write a number of kWh, such as 1234.5.");
  return Math.round(number * 1000);
}

export const kw = (watts) => (watts / 1000).toFixed(1);

/** "2026-09-21 16:13 – 18:13": the second date only where it differs. */
export function span(start, end) {
  const [day, from] = split(start.text);
  const [last, to] = split(end.text);
  return day === last ? `${day} ${from} – ${to}` : `${day} ${from} – ${last} ${to}`;
}

function split(text) {
  const [day, clock = ""] = text.split(" ");
  return [day, clock.slice(0, 5)];
}
