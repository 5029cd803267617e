/** Rules of INPUT for a port that DNAT sends elsewhere before INPUT is asked. */

import { lineOf } from '../../diagnostics/source-file.ts'
import { eachRule } from '../../ir/ruleset.ts'
import type { Rule } from '../../ir/ruleset.ts'
import { CT_STATE } from '../../meaning/fields.ts'
import { fateAt, isCertain } from '../fate.ts'
import type { LintInputs, LintRule } from '../lint-rule.ts'
import { exactly, withFields } from '../packet-class.ts'
import type { PacketClass } from '../packet-class.ts'
import { natOf } from '../rule-facts.ts'
import { portsOf, translatedPorts } from '../translated-ports.ts'
import type { Translated } from '../translated-ports.ts'
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
        help: `put it into ${ruleset.tables.some(({ chainByName }) => chainByName.has('DOCKER-USER')) ? 'DOCKER-USER' : 'FORWARD, before what accepts them'} with \`-m conntrack --ctorigdstport ${one.port}\`, or ${one.chain.name.startsWith('KUBE-') ? 'give the service another type than NodePort' : 'publish the port on 127.0.0.1 only'}`,
        related: [{ span: one.dnat.span, message: `line ${lineOf(one.dnat.span)} sends them elsewhere` }, { span: one.accept.span, message: 'and FORWARD accepts them from anywhere' }],
        witness: { packet: packetOf(one.packets), path: [{ span: one.dnat.span, message: 'it gets another destination' }, { span: one.accept.span, message: 'it is accepted' }] },
      })
    })
  },
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
    for (const one of portsOf(guard, byPort).flatMap(key => byPort.get(key) ?? []).sort((first, second) => first.dnat.id - second.dnat.id)) {
      if (!known.has(one.dnat)) known.set(one.dnat, published(one, inputs))
      const found = known.get(one.dnat)
      if (found) return found
    }
    return undefined
  }
}

/** Undefined where the world does not reach the port, or not by this rule. */
function published(one: Translated, { ruleset, family, world }: LintInputs): Published | undefined {
  const packets = newFromWorld(world, family, one)
  const translated = fateAt({ ruleset, hook: 'PREROUTING', tables: ['raw', 'mangle', 'nat'] }, packets)
  const isDirect = natOf(one.dnat, family) !== undefined
  if (!translated.endings.every(({ by }) => by.kind === 'rule' && (isDirect ? by.rule === one.dnat : natOf(by.rule, family)?.side === 'destination'))) return undefined
  const target = translated.packets.fields['ip.dst']
  const out = target !== undefined && target !== 'absent' ? world.hintsAt(target.low)[0]?.device : undefined
  const forwarded = fateAt({ ruleset, hook: 'FORWARD', tables: ['mangle', 'filter'] }, withFields(translated.packets, { 'ct.state': exactly(CT_STATE.NEW | CT_STATE.DNAT) }, out === undefined ? {} : { 'device.out': out }))
  const by = forwarded.endings[0]?.by
  return isCertain(forwarded, 'accept') && by?.kind === 'rule' ? { ...one, packets, accept: by.rule } : undefined
}

function isClosed({ protocol, port }: Published, { ruleset, family, world }: LintInputs): boolean {
  const fate = fateAt({ ruleset, hook: 'INPUT', tables: ['filter'] }, newFromWorld(world, family, { protocol, port }))
  return fate.endings.length > 0 && isCertain(fate, 'drop')
}
