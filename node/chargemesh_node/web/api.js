// Talks to the node. The token comes in the fragment of the link and stays in this tab.

const KEY = "chargemesh.token";

export class ApiError extends Error {
  constructor(status, told) {
    super([told?.message ?? `The node answered ${status}.`, hintForPhone(told)].filter(Boolean).join("\n"));
    this.status = status;
    this.code = told?.code ?? "";
  }
}

const ON_THE_PAGE = {
  "reading-differs": "Look again, or write it to the host under “Message to the other side” below: the host can type a newer reading.",
  "wrong-ticket": "Write to the host under “Message to the other side” below.",
  "not-reserved": "Write to the host under “Message to the other side” below.",
};

/** What to do, on this page: hints that name commands are for who sits at the computer of the node. */
function hintForPhone(told) {
  if (told?.code in ON_THE_PAGE) return ON_THE_PAGE[told.code];
  return told?.hint?.includes("`chargemesh ") ? `On the computer of your node: ${told.hint}` : told?.hint;
}

/** Takes `#token=…` out of the address, so that it is neither shared nor kept in the history. */
export function takeToken() {
  const found = /^#token=([\w.-]+)$/.exec(location.hash);
  if (found) {
    keepToken(found[1]);
    history.replaceState(null, "", "#/");
  }
  return hasToken();
}

export const hasToken = () => sessionStorage.getItem(KEY) !== null;
export const keepToken = (token) => sessionStorage.setItem(KEY, token.trim());
export const forgetToken = () => sessionStorage.removeItem(KEY);

function request(method, path, body, signal) {
  const headers = { Authorization: `Bearer ${sessionStorage.getItem(KEY)}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  return fetch(`/v1/${path}`, {
    method, headers, signal, cache: "no-store",
    body: body === undefined ? undefined : JSON.stringify(body),
  });
}

async function good(answer) {
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => null);
  throw new ApiError(answer.status, told?.error);
}

export async function get(path, signal) {
  return (await good(await request("GET", path, undefined, signal))).json();
}

export async function post(path, body = {}) {
  return (await good(await request("POST", path, body))).json();
}

/** An image that needs the token, as an address that <img> takes; give it back to URL.revokeObjectURL. */
export async function image(path) {
  const answer = await good(await request("GET", path));
  return URL.createObjectURL(await answer.blob());
}

/** Calls `heard` for each event, until the signal; throws when the connection is lost. */
export async function follow(heard, signal) {
  const answer = await good(await request("GET", "events", undefined, signal));
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new ApiError(0, { message: "The node is gone." });
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const data = part.split("\n").find((line) => line.startsWith("data: "));
      if (data) heard(JSON.parse(data.slice(6)));
    }
  }
}
