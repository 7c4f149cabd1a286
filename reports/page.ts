/** The looks and the manners of the HTML report: its style sheet and its script. Nothing of a report is in here. */

/** Colours are kept to a contrast of 4.5 to 1 at least, and none of them tells anything that words don't. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --ink: #1f2328; --soft: #59636e; --paper: #fff; --well: #f6f8fa; --line: #d8dee4; --link: #0a58ca;
  --passed: #1a7f37; --failed: #c0262d; --skipped: #626b75; --inconclusive: #8a5300;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e6edf3; --soft: #9aa5b1; --paper: #0f141a; --well: #171d25; --line: #2d3640; --link: #7ab7ff;
    --passed: #56d364; --failed: #ff8078; --skipped: #8b96a2; --inconclusive: #e3b341;
  }
}
* { box-sizing: border-box }
[hidden] { display: none !important }
body { margin: 0 auto; max-width: 64rem; padding: 2.5rem 1.5rem 5rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", sans-serif; overflow-wrap: anywhere }
a { color: var(--link) }
h1 { font-size: 1.75rem; line-height: 1.25; margin: .25rem 0 .5rem; letter-spacing: -.01em }
h2 { font-size: 1.15rem; margin: 2.75rem 0 .75rem }
h3 { font-size: 1rem; margin: 0 }
h4 { font-size: .8rem; font-weight: 600; color: var(--soft); margin: 0 0 .35rem }
p { margin: .5rem 0 }
code, pre { font-family: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, monospace; font-size: .85rem }
pre { margin: 0; padding: .75rem .9rem; background: var(--well); border: 1px solid var(--line); border-radius: 6px;
  white-space: pre-wrap; max-height: 24rem; overflow: auto; line-height: 1.5 }
button, input { font: inherit; color: inherit }
button { background: var(--paper); border: 1px solid var(--line); border-radius: 6px; padding: .2rem .7rem; cursor: pointer }
button:hover { border-color: var(--soft) }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 4px }
.skip { position: absolute; left: -999rem } .skip:focus { left: 1rem; top: .5rem }
.soft { color: var(--soft) }
.passed { color: var(--passed); fill: var(--passed) } .failed { color: var(--failed); fill: var(--failed) }
.skipped { color: var(--skipped); fill: var(--skipped) } .inconclusive { color: var(--inconclusive); fill: var(--inconclusive) }
.target { font-weight: 600; color: var(--soft) }
.lede { font-size: 1.05rem; max-width: 46rem }
.strip { display: block; width: 100%; height: 10px; margin: 1.5rem 0 .6rem; border-radius: 5px; background: var(--line) }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.75rem; margin: 0; padding: 0; list-style: none }
.legend b { font-variant-numeric: tabular-nums }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.25rem; margin: 0 }
dt { color: var(--soft) } dd { margin: 0; min-width: 0 }
.facts { margin-top: 1.75rem; padding-top: 1.25rem; border-top: 1px solid var(--line); font-size: .93rem }
.filter { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; align-items: center; gap: .6rem 1.25rem;
  margin: 0; padding: .7rem 0; background: var(--paper); border-bottom: 1px solid var(--line) }
.filter input[type=search] { flex: 1 1 14rem; min-width: 0; padding: .35rem .7rem; background: var(--paper);
  border: 1px solid var(--soft); border-radius: 6px }
.filter label { display: inline-flex; align-items: center; gap: .4rem; cursor: pointer }
.filter input[type=checkbox] { accent-color: var(--link); width: 1rem; height: 1rem; margin: 0 }
.filter output { color: var(--soft); font-size: .9rem; font-variant-numeric: tabular-nums }
.group > h3 { margin: 1.75rem 0 .25rem }
.clause { border-bottom: 1px solid var(--line); scroll-margin-top: 4.5rem }
summary { cursor: pointer }
.clause > summary { display: grid; grid-template-columns: 1.1rem 4.5rem 4rem 1fr 1rem; gap: 0 .6rem; align-items: baseline;
  padding: .6rem .25rem; list-style: none }
.clause > summary::-webkit-details-marker { display: none }
.clause > summary::after { content: "›"; color: var(--soft); text-align: center; transition: transform .12s }
.clause[open] > summary::after { transform: rotate(90deg) }
.clause > summary:hover { background: var(--well) }
.clause > summary .mark { font-weight: 700; text-align: center }
.clause > summary .level { color: var(--soft); font-size: .85rem }
.clause > summary .sentence { min-width: 0; overflow: hidden; white-space: nowrap; text-overflow: ellipsis }
.clause[open] > summary .sentence { white-space: normal }
.clause > summary .reason { grid-column: 4; grid-row: 2; color: var(--soft); font-size: .9rem }
@media (min-width: 40.01rem) { .rule > summary { grid-template-columns: 1.1rem 14.5rem 4rem 1fr 1rem } }
.rule > summary .sentence { white-space: normal }
.advice { padding: .75rem 1.15rem; background: var(--well); border-radius: 6px }
.clause .content { padding: .25rem .25rem 1.5rem 2rem }
.content > * + * { margin-top: 1rem }
.badge { font-size: .85rem; font-weight: 600; color: var(--inconclusive) }
.evidence { padding: 1rem 1.15rem 1.15rem; border: 1px solid var(--line); border-left: 3px solid var(--passed); border-radius: 6px }
.evidence.breach { border-left-color: var(--failed) }
.evidence > * + * { margin-top: .9rem }
.breach dd.found { color: var(--failed) }
.exchange { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: .9rem }
.exchange > * { min-width: 0 }
.command { position: relative } .command button { position: absolute; top: .4rem; right: .4rem; font-size: .8rem }
.command pre { padding-right: 5.5rem }
ul { margin: .25rem 0; padding-left: 1.2rem } .content ul { padding: 0; list-style: none }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-size: .92rem; margin-top: .75rem }
th, td { text-align: left; vertical-align: top; padding: .4rem 1.25rem .4rem 0; border-bottom: 1px solid var(--line) }
th:last-child, td:last-child { padding-right: 0 }
th { color: var(--soft); font-weight: 600; white-space: nowrap }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
.verdict { white-space: nowrap }
footer { margin-top: 3rem; color: var(--soft); font-size: .9rem }
@media (max-width: 40rem) {
  body { padding: 1.5rem 1rem 3rem }
  .clause > summary { grid-template-columns: 1.1rem 1fr auto 1rem }
  .clause > summary .sentence, .clause > summary .reason { grid-column: 2 / -1; grid-row: auto }
  .clause > summary::after { grid-column: 4; grid-row: 1 }
  .clause .content { padding-left: .25rem }
  .filter { position: static }
}
@media (prefers-reduced-motion: reduce) { .clause > summary::after { transition: none } }
@media print {
  :root { --ink: #000; --soft: #444; --paper: #fff; --well: #f6f6f6; --line: #bbb; --link: #000;
    --passed: #1a7f37; --failed: #b3151c; --skipped: #555; --inconclusive: #7a4a00 }
  body { max-width: none; padding: 0; font-size: 10.5pt; print-color-adjust: exact; -webkit-print-color-adjust: exact }
  .filter, .skip, .command button, .clause > summary::after { display: none !important }
  pre { max-height: none; overflow: visible }
  .clause > summary .sentence { white-space: normal }
  .clause > summary, h2, h3, h4 { break-after: avoid }
  .rule > summary { grid-template-columns: 1.1rem 12rem 4rem 1fr }
  dl, tr, .rule .evidence, .advice { break-inside: avoid }
}
`

/** A button on each command that copies it, or selects it where the browser lets nothing be copied. */
export const copyButtons = `for (const command of document.querySelectorAll('.command')) {
  const button = document.createElement('button')
  button.type = 'button'
  button.textContent = 'Copy'
  button.addEventListener('click', async () => {
    const pre = command.querySelector('pre')
    getSelection().selectAllChildren(pre)
    const done = await navigator.clipboard?.writeText(pre.textContent).then(() => true, () => false)
    button.textContent = done || document.execCommand('copy') ? 'Copied' : 'Selected'
    setTimeout(() => { button.textContent = 'Copy' }, 2000)
  })
  command.append(button)
}
`

/** Filters, opens and copies. Without it the page has all of its content still. */
export const pageScript = `
const filter = document.querySelector('.filter')
const clauses = [...document.querySelectorAll('.clause')]
const { text, all } = filter.elements
const apply = () => {
  const wanted = text.value.trim().toLowerCase()
  const verdicts = new Set([...filter.querySelectorAll('[name=verdict]:checked')].map(box => box.value))
  for (const clause of clauses)
    clause.hidden = !verdicts.has(clause.dataset.verdict) || !clause.textContent.toLowerCase().includes(wanted)
  for (const group of document.querySelectorAll('.group')) group.hidden = !group.querySelector('.clause:not([hidden])')
  const shown = clauses.filter(clause => !clause.hidden)
  filter.querySelector('output').value = shown.length + ' of ' + clauses.length + ' shown'
  all.textContent = shown.length > 0 && shown.every(clause => clause.open) ? 'Close all' : 'Open all'
}
filter.hidden = false
filter.addEventListener('input', apply)
filter.addEventListener('submit', event => event.preventDefault())
for (const clause of clauses) clause.addEventListener('toggle', apply)
all.addEventListener('click', () => {
  const open = all.textContent === 'Open all'
  for (const clause of clauses) if (!clause.hidden) clause.open = open
})
const follow = () => {
  const clause = document.getElementById(decodeURIComponent(location.hash.slice(1)))
  if (clause instanceof HTMLDetailsElement) clause.open = true
}
addEventListener('hashchange', follow)
follow()
${copyButtons}apply()
`
