#!/bin/sh
# The programs that the tests drive and pip cannot bring: Redis, PostgreSQL, Chromium.
set -eu
missing=""
command -v redis-server >/dev/null || missing="$missing redis-server"
{ ls /usr/lib/postgresql/*/bin/initdb || command -v initdb; } >/dev/null 2>&1 || missing="$missing postgresql"
[ -n "${CHROMIUM:-}" ] || command -v chromium >/dev/null || missing="$missing chromium"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing$missing"
  apt-get update -qq
  # shellcheck disable=SC2086 -- one word a package
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
  echo "The tests need$missing. On Debian: sudo apt-get install$missing" >&2
  exit 1
fi
