/** The order in which the containers of a compose file start: each after those that it depends on, otherwise by name. */

import type { Report } from '../diagnostics/diagnostic.ts'
import type { ComposeService } from './compose-service.ts'

/** Returns services in the order of their start; those that depend on each other in a circle are reported. */
export function startOrder(services: readonly ComposeService[], report: Report): readonly ComposeService[] {
  const byName = new Map(services.map(service => [service.name, service]))
  const order: ComposeService[] = []
  const open = new Set<string>()
  const done = new Set<string>()
  const visit = (service: ComposeService): void => {
    if (done.has(service.name)) return
    if (open.has(service.name)) {
      report('dependency-loop', 'error', service.span, `service \`${service.name}\` depends on itself: ${[...open, service.name].slice([...open].indexOf(service.name)).join(' -> ')}`)
      return
    }
    open.add(service.name)
    for (const name of dependenciesOf(service)) {
      const other = byName.get(name)
      if (other) visit(other)
    }
    open.delete(service.name)
    done.add(service.name)
    order.push(service)
  }
  for (const service of services.toSorted(byNameOf)) visit(service)
  return order
}

/** Returns the services that must run before, by name. */
function dependenciesOf({ dependsOn, links, mode }: ComposeService): readonly string[] {
  const names = [...dependsOn, ...links].map(({ value }) => value)
  return [...new Set(mode.kind === 'service' ? [...names, mode.name] : names)].sort()
}

function byNameOf(one: ComposeService, other: ComposeService): number {
  return one.name < other.name ? -1 : one.name > other.name ? 1 : 0
}
