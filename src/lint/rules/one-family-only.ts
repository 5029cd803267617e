/** What is open in one family and closed in the other. */

import type { Ruleset } from '../../ir/ruleset.ts'
import { eachRule } from '../../ir/ruleset.ts'
import type { NumberRange } from '../../net/ranges.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import { atInput, deciderOf, fateAt, isCertain, placeOfDecider } from '../fate.ts'
import type { Decider, Fate } from '../fate.ts'
import type { LintRule } from '../lint-rule.ts'
import { optionOf, targetNamed } from '../rule-facts.ts'
import { newFromWorld, packetOf, worldOf } from '../world.ts'
import type { Service } from '../world.ts'

const OTHER: Service = { protocol: 'tcp', port: 59999 }

export const oneFamilyOnly: LintRule = {
  id: 'one-family-only',
  severity: 'warning',
  what: 'the port is open in one family and closed in the other',
  why: 'clients choose the family: what only one of two rulesets forbids is not forbidden, and what only one allows works for some',
  help: 'write the same rule for the other family',
  needs: ['whole', 'counterpart', 'world'],
  check({ ruleset, family, world, counterpart, topology }, report) {
    if (!counterpart) return
    const other = worldOf(counterpart.ruleset, topology)
    if (family === 'ipv4' && !acceptsAny(counterpart.ruleset)) return
    const said = new Set<Decider['chain'] | object>()
    for (const service of [OTHER, ...namedPorts(ruleset)]) {
      const packets = atInput(ruleset, newFromWorld(world, family, service))
      if (!packets) continue
      const here = fateAt({ ruleset, hook: 'INPUT', tables: ['filter'] }, packets)
      const there = fateAt({ ruleset: counterpart.ruleset, hook: 'INPUT', tables: ['filter'] }, newFromWorld(other, counterpart.family, service))
      const by = deciderOf(here)
      const against = deciderOf(there)
      const span = by && placeOfDecider(by)
      if (!by || !span || !against || !isCertain(here, 'accept') || !isDropped(there) || said.has(by.kind === 'rule' ? by.rule : by.chain)) continue
      said.add(by.kind === 'rule' ? by.rule : by.chain)
      const name = service.protocol === 'icmp' ? 'icmp' : service === OTHER ? 'every other port' : `${service.protocol} port ${service.port}`
      const place = placeOfDecider(against)
      report({
        span, message: `${name} is open in ${inWords(family)} and closed in ${inWords(counterpart.family)}`,
        severity: family === 'ipv6' ? 'warning' : 'note',
        related: place ? [{ span: place, message: `${inWords(counterpart.family)} drops it here` }] : [],
        witness: { packet: packetOf(packets), path: [{ span, message: 'it is accepted' }] },
      })
    }
  },
}

/** A ruleset that accepts no port turns the family off: then nothing is missing in it. */
function acceptsAny(ruleset: Ruleset): boolean {
  return namedPorts(ruleset).length > 0
}

function isDropped(fate: Fate): boolean {
  return fate.endings.length > 0 && isCertain(fate, 'drop')
}

function inWords(family: 'ipv4' | 'ipv6'): string {
  return family === 'ipv4' ? 'IPv4' : 'IPv6'
}

/** The ports that rules accept by number. */
function namedPorts(ruleset: Ruleset): readonly Service[] {
  const found = new Map<string, Service>()
  eachRule(ruleset, (rule, _number, _chain, table) => {
    const number = optionOf(rule, 'ip', 'protocol')?.value
    const protocol = number === PROTOCOL.tcp ? 'tcp' : number === PROTOCOL.udp ? 'udp' : undefined
    if (table.name !== 'filter' || !protocol || !targetNamed(rule, ['ACCEPT']) || found.size > 200) return
    for (const use of rule.matches) {
      for (const name of ['dport', 'dports']) {
        const given = use.infos[name]
        const ranges = given && !given.inverted ? (Array.isArray(given.value) ? (given.value as readonly NumberRange[]) : [given.value as NumberRange]) : []
        for (const { low, high } of ranges) if (low === high) found.set(`${protocol} ${low}`, { protocol, port: low })
      }
    }
  })
  return [...found.values()]
}
