/** LOG that any number of packets may trigger. */

import { lineOf } from '../../diagnostics/source-file.ts'
import { placeOfTarget, placeOfWords } from '../../extensions/word-place.ts'
import { ruleOf } from '../../ir/chain-graph.ts'
import type { Chain, Rule } from '../../ir/ruleset.ts'
import { CT_STATE } from '../../meaning/fields.ts'
import type { ChainFacts } from '../chain-facts.ts'
import type { LintInputs, LintRule } from '../lint-rule.ts'
import { hasMemory, statesOf, targetNamed } from '../rule-facts.ts'

export const logWithoutLimit: LintRule = {
  id: 'log-without-limit',
  severity: 'warning',
  what: 'every packet that matches is logged',
  why: 'whoever sends such packets decides how much is written: the log fills the disk and the console slows the host down',
  help: 'add `-m limit --limit 5/min`',
  needs: ['whole', 'chains'],
  check(inputs, report) {
    const { ruleset, chains } = inputs
    const found: Rule[] = []
    for (const table of ruleset.tables) {
      for (const chain of table.chains) {
        if (!chains.hooksOf(chain).some(hook => hook !== 'OUTPUT')) continue
        for (const rule of chain.rules) if (targetNamed(rule, ['LOG']) && isUnlimited(rule, inputs) && !isGuarded(chain, rule, chains, inputs)) found.push(rule)
      }
    }
    for (const rule of found.slice(0, 1)) {
      const others = found.slice(1)
      const at = placeOfWords(rule, word => word === '-j' || word === '--jump')
      report({
        span: placeOfTarget(rule),
        ...(others.length === 0 ? {} : { message: `every packet that matches is logged, here and in ${others.length} more ${others.length === 1 ? 'rule' : 'rules'}` }),
        related: others.slice(0, 3).map(other => ({ span: other.span, message: `line ${lineOf(other.span)} logs without a limit too` })),
        fix: { kind: 'suggestion', message: 'add `-m limit --limit 5/min`', edits: [{ span: { ...at, end: at.start }, text: '-m limit --limit 5/min ' }] },
      })
    }
  },
}

/** Packets of established connections are as many as the host lets in. */
function isUnlimited(rule: Rule, { family }: LintInputs): boolean {
  const states = statesOf(rule)
  return !hasMemory(rule, family) && !(states !== undefined && (states & ~(CT_STATE.ESTABLISHED | CT_STATE.RELATED)) === 0)
}

/** A limit may stand in every rule that leads here, or in a RETURN before the rule. */
function isGuarded(chain: Chain, rule: Rule, chains: ChainFacts, inputs: LintInputs, depth = 0): boolean {
  const before = chain.rules.slice(0, chain.rules.indexOf(rule))
  if (before.some(one => one.matches.some(use => use.name === 'hashlimit' || use.name === 'limit' || use.name === 'recent') && targetNamed(one, ['RETURN', 'DROP']))) return true
  const jumps = chains.jumpsTo(chain)
  if (chain.hook !== undefined || jumps.length === 0 || depth > 20) return false
  return jumps.every(jump => !isUnlimited(ruleOf(jump), inputs) || isGuarded(jump.from, ruleOf(jump), chains, inputs, depth + 1))
}
