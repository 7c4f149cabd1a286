/** Virtual users that each go the whole way, as a client that does as it should. */
import { plural } from '../../base/text.ts'
import { field } from '../../contracts/answers.ts'
import type { Outbound } from '../calls.ts'
import type { LoadResponse } from '../load/wire.ts'
import { backoffMs, isRetried, pollPauseMs, retryAfterMs } from '../policy.ts'
import { type DrillSession, elsewhere } from '../session.ts'
import { jsonOf, refuseKey, Workload } from '../workload.ts'
import type { Drill } from './drill.ts'

export const journey: Drill = {
  title: 'virtual users upload, create, poll as RL-3 says and download: how long does a finished output take?',
  clauses: ['GO-5', 'RL-3', 'DL-1', 'DL-3'],
  takes: ['users', 'journeys', 'clip', 'jobTimeout', 'maxWait', 'maxConnections'],
  defaults: { users: 5, journeys: 1 },
  thresholds: ['finished = 100%', 'journey.p95 < 5m', 'lost = 0', 'doubled = 0', 'broken = 0'],
  plan: ({ users = 1, journeys = 1, jobTimeout = 0 }) => ({
    requests: users * journeys * (4 + Math.ceil(jobTimeout / 10_000)),
    ms: journeys * jobTimeout,
    jobs: users * journeys,
  }),
  async run(session) {
    const { users = 1, journeys = 1 } = session.settings
    session.model = 'users'
    session.beginLoad(plural(users, 'user'), 0)
    let finished = 0
    const walk = async (user: number) => {
      // Not all in the same millisecond.
      await session.sleep((user * 1_000) / users)
      for (let n = 0; n < journeys && !session.stopped; n++) if (await walkOnce(session, `${user}.${n}`)) finished++
    }
    await Promise.all(Array.from({ length: users }, (_, user) => walk(user)))
    session.endLoad()
    const share = (finished / (users * journeys)) * 100
    // Stopped by our own hand, none failed.
    if (!session.stopped) session.found.set('finished', share)
    session.fact('finished', 'journeys finished', `${finished} of ${users * journeys}`, share, '%')
    return undefined
  },
}

/** One journey; true when it came to its output. Its time counts as the call "journey". */
async function walkOnce(session: DrillSession, who: string): Promise<boolean> {
  const startedAt = session.now()
  const until = startedAt + session.settings.jobTimeout
  const end = (status: number) => {
    const ended = session.now()
    session.journeys.add({
      call: session.journeys.callOf('journey'),
      due: startedAt,
      sent: startedAt,
      ended,
      status,
      lagMs: 0,
    })
    return status === 200
  }
  const workload = new Workload(session, session.setup.keys.main ?? '')
  const uploaded = await persist(session, who, workload.uploadCall(), until)
  const url = field(jsonOf(uploaded), 'video_url')
  if (typeof url !== 'string') return end(0)
  workload.videoUrl = url
  const { n, out } = workload.createCall()
  const created = await persist(session, who, out, until)
  workload.noteCreate(n, created)
  const id = field(jsonOf(created), 'id')
  if (typeof id !== 'string') return end(0)
  if (!(await isCompleted(session, who, { ...workload.pollCall(id), needsBody: true }, until))) return end(0)
  const found = await persist(session, who, { ...workload.downloadCall(id), needsBody: true }, until)
  const output = field(jsonOf(found), 'download_url')
  if (typeof output !== 'string' || !(await isThere(session, output))) return end(0)
  return end(200)
}

/** Polls 2 s apart and slower (RL-3), until a terminal state. */
async function isCompleted(session: DrillSession, who: string, out: Outbound, until: number): Promise<boolean> {
  for (let poll = 0; !session.stopped; poll++) {
    await session.sleep(pollPauseMs(poll))
    const answered = await persist(session, who, out, until)
    const status = field(jsonOf(answered), 'status')
    if (status === 'completed') return true
    if (status === 'failed' || (answered.status >= 400 && !isRetried(answered.status))) return false
    if (session.now() > until) {
      session.failed('journey', `no output within ${session.settings.jobTimeout / 1000} s`, session.now())
      return false
    }
  }
  return false
}

const mostTries = 6

/** The same request until it is answered well, or there is no sense in going on; the last answer. */
async function persist(session: DrillSession, who: string, out: Outbound, until: number): Promise<LoadResponse> {
  for (let attempt = 0; ; attempt++) {
    const answered = await session.ask(out)
    refuseKey(out, answered)
    if (!isRetried(answered.status) || attempt === mostTries || session.stopped) return answered
    const waitMs = Math.max(retryAfterMs(answered), backoffMs(session.setup.random, who, attempt))
    if (waitMs > session.settings.maxWait || session.now() + waitMs > until) return answered
    await session.sleep(waitMs)
  }
}

/** DL-3: a GET on it gives the file; it may lie on another host. */
async function isThere(session: DrillSession, url: string): Promise<boolean> {
  const out: Outbound = { call: 'file', operation: undefined, method: 'GET', path: url, headers: {} }
  const answered = await session.setup.fetch(url)
  if (answered.error === elsewhere) {
    session.note(`the output lies on ${elsewhere}: its journey counts as finished without a look at it`)
    return true
  }
  session.counted(out, answered)
  if (answered.status === 200 && answered.body.length > 0) return true
  if (answered.status === 200) session.failed('file', 'an empty file', session.now())
  return false
}
