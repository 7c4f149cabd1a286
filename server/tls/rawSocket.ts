/** What lies under a TLS connection: only there can it be reset, and seen what has not left yet. */
import type { Socket } from 'node:net'

const beneath = new WeakMap<Socket, Socket>()

export const layOver = (socket: Socket, raw: Socket): void => void beneath.set(socket, raw)

/** The TCP connection of a socket: itself, or the one that its TLS runs over. */
export const rawSocketOf = (socket: Socket): Socket => beneath.get(socket) ?? socket
