/** Answers to any number of UDP packets whose senders may be forged. */

import { placeOfTarget } from '../../extensions/word-place.ts'
import { prefixIncludes, readPrefix } from '../../net/address.ts'
import type { Prefix } from '../../net/address.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import { eachRule } from '../../ir/ruleset.ts'
import type { Rule } from '../../ir/ruleset.ts'
import type { LintRule } from '../lint-rule.ts'
import { hasMemory, optionOf, targetNamed } from '../rule-facts.ts'

export const rejectUnlimitedUdp: LintRule = {
  id: 'reject-unlimited-udp',
  severity: 'note',
  what: 'every such UDP packet is answered',
  why: 'the sender of a UDP packet can be forged: the answers go to whom the forger chose, only the host-wide ICMP rate stops them',
  help: 'reject at a limited rate and drop the rest, or drop',
  needs: ['chains'],
  check({ ruleset, family, chains }, report) {
    eachRule(ruleset, (rule, _number, chain) => {
      const isFromOutside = chains.hooksOf(chain).some(hook => hook === 'INPUT')
      if (targetNamed(rule, ['REJECT']) && isFromOutside && isUdp(rule) && !hasMemory(rule, family) && !isLocal(rule)) report({ span: placeOfTarget(rule) })
    })
  },
}

function isUdp(rule: Rule): boolean {
  const use = optionOf(rule, 'ip', 'protocol')
  return use?.value === PROTOCOL.udp && !use.inverted
}

/** A source or a device narrows down who can send them; addresses of programs' own networks are reached from the host and its containers. */
function isLocal(rule: Rule): boolean {
  return [optionOf(rule, 'ip', 'source'), optionOf(rule, 'ip', 'in-interface')].some(use => use && !use.inverted) || isForInside(rule) || rule.matches.some(({ name }) => name === 'set' || name === 'mark' || name === 'mac')
}

const INSIDE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'].flatMap(text => readPrefix(text) ?? [])

function isForInside(rule: Rule): boolean {
  const use = optionOf(rule, 'ip', 'destination')
  if (!use || use.inverted) return false
  const { address } = use.value as Prefix
  return INSIDE.some(prefix => prefixIncludes(prefix, address))
}
