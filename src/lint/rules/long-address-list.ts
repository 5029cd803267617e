/** Runs of rules that differ in one address only. */

import { useInWords } from '../../extensions/option-words.ts'
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
    let key: string | undefined
    for (const rule of rules) {
      const before = last && isAlike(last, rule) ? (key ?? ipWithout(last, option, family)) : undefined
      key = before === undefined ? undefined : ipWithout(rule, option, family)
      if (key !== undefined && key === before) found.at(-1)?.push(rule)
      else found.push([rule])
      last = rule
    }
    return found.map(list => ({ option, rules: list }))
  })
}

/** Equal uses are one object: all but addresses and comments. */
function isAlike(one: Rule, other: Rule): boolean {
  return one.target === other.target && one.matches.length === other.matches.length && one.matches.every((use, index) => use === other.matches[index] || (MAY_DIFFER.has(use.name) && use.name === other.matches[index]?.name))
}

const MAY_DIFFER: ReadonlySet<string> = new Set(['ip', 'comment'])

/** The words of a rule's addresses, protocol and devices without one address; undefined where it has none there, or excludes one. */
function ipWithout({ matches }: Rule, option: Run['option'], family: Family): string | undefined {
  const ip = matches.find(({ name }) => name === 'ip')
  const use = ip?.infos[option]
  if (!ip || !use || use.inverted) return undefined
  const { [option]: _address, ...others } = ip.infos
  return useInWords({ name: 'ip', infos: others }, family)
}
