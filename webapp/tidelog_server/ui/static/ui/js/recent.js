/** The projects that were looked at last, kept in this browser. */

const PLACE = "tidelog.projects";
const MOST = 6;

/** @returns {string[]} addresses of workspaces, the latest first */
export function recent() {
  try {
    return JSON.parse(localStorage.getItem(PLACE) ?? "[]");
  } catch {
    return []; // a list that cannot be read is as good as none
  }
}

/** @param {string} url of a workspace */
export function remember(url) {
  const others = recent().filter((other) => other !== url);
  localStorage.setItem(PLACE, JSON.stringify([url, ...others].slice(0, MOST)));
}
