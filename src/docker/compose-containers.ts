/** Services of a compose file in the order of their start -> containers, each with the networks that it joins. */

import type { ComposeNetwork } from './compose-network.ts'
import type { ComposeReader } from './compose-reader.ts'
import type { ComposeService, ServiceJoin } from './compose-service.ts'
import { DEFAULT_NETWORK } from './default-network.ts'
import type { ContainerPlan, JoinPlan } from './plan.ts'

/** Returns the containers of all services, replicas 1..n of each. */
export function planContainers(services: readonly ComposeService[], networks: ReadonlyMap<string, ComposeNetwork>, project: string, reader: ComposeReader): readonly ContainerPlan[] {
  const nameOf = (service: ComposeService, index: number): string => service.containerName ?? `${project}-${service.name}-${index + 1}`
  const firstOf = (name: string): string => {
    const service = services.find(one => one.name === name)
    return service ? nameOf(service, 0) : name
  }
  return services.flatMap(service => {
    checkPorts(service, reader)
    const { mode } = service
    const isGuest = mode.kind === 'service' || mode.kind === 'container'
    const joins = joinsOf(service, networks, reader)
    return Array.from({ length: service.count }, (_, index): ContainerPlan => ({
      name: nameOf(service, index), service: service.name, mode: isGuest ? 'guest' : mode.kind === 'host' || mode.kind === 'none' ? mode.kind : 'own',
      ...(isGuest ? { guestOf: firstOf(mode.name) } : {}),
      joins, ports: mode.kind === 'host' || mode.kind === 'none' || isGuest ? [] : service.ports, exposed: service.exposed,
      links: service.links.map(({ value }) => firstOf(value)), sysctls: service.sysctls, span: service.span,
    }))
  })
}

function checkPorts({ name, mode, ports }: ComposeService, { report }: ComposeReader): void {
  const [first] = ports
  if (!first?.span) return
  if (mode.kind === 'host') report('bad-value', 'warning', first.span, `ports of service \`${name}\` are not published: it uses the network of the host`, { help: 'its ports are open on the host as they are' })
  if (mode.kind === 'none') report('bad-value', 'warning', first.span, `ports of service \`${name}\` are not published: it has no network`)
  if (mode.kind === 'service' || mode.kind === 'container') report('bad-value', 'error', first.span, `service \`${name}\` cannot publish ports: it shares the network of \`${mode.name}\``, { help: `publish them there` })
}

/** Higher priorities join first, then by key. */
function joinsOf({ name, mode, joins, mac, span }: ComposeService, networks: ReadonlyMap<string, ComposeNetwork>, { report }: ComposeReader): readonly JoinPlan[] {
  if (mode.kind === 'bridge') return [withMac({ network: DEFAULT_NETWORK, addresses: {}, gatewayPriority: 0 }, mac)]
  if (mode.kind === 'other') report('not-modelled', 'warning', mode.span, `network mode \`${mode.name}\` of service \`${name}\` is not modelled: the network is not in this file`)
  if (mode.kind !== 'networks') return []
  const wanted: readonly ServiceJoin[] = joins ?? [{ network: 'default', addresses: {}, gatewayPriority: 0, priority: 0, span }]
  return wanted
    .filter(({ network }) => networks.get(network)?.driver === 'bridge')
    .toSorted((one, other) => other.priority - one.priority || (one.network < other.network ? -1 : 1))
    .map((join, index) => {
      const key = networks.get(join.network)?.plan.name === DEFAULT_NETWORK ? DEFAULT_NETWORK : join.network
      const { priority: _priority, span: _span, ...plan } = join
      return withMac({ ...plan, network: key }, index === 0 ? mac : undefined)
    })
}

function withMac(join: JoinPlan, mac: string | undefined): JoinPlan {
  return mac === undefined || join.mac !== undefined ? join : { ...join, mac }
}
