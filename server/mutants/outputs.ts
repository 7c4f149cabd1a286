/** Files that are whole and of their format, and don't show what was uploaded (DL-3). They need ffmpeg. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Mutant } from './mutant.ts'

const run = promisify(execFile)

/** Each webm goes through ffmpeg once more, in this way. */
const redrawn = (id: string, what: string, ...args: string[]): Mutant => ({
  id: `output-${id}`,
  breaks: ['DL-3'],
  what,
  apply(mutation) {
    const { outputs, uploads } = mutation.mock
    const file = outputs.file.bind(outputs)
    const drawn = new Map<string, Promise<{ root: string; name: string }>>()
    const jobs = new Set<string>()
    const draw = async (from: string) => {
      const root = await uploads.workFolder()
      const codec = '-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -auto-alt-ref 0 -pix_fmt yuva420p'.split(' ')
      const input = ['-v', 'error', '-c:v', 'libvpx-vp9', '-i', from]
      await run('ffmpeg', [...input, ...args, ...codec, join(root, 'output.webm')])
      return { root, name: 'output.webm' }
    }
    outputs.file = async (world, job) => {
      const whole = await file(world, job)
      if (job.view.output_format !== 'webm' || !mutation.isMeant(world)) return whole
      const from = join(whole.root, whole.name)
      const made = drawn.get(from) ?? draw(from)
      drawn.set(from, made)
      jobs.add(job.view.id)
      return made
    }
    mutation.showsWhere(['getOutputFile'], (_text, { params }) => jobs.has((params as { job_id: string }).job_id))
  },
})

export const outputMutants: readonly Mutant[] = [
  redrawn('half-as-long', 'the output ends after a second', '-t', '1'),
  redrawn('smaller', "the output has half of its input's width and height", '-vf', 'scale=iw/2:ih/2'),
  redrawn('black', 'all that is solid in the output is black', '-vf', 'format=rgba,lutrgb=r=0:g=0:b=0'),
  redrawn('empty', 'all of the output is clear', '-vf', 'format=rgba,lutrgb=a=0'),
  redrawn('frozen', 'the output is its first frame all along', '-vf', 'loop=loop=500:size=1,setpts=N/25/TB', '-t', '2'),
  redrawn('upside-down', 'the output stands on its head', '-vf', 'vflip'),
]
