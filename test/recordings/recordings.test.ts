import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { monotonicMs } from '../../base/clock.ts'
import { redactBody } from '../../base/redaction.ts'
import { openHar } from '../../recordings/read.ts'

const entry = (url: string, second: number) => ({
  startedDateTime: new Date(1.7e12 + second * 1000).toISOString(),
  request: { method: 'POST', url, headers: [] },
  response: { status: 200, headers: [] },
})

const written = (t: Test, content: string | Buffer): string => {
  const file = join(t.testdir({}) as string, 'some.har')
  writeFileSync(file, content)
  return file
}
const har = (urls: string[]) => JSON.stringify({ log: { entries: urls.map(entry) } })

t.test('the base URL is that of the documented routes, however much else a page has called', async t => {
  const other = Array.from({ length: 6 }, () => 'https://api.other.example/v1/chat/completions')
  const app = Array.from({ length: 6 }, () => 'https://app.example.com/api/session')
  const mixed = openHar(written(t, har([...other, ...app, 'https://api.example.com/bg/v1/jobs'])))
  t.equal(mixed.base, 'https://api.example.com/bg')
  t.equal(mixed.known, 1)
  mixed.close()
  const none = openHar(written(t, har(other)))
  t.throws(() => none.requireTraffic(), /none of its 6 entries is a call of this API \(of api\.other\.example\)/)
  none.close()
})

t.test('what is not JSON is told by what it is', async t => {
  for (const [content, message] of [
    [Buffer.from(har([]), 'utf16le'), /it is UTF-16; save it as UTF-8/],
    [Buffer.from([0x1f, 0x8b, 8, 0, 0]), /is packed with gzip and can't be unpacked: unexpected end of file/],
    [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x24]), /it is packed \(zstd\); unpack it/],
    ['{"log": {"entries": [null]}}', /none of its 1 entry can be understood: entry 1 \(at byte 21\): it is null/],
    ['{"log": {"entries": ["a"]}}', /entry 1 \(at byte 21\): it is "a"/],
  ] as const)
    t.throws(() => openHar(written(t, content)), message)
})

t.test('a megabyte without a space is searched for secrets in no time', async t => {
  const startedAt = monotonicMs()
  const text = JSON.stringify({ pad: 'x'.repeat(1_000_000), token: 'canary' })
  t.notMatch(redactBody(text, 'application/json'), 'canary')
  t.ok(monotonicMs() - startedAt < 5_000)
})
