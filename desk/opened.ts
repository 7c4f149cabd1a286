/** Files that were opened, and the one that is saved. */
import { signal } from '@preact/signals'
import type { OpenedIncident } from '../client/desk.ts'
import { ask, query, selectorOf, send } from './api.ts'
import { download, plural } from './parts.tsx'
import { announce, go, linkTo } from './state.ts'

export const opened = signal<ReadonlyMap<string, OpenedIncident>>(new Map())
/** Why one could not be shown. */
export const errors = signal<ReadonlyMap<string, string>>(new Map())

const keep = (incident: OpenedIncident): void => {
  opened.value = new Map([...opened.value, [incident.id, incident]])
}

/** One that is open: in this page, or in the mock. */
export async function findIncident(id: string): Promise<OpenedIncident> {
  const known = opened.value.get(id)
  if (known) return known
  const incident = await ask<OpenedIncident>(`incidents/${encodeURIComponent(id)}`)
  keep(incident)
  return incident
}

/** Reads a zip or a HAR, and shows it. */
export async function openFile(file: File): Promise<void> {
  announce(`Reading ${file.name}…`)
  const body = await file.arrayBuffer()
  const incident = await ask<OpenedIncident>(`incidents${query({ name: file.name })}`, {
    body,
    type: 'application/octet-stream',
  })
  keep(incident)
  go(linkTo('incidents', incident.id))
  announce(`${plural(incident.rows.length, 'entry', 'entries')} read`)
}

/** HAR, snapshots, scenario and versions in one zip, without secrets. */
export async function downloadIncident(world?: string): Promise<void> {
  const answer = await send(`incident${query(world === undefined ? {} : selectorOf(world))}`)
  const name =
    /filename="([^"]+)"/.exec(answer.headers.get('content-disposition') ?? '')?.[1] ?? 'understudy-incident.zip'
  download(name, await answer.blob())
}
