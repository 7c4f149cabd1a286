/** Lines for a shell that work as they are, wherever they are pasted: what a call needs is made first. */
import type { Config } from '../config.ts'

export const json = `-H 'Content-Type: application/json'`
export const keyHeader = `-H 'X-Api-Key: test_key'`
/** The shell says what is missing where no token is set; only a mock with one asks for it. */
export const tokenHeader = `-H "X-Admin-Token: \${ADMIN_TOKEN:?is the --admin-token of the mock}"`

/** Where the reader's lines go. */
export interface Place {
  /** The URL by which the reader came to the mock. */
  base: string
  /** Whether the control routes want the admin token: off loopback they do. */
  isGuarded: boolean
  /** What curl needs to trust the mock, and to be let in by it; empty without TLS. */
  tls: string
}

/** A shell says what is missing where nobody knows the file. */
export function tlsFlags(
  { tlsCaOut, tlsClientCa }: Pick<Config, 'tlsCaOut' | 'tlsClientCa'>,
  ca: string | undefined,
): string {
  const unknown = ` --cacert "\${CA:?is the file that serve --tls-ca-out writes}"`
  const trust = tlsCaOut !== undefined ? ` --cacert ${quoted(tlsCaOut)}` : ca === undefined ? '' : unknown
  return tlsClientCa === undefined ? trust : `${trust} --cert "\${CERT:?is the file of your certificate and its key}"`
}

const quoted = (word: string): string => (/^[\w./:-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)

const video = { video_url: 'https://example.com/cat.mp4' }

/** curl with each part on a line of its own where it is long. `path` is what goes between double quotes, behind the base. */
export function curl({ base, tls }: Place, path: string, parts: readonly string[] = [], body?: object): string {
  const all = [
    `curl -s${tls} "${base}${path}"`,
    ...parts,
    ...(body === undefined ? [] : [json, `-d '${JSON.stringify(body)}'`]),
  ]
  const line = all.join(' ')
  return line.length < 100 ? line : all.join(' \\\n  ')
}

/** The same to a control route, by its path. */
export const control = (place: Place, path: string, parts: readonly string[] = [], body?: object): string =>
  curl(place, path, place.isGuarded && path.startsWith('/__mock') ? [tokenHeader, ...parts] : parts, body)

const found = (name: string, command: string, pattern: string): string =>
  `${name}=$(${command} | grep -o '${pattern}' | head -n 1)`

/** A job of the key test_key; its id is in $JOB. */
export const makeJob = (place: Place, fields: object = {}): string =>
  found('JOB', curl(place, '/v1/jobs', [keyHeader], { ...video, ...fields }), 'job_[a-z0-9]*')

/** The same, completed. */
export const makeCompletedJob = (place: Place): string =>
  `${makeJob(place)}\n${control(place, `/__mock/jobs/$JOB`, ['-o /dev/null'], { status: 'completed' })}`

/** A clip of the mock's, as short.mp4 in this folder. */
export const fetchClip = (place: Place): string => curl(place, '/docs/short.mp4', ['-o short.mp4'])

/** A field of the answer, in the variable NAME. */
export const takeField = (name: string, command: string, field: string): string =>
  `${name}=$(${command} | grep -o '"${field}":"[^"]*' | head -n 1 | cut -d '"' -f 4)`

export const takeRequestId = (place: Place): string =>
  found('REQUEST', curl(place, '/v1/jobs', [keyHeader, '-i']), 'req_[a-z0-9]*')

/** A call that is refused; the place of its entry in the journal is in $SEQ. */
export const makeRefused = (place: Place): string =>
  `${curl(place, '/v1/jobs', ["-H 'X-Api-Key: test_no_credits'", '-o /dev/null'], video)}\n${found(
    'SEQ',
    control(place, `/__mock/journal?status=402&order=newest&limit=1`),
    '"seq":[0-9]*',
  ).replace('| head', "| grep -o '[0-9]*' | head")}`

/** A webhook that nobody receives; its id is in $DELIVERY. */
export const makeDelivery = (place: Place): string =>
  `${makeJob(place, { webhook_url: 'http://127.0.0.1:9/' })}\n${found(
    'DELIVERY',
    control(place, `/__mock/journal?kind=webhook&wait=5s&job_id=$JOB`),
    'whd_[a-z0-9_]*',
  )}`
