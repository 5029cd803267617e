/** The rules of legacy links, `docker run --link`, where docker0 has icc off. Source: daemon/libnetwork/drivers/bridge/internal/iptabler/link.go. */

import { host, portOf, verdict } from '../draft/rule-parts.ts'
import { append, inFilter } from '../draft/step.ts'
import type { Step } from '../draft/step.ts'
import { CHAIN } from './chains.ts'
import { DEFAULT_NETWORK } from './default-network.ts'
import type { Link } from './model.ts'
import { sandboxWords } from './port-rules.ts'
import type { RuleContext } from './side.ts'

/** Returns the steps that open the exposed ports of a container to another; IPv4 only. */
export function linkSteps({ from, to }: Link, { family }: RuleContext): readonly Step[] {
  const ends = [from, to].map(sandbox => sandbox.endpoints.find(endpoint => endpoint.network.name === DEFAULT_NETWORK))
  const [client, server] = ends
  const [source, destination] = [client?.addresses.ipv4, server?.addresses.ipv4]
  if (family !== 'ipv4' || !client || client.network.icc || source === undefined || destination === undefined) return []
  const devices = { inDevice: client.network.bridge, outDevice: client.network.bridge }
  const owner = sandboxWords(from)
  return to.exposed.flatMap(({ protocol, port }) => [
    append(inFilter(CHAIN.docker), {
      matches: portOf(protocol, 'dport', port, { source: host(source), destination: host(destination), ...devices }), target: verdict('ACCEPT'), owner,
      reason: `${owner} is linked to ${to.container}, which exposes port ${port}/${protocol}`,
    }),
    append(inFilter(CHAIN.docker), {
      matches: portOf(protocol, 'sport', port, { source: host(destination), destination: host(source), ...devices }), target: verdict('ACCEPT'), owner,
      reason: `and ${to.container} may answer`,
    }),
  ])
}
