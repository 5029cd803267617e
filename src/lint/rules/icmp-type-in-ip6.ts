/** `-p icmp` in IPv6 rules and `-p ipv6-icmp` in IPv4 rules. */

import { placeOfOption } from '../../extensions/word-place.ts'
import { matchDefinition } from '../../extensions/registry.ts'
import { eachRule } from '../../ir/ruleset.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import type { LintRule } from '../lint-rule.ts'
import { optionOf } from '../rule-facts.ts'

export const icmpTypeInIp6: LintRule = {
  id: 'icmp-type-in-ip6',
  severity: 'warning',
  what: 'the rule asks for ICMP of the other family',
  why: 'IPv6 has a protocol of its own for ICMP, number 58: the rule loads, and no packet that a host sends matches it',
  needs: [],
  check({ ruleset, family }, report) {
    const [foreign, own] = family === 'ipv6' ? [PROTOCOL.icmp, 'ipv6-icmp'] : [PROTOCOL.icmpv6, 'icmp']
    const ip = matchDefinition('ip', family)
    eachRule(ruleset, rule => {
      const use = optionOf(rule, 'ip', 'protocol')
      if (use?.value !== foreign || use.inverted || !ip) return
      const span = placeOfOption(rule, ip, 'protocol')
      const message = family === 'ipv6' ? '`-p icmp` matches no ICMP of IPv6' : '`-p ipv6-icmp` matches no ICMP of IPv4'
      report({ span, message, help: `write \`-p ${own}\``, fix: { kind: 'suggestion', message: `write \`-p ${own}\``, edits: [{ span, text: `-p ${own}` }] } })
    })
  },
}
