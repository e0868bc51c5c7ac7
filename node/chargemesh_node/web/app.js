// The phone page: shows the list of bookings or one of them, and keeps it fresh.

import { follow, forgetToken, get, hasToken, keepToken, takeToken } from "./api.js";
import { BookingPage } from "./booking.js";
import { listOf } from "./bookings.js";
import { card, el, notice } from "./dom.js";

const POLL_MS = 5000; // time alone changes bookings too
const AGAIN_MS = 3000;
const SOON_MS = 200;
const main = document.getElementById("main");
const link = document.getElementById("link");
let page = null; // the BookingPage shown, null for the list
let asking = false;
let askAgain = false;
let showing = 0; // grows with every change of view: late answers of an earlier one are dropped

function show(...nodes) {
  main.replaceChildren(...nodes);
}

function state(words, lost = false) {
  link.textContent = words;
  link.classList.toggle("lost", lost);
}

function askForToken(why) {
  page = null;
  const field = el("input", { name: "token", autocomplete: "off", autocapitalize: "off", spellcheck: "false", required: true });
  show(card("This phone is not paired",
    el("p", {}, why),
    el("form", { submit: (event) => { event.preventDefault(); keepToken(field.value); route(); } },
      el("label", {}, "Token", field),
      el("button", { type: "submit" }, "Use it"))));
}

/** One question at a time; what happens meanwhile leads to one more. */
async function refresh() {
  if (!hasToken() || document.hidden) return;
  if (asking) {
    askAgain = true;
    return;
  }
  asking = true;
  await ask();
  asking = false;
  if (askAgain) {
    askAgain = false;
    setTimeout(refresh, SOON_MS);
  }
}

async function ask() {
  const mine = showing;
  try {
    if (page) {
      const one = await get(`bookings/${page.id}`);
      if (mine === showing) page.update(one);
    } else {
      const { bookings } = await get("bookings");
      if (mine === showing) show(...listOf(bookings));
    }
    state("live");
  } catch (error) {
    if (mine === showing) failed(error);
  }
}

function failed(error) {
  if (error.status === 401) {
    forgetToken();
    askForToken("Its token is not valid any more. Make a new link on the computer of your node.");
  } else if (error.status === 404 && page) {
    show(card(null, el("p", {}, error.message), el("a", { class: "button quiet", href: "#/" }, "All bookings")));
  } else {
    state("not connected", true);
  }
}

function route() {
  showing += 1;
  if (location.hash.startsWith("#token=")) takeToken();
  if (!hasToken()) {
    askForToken("Open the link or scan the QR code that your node made for this phone.");
    return;
  }
  const id = /^#\/([0-9a-f]{6,64})$/.exec(location.hash)?.[1];
  page = id ? new BookingPage(id, (one) => page?.update(one)) : null;
  if (page) show(el("a", { href: "#/", class: "small" }, "‹ All bookings"), ...page.nodes);
  else show(el("p", { class: "soft" }, "…"));
  main.focus({ preventScroll: true });
  window.scrollTo(0, 0);
  refresh();
}

/** Events say that something changed; what it is now is asked for. */
async function listen() {
  for (;;) {
    if (hasToken() && !document.hidden) {
      try {
        await follow((event) => {
          if (event.event === "booking.message" && event.text) notice(`New message: ${event.text}`);
          refresh();
        });
      } catch (error) {
        if (error.status === 401) failed(error);
        else if (error.status === 0 || !("status" in error)) state("not connected", true);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

window.addEventListener("hashchange", route);
document.addEventListener("visibilitychange", refresh);
setInterval(refresh, POLL_MS);
route();
listen();
