/** The scenario editor: CodeMirror 6, loaded when it is opened. In a shadow root, where it needs no inline style. */
import {
  autocompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
} from '@codemirror/autocomplete'
import { yaml } from '@codemirror/lang-yaml'
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { type Diagnostic, linter, lintGutter } from '@codemirror/lint'
import { EditorView } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { basicSetup } from 'codemirror'
import schema from '../scenarios/scenario.schema.json'

export interface Problem {
  line?: number
  column?: number
  field: string
  message: string
}

export interface EditorHandle {
  text(): string
  goTo(line: number, column: number): void
  close(): void
}

/** The page's own colours, light and dark. */
const colours = HighlightStyle.define([
  { tag: [tags.definition(tags.propertyName), tags.propertyName], color: 'var(--rule)' },
  { tag: [tags.string, tags.content], color: 'var(--text)' },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: 'var(--client)' },
  { tag: tags.comment, color: 'var(--quiet)', fontStyle: 'italic' },
  { tag: [tags.separator, tags.punctuation, tags.squareBracket, tags.brace], color: 'var(--quiet)' },
  { tag: tags.invalid, color: 'var(--bad)' },
])

/** `check` is asked a moment after each change; where a problem is, stands underlined. */
export function openEditor(
  box: HTMLElement,
  text: string,
  check: (text: string) => Promise<readonly Problem[]>,
): EditorHandle {
  const root = box.shadowRoot ?? box.attachShadow({ mode: 'open' })
  root.replaceChildren()
  const view = new EditorView({
    doc: text,
    parent: root,
    root,
    extensions: [
      basicSetup,
      yaml(),
      syntaxHighlighting(colours),
      lintGutter(),
      linter(async ({ state: { doc } }) => (await check(doc.toString())).map(problem => diagnosticOf(problem, doc)), {
        delay: 300,
      }),
      autocompletion({ override: [complete] }),
      EditorView.theme({
        '&': {
          fontSize: '13px',
          backgroundColor: 'var(--page)',
          color: 'var(--text)',
          border: '1px solid var(--line)',
          borderRadius: '8px',
        },
        '.cm-scroller': {
          maxHeight: '60vh',
          minHeight: '14rem',
          overflow: 'auto',
          fontFamily: 'ui-monospace, monospace',
        },
        '.cm-gutters': { backgroundColor: 'var(--soft)', color: 'var(--quiet)', border: 'none' },
        '.cm-cursor': { borderLeftColor: 'var(--text)' },
        '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--hover)' },
        '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': {
          backgroundColor: 'var(--chosen) !important',
        },
        '.cm-tooltip': { backgroundColor: 'var(--page)', color: 'var(--text)', border: '1px solid var(--line)' },
        '.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--accent)', color: 'var(--page)' },
      }),
      EditorView.contentAttributes.of({ 'aria-label': 'The scenario, as YAML', tabindex: '0' }),
    ],
  })
  return {
    text: () => view.state.doc.toString(),
    goTo(line, column) {
      const at = view.state.doc.line(Math.min(line, view.state.doc.lines))
      view.dispatch({ selection: { anchor: Math.min(at.to, at.from + column - 1) }, scrollIntoView: true })
      view.focus()
    },
    close: () => view.destroy(),
  }
}

function diagnosticOf({ line = 1, column = 1, field, message }: Problem, doc: EditorView['state']['doc']): Diagnostic {
  const at = doc.line(Math.min(Math.max(1, line), doc.lines))
  const from = Math.min(at.to, at.from + Math.max(0, column - 1))
  const end = /^[\w./-]+/.exec(doc.sliceString(from, at.to))?.[0].length ?? 1
  return {
    from,
    to: Math.min(at.to, from + end),
    severity: 'error',
    message: field === '' ? message : `${field}: ${message}`,
  }
}

interface Schema {
  type?: string | string[]
  description?: string
  properties?: Record<string, Schema>
  items?: Schema
  enum?: unknown[]
  const?: unknown
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
  $ref?: string
}

/** What may stand where the cursor is, by the published schema: names of fields, or values. */
function complete(context: CompletionContext): CompletionResult | null {
  const line = context.state.doc.lineAt(context.pos)
  const before = line.text.slice(0, context.pos - line.from)
  const word = context.matchBefore(/[\w.-]*/)
  if (!word || (word.from === word.to && !context.explicit && !/[:{,]\s$/.test(before))) return null
  const path = pathAt(context, line.number, before)
  const key = /([\w-]+):\s*[\w.-]*$/.exec(before)?.[1]
  const places = path.reduce<Schema[]>((found, name) => found.flatMap(one => childrenOf(one, name)), [schema as Schema])
  const options: Completion[] =
    key === undefined
      ? places.flatMap(namesOf).map(([label, { description }]) => ({
          label,
          apply: `${label}: `,
          type: 'property',
          ...(description !== undefined && { info: description }),
        }))
      : places
          .flatMap(one => childrenOf(one, key))
          .flatMap(valuesOf)
          .map(label => ({ label, type: 'enum' }))
  const known = new Map(options.map(option => [option.label, option]))
  return known.size === 0 ? null : { from: word.from, options: [...known.values()] }
}

/** The names of the fields that the line is below, by indentation; and inside of { } on the line itself. */
function pathAt({ state }: CompletionContext, number: number, before: string): string[] {
  const indentOf = (text: string): number => /^[\s-]*/.exec(text)?.[0].length ?? 0
  let indent = indentOf(before)
  const path: string[] = []
  for (let n = number - 1; n >= 1 && indent > 0; n--) {
    const { text } = state.doc.line(n)
    if (text.trim() === '' || text.trim().startsWith('#')) continue
    const own = indentOf(text)
    const name = /^[\s-]*([\w-]+):\s*$/.exec(text)?.[1]
    if (own >= indent) continue
    if (name !== undefined) path.unshift(name)
    indent = /^\s*/.exec(text)?.[0].length ?? 0
    if (name === undefined && own > 0) indent = own
  }
  const flow = before.slice(indentOf(before))
  const open: string[] = []
  for (const [, name, sign] of flow.matchAll(/(?:([\w-]+):\s*)?([{}])/g)) {
    if (sign === '}') open.pop()
    else open.push(name ?? '')
  }
  return [...path, ...open.filter(Boolean)]
}

function resolved(one: Schema): Schema[] {
  const found = one.$ref?.startsWith('#/')
    ? one.$ref
        .slice(2)
        .split('/')
        .reduce<unknown>((at, name) => (at as Record<string, unknown>)?.[name], schema)
    : undefined
  const self = found === undefined ? [one] : resolved(found as Schema)
  return [...self, ...[one.anyOf, one.oneOf, one.allOf].flatMap(list => list ?? []).flatMap(resolved)]
}

const childrenOf = (one: Schema, name: string): Schema[] =>
  resolved(one).flatMap(({ properties, items }) => [
    ...(properties?.[name] === undefined ? [] : [properties[name]]),
    ...(items === undefined ? [] : childrenOf(items, name)),
  ])

const namesOf = (one: Schema): [string, Schema][] =>
  resolved(one).flatMap(({ properties, items }) => [
    ...Object.entries(properties ?? {}),
    ...(items === undefined ? [] : namesOf(items)),
  ])

const valuesOf = (one: Schema): string[] =>
  resolved(one).flatMap(({ enum: values = [], const: only, type, items }) => [
    ...values.map(String),
    ...(only === undefined ? [] : [String(only)]),
    ...(type === 'boolean' ? ['true', 'false'] : []),
    ...(items === undefined ? [] : valuesOf(items)),
  ])
