/** Trust in a source address that any device may bring. */

import { eachRule } from '../../ir/ruleset.ts'
import type { Rule } from '../../ir/ruleset.ts'
import { prefixIncludes, readPrefix } from '../../net/address.ts'
import type { Prefix } from '../../net/address.ts'
import type { LintRule } from '../lint-rule.ts'
import { optionOf, targetNamed } from '../rule-facts.ts'

const LOOPBACK = { ipv4: readPrefix('127.0.0.0/8'), ipv6: readPrefix('::1') } as const

export const spoofedLoopback: LintRule = {
  id: 'spoofed-loopback',
  severity: 'note',
  what: 'a loopback source address is trusted on every device',
  why: 'a sender outside can write this address too; only the routing check of the kernel stands between, and `route_localnet` turns it off',
  help: 'ask for the device: `-i lo`',
  needs: ['chains'],
  check({ ruleset, family, chains }, report) {
    const loopback = LOOPBACK[family]
    eachRule(ruleset, (rule, _number, chain) => {
      const source = optionOf(rule, 'ip', 'source')
      if (!loopback || !source || source.inverted || !targetNamed(rule, ['ACCEPT']) || optionOf(rule, 'ip', 'in-interface') || !isWithin(source.value as Prefix, loopback)) return
      if (chain.table === 'filter' && chains.hooksOf(chain).includes('INPUT') && !onlyFromLo(rule)) report({ span: rule.span })
    })
  },
}

function isWithin(prefix: Prefix, outer: Prefix): boolean {
  return prefixIncludes(outer, prefix.address) && BigInt(prefix.mask) >= BigInt(outer.mask)
}

/** A destination of the same kind is reached over lo only. */
function onlyFromLo(rule: Rule): boolean {
  const destination = optionOf(rule, 'ip', 'destination')
  return destination !== undefined && !destination.inverted
}
