#!/usr/bin/env bash
# undici 7.30.2: its fetch() under a RetryAgent that may repeat POST. The second try fails with
# UND_ERR_REQ_CONTENT_LENGTH_MISMATCH, as the body of the first is used up; request() of the same agent sends it again.
# Seen on 2026-11-29: request(): 200, fetch(): UND_ERR_REQ_CONTENT_LENGTH_MISMATCH
set -euo pipefail
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund undici@7.30.2
cat >main.mjs <<'JS'
import { createServer } from 'node:http'
import { Agent, fetch, RetryAgent, request } from 'undici'

let calls = 0
const server = createServer((incoming, response) => {
  const status = ++calls === 1 ? 503 : 200
  incoming.resume().on('end', () => response.writeHead(status).end('{}'))
}).listen(0, '127.0.0.1', async () => {
  const url = `http://127.0.0.1:${server.address().port}`
  const dispatcher = new RetryAgent(new Agent(), { methods: ['POST'], minTimeout: 50, maxRetries: 1 })
  const post = { method: 'POST', body: '{"a":1}', dispatcher }
  const byRequest = await request(url, post).then(({ statusCode }) => statusCode)
  calls = 0
  const byFetch = await fetch(url, post).then(({ status }) => status, error => error.cause?.code)
  console.log(`request(): ${byRequest}, fetch(): ${byFetch}`)
  process.exit(byRequest === 200 && byFetch === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH' ? 0 : 1)
})
JS
node main.mjs
