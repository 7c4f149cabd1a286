/** What a scenario file may say, and how it is refused: file, line, column, what was expected, what was perhaps meant. */

import { readFileSync } from 'node:fs'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv, type ErrorObject } from 'ajv'
import t from 'tap'
import { parse } from 'yaml'
import { SeededRandom } from '../../base/seed.ts'
import { ScenarioError } from '../../client/scenarioError.ts'
import { editorSchema, scenarioSchema } from '../../server/scenarios/format.ts'
import { Library, scenarioFiles, shippedFolder } from '../../server/scenarios/library.ts'
import { parseAll, readScenario } from '../../server/scenarios/parsed.ts'
import { schemaErrors, unknownKeywords } from '../../server/scenarios/schemaErrors.ts'
import { client, start, understudy } from '../support.ts'

const rules = (...lines: string[]): string => `rules:\n${lines.map(line => `  ${line}`).join('\n')}\n`
const rule = (text: string): string => rules(`- ${text}`)

/** What is refused, where (line:column), and what is said. */
const refused: [what: string, text: string, place: string, says: RegExp][] = [
  ['no YAML', 'rules: [', '1:9', /not valid YAML/],
  ['a list', '- a', '1:1', /is \["a"\]; expected an object/],
  ['an unknown field', 'rulez: []', '1:1', /rulez: is unknown; did you mean rules\?/],
  [
    'an unknown field of a rule',
    rule('{ wen: {}, then: { error: timeout } }'),
    '2:7',
    /rules\[0\]\.wen: is unknown; did you mean when\?/,
  ],
  ['a rule without then', rule('{ name: a }'), '2:5', /rules\[0\]\.then: is missing/],
  ['a then that does nothing', rule('{ then: {} }'), '2:13', /then: is empty/],
  [
    'an unknown error',
    rule('{ then: { error: rate_limitd } }'),
    '2:22',
    /is "rate_limitd"; did you mean rate_limited\?/,
  ],
  ['an unknown fault', rule('{ then: { fault: dribbel } }'), '2:22', /is "dribbel"; did you mean dribble\?/],
  [
    'a fault of an unknown type',
    rule('{ then: { fault: { type: dribbel } } }'),
    '2:30',
    /fault\.type: is "dribbel"; did you mean dribble/,
  ],
  [
    'an unknown parameter of a fault',
    rule('{ then: { fault: { type: dribble, bytes: 3 } } }'),
    '2:39',
    /fault\.bytes: is unknown; .*bytes_per_second/,
  ],
  ['a wrong unit', rule('{ then: { delay: 5 sec } }'), '2:22', /is "5 sec"; expected a time, such as 500ms/],
  ['a time without a unit', rule('{ then: { delay: 5 } }'), '2:22', /is 5; expected a time/],
  [
    'a probability of 2',
    rule('{ when: { probability: 2 }, then: { error: timeout } }'),
    '2:28',
    /is 2; expected a number from 0 to 1/,
  ],
  ['first: 0', rule('{ first: 0, then: { error: timeout } }'), '2:14', /is 0; expected a whole number/],
  ['an unknown clause', 'clauses: [ERR-99]', '1:11', /is "ERR-99"/],
  ['a status of 99', rule('{ then: { status: 99 } }'), '2:23', /from 200 to 599/],
  [
    'an unknown route',
    rule('{ when: { route: POST /v1/job }, then: { error: timeout } }'),
    '2:22',
    /"POST \/v1\/job" is not a route of the API; did you mean POST \/v1\/jobs\?/,
  ],
  [
    'a route and a method that exclude each other',
    rule('{ when: { route: createJob, method: GET }, then: { status: 500 } }'),
    '2:41',
    /can never be met/,
  ],
  [
    'a body on a GET',
    rule('{ when: { route: getJob, body: { model: pro } }, then: { error: timeout } }'),
    '2:36',
    /can never be met.*no JSON body/,
  ],
  [
    'a job state on a route without a job',
    rule('{ when: { route: listJobs, job_state: failed }, then: { error: timeout } }'),
    '2:43',
    /no job_id/,
  ],
  [
    'calls behind the last',
    rule('{ when: { calls: 5 }, first: 3, then: { error: timeout } }'),
    '2:22',
    /can never be met/,
  ],
  [
    'a range that ends before it begins',
    rule('{ when: { calls: 5-2 }, then: { error: timeout } }'),
    '2:22',
    /ends before it begins/,
  ],
  [
    'a window that ends before it begins',
    rule('{ when: { time: 40s-10s }, then: { error: timeout } }'),
    '2:21',
    /ends before it begins/,
  ],
  [
    'a rule behind one that takes every call',
    rules('- then: { error: timeout }', '- when: { route: getJob }', '  then: { error: internal_error }'),
    '3:5',
    /can never be reached: rule-1 takes every such call before it/,
  ],
  [
    'two rules of one name',
    rules('- { name: a, first: 1, then: { error: timeout } }', '- { name: a, then: { error: timeout } }'),
    '3:13',
    /two rules named a/,
  ],
  ['percentiles that fall', rule('{ then: { delay: { p50: 2s, p90: 1s } } }'), '2:38', /p90 is less than p50/],
  ['an answer that nobody gives', rule('{ then: { delay: 1s, pass: never } }'), '2:32', /nothing else answers/],
  ['an error and a body', rule('{ then: { error: timeout, body: {} } }'), '2:37', /expected one of the two/],
  [
    'a job on a route that makes none',
    rule('{ when: { route: getJob }, then: { job: { outcome: failed } } }'),
    '2:45',
    /can never act/,
  ],
  [
    'an upload fault on a GET',
    rule('{ when: { route: getJob }, then: { fault: slow_upload } }'),
    '2:47',
    /no call of the route has a body/,
  ],
  [
    'progress that goes back',
    'jobs: { timeline: [{ after: 1s, status: processing, progress: 9 }, { after: 2s, progress: 3 }] }',
    '1:91',
    /progress never goes back/,
  ],
  [
    'a job that completes before it is processing',
    'jobs: { timeline: [{ after: 1s, status: completed }] }',
    '1:41',
    /has not been processing/,
  ],
  ['an unknown base', 'extends: job-fail', '1:10', /job-fail is not a scenario; did you mean job-fails\?/],
  ['a base that climbs out of the folder', 'extends: ../../etc/passwd', '1:10', /expected/],
  ['a name with a path in it', 'name: ../x', '1:7', /lower case with hyphens/],
  [
    'a turn that no call has',
    rule('{ first: 5, every: 10, then: { error: timeout } }'),
    '2:24',
    /every: can never be met/,
  ],
  [
    'a rule behind one with the same conditions',
    rules(
      '- { when: { header: { x-a: 1 } }, then: { error: timeout } }',
      '- { when: { header: { x-a: 1 } }, then: { status: 500 } }',
    ),
    '3:5',
    /can never be reached: rule-1/,
  ],
  ['a header name that can not be sent', rule('{ then: { headers: { "bad name": x } } }'), '2:24', /headers/],
  [
    'a header value of two lines',
    rule('{ then: { headers: { a: "x\\r\\ny" } } }'),
    '2:29',
    /expected a text of one line/,
  ],
  [
    'a header that says where the answer ends',
    rule('{ then: { headers: { Content-Length: 3 } } }'),
    '2:24',
    /belongs to how the answer is sent/,
  ],
  ['two statuses', rule('{ then: { fault: proxy_html, status: 503 } }'), '2:42', /stands beside proxy_html/],
  [
    'two Retry-Afters',
    rule('{ then: { error: rate_limited, headers: { retry-after: 7 } } }'),
    '2:45',
    /expected retry_after/,
  ],
  ['a Retry-After without an end', rule('{ then: { retry_after: 9999999999d } }'), '2:28', /is more than 1000000 s/],
  ['an empty file', '# nothing\n', '1:1', /is empty; expected a scenario/],
  [
    'a YAML alias bomb',
    `a: &a [x, x, x, x, x, x, x, x, x]\n${'bcdefgh'
      .split('')
      .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(', ')}]`)
      .join('\n')}\n`,
    '2:8',
    /can't be read: .*alias/i,
  ],
  ['nesting without an end', `${'['.repeat(20_000)}`, '1:33', /nested deeper than 32 levels/],
]

for (const [what, text, place, says] of refused) {
  t.test(`${what} is refused at its place, and nothing of it is loaded`, async t => {
    const folder = t.testdir({ 'broken.yaml': text })
    const library = new Library(folder)
    t.teardown(() => library.close())
    const file = join(folder, 'broken.yaml')
    let error: ScenarioError | undefined
    try {
      library.open(file)
    } catch (thrown) {
      error = thrown as ScenarioError
    }
    t.ok(error instanceof ScenarioError)
    const [first] = error?.problems ?? []
    t.match(first, { file, message: String, field: String })
    t.equal(`${first?.line}:${first?.column}`, place, String(error?.message))
    t.match(error?.message, says)
    t.ok(error?.message.startsWith(`${file}:${place}: `))
  })
}

t.test('extends: own rules come first, one of the same name replaces the other, the rest is merged', async t => {
  const folder = t.testdir({
    'base.yaml': `account: { credits: 5, rate_limit: 9 }\nclauses: [ERR-1]\n${rules('- { name: a, first: 1, then: { error: timeout } }', '- { name: b, then: { error: timeout } }')}`,
    'own.yaml': `extends: base\naccount: { credits: 7 }\nclauses: [CR-3]\n${rules('- { name: b, first: 2, then: { error: internal_error } }')}`,
    'loop.yaml': 'extends: loop-two\n',
    'loop-two.yaml': 'extends: loop\n',
    'other.yaml': 'name: another\n',
  })
  const library = new Library(folder)
  const own = library.get('own')
  t.same(
    own.rules.map(({ name, then }) => [name, then.error]),
    [
      ['b', 'internal_error'],
      ['a', 'timeout'],
    ],
  )
  t.match(own.account, { credits: 7, requests: 9 })
  t.same(own.clauses, ['CR-3', 'ERR-1'])
  t.throws(() => library.get('loop'), {
    message: /loop-two\.yaml:1:10: extends: goes in a circle: loop → loop-two → loop/,
  })
  t.throws(() => library.get('other'), { message: /other\.yaml:1:7: name: is another, but the file is other\.yaml/ })
  t.throws(() => library.get('../package'), /there is no such scenario/)
  t.throws(() => library.get('own-'), /did you mean own\?/)
})

t.test('extends: unnamed rules stay apart, a job plan goes over the other, a bomb of them is read once', async t => {
  const levels = Object.fromEntries(
    Array.from({ length: 18 }, (_, i) => [`l${i}.yaml`, `extends: [l${i + 1}, l${i + 1}]\n`]),
  )
  const folder = t.testdir({
    ...levels,
    'l18.yaml': rule('{ then: { error: timeout } }'),
    'base.yaml': `jobs: { timeline: [{ after: 1s, status: processing }] }\n${rule('{ first: 1, then: { error: timeout } }')}`,
    'own.yaml': `extends: base\njobs: { outcome: failed }\n${rule('{ then: { error: internal_error } }')}`,
    'go-live.yaml': 'extends: go-live\ndescription: Mine.\n',
  })
  const library = new Library(folder)
  t.same(
    library.get('own').rules.map(({ name }) => name),
    ['rule-1', 'base rule-1'],
  )
  t.same(library.get('own').jobs, { outcome: 'failed' })
  t.match(library.get('go-live'), { description: 'Mine.', rules: { length: 6 } }, 'over the shipped one of that name')
  const since = performance.now()
  t.equal(library.get('l0').rules.length, 1)
  t.ok(performance.now() - since < 1000)
  const sibling = new Library(undefined).open(join(folder, 'own.yaml'))
  t.equal(sibling.rules.length, 2, 'a file extends its neighbour')
  const again = library.restore(JSON.parse(JSON.stringify(library.get('own').source)))
  t.same(again.source, library.get('own').source, 'as a snapshot has it')
})

t.test('what the build has parsed is taken for the text that it was, and its problems are placed as ever', async t => {
  const text = rule('{ name: a, then: { error: timeout } }')
  const other = '{"rules":[{"name":"b","then":{"error":"timeout"}}]}'
  const parsed = parseAll([{ text, file: 'a.yaml' }])
  t.same(readScenario(text, 'a.yaml', parsed).value, parse(text))
  const [digest = ''] = Object.keys(parsed)
  t.same(readScenario(text, 'a.yaml', { [digest]: other }).value, JSON.parse(other))
  t.same(readScenario(`${text}# edited`, 'a.yaml', { [digest]: other }).value, parse(text))
  try {
    readScenario(text, 'a.yaml', parsed).refuse([{ path: ['rules', 0, 'then'], message: 'is no good' }])
    t.fail('it was taken')
  } catch (error) {
    const [problem] = (error as ScenarioError).problems
    t.match(problem, { file: 'a.yaml', line: 2, column: 22, field: 'rules[0].then', message: 'is no good' })
  }
})

t.test('the published schema knows every shipped file', async t => {
  const validate = new Ajv({ strict: false }).compile(editorSchema())
  const files = (await readdir(shippedFolder)).filter(file => file.endsWith('.yaml'))
  t.ok(files.length > 25)
  for (const file of files) {
    const text = readFileSync(join(shippedFolder, file), 'utf8')
    t.ok(validate(parse(text)), `${file} ${JSON.stringify(validate.errors)}`)
    t.match(text, /^# yaml-language-server: \$schema=\.\/scenario\.schema\.json\n/)
    t.match(parse(text), { description: /^.+\.$/, clauses: [/-/] })
  }
})

t.test('understudy scenarios lists, shows, creates and validates files; a broken one is exit code 2', async t => {
  const folder = t.testdir({ 'bad.yaml': rule('{ then: { error: nope } }'), 'worse.json': '{"rules": 3}' })
  const before = process.cwd()
  t.teardown(() => process.chdir(before))
  process.chdir(folder)
  const created = await understudy(['scenarios', 'new', 'my-incident'])
  t.match(created, { code: 0, stdout: /my-incident\.yaml is created/ })
  const [again, climbing, list, shown, checked, served, unknown, bare] = await Promise.all([
    understudy(['scenarios', 'new', 'my-incident']),
    understudy(['scenarios', 'new', '../climbing']),
    understudy(['scenarios', 'list', '--scenarios', folder]),
    understudy(['scenarios', 'show', 'go-live']),
    understudy(['scenarios', 'validate', 'my-incident.yaml', 'bad.yaml', 'worse.json']),
    understudy(['serve', '--port', '0', '--scenario', './bad.yaml']),
    understudy(['serve', '--port', '0', '--scenario', 'go-liv']),
    understudy(['scenarios']),
  ])
  t.match(again, { code: 2, stderr: /my-incident\.yaml already exists/ })
  t.match(climbing, { code: 2, stderr: /"\.\.\/climbing" is not a name/ })
  t.match(list, { code: 0, stdout: /^my-incident +The first two creations fail.*\(ERR-3 ERR-4\)$/m })
  t.match(list.stdout, /^bad .*BROKEN .*bad\.yaml:2:22/m)
  t.match(list.stdout, /^go-live +Every path of GO-5 in turn/m)
  t.match(shown, {
    code: 0,
    stdout: /^3\. timeout: when route POST \/v1\/jobs, first 1: answers with the error timeout$/m,
  })
  t.equal(checked.code, 2)
  t.equal(checked.stdout, 'my-incident.yaml: my-incident is valid: 1 rule\n')
  t.match(
    checked.stderr,
    /^bad\.yaml:2:22: rules\[0\]\.then\.error: is "nope"; .*\nworse\.json:1:11: rules: is 3; expected/,
  )
  t.match(served, { code: 2, stdout: '', stderr: /^understudy: .*bad\.yaml:2:22: / })
  t.match(unknown, { code: 2, stdout: '', stderr: /did you mean go-live\?/ })
  t.match(bare, { code: 2, stdout: '', stderr: /validate \[options\] <file or folder or name\.\.\.>/ })
})

t.test('files are watched: an edit is live in under a second, a broken one keeps the last good', async t => {
  const folder = t.testdir({ 'mine.yaml': rule('{ then: { error: timeout } }') })
  const mock = await start(t, { scenario: join(folder, 'mine.yaml') })
  const api = client(mock)
  const status = async () => (await api.get('/v1/jobs')).status
  const until = async (wanted: number) => {
    const since = performance.now()
    while ((await status()) !== wanted && performance.now() - since < 3000) await new Promise(setImmediate)
    return performance.now() - since
  }
  t.equal(await status(), 504)
  await writeFile(join(folder, 'mine.yaml'), rule('{ then: { error: internal_error } }'))
  const ms = await until(500)
  t.ok(ms < 1000, `live after ${Math.round(ms)} ms`)
  await writeFile(join(folder, 'mine.yaml'), rule('{ then: { error: internal_eror } }'))
  const problems = async () => {
    const { scenarios } = (await client(mock, null).get('/__mock/scenarios')).body
    return scenarios.find(({ name }: { name: string }) => name === 'mine').problems
  }
  const since = performance.now()
  while ((await problems()) === undefined && performance.now() - since < 3000) await new Promise(setImmediate)
  t.match(await problems(), [/mine\.yaml:2:22: .*did you mean internal_error\?/])
  t.equal(await status(), 500)
  await writeFile(join(folder, 'mine.yaml'), rule('{ then: { status: 503, pass: before_delay } }'))
  t.ok((await until(503)) < 1000)
  t.equal(await problems(), undefined)
})

t.test(
  'a file that comes later, or is mended, is found by the key that waits for it; one that goes is gone',
  async t => {
    const folder = t.testdir({ 'mended.yaml': 'rulez: 1\n' })
    const mock = await start(t, { scenarios: folder })
    const status = async (key: string) => (await client(mock, key).get('/v1/jobs')).status
    const until = async (key: string, wanted: number) => {
      const since = performance.now()
      while ((await status(key)) !== wanted && performance.now() - since < 3000) await new Promise(setImmediate)
      t.equal(await status(key), wanted, key)
    }
    t.equal(await status('test_mended__a'), 400)
    t.equal(await status('test_later__a'), 400)
    const keys = await client(mock, null).get('/__mock/keys')
    t.match([keys.status, keys.body.keys.length], [200, 3], 'they break no other call')
    await writeFile(join(folder, 'mended.yaml'), rule('{ then: { error: timeout } }'))
    await until('test_mended__a', 504)
    await writeFile(join(folder, 'later.yaml'), rule('{ then: { error: internal_error } }'))
    await until('test_later__a', 500)
    await rm(join(folder, 'later.yaml'))
    await until('test_later__b', 400)
  },
)

t.test('the schema is walked as Ajv reads it: the same mistakes, at the same places', async t => {
  t.same(unknownKeywords(scenarioSchema), [])
  const validate = new Ajv({ allErrors: true, verbose: true, strict: false }).compile(scenarioSchema)
  const random = new SeededRandom('mutations', 'scenarios')
  const strange = [null, 1, -1, 0.5, 1e12, true, '', 'x', '10s', '2-5', [], [1], {}, { a: 1 }, { type: 'reset', x: 1 }]
  const files = scenarioFiles(shippedFolder).map(file => parse(readFileSync(join(shippedFolder, file), 'utf8')))
  // What it says of each form of anyOf, and of names, depends on no order.
  const told = (errors: readonly Pick<ErrorObject, 'keyword' | 'instancePath' | 'schemaPath' | 'params' | 'data'>[]) =>
    errors
      .map(({ keyword, instancePath, schemaPath, params, data }) =>
        JSON.stringify([
          keyword,
          instancePath,
          decodeURIComponent(schemaPath),
          params.additionalProperty,
          params.missingProperty,
          data,
        ]),
      )
      .sort()
  let wrong = 0
  for (let n = 0; n < 600; n++) {
    const value = structuredClone(files[n % files.length])
    for (let changes = 0; changes < 3; changes++) mutate(value, n * 10 + changes)
    const expected = validate(value) ? [] : told(validate.errors ?? [])
    if (expected.length > 0) wrong++
    const found = told(schemaErrors(scenarioSchema, value))
    if (JSON.stringify(found) !== JSON.stringify(expected)) return t.same(found, expected, JSON.stringify(value))
  }
  t.ok(wrong > 300, `${wrong} of 600 were wrong`)

  function mutate(value: object, n: number): void {
    const places: [holder: Record<string, unknown>, name: string][] = []
    const look = (holder: object) => {
      for (const [name, inner] of Object.entries(holder)) {
        places.push([holder as Record<string, unknown>, name])
        if (typeof inner === 'object' && inner !== null) look(inner)
      }
    }
    look(value)
    const drawn = (what: string, of: number) => Math.floor(random.draw(what, n) * of)
    const [holder, name] = places[drawn('place', places.length)] ?? [value as Record<string, unknown>, 'rules']
    const how = drawn('how', 4)
    if (how === 0) delete holder[name]
    else if (how === 1) holder[`${name}x`] = structuredClone(strange[drawn('what', strange.length)])
    else holder[name] = structuredClone(strange[drawn('what', strange.length)])
  }
})
