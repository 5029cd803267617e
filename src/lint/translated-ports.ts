/** Ports that DNAT gives another destination, and the ports that rules ask for. */

import { eachRule } from '../ir/ruleset.ts'
import type { Chain, Rule } from '../ir/ruleset.ts'
import type { NumberRange } from '../net/ranges.ts'
import { PROTOCOL } from '../net/protocol.ts'
import type { LintInputs } from './lint-rule.ts'
import { natOf, optionOf } from './rule-facts.ts'

/** A rule of PREROUTING that gives the packets to a port another destination, or leads them to rules that may: kube-proxy's node ports are found so. */
export interface Translated {
  readonly protocol: 'tcp' | 'udp'
  readonly port: number
  readonly dnat: Rule
  readonly chain: Chain
}

/** Returns the rules of PREROUTING that translate a port, by protocol and port: `tcp 8080`. */
export function translatedPorts({ ruleset, family, chains }: LintInputs): ReadonlyMap<string, readonly Translated[]> {
  const byPort = new Map<string, Translated[]>()
  eachRule(ruleset, (dnat, _number, chain, table) => {
    if (table.name !== 'nat' || (natOf(dnat, family)?.side !== 'destination' && !leadsOn(dnat)) || !chains.hooksOf(chain).includes('PREROUTING')) return
    const protocol = optionOf(dnat, 'ip', 'protocol')?.value === PROTOCOL.udp ? 'udp' : 'tcp'
    const range = optionOf(dnat, protocol, 'dport')
    if (!range || range.inverted) return
    const port = (range.value as NumberRange).low
    const list = byPort.get(`${protocol} ${port}`)
    if (list) list.push({ protocol, port, dnat, chain })
    else byPort.set(`${protocol} ${port}`, [{ protocol, port, dnat, chain }])
  })
  return byPort
}

/** What names a destination is about another address, such as a service of the cluster. */
function leadsOn(rule: Rule): boolean {
  return rule.target !== undefined && rule.target.kind !== 'target' && optionOf(rule, 'ip', 'destination') === undefined
}

/** So many ports are looked up one by one. */
const FEW = 100

/** As wide as the range of ports that Kubernetes gives to nodes, and somewhat wider: wider ones are about no port in particular. */
const NODE_PORTS = 5000

/** Returns the ports that a rule is about, each with its protocol: `tcp 8080`; of wide ranges those that are translated, where they are given. */
export function portsOf(rule: Rule, translated?: ReadonlyMap<string, readonly Translated[]>): readonly string[] {
  const number = optionOf(rule, 'ip', 'protocol')?.value
  const protocol = number === PROTOCOL.tcp ? 'tcp' : number === PROTOCOL.udp ? 'udp' : undefined
  if (!protocol) return []
  const given = rule.matches.flatMap(({ infos }) => [infos['dport'], infos['dports']]).filter(option => option !== undefined && !option.inverted)
  const ranges = given.flatMap(option => (option?.value ?? []) as NumberRange | readonly NumberRange[])
  return ranges.flatMap(({ low, high }) => {
    if (high - low < FEW) return Array.from({ length: high - low + 1 }, (_, index) => `${protocol} ${low + index}`)
    return high - low > NODE_PORTS ? [] : [...(translated ?? [])].flatMap(([key, [one]]) => (one?.protocol === protocol && low <= one.port && one.port <= high ? [key] : []))
  })
}
