/**
 * The way from one connection of a client's to the target: one connection there too, so that the target sees as many as
 * it would without the recorder, and that a connection which the target has closed is closed for the client as well. With
 * connections from a common pool, one that the target closes at the moment of its use would be recorded as a fault.
 */
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'

export class UpstreamConnection {
  readonly agent: HttpAgent
  readonly #client: Socket
  readonly #seen = new WeakSet<Socket>()
  readonly #left = new WeakSet<Socket>()
  #busy = 0
  #begun = 0
  #isClosed = false

  constructor(client: Socket, isTls: boolean, tls: ConnectionOptions) {
    const common = { keepAlive: true, maxSockets: 1 }
    this.agent = isTls ? new HttpsAgent({ ...common, ...tls }) : new HttpAgent(common)
    this.#client = client
    client.once('close', () => this.agent.destroy())
  }

  /** The how-maniest call of the client's connection begins, from 1. */
  begin(): number {
    this.#busy++
    return ++this.#begun
  }

  end(): void {
    this.#busy--
    this.#follow()
  }

  /** The connection that a call goes over. */
  watch(socket: Socket): void {
    this.#isClosed = false
    if (this.#seen.has(socket)) return
    this.#seen.add(socket)
    socket.once('close', () => {
      if (this.#left.has(socket)) return
      // One that has never answered is the call's own concern.
      this.#isClosed = socket.bytesRead > 0
      this.#follow()
    })
  }

  /** The recorder gives it up by itself: the client's own connection stays. */
  leave(socket: Socket): void {
    this.#left.add(socket)
  }

  #follow(): void {
    if (this.#busy === 0 && this.#isClosed && !this.#client.destroyed) this.#client.end()
  }
}
