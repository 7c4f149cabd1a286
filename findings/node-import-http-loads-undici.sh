#!/usr/bin/env bash
# Node 22.23.3 and 24.21.0: import 'node:http' loads undici, the whole client behind fetch(), and require('node:http') does not:
# an import reads everything that a built-in module exports, and one of those is a getter that loads it. Node 20.20.2: no.
# Seen on 2026-11-29: v20.20.2 import 4 ms, require 4 ms; v22.23.3 36 ms, 4 ms; v24.21.0 44 ms, 6 ms
set -euo pipefail
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
cat >import.mjs <<'JS'
const begin = performance.now()
await import('node:http')
console.log((performance.now() - begin).toFixed(0), process.moduleLoadList.includes('NativeModule internal/deps/undici/undici'))
JS
cat >require.cjs <<'JS'
const begin = performance.now()
require('node:http')
console.log((performance.now() - begin).toFixed(0), process.moduleLoadList.includes('NativeModule internal/deps/undici/undici'))
JS
for version in 20.20.2 22.23.3 24.21.0; do
  mkdir "$version" && (cd "$version" && npm init -y >/dev/null && npm install --silent --no-audit --no-fund "node@$version")
  node="$version/node_modules/node/bin/node"
  read -r importMs imported < <("$node" import.mjs)
  read -r requireMs required < <("$node" require.cjs)
  echo "v$version import $importMs ms, undici loaded: $imported; require $requireMs ms, undici loaded: $required"
  case $version in 20.*) [ "$imported $required" = 'false false' ] ;; *) [ "$imported $required" = 'true false' ] ;; esac
done
