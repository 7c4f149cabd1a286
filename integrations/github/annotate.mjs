/** Annotates what failed in a CTRF report, by GitHub's workflow commands: `node annotate.mjs report.ctrf.json`. */
import { readFileSync } from 'node:fs'

/** GitHub shows ten of a step. */
const most = 10

// What others sent may be in a message: it must not become a command of its own.
const data = text => String(text).replace(/[%\r\n]/g, encodeURIComponent)
const property = text => data(text).replace(/[:,]/g, encodeURIComponent)

const { results } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const failed = results.tests.filter(({ status }) => status === 'failed')
const shown = failed.length > most ? failed.slice(0, most - 1) : failed
for (const { name, message } of shown)
  console.log(`::error title=${property(`${results.tool.name} ${name}`)}::${data(message ?? 'failed')}`)
if (shown.length < failed.length)
  console.log(
    `::error title=${property(results.tool.name)}::and ${failed.length - shown.length} more: the summary has them all`,
  )
