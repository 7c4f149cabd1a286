/** JOB-6, AUTH-3: the list has the key's own jobs only, newest first, by page and by status. */
import { plural } from '../../base/text.ts'
import { field } from '../../contracts/answers.ts'
import { isUtc } from '../../contracts/judge.ts'
import { listIn, pointerTo } from '../../contracts/shapes.ts'
import { isForeign } from './auth.ts'
import type { Observer } from './observer.ts'

export const lists: Observer = {
  id: 'traffic.lists',
  title: "a list has the key's own jobs, newest first, no more than it was asked for, and of its status",
  clauses: ['JOB-6', 'AUTH-3'],
  watch: (look, ledger) => ({
    call({ call, index, isGood, hasBody }) {
      if (call.operation !== 'listJobs' || !isGood || !hasBody) return
      const jobs = listIn(call.json)
      if (jobs === undefined) return
      const list = pointerTo(jobs, call.json)
      const query = new URLSearchParams(call.path.split('?')[1] ?? '')
      const limit = Number(query.get('limit') ?? Number.NaN)
      if (Number.isInteger(limit) && limit >= 1 && limit <= 100) {
        look(index, 'JOB-6', jobs.length <= limit, `at most ${plural(limit, 'job')}`, String(jobs.length), {
          pointer: list,
        })
      }
      const times = jobs.map(job => field({ json: job }, 'created_at'))
      if (times.length > 1 && times.every(isUtc)) {
        const ms = times.map(time => Date.parse(time as string))
        const at = ms.findIndex((time, i) => i > 0 && time > (ms[i - 1] as number))
        const found = at === -1 ? 'they are' : `${times[at]} behind ${times[at - 1]}`
        look(index, 'JOB-6', at === -1, 'newest first', found, {
          pointer: at === -1 ? list : `${list}/${at}/created_at`,
        })
      }
      const status = query.get('status')
      if (status !== null && status !== '') {
        const at = jobs.findIndex(job => {
          const own = field({ json: job }, 'status')
          return typeof own === 'string' && own !== status
        })
        const found = at === -1 ? status : String(field({ json: jobs[at] }, 'status'))
        look(index, 'JOB-6', at === -1, `only jobs that are ${status}`, found, {
          pointer: at === -1 ? list : `${list}/${at}/status`,
        })
      }
      const ids = jobs.map(job => field({ json: job }, 'id'))
      const foreign = ids.findIndex(id => isForeign(id, call.key, ledger.jobs))
      if (foreign !== -1) {
        const pointer = `${list}/${foreign}/id`
        look(index, ['AUTH-3', 'JOB-6'], false, "only the key's own jobs", `${ids[foreign]}, which another key made`, {
          pointer,
        })
      }
    },
  }),
}
