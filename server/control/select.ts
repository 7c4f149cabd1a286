import type { WorldSelector } from '../../client/mock.ts'
import { apiError } from '../errors.ts'
import type { Mock } from '../mock.ts'
import type { World } from '../world/world.ts'

/** The worlds that are meant; a key's is made where it has none yet. Throws where there is none to be had. */
export function worldsOf({ worlds }: Mock, selector: WorldSelector): World[] {
  const found = worlds.select(selector)
  if (found && found.length > 0) return found
  const { key, world } = selector
  throw apiError(
    'invalid_field',
    key === undefined
      ? `there is no world ${JSON.stringify(world)}; expected an X-Mock-World that was used, or a key beside it`
      : 'the key is not valid; expected one that starts with test_, "anonymous", or the fingerprint of one that was used',
  )
}

/** The one world that is meant. */
export const worldOf = (mock: Mock, selector: WorldSelector): World => worldsOf(mock, selector)[0] as World
