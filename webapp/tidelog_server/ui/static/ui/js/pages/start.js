import { json } from "tidelog/api";
import { Desk } from "tidelog/data/desk";
import { Live } from "tidelog/data/live";
import { Store } from "tidelog/data/store";
import { ViewState } from "tidelog/data/view";
import { data, find, h, stateIcon } from "tidelog/dom";
import { showLive } from "tidelog/shell";
import "tidelog/elements/copy";
import { TlPanel } from "tidelog/elements/panel";
import { wireTabs } from "tidelog/elements/tabs";

/**
 * The first run in sixty seconds: ask once a second what the server has seen; with the first
 * point the page becomes that run's live chart.
 *
 * @typedef {object} Seen
 * @property {number | null} key_used seconds ago
 * @property {{ api: string, socket: string, id: string, name: string, url: string, workspace: string, key: string } | null} run
 * @property {boolean} created a run exists, with or without points
 */

const { url } = /** @type {{ url: string }} */ (data("page"));
const began = Date.now();
const timer = setInterval(look, 1000);
wireTabs(find(document, "[role=tablist]"));

async function look() {
  const seen = /** @type {Seen | null} */ (await json(url).catch(() => null));
  if (seen?.run) {
    clearInterval(timer);
    arrived(seen.run);
  } else if (seen && Date.now() - began > 60_000) {
    checks(seen);
  }
}

/** @param {Seen} seen */
function checks(seen) {
  const list = find(document, "#checks");
  const used = seen.key_used;
  const facts = /** @type {[boolean, string][]} */ ([
    [
      used !== null,
      used === null
        ? "Key used: no. Was the login command run on that machine?"
        : `Key used: yes, ${Math.round(used)} s ago`,
    ],
    [
      seen.created,
      seen.created ? "Run created: yes" : "Run created: no. Does the script print an error?",
    ],
    [false, "First point: no. Does the script call run.log?"],
  ]);
  const items = facts.map(([yes, text]) =>
    h("li", {}, stateIcon(yes ? "finished" : "killed", yes ? "yes" : "no"), text),
  );
  list.replaceChildren(...items);
  list.hidden = false;
}

/** @param {NonNullable<Seen["run"]>} run */
async function arrived(run) {
  const row = await json(`${run.api}/runs/${encodeURIComponent(run.id)}`);
  const first = { runs: [row], keys: [run.key], count: 1, rev: row.rev };
  const store = new Store(run.api, first, run.id);
  const desk = new Desk(store, new ViewState());
  const live = new Live(run.socket, () => store.rev);
  const panel = new TlPanel();
  panel.key = run.key;
  panel.desk = desk;
  find(document, "h1").textContent = `It works. ${run.name} is live.`;
  find(document, "#waiting").hidden = true;
  find(document, "#first").hidden = false;
  find(document, "#first-chart").append(panel);
  find(document, "#open-workspace").setAttribute("href", run.workspace);
  find(document, "#open-run").setAttribute("href", run.url);
  panel.wake();
  store.addEventListener("runs", () => panel.refresh());
  store.follow(live);
  live.start();
  showLive(live, () => run.name);
}
