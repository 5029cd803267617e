/** DNAT to addresses that no route leads to. */

import type { Hook } from '../../ir/hooks.ts'
import { eachRule } from '../../ir/ruleset.ts'
import { writeAddress } from '../../net/address.ts'
import type { Address } from '../../net/address.ts'
import { lookupRoute, makeFib } from '../../topology/fib.ts'
import type { RouteDecision } from '../../topology/fib.ts'
import { sysctlNumber } from '../../topology/topology.ts'
import type { LintInputs, LintRule } from '../lint-rule.ts'
import { natOf } from '../rule-facts.ts'

export const dnatToUnreachable: LintRule = {
  id: 'dnat-to-unreachable',
  severity: 'warning',
  what: 'no packet gets to the new destination',
  why: 'routing comes after DNAT and has no way to this address: every connection that the rule translates ends here',
  help: 'correct the address, or add the route',
  needs: ['chains'],
  check(inputs, report) {
    const { ruleset, family, chains, topology } = inputs
    const namespace = topology?.namespaces[0]
    const fib = namespace && makeFib(namespace)
    eachRule(ruleset, (rule, _number, chain, table) => {
      const nat = table.name === 'nat' ? natOf(rule, family) : undefined
      const server = nat?.side === 'destination' && nat.addresses.kind === 'ranges' ? nat.addresses.ranges[0]?.low : undefined
      if (server === undefined) return
      const nowhere = nowhereInWords(server)
      const loopback = typeof server === 'number' && server >>> 24 === 127 && isForArrivals(chains.hooksOf(chain)) ? loopbackProblem(inputs) : undefined
      const route = fib && !nowhere && lookupRoute(fib, { destination: server, mark: 0, tos: 0 })
      const problem = nowhere ?? loopback ?? (route && routeProblem(route))
      if (problem !== undefined) report({ span: rule.span, message: `nothing gets to ${writeAddress(server)}: ${problem}` })
    })
  },
}

function isForArrivals(hooks: readonly Hook[]): boolean {
  return hooks.includes('PREROUTING')
}

function nowhereInWords(address: Address): string | undefined {
  const isNothing = BigInt(address) === 0n
  const isGroup = typeof address === 'number' ? address >>> 28 === 0xe : address >> 120n === 0xffn
  return isNothing ? 'it is no address of a host' : isGroup ? 'it is the address of a group' : undefined
}

/** Only a topology says that `route_localnet` is off. */
function loopbackProblem({ topology }: LintInputs): string | undefined {
  const namespace = topology?.namespaces[0]
  if (!namespace) return undefined
  const isOn = ['all', 'default', ...namespace.devices.map(({ name }) => name)].some(name => sysctlNumber(namespace, `net.ipv4.conf.${name}.route_localnet`, 0) !== 0)
  return isOn ? undefined : 'packets from the network to 127.0.0.0/8 are dropped, and `route_localnet` is 0 on every device'
}

function routeProblem({ kind }: RouteDecision): string | undefined {
  if (kind === 'none') return 'there is no route to it'
  return kind === 'blackhole' || kind === 'unreachable' || kind === 'prohibit' ? `it has a route of type ${kind}` : undefined
}
