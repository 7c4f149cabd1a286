import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { startMock } from '../../server/index.ts'
import { check } from '../../suite/runCheck.ts'
const mock = await startMock()
const s = new Session(); s.connect(); await s.post('Profiler.enable'); await s.post('Profiler.setSamplingInterval', { interval: 500 }); await s.post('Profiler.start')
const c = process.cpuUsage(), t = performance.now()
const r = await check(mock.url, { only: ['uploads.too-large'] })
const d = process.cpuUsage(c); console.log(((d.user) / 1e6).toFixed(2), (d.system / 1e6).toFixed(2), 'CPU-s', ((performance.now() - t) / 1e3).toFixed(2), 's', r.spent)
writeFileSync('/tmp/cpuprof/x.cpuprofile', JSON.stringify((await s.post('Profiler.stop')).profile))
await mock.close()
