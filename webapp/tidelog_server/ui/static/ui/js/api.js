/** Requests to the server, with one way to fail. */

/** What went wrong, in a sentence for a person. */
export class ApiFault extends Error {
  /**
   * @param {string} message
   * @param {number} status 0: the server was not reached
   * @param {string} code
   */
  constructor(message, status, code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const PATIENCE = 10_000;

/**
 * @param {string} url
 * @param {{ method?: string, body?: unknown, accept?: string }} [options]
 * @returns {Promise<Response>} an answer that went well
 */
export async function ask(url, { method = "GET", body, accept = "application/json" } = {}) {
  const headers = new Headers({ Accept: accept });
  if (method !== "GET") headers.set("X-CSRFToken", csrfToken());
  if (body !== undefined) headers.set("Content-Type", "application/json");
  const signal = AbortSignal.timeout(PATIENCE);
  const text = body === undefined ? undefined : JSON.stringify(body);
  const answer = await fetch(url, { method, headers, body: text, signal }).catch(unreached);
  if (!answer.ok) throw await refusal(answer);
  return answer;
}

/** @param {string} url @returns {Promise<any>} */
export async function json(url) {
  return (await ask(url)).json();
}

/** @param {Error} error @returns {never} */
function unreached(error) {
  const slow = error.name === "TimeoutError";
  const message = slow ? "The server took longer than 10 s." : "The server could not be reached.";
  throw new ApiFault(message, 0, slow ? "timeout" : "unreachable");
}

/** @param {Response} answer */
async function refusal(answer) {
  const said = await answer.json().catch(() => ({}));
  const message = said.message ?? `The server answered ${answer.status}.`;
  return new ApiFault(message, answer.status, said.code ?? "error");
}

function csrfToken() {
  return document.cookie.match(/(?:^|; )tidelog_csrf=([^;]+)/)?.[1] ?? "";
}
