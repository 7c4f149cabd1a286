/**
 * X-Mock-Mutant: one call gets the mutant's answer. Each mutant that is asked for has a server of its own over the same
 * worlds, made at its first call; a call without the header comes by none of this.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type App, buildServer } from '../app.ts'
import { apiError } from '../errors.ts'
import type { Mock } from '../mock.ts'
import type { Uploads } from '../uploads.ts'
import type { World } from '../world/world.ts'

const header = 'x-mock-mutant'

/** Hands calls that name a mutant to it. */
export function answerByHeader({ fastify, mock }: App): void {
  const { server } = fastify
  const listeners = server.listeners('request') as ((request: IncomingMessage, response: ServerResponse) => void)[]
  const servers = new Map<string, Promise<MutantServer>>()
  server.removeAllListeners('request')
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const name = request.headers[header]
    if (name === undefined || request.url?.startsWith('/__mock')) {
      for (const answer of listeners) answer.call(server, request, response)
      return
    }
    const known = servers.get(String(name)) ?? mutantServer(mock, String(name))
    // What nobody knows is not kept: names are anybody's.
    known.then(
      ({ isKnown, take }) => {
        if (isKnown) servers.set(String(name), known)
        take(request, response)
      },
      error => {
        mock.log.error({ err: error }, 'a bug in a mutant')
        response.destroy()
      },
    )
  })
  fastify.addHook('onClose', async () => {
    for (const known of servers.values()) await (await known).close()
  })
}

interface MutantServer {
  isKnown: boolean
  take: (request: IncomingMessage, response: ServerResponse) => void
  close: () => Promise<void>
}

async function mutantServer(mock: Mock, name: string): Promise<MutantServer> {
  const { mutantNamed } = await import('./index.ts')
  const { Mutation } = await import('./mutation.ts')
  const { afterKey } = await import('./change.ts')
  // Its options and uploads are its own to change; worlds, jobs and journal are everybody's.
  const own: Mock = { ...mock, config: { ...mock.config }, uploads: changeable(mock.uploads) }
  const fastify = buildServer(own)
  const worlds = new WeakSet<World>()
  const mutation = new Mutation(name, { fastify, mock: own }, worlds)
  let isKnown = true
  try {
    mutantNamed(name, 'X-Mock-Mutant').apply(mutation)
  } catch (error) {
    isKnown = false
    afterKey(mutation, '*', () => {
      throw apiError('invalid_field', (error as Error).message)
    })
  }
  mutation.watch()
  await fastify.ready()
  return {
    isKnown,
    take(request, response) {
      const key = request.headers['x-api-key'] as string | undefined
      const partition = request.headers['x-mock-world'] as string | undefined
      const world = key === undefined ? undefined : mock.worlds.ofKey(key, partition)
      worlds.add(world ?? mock.worlds.anonymous(partition))
      fastify.server.emit('request', request, response)
    },
    close: () => fastify.close(),
  }
}

/** The same object for those who use it, where a method can be replaced for this one holder alone. */
function changeable(uploads: Uploads): Uploads {
  const own = new Map<string | symbol, unknown>()
  return new Proxy(uploads, {
    get(target, name) {
      if (own.has(name)) return own.get(name)
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
    set: (_target, name, value) => own.set(name, value) !== undefined,
  })
}
