// One booking: what to do now on top, then the place, the meter, the money, and the rest.

import { get, image, post } from "./api.js";
import { ask, busy, button, card, el, facts, list, Slot } from "./dom.js";
import { headline, kw, kwh, span, typedKwh } from "./words.js";

const PROBLEMS = {
  WONT_START: "Charging does not start",
  BLOCKED: "The charger is blocked",
  NO_POWER: "The charger has no power",
  OTHER: "Something else",
};

/** The view of one booking; `update` shows a newer state, `changed` is told the answer of each action. */
export class BookingPage {
  constructor(id, changed) {
    this.act = async (name, body) => changed(await post(`bookings/${id}/${name}`, body));
    this.id = id;
    this.slots = {
      head: new Slot(head),
      meter: new Slot(meter),
      reading: new Slot((one) => this.reading(one)),
      main: new Slot((one) => this.main(one)),
      receipt: new Slot((one) => this.receipt(one)),
      pay: new Slot((one) => this.pay(one)),
      review: new Slot(() => this.review()),
      access: new Slot((one) => access(id, one)),
      next: new Slot((one) => card("What comes next", list(one))),
      messages: new Slot(messages),
      write: new Slot(() => this.write()),
      past: new Slot((one) => card("What happened", list(one))),
      problem: new Slot(() => this.problem()),
      details: new Slot(details),
      cancel: new Slot((one) => this.cancel(one)),
    };
    this.nodes = Object.values(this.slots).map((slot) => slot.node);
  }

  update(one) {
    const can = new Set(one.actions);
    const { slots } = this;
    slots.head.show({ title: one.title, role: one.role, start: one.start, end: one.end, head: headline(one) });
    slots.meter.show(one.meter && { meter: one.meter, active: one.session === "ACTIVE", wanted: one.agreed.energy_wh });
    slots.reading.show(can.has("reading") ? one.reading : null);
    slots.main.show(mainAction(one, can));
    slots.next.show(one.next_steps);
    slots.access.show(one.access);
    slots.receipt.show(one.receipt && { ...one.receipt, open: can.has("agree") });
    slots.pay.show(can.has("claim") ? { total: one.receipt.total.text, receipt: one.receipt.receipt } : null);
    slots.review.show(can.has("review") ? true : null);
    slots.messages.show(one.messages.length ? one.messages : null);
    slots.write.show(can.has("message") ? true : null);
    slots.past.show(one.so_far);
    slots.problem.show(can.has("problem") ? true : null);
    slots.details.show({ agreed: one.agreed, counterparty: one.counterparty, role: one.role, id: one.id });
    slots.cancel.show(can.has("cancel") ? { cost: one.cancelling_costs, role: one.role } : null);
  }

  main({ kind, cap, energy, total }) {
    const act = this.act;
    switch (kind) {
      case "start":
        return card(null,
          button("Start charging", () => act("start"), "huge"),
          el("p", { class: "soft small" }, `You agree to pay for up to ${kwh(energy)} kWh and ${cap}, not more.`));
      case "stop":
        return card(null, button("Stop charging", () => act("stop"), "huge stop"));
      case "decide":
        return card("Somebody wants to charge here", el("div", { class: "row" },
          button("Decline", () => act("decline"), "quiet"),
          button("Accept", () => act("accept"))));
      case "confirm":
        return card(null, button(`I have received ${total}`, async () => {
          if (await ask(`Confirm that you have received ${total}? This can't be taken back.`, "Confirm")) await act("confirm");
        }, "huge"));
      case "wait":
        return card(null, el("p", { role: "status" }, "Sent. Waiting for the charger to answer…"));
      default:
        return null;
    }
  }

  reading(one) {
    const act = (more) => this.act("reading", { ticket: one.ticket, ...more });
    return card("Read the meter",
      el("p", {}, `The host read ${one.register_wh / 1000} kWh: ${one.energy_wh / 1000} kWh for ${one.cost.text} since ${one.from_wh / 1000} kWh.`),
      button("I read the same", () => act({})),
      form("Compare and sign", [
        el("label", {}, "Or what you read, in kWh", el("input", { name: "kwh", inputmode: "decimal", required: true })),
      ], (data) => act({ register_wh: typedKwh(data.get("kwh")) }), "quiet"));
  }

  receipt(one) {
    return card("Receipt",
      el("ol", { class: "bill" }, one.text.map((text) => el("li", {}, text))),
      one.differences.length ? el("p", { class: "chip warn" }, one.signed_by_driver ? "You agreed, although" : "Your node does not agree by itself") : null,
      one.differences.length ? list(one.differences) : null,
      one.open ? button("Agree all the same", async () => {
        if (await ask(`Agree with ${one.total.text}? This can't be taken back.`, "Agree")) await this.act("agree", { receipt: one.receipt });
      }, "warn") : null,
      el("p", { class: "soft small" }, one.signed_by_driver ? "Signed by both sides." : "Signed by the host."));
  }

  pay({ total }) {
    const place = el("div", {}, el("p", { class: "soft" }, "…"));
    const node = card(`Pay ${total}`, place, button("I have paid", async () => {
      if (await ask(`Tell the host that you have paid ${total}?`, "I have paid")) await this.act("claim");
    }));
    showPayment(this.id, place).catch((error) => place.replaceChildren(el("p", {}, error.message)));
    return node;
  }

  review() {
    const labels = [1, 2, 3, 4, 5].map((stars) => el("label", { title: `${stars} of 5 stars` }, "★",
      el("input", { type: "radio", name: "stars", value: stars, required: true, "aria-label": `${stars} of 5 stars` })));
    const stars = el("div", { class: "stars", change: (event) => {
      const chosen = Number(event.target.value);
      labels.forEach((label, at) => label.classList.toggle("on", at < chosen));
    } }, labels);
    return card("How was it?", form("Send review", [
      el("fieldset", {}, el("legend", {}, "Stars"), stars),
      el("label", {}, "In your words", el("textarea", { name: "text", maxlength: 2000 })),
      el("p", { class: "soft small" }, "It opens when both sides have written theirs, or after 14 days. Write no names or addresses: everybody can read it."),
    ], (data) => this.act("review", { stars: Number(data.get("stars")), text: data.get("text") })));
  }

  write() {
    return card(null, form("Send", [
      el("label", {}, "Message to the other side", el("textarea", { name: "text", maxlength: 2000, required: true })),
    ], (data) => this.act("message", { text: data.get("text") }), "quiet"));
  }

  problem() {
    const choices = Object.entries(PROBLEMS).map(([value, text]) => el("option", { value }, text));
    return el("details", { class: "card" }, el("summary", {}, "Report a problem"), form("Report", [
      el("label", {}, "What is wrong?", el("select", { name: "problem" }, choices)),
      el("label", {}, "More about it", el("textarea", { name: "text", maxlength: 2000 })),
    ], (data) => this.act("problem", { problem: data.get("problem"), text: data.get("text") }), "quiet"));
  }

  cancel({ cost, role }) {
    const price = role === "host" ? "The driver may be on the way." : cost && cost.micro ? `It costs ${cost.text}.` : "It costs nothing.";
    return button("Cancel this booking", async () => {
      if (await ask(`Cancel this booking? ${price}`, "Cancel it")) await this.act("cancel");
    }, "warn");
  }
}

function mainAction(one, can) {
  if (can.has("stop")) return { kind: "stop" };
  if (can.has("start")) return { kind: "start", cap: one.agreed.cap.text, energy: one.agreed.energy_wh };
  if (one.unconfirmed && one.role === "driver" && one.session === "PENDING" && one.reservation === "RESERVED") return { kind: "wait" };
  if (can.has("accept")) return { kind: "decide" };
  if (can.has("confirm")) return { kind: "confirm", total: one.receipt.total.text };
  return null;
}

function head({ title, role, start, end, head: [words, kind] }) {
  return el("section", { class: "card" },
    el("div", { class: "row spread" }, el("h1", {}, title || "Charger"), el("span", { class: `chip ${kind}` }, words)),
    el("p", { class: "soft" }, `${role === "host" ? "Your charger · " : ""}${span(start, end)}`));
}

function meter({ meter: one, active, wanted }) {
  const most = one.authorised_energy_wh ?? wanted;
  return el("section", { class: "card", "aria-label": "Meter" },
    el("div", { class: "meter" },
      el("div", { class: "big" }, kwh(one.energy_wh), el("span", { class: "unit" }, " kWh")),
      el("div", { class: "cost" }, one.cost.text)),
    el("progress", { max: Math.max(most, 1), value: Math.min(one.energy_wh, most), "aria-label": "Of the energy agreed on" }),
    el("p", { class: "soft small" }, active ? `${kw(one.power_w)} kW now · of at most ${kwh(most)} kWh` : `Ended at ${one.at.text}`));
}

function access(id, one) {
  const photos = el("div", { class: "photos" });
  showPhotos(id, one.photos, photos);
  return card("Where it is",
    el("p", { class: "address" }, one.address),
    facts(["Way", one.way], ["Code", one.code && el("span", { class: "code" }, one.code)]),
    el("div", { class: "row" },
      el("a", { class: "button quiet", href: one.place.map }, "Open in maps"),
      one.phone && el("a", { class: "button quiet", href: `tel:${one.phone.replace(/[^+\d]/g, "")}` }, `Call ${one.phone}`)),
    photos);
}

/** The photos of the way, in their order, each as soon as it is here. */
function showPhotos(id, photos, place) {
  photos.forEach(async (one, at) => {
    const alt = `Photo ${at + 1} of the way`;
    const slot = el("p", { class: "soft small" }, one.here ? "…" : `${alt} is still to come.`);
    place.append(slot);
    if (!one.here) return;
    try {
      const source = await image(`bookings/${id}/photos/${one.id}`);
      slot.replaceWith(el("img", { class: "photo", src: source, alt, width: one.width, height: one.height, load: () => URL.revokeObjectURL(source) }));
    } catch (error) {
      slot.textContent = error.message;
    }
  });
}

async function showPayment(id, place) {
  const one = await get(`bookings/${id}/payment`);
  const parts = [el("p", {}, one.text)];
  if (one.qr) {
    const source = await image(`bookings/${id}/payment.svg`);
    const code = el("img", { class: "qr", src: source, alt: "QR code for your banking app", load: () => URL.revokeObjectURL(source) });
    parts.push(code, facts(["To", one.payee_name], ["IBAN", one.payee_account.replace(/(.{4})(?=.)/g, "$1 ")], ["Text", one.reference]));
  }
  place.replaceChildren(...parts);
}

function messages(all) {
  return card("Messages", el("ul", { class: "messages" }, all.map((one) =>
    el("li", { class: one.ours ? "ours" : "" }, one.text, el("div", { class: "soft small" }, `${one.ours ? "You" : "Other side"} · ${one.sent.text}`)))));
}

function details({ agreed, counterparty, role, id }) {
  return el("details", { class: "card" }, el("summary", {}, "Details"),
    facts(["Estimate", agreed.estimate.text], ["At most", agreed.cap.text], ["Terms", agreed.terms],
      [role === "host" ? "Driver" : "Host", counterparty.sentence], ["Booking", id.slice(0, 12)]));
}

/** A form that sends once and is empty again after it worked; what went wrong stands above its button. */
function form(text, fields, send, kind = "") {
  const submit = el("button", { type: "submit", class: kind }, text);
  const wrong = el("div", {});
  const node = el("form", { submit: (event) => {
    event.preventDefault();
    busy(submit, async () => { await send(new FormData(node)); node.reset(); }, wrong);
  } }, fields, wrong, submit);
  return node;
}
