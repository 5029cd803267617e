/** The cases of fixtures/docker/live: a compose file, then after `---` who listens and who tries to reach whom. */

import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { composeWorld } from '../../cli/docker/compose-world.ts'
import { readEngine } from '../../src/docker/engine.ts'
import { HOST_NAME, fillNames } from '../../src/docker/names.ts'
import type { DockerHost } from '../../src/docker/model.ts'
import { readHost } from '../../src/docker/read-host.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import { readEndpoint } from '../../src/packet/endpoint.ts'
import type { Attempt } from '../../src/simulate/attempt.ts'
import { readTopology } from '../../src/topology/load.ts'
import { readSocket } from '../../src/topology/socket-text.ts'
import type { Namespace, Topology } from '../../src/topology/topology.ts'

/** A world with its attempts. */
export interface DockerCase {
  readonly topology: Topology
  /** Those of the host. */
  readonly rulesets: readonly Ruleset[]
  readonly steps: readonly { readonly text: string; readonly attempt: Attempt; readonly told: string }[]
}

/** The host beside its neighbour, which sends packets for containers to the host. */
const SURROUNDINGS = `
namespaces:
  host:
    devices: { eth0: { addresses: [203.0.113.10/24, "2001:db8:ffff::10/64"] } }
    routes: [default via 203.0.113.1 dev eth0, default via 2001:db8:ffff::1 dev eth0]
  outside:
    devices: { eth0: { addresses: [203.0.113.1/24, "2001:db8:ffff::1/64"] } }
    routes: [default via 203.0.113.10 dev eth0, default via 2001:db8:ffff::10 dev eth0]
wires: [[host/eth0, outside/eth0]]
`

const NEIGHBOUR = 'outside'
const NEIGHBOUR_ADDRESS = '203.0.113.1'

/** Reads a case; throws where it cannot be read. */
export function readDockerCase(path: string): DockerCase {
  const text = readFileSync(path, 'utf8')
  const at = text.indexOf('\n---\n')
  const engine = readEngine(/^# engine (\S+)/.exec(text)?.[1] ?? '')
  if (!engine) throw new Error(`${path} names no engine`)
  const { value: host, diagnostics } = readHost({ compose: { path, text: text.slice(0, at + 1) }, engine, directory: 'case' })
  const problem = diagnostics.find(({ severity }) => severity === 'error')
  if (problem) throw new Error(`${path}: ${problem.message}`)
  const written = parse(text.slice(at + 5)) as { listen: Record<string, readonly string[]>; attempts: readonly Record<string, string>[] }
  const world = composeWorld(host, [], { described: readTopology({ path: 'surroundings', text: SURROUNDINGS }).value })
  const containerOf = (name: string): string => (name === HOST_NAME ? 'host' : (host.sandboxes.find(({ service }) => service === name)?.container ?? name))
  const listening = new Map(Object.entries(written.listen).map(([name, sockets]) => [containerOf(name), sockets]))
  const withSockets = (namespace: Namespace): Namespace => ({ ...namespace, sockets: (listening.get(namespace.name) ?? []).flatMap(line => {
    const socket = readSocket(line)
    return socket.ok ? [socket.value] : []
  }) })
  const steps = written.attempts.flatMap(entry => Object.entries(entry)).map(([words, told]) => ({ text: words, told, attempt: readAttempt(words, host, world.outside, containerOf) }))
  return { topology: { ...world.topology, namespaces: world.topology.namespaces.map(withSockets) }, rulesets: world.rulesets, steps }
}

/** `FROM tcp|udp|ping TO[:PORT]` */
function readAttempt(words: string, host: DockerHost, outside: Namespace, containerOf: (name: string) => string): Attempt {
  const [from = '', kind = '', to = ''] = words.replaceAll(new RegExp(`${NEIGHBOUR}(?=:|$)`, 'g'), NEIGHBOUR_ADDRESS).split(' ')
  const filled = fillNames(`packet ${from === NEIGHBOUR ? NEIGHBOUR_ADDRESS : from} > ${to}`, host, outside)
  if (!filled.ok) throw new Error(filled.problem)
  const end = readEndpoint(filled.text.split(' > ')[1] ?? '')
  if (!end.ok || (kind !== 'tcp' && kind !== 'udp' && kind !== 'ping')) throw new Error(`\`${words}\` is no attempt`)
  return { kind, namespace: containerOf(from), destination: end.value.address, ...(end.value.port === undefined ? {} : { port: end.value.port }) }
}
