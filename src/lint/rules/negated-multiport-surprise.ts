/** Negated lists of ports that match more than they seem to. */

import { useInWords } from '../../extensions/option-words.ts'
import type { Chain, MatchUse, Rule } from '../../ir/ruleset.ts'
import type { Family } from '../../net/address.ts'
import type { NumberRange } from '../../net/ranges.ts'
import type { LintRule } from '../lint-rule.ts'
import { verdictOf } from '../rule-facts.ts'

const OPTIONS = ['dport', 'sport', 'dports', 'sports'] as const

export const negatedMultiportSurprise: LintRule = {
  id: 'negated-multiport-surprise',
  severity: 'warning',
  what: 'two negated port lists together match every port',
  why: 'each rule drops all ports but its own, so the ports of the first are dropped by the second: none is left',
  help: 'give one rule the whole list, `-m multiport ! --dports A,B`, or accept the ports and drop the rest behind them',
  needs: ['whole'],
  check({ ruleset, family }, report) {
    for (const table of ruleset.tables) {
      for (const chain of table.chains) {
        for (const { first, second } of pairs(chain, family)) report({ span: second.span, related: [{ span: first.span, message: 'this rule drops what the other spares' }] })
        for (const rule of chain.rules) {
          const use = rule.matches.find(match => match.name === 'multiport' && match.infos['ports']?.inverted)
          if (use) report({ span: rule.span, message: '`! --ports` asks that neither port is in the list', why: 'a packet to another port is not matched either where its source port is in the list', help: 'write `! --dports` where only the destination is meant' })
        }
      }
    }
  },
}

/** Rules that drop, are alike in all else, and whose negated ports have none in common. */
function pairs(chain: Chain, family: Family): { readonly first: Rule; readonly second: Rule }[] {
  const seen = new Map<string, { readonly rule: Rule; readonly ports: readonly NumberRange[] }>()
  const found: { first: Rule; second: Rule }[] = []
  for (const rule of chain.rules) {
    if (verdictOf(rule, family) !== 'drop') continue
    const negated = rule.matches.flatMap(negatedPorts)
    const [one] = negated
    if (!one || negated.length > 1) continue
    const key = `${one.side} ${rule.matches.filter(use => use !== one.use && use.name !== 'comment').map(use => useInWords(use, family)).join(' ')}`
    const earlier = seen.get(key)
    if (!earlier) seen.set(key, { rule, ports: one.ports })
    else if (!overlaps(earlier.ports, one.ports)) found.push({ first: earlier.rule, second: rule })
  }
  return found
}

function negatedPorts(use: MatchUse): { readonly use: MatchUse; readonly side: string; readonly ports: readonly NumberRange[] }[] {
  const names = Object.keys(use.infos)
  const name = OPTIONS.find(option => use.infos[option]?.inverted)
  if (name === undefined || names.length > 1) return []
  const value = use.infos[name]?.value as NumberRange | readonly NumberRange[]
  return [{ use, side: name.replace(/s$/, ''), ports: 'low' in value ? [value] : value }]
}

function overlaps(left: readonly NumberRange[], right: readonly NumberRange[]): boolean {
  return left.some(one => right.some(other => one.low <= other.high && other.low <= one.high))
}
