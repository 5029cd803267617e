/** Rules of INPUT for a port that DNAT sends elsewhere before INPUT is asked. */

import { lineOf } from '../../diagnostics/source-file.ts'
import { eachRule } from '../../ir/ruleset.ts'
import type { Rule } from '../../ir/ruleset.ts'
import type { NumberRange } from '../../net/ranges.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import { prefixIncludes } from '../../net/address.ts'
import { fateAt, isCertain } from '../fate.ts'
import type { LintInputs, LintRule } from '../lint-rule.ts'
import { withFields } from '../packet-class.ts'
import type { PacketClass } from '../packet-class.ts'
import { natOf, optionOf } from '../rule-facts.ts'
import { newFromWorld, packetOf } from '../world.ts'

export const publishedPortBypassesInput: LintRule = {
  id: 'published-port-bypasses-input',
  severity: 'warning',
  what: 'the rule does not guard the port: its packets never come to INPUT',
  why: 'the port is published: DNAT gives its packets another destination before routing, so they go through FORWARD',
  help: 'put the rule into DOCKER-USER, or before what accepts the packets in FORWARD, with `-m conntrack --ctorigdstport PORT`; or publish the port on 127.0.0.1 only',
  needs: ['whole', 'chains', 'world'],
  check(inputs, report) {
    const { ruleset, chains } = inputs
    const published = publishedPorts(inputs)
    if (published.length === 0) return
    eachRule(ruleset, (rule, _number, chain, table) => {
      if (table.name !== 'filter' || !chains.hooksOf(chain).includes('INPUT')) return
      const one = published.find(({ protocol, port }) => namesPort(rule, protocol, port))
      if (!one || !isClosed(one, inputs)) return
      report({
        span: rule.span, message: `this rule does not guard port ${one.port}: its packets never come to INPUT`,
        help: `put it into ${ruleset.tables.some(({ chainByName }) => chainByName.has('DOCKER-USER')) ? 'DOCKER-USER' : 'FORWARD, before what accepts them'} with \`-m conntrack --ctorigdstport ${one.port}\`, or publish the port on 127.0.0.1 only`,
        related: [{ span: one.dnat.span, message: `line ${lineOf(one.dnat.span)} sends them elsewhere` }, { span: one.accept.span, message: 'and FORWARD accepts them from anywhere' }],
        witness: { packet: packetOf(one.packets), path: [{ span: one.dnat.span, message: 'it gets another destination' }, { span: one.accept.span, message: 'it is accepted' }] },
      })
    })
  },
}

interface Published {
  readonly protocol: 'tcp' | 'udp'
  readonly port: number
  readonly packets: PacketClass
  readonly dnat: Rule
  readonly accept: Rule
}

/** Ports that the world reaches through DNAT, each with the rules that let it. */
function publishedPorts({ ruleset, family, chains, world }: LintInputs): readonly Published[] {
  const { prefixes } = world.hints
  const found: Published[] = []
  eachRule(ruleset, (rule, _number, chain, table) => {
    if (table.name !== 'nat' || natOf(rule, family)?.side !== 'destination' || !chains.hooksOf(chain).includes('PREROUTING')) return
    const protocol = optionOf(rule, 'ip', 'protocol')?.value === PROTOCOL.udp ? 'udp' : 'tcp'
    const range = optionOf(rule, protocol, 'dport')
    const port = range && !range.inverted ? (range.value as NumberRange).low : undefined
    if (port === undefined) return
    const packets = newFromWorld(world, family, { protocol, port })
    const translated = fateAt({ ruleset, hook: 'PREROUTING', tables: ['raw', 'mangle', 'nat'] }, packets)
    if (!translated.endings.every(({ by }) => by.kind === 'rule' && by.rule === rule)) return
    const target = translated.packets.fields['ip.dst']
    const out = target !== undefined && target !== 'absent' ? prefixes.find(({ prefix }) => prefixIncludes(prefix, target.low))?.device : undefined
    const forwarded = fateAt({ ruleset, hook: 'FORWARD', tables: ['mangle', 'filter'] }, withFields(translated.packets, {}, out === undefined ? {} : { 'device.out': out }))
    const by = forwarded.endings[0]?.by
    if (isCertain(forwarded, 'accept') && by?.kind === 'rule') found.push({ protocol, port, packets, dnat: rule, accept: by.rule })
  })
  return found
}

function isClosed({ protocol, port }: Published, { ruleset, family, world }: LintInputs): boolean {
  const fate = fateAt({ ruleset, hook: 'INPUT', tables: ['filter'] }, newFromWorld(world, family, { protocol, port }))
  return fate.endings.length > 0 && isCertain(fate, 'drop')
}

/** Tells whether a rule is about the port: ranges that are wide are not. */
function namesPort(rule: Rule, protocol: 'tcp' | 'udp', port: number): boolean {
  if (optionOf(rule, 'ip', 'protocol')?.value !== PROTOCOL[protocol]) return false
  return rule.matches.some(use => ['dport', 'dports'].some(name => {
    const given = use.infos[name]
    const ranges = given && !given.inverted ? (Array.isArray(given.value) ? (given.value as readonly NumberRange[]) : [given.value as NumberRange]) : []
    return ranges.some(({ low, high }) => low <= port && port <= high && high - low < 100)
  }))
}
