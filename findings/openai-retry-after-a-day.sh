#!/usr/bin/env bash
# openai 7.59.0 (npm, Node >= 22): 429 with Retry-After: 86400. It neither waits nor gives up: it comes back within a second.
# Seen on 2026-11-29: 3 tries, waits of 391, 817 ms
set -euo pipefail
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund openai@7.59.0
cat >main.mjs <<'JS'
import { createServer } from 'node:http'
import OpenAI from 'openai'

const times = []
const server = createServer((_request, response) => {
  times.push(performance.now())
  response.writeHead(429, { 'Retry-After': '86400' }).end('{}')
}).listen(0, '127.0.0.1', async () => {
  const client = new OpenAI({ apiKey: 'sk-test', baseURL: `http://127.0.0.1:${server.address().port}` })
  await client.models.list().catch(() => {})
  const waits = times.slice(1).map((time, i) => Math.round(time - times[i]))
  console.log(`${times.length} tries, waits of ${waits.join(', ')} ms`)
  process.exit(times.length > 1 && waits.every(wait => wait < 5000) ? 0 : 1)
})
JS
node main.mjs
