/** Rules of INPUT for a port that DNAT sends elsewhere before INPUT is asked. */

import { lineOf } from '../../diagnostics/source-file.ts'
import { eachRule } from '../../ir/ruleset.ts'
import type { Rule } from '../../ir/ruleset.ts'
import type { NumberRange } from '../../net/ranges.ts'
import { PROTOCOL } from '../../net/protocol.ts'
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
    const translated = translatedPorts(inputs)
    if (translated.size === 0) return
    const publishedAt = publishedPorts(translated, inputs)
    eachRule(ruleset, (rule, _number, chain, table) => {
      if (table.name !== 'filter' || !chains.hooksOf(chain).includes('INPUT')) return
      const one = publishedAt(rule)
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

/** A rule of PREROUTING that gives the packets to a port another destination. */
interface Translated {
  readonly protocol: 'tcp' | 'udp'
  readonly port: number
  readonly dnat: Rule
}

/** The world reaches the port so: with these packets, through a rule of FORWARD. */
interface Published extends Translated {
  readonly packets: PacketClass
  readonly accept: Rule
}

/** Returns the function that finds the first port that a rule names and the world reaches through DNAT. DNAT rules of other ports are not looked at. */
function publishedPorts(byPort: ReadonlyMap<string, readonly Translated[]>, inputs: LintInputs): (guard: Rule) => Published | undefined {
  const known = new Map<Rule, Published | undefined>()
  return guard => {
    for (const one of portsOf(guard).flatMap(key => byPort.get(key) ?? []).sort((first, second) => first.dnat.id - second.dnat.id)) {
      if (!known.has(one.dnat)) known.set(one.dnat, published(one, inputs))
      const found = known.get(one.dnat)
      if (found) return found
    }
    return undefined
  }
}

/** By protocol and port. */
function translatedPorts({ ruleset, family, chains }: LintInputs): ReadonlyMap<string, readonly Translated[]> {
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

/** Undefined where the world does not reach the port, or not by this rule. */
function published(one: Translated, { ruleset, family, world }: LintInputs): Published | undefined {
  const packets = newFromWorld(world, family, one)
  const translated = fateAt({ ruleset, hook: 'PREROUTING', tables: ['raw', 'mangle', 'nat'] }, packets)
  if (!translated.endings.every(({ by }) => by.kind === 'rule' && by.rule === one.dnat)) return undefined
  const target = translated.packets.fields['ip.dst']
  const out = target !== undefined && target !== 'absent' ? world.hintsAt(target.low)[0]?.device : undefined
  const forwarded = fateAt({ ruleset, hook: 'FORWARD', tables: ['mangle', 'filter'] }, withFields(translated.packets, {}, out === undefined ? {} : { 'device.out': out }))
  const by = forwarded.endings[0]?.by
  return isCertain(forwarded, 'accept') && by?.kind === 'rule' ? { ...one, packets, accept: by.rule } : undefined
}

function isClosed({ protocol, port }: Published, { ruleset, family, world }: LintInputs): boolean {
  const fate = fateAt({ ruleset, hook: 'INPUT', tables: ['filter'] }, newFromWorld(world, family, { protocol, port }))
  return fate.endings.length > 0 && isCertain(fate, 'drop')
}

/** Returns the ports that a rule is about, each with its protocol: ranges that are wide are not. */
function portsOf(rule: Rule): readonly string[] {
  const number = optionOf(rule, 'ip', 'protocol')?.value
  const protocol = number === PROTOCOL.tcp ? 'tcp' : number === PROTOCOL.udp ? 'udp' : undefined
  if (!protocol) return []
  const given = rule.matches.flatMap(({ infos }) => [infos['dport'], infos['dports']]).filter(option => option !== undefined && !option.inverted)
  const ranges = given.flatMap(option => (option?.value ?? []) as NumberRange | readonly NumberRange[])
  return ranges.flatMap(({ low, high }) => (high - low < 100 ? Array.from({ length: high - low + 1 }, (_, index) => `${protocol} ${low + index}`) : []))
}
