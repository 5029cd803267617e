/** Rate limits whose excess is accepted all the same. */

import { predicateOf, memoryOf } from '../../extensions/meaning-of.ts'
import { placeOfMatch } from '../../extensions/word-place.ts'
import { matchDefinition } from '../../extensions/registry.ts'
import type { Chain, Rule } from '../../ir/ruleset.ts'
import { deciderOf, fateInChain, isCertain } from '../fate.ts'
import type { LintInputs, LintRule } from '../lint-rule.ts'
import { holds } from '../packet-class.ts'
import type { PacketClass } from '../packet-class.ts'
import { optionOf, targetNamed } from '../rule-facts.ts'
import type { NumberRange } from '../../net/ranges.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import { newFromWorld, packetOf } from '../world.ts'

export const limitWithoutDrop: LintRule = {
  id: 'limit-without-drop',
  severity: 'warning',
  what: 'what goes beyond the limit is accepted too',
  why: 'a limit only decides whether this rule matches: packets beyond it go on to the rules below',
  help: 'drop what is left behind the rule',
  needs: ['whole', 'world'],
  check(inputs, report) {
    const { ruleset, family } = inputs
    for (const table of ruleset.tables) {
      if (table.name !== 'filter') continue
      for (const chain of table.chains) {
        if (chain.hook !== 'INPUT' && chain.hook !== 'FORWARD') continue
        chain.rules.forEach((rule, index) => {
          const packets = targetNamed(rule, ['ACCEPT']) && rule.matches.some(use => use.name === 'limit') ? matching(rule, chain, inputs) : undefined
          if (!packets) return
          const rest = fateInChain(ruleset, chain, packets, index + 1)
          const by = deciderOf(rest)
          if (!isCertain(rest, 'accept') || !by) return
          const span = placeOfMatch(rule, matchDefinition('limit', family), 'limit')
          const where = by.kind === 'rule' ? { span: by.rule.span, message: 'this rule accepts it' } : by.chain.span && { span: by.chain.span, message: 'the chain policy accepts it' }
          report({ span, related: where ? [where] : [], witness: { packet: packetOf(packets), path: where ? [{ span: rule.span, message: 'beyond the limit this rule does not match' }, where] : [] } })
        })
      }
    }
  },
}

/** New connections from the world that the rule matches within its limit: undefined where that is not certain. */
function matching(rule: Rule, chain: Chain, { family, world }: LintInputs): PacketClass | undefined {
  const protocol = optionOf(rule, 'ip', 'protocol')?.value
  const port = (optionOf(rule, protocol === PROTOCOL.udp ? 'udp' : 'tcp', 'dport')?.value as NumberRange | undefined)?.low ?? 59999
  const icmp = optionOf(rule, family === 'ipv4' ? 'icmp' : 'icmp6', family === 'ipv4' ? 'icmp-type' : 'icmpv6-type')?.value as { readonly type: number } | undefined
  const isIcmp = protocol === PROTOCOL.icmp || protocol === PROTOCOL.icmpv6
  const service = isIcmp ? { protocol: 'icmp' as const, type: icmp && icmp.type !== 255 ? icmp.type : family === 'ipv4' ? 8 : 128, code: 0 } : { protocol: protocol === PROTOCOL.udp ? ('udp' as const) : ('tcp' as const), port }
  const packets = newFromWorld(world, family, service, chain.hook === 'INPUT' ? 'host' : 'beyond')
  return rule.matches.every(use => memoryOf(use, family) !== undefined || holds(predicateOf(use, family), packets) === true) ? packets : undefined
}
