/** Ports that DNAT gives another destination, and the ports that rules ask for. */

import { eachRule } from '../ir/ruleset.ts'
import type { Rule } from '../ir/ruleset.ts'
import type { NumberRange } from '../net/ranges.ts'
import { PROTOCOL } from '../net/protocol.ts'
import type { LintInputs } from './lint-rule.ts'
import { natOf, optionOf } from './rule-facts.ts'

/** A rule of PREROUTING that gives the packets to a port another destination. */
export interface Translated {
  readonly protocol: 'tcp' | 'udp'
  readonly port: number
  readonly dnat: Rule
}

/** Returns the rules of PREROUTING that translate a port, by protocol and port: `tcp 8080`. */
export function translatedPorts({ ruleset, family, chains }: LintInputs): ReadonlyMap<string, readonly Translated[]> {
  const byPort = new Map<string, Translated[]>()
  eachRule(ruleset, (dnat, _number, chain, table) => {
    if (table.name !== 'nat' || natOf(dnat, family)?.side !== 'destination' || !chains.hooksOf(chain).includes('PREROUTING')) return
    const protocol = optionOf(dnat, 'ip', 'protocol')?.value === PROTOCOL.udp ? 'udp' : 'tcp'
    const range = optionOf(dnat, protocol, 'dport')
    if (!range || range.inverted) return
    const port = (range.value as NumberRange).low
    const list = byPort.get(`${protocol} ${port}`)
    if (list) list.push({ protocol, port, dnat })
    else byPort.set(`${protocol} ${port}`, [{ protocol, port, dnat }])
  })
  return byPort
}

/** Returns the ports that a rule is about, each with its protocol: `tcp 8080`; wide ranges are left out. */
export function portsOf(rule: Rule): readonly string[] {
  const number = optionOf(rule, 'ip', 'protocol')?.value
  const protocol = number === PROTOCOL.tcp ? 'tcp' : number === PROTOCOL.udp ? 'udp' : undefined
  if (!protocol) return []
  const given = rule.matches.flatMap(({ infos }) => [infos['dport'], infos['dports']]).filter(option => option !== undefined && !option.inverted)
  const ranges = given.flatMap(option => (option?.value ?? []) as NumberRange | readonly NumberRange[])
  return ranges.flatMap(({ low, high }) => (high - low < 100 ? Array.from({ length: high - low + 1 }, (_, index) => `${protocol} ${low + index}`) : []))
}
