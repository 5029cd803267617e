/** The part of a host that no compose file tells. */

import { assumedHost } from '../topology/assumed-host.ts'
import type { Outside } from '../topology/assumed-host.ts'
import type { DockerHost } from './model.ts'

/** Returns a host with one device to the world, which has all addresses that ports are published on. */
export function assumedOutside(host: DockerHost): Outside {
  return assumedHost(host.joins.flatMap(({ bindings }) => bindings.map(({ hostAddress }) => hostAddress)))
}
