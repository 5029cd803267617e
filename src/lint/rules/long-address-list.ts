/** Runs of rules that differ in one address only. */

import { useInWords, targetInWords } from '../../extensions/option-words.ts'
import type { Chain, Rule } from '../../ir/ruleset.ts'
import type { Family } from '../../net/address.ts'
import type { LintRule } from '../lint-rule.ts'

/** So many rules one after the other are no list yet. */
const FEW = 24

export const longAddressList: LintRule = {
  id: 'long-address-list',
  severity: 'note',
  what: 'rules that differ in one address only',
  why: 'each packet is compared with every one of them; an ipset is asked once, however long it is, and changes without a new load',
  needs: [],
  check({ ruleset, family }, report) {
    for (const table of ruleset.tables) {
      for (const chain of table.chains) {
        if (chain.rules.length <= FEW) continue
        for (const { rules, option } of runs(chain, family)) {
          const [first] = rules
          const last = rules.at(-1)
          if (!first || !last || rules.length <= FEW) continue
          report({
            span: first.span, message: `${rules.length} rules from here on differ in their ${option} only`,
            help: `put the addresses into an ipset (\`ipset create NAME hash:net${family === 'ipv6' ? ' family inet6' : ''}\`) and write one rule with \`-m set --match-set NAME ${option === 'source' ? 'src' : 'dst'}\``,
            related: [{ span: last.span, message: 'the last of them' }],
          })
        }
      }
    }
  },
}

interface Run {
  readonly option: 'source' | 'destination'
  readonly rules: readonly Rule[]
}

function runs({ rules }: Chain, family: Family): readonly Run[] {
  return (['source', 'destination'] as const).flatMap(option => {
    const found: Rule[][] = []
    let last: Rule | undefined
    for (const rule of rules) {
      if (last && isAlike(last, rule) && isSameWithout(last, rule, option, family)) found.at(-1)?.push(rule)
      else found.push([rule])
      last = rule
    }
    return found.map(list => ({ option, rules: list }))
  })
}

/** Equal uses are one object: most neighbours are told apart without their words. */
function isAlike(one: Rule, other: Rule): boolean {
  if (one.target !== other.target) return false
  const [rest, others] = [one, other].map(({ matches }) => matches.filter(({ name }) => name !== 'ip' && name !== 'comment'))
  return rest !== undefined && others !== undefined && rest.length === others.length && rest.every((use, index) => use === others[index])
}

function isSameWithout(one: Rule, other: Rule, option: Run['option'], family: Family): boolean {
  const key = keyWithout(one, option, family)
  return key !== undefined && key === keyWithout(other, option, family)
}

/** The rule without its address; undefined where it has none, or excludes one. */
function keyWithout(rule: Rule, option: 'source' | 'destination', family: Family): string | undefined {
  const ip = rule.matches.find(({ name }) => name === 'ip')
  const use = ip?.infos[option]
  if (!ip || !use || use.inverted) return undefined
  const { [option]: _address, ...others } = ip.infos
  const words = rule.matches.map(match => (match === ip ? useInWords({ name: 'ip', infos: others }, family) : match.name === 'comment' ? '' : useInWords(match, family)))
  return [...words, rule.target ? targetInWords(rule.target, family) : ''].join(' ')
}
