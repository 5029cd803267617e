/** Matches and targets that have successors. */

import { placeOfMatch, placeOfTarget, placeOfWords } from '../../extensions/word-place.ts'
import { matchDefinition } from '../../extensions/registry.ts'
import type { Edit } from '../line-edits.ts'
import { eachRule } from '../../ir/ruleset.ts'
import type { Rule } from '../../ir/ruleset.ts'
import type { LintRule } from '../lint-rule.ts'
import { matchNamed, targetNamed } from '../rule-facts.ts'

const TARGETS: Readonly<Record<string, string>> = {
  NOTRACK: 'write `-j CT --notrack`',
  ULOG: 'write `-j NFLOG`: kernels since 3.17 have no ULOG',
  QUEUE: 'write `-j NFQUEUE`: iptables-nft has no QUEUE',
  CLUSTERIP: 'use `-m cluster`: kernels since 6.3 have no CLUSTERIP',
}

export const deprecatedMatch: LintRule = {
  id: 'deprecated-match',
  severity: 'note',
  what: 'the extension has a successor',
  why: 'it is kept for old rulesets and may be missing in the next release',
  needs: [],
  check({ ruleset, family }, report) {
    const stateRules: Rule[] = []
    const targetRules = new Map<string, Rule[]>()
    eachRule(ruleset, rule => {
      if (matchNamed(rule, 'state')) stateRules.push(rule)
      const target = targetNamed(rule, Object.keys(TARGETS))
      if (target) add(targetRules, target.name, rule)
    })
    for (const [name, rules] of targetRules) {
      const [rule] = rules
      if (rule) report({ span: placeOfTarget(rule), message: `target \`${name}\` has a successor${andMore(rules)}`, help: TARGETS[name] ?? '' })
    }
    const [first] = stateRules
    if (!first) return
    const edits = stateRules.filter((rule, index) => stateRules[index - 1]?.span !== rule.span).flatMap(rule => editsOf(rule, family))
    report({
      span: placeOfMatch(first, matchDefinition('state', family), 'state'),
      message: `\`-m state\` has a successor${andMore(stateRules)}`, help: 'write `-m conntrack --ctstate`: the kernel runs it for `-m state` already',
      ...(edits.length > 0 ? { fix: { kind: 'safe', message: 'write `-m conntrack --ctstate`', edits } } : {}),
    })
  },
}

function add(lists: Map<string, Rule[]>, name: string, rule: Rule): void {
  const list = lists.get(name)
  if (list) list.push(rule)
  else lists.set(name, [rule])
}

function andMore({ length }: readonly Rule[]): string {
  return length === 1 ? '' : `, here and in ${length - 1} more ${length === 2 ? 'rule' : 'rules'}`
}

/** The edits of one line; none where a word is not spelt in full. */
function editsOf(rule: Rule, family: 'ipv4' | 'ipv6'): readonly Edit[] {
  const match = placeOfMatch(rule, matchDefinition('state', family), 'state')
  const option = placeOfWords(rule, word => word === '--state')
  const isWhole = [match, option].some(({ start, end }) => start === rule.span.start && end === rule.span.end)
  return isWhole ? [] : [{ span: match, text: 'conntrack' }, { span: option, text: '--ctstate' }]
}
