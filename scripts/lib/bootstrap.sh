# Sourced by the commands in scripts/: brings Node 24, npm packages and the build. Works in bash 3.2 (macOS) too.
# Functions print one line and exit when something is missing.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export TURBO_TELEMETRY_DISABLED=1 DO_NOT_TRACK=1 NPM_CONFIG_UPDATE_NOTIFIER=false

die() {
  printf 'bursar: %s\n' "$*" >&2
  exit 1
}

say() { printf 'bursar: %s\n' "$*" >&2; }

require_node() {
  command -v node >/dev/null 2>&1 || die "Node is missing: install Node 20.19 or newer (with npm)"
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
    die "Node $(node -v) is too old: install Node 20.19 or newer"
}

# Only one process at a time may install or build in a clone; a lock whose owner died is taken over.
lock_clone() {
  lock="$root/.bursar/install.lock"
  mkdir -p "$root/.bursar" 2>/dev/null || die "cannot write to $root/.bursar: check its owner and permissions"
  local waited=0 owner
  until mkdir "$lock" 2>/dev/null; do
    owner=$(cat "$lock/pid" 2>/dev/null || true)
    # Dead, or killed before it could even say who it was.
    if { [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; } || { [ -z "$owner" ] && [ "$waited" -gt 10 ]; }; then
      rm -rf "$lock"
      continue
    fi
    [ "$waited" -eq 0 ] && say "waiting for another install in this clone"
    waited=$((waited + 1))
    [ "$waited" -gt 600 ] && die "another install holds $lock: remove it if that is not so"
    sleep 1
  done
  echo $$ >"$lock/pid"
  trap unlock_clone EXIT
}

unlock_clone() {
  rm -rf "$lock"
  trap - EXIT
}

# npm ci when what is installed is not what package-lock.json says, then Node 24 first on PATH.
ensure_packages() {
  if ! node "$root/scripts/lib/packages-current.mjs" "$root"; then
    command -v npm >/dev/null 2>&1 || die "npm is missing: install Node 20.19 or newer with npm"
    say "installing npm packages (once, some tens of seconds)"
    mkdir -p "$root/.bursar/logs"
    (cd "$root" && npm ci --no-audit --no-fund --fetch-retries=2 --fetch-retry-maxtimeout=10000) >"$root/.bursar/logs/npm.log" 2>&1 ||
      die "npm ci failed ($(sed -n 's/^npm \(ERR!\|error\) //p' "$root/.bursar/logs/npm.log" | tail -n 3 | head -n 1)): see $root/.bursar/logs/npm.log"
  fi
  if ! "$root/node_modules/.bin/node" -e '' 2>/dev/null; then
    # npm was told to run no install scripts, or was interrupted: the package fetches Node itself in its script.
    (cd "$root" && npm rebuild --foreground-scripts node) >>"$root/.bursar/logs/npm.log" 2>&1 || true
    "$root/node_modules/.bin/node" -e '' 2>/dev/null || die "npm did not bring Node 24: run 'npm rebuild node' in $root and see what it says"
  fi
  export PATH="$root/node_modules/.bin:$PATH"
}

# Compiles every workspace; turbo answers from its cache when nothing changed.
ensure_build() {
  mkdir -p "$root/.bursar/logs"
  (cd "$root" && turbo run build --output-logs=errors-only --no-daemon) >"$root/.bursar/logs/build.log" 2>&1 || {
    grep -E 'error TS|ERROR|error:' "$root/.bursar/logs/build.log" | head -n 20 >&2
    die "the build failed: see $root/.bursar/logs/build.log"
  }
}
