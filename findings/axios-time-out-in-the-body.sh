#!/usr/bin/env bash
# axios 1.21.1: half a body, then silence past `timeout`. The error is ERR_BAD_RESPONSE with status 200, not ECONNABORTED.
# Seen on 2026-11-29: ERR_BAD_RESPONSE "stream has been aborted", status 200
set -euo pipefail
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund axios@1.21.1
cat >main.mjs <<'JS'
import { createServer } from 'node:http'
import axios from 'axios'

const server = createServer((_request, response) => {
  response.writeHead(200, { 'Content-Length': 100 })
  response.write('half')
}).listen(0, '127.0.0.1', async () => {
  const { code, message, response } = await axios(`http://127.0.0.1:${server.address().port}`, { timeout: 500 }).catch(e => e)
  console.log(`${code} "${message}", status ${response?.status}`)
  process.exit(code === 'ERR_BAD_RESPONSE' && response?.status === 200 ? 0 : 1)
})
JS
node main.mjs
