/** A ruleset in plain English: one sentence for each rule, derived from what it means. */

import { lineOf, textOf } from '../diagnostics/source-file.ts'
import { effectsOf, predicateOfRule } from '../extensions/meaning-of.ts'
import type { Chain, Rule, Ruleset, Table } from '../ir/ruleset.ts'
import { effectsInWords } from '../meaning/effects-in-words.ts'
import { packetsInWords } from '../meaning/in-words.ts'
import type { Family } from '../net/address.ts'
import { count, printable } from './paint.ts'
import type { Paint } from './paint.ts'
import { placeOf } from './rule-words.ts'

/** Returns what a rule does, such as `accepts new tcp connections to port 22 that arrive on eth0`. */
export function ruleInWords(rule: Rule, family: Family): string {
  const packets = packetsInWords(predicateOfRule(rule, family))
  const { target } = rule
  if (!target) return `counts ${packets}`
  if (target.kind !== 'target') return target.kind === 'jump' ? `jumps to chain ${target.chain} for ${packets}` : `goes on in chain ${target.chain}, not to come back, for ${packets}`
  const effects = effectsOf(target, family)
  return effectsInWords(effects, packets) || `applies target ${target.name} to ${packets}`
}

/** Returns what becomes of a packet that reaches the end of a chain. */
export function endInWords(chain: Chain, family: Family): string {
  const { policy, hook } = chain
  if (chain.rules.some(rule => takesAll(rule, family))) return hook === undefined ? 'nothing gets to the end of the chain' : `nothing gets to the chain policy (${policy ?? 'ACCEPT'})`
  if (hook === undefined) return 'otherwise the packet returns to the chain that it came from'
  return policy === 'DROP' ? 'otherwise the packet is dropped (chain policy)' : 'otherwise the packet is accepted (chain policy)'
}

/** Tells whether no packet comes to the rule behind this one. */
function takesAll(rule: Rule, family: Family): boolean {
  const { target } = rule
  if (!target || target.kind === 'jump' || predicateOfRule(rule, family).kind !== 'always') return false
  return target.kind === 'goto' || effectsOf(target, family).some(effect => effect.kind === 'verdict' && effect.verdict !== 'continue')
}

/** Returns all chains that have rules or a policy of their own, table by table; every rule with its place. */
export function explainText(ruleset: Ruleset, paint: Paint): string {
  const blocks = ruleset.tables.flatMap(table => table.chains.filter(isWorthSaying).map(chain => chainText(table, chain, ruleset.family, paint)))
  const silent = ruleset.tables.flatMap(table => table.chains).filter(chain => !isWorthSaying(chain)).length
  const rest = silent === 0 ? '' : `${paint('faint', `${count(silent, 'more chain')} without rules: ${silent === 1 ? 'it lets' : 'they let'} every packet go on`)}\n`
  return [...blocks, ...(rest === '' ? [] : [rest])].join('\n')
}

/** Returns the same as JSON values; rules are 1-based, as are lines. */
export function explainJson(ruleset: Ruleset): unknown {
  return ruleset.tables.map(table => ({
    table: table.name,
    chains: table.chains.map(chain => ({
      chain: chain.name,
      rules: chain.rules.map((rule, index) => ({ rule: index + 1, path: rule.span.source.path, line: lineOf(rule.span), text: textOf(rule.span), words: ruleInWords(rule, ruleset.family) })),
      end: endInWords(chain, ruleset.family),
    })),
  }))
}

function isWorthSaying({ rules, policy }: Chain): boolean {
  return rules.length > 0 || policy === 'DROP'
}

function chainText(table: Table, chain: Chain, family: Family, paint: Paint): string {
  const places = chain.rules.map(placeOf)
  const width = Math.max(0, ...places.map(place => place.length))
  const rows = chain.rules.map((rule, index) => `  ${paint('place', (places[index] ?? '').padEnd(width))}  ${printable(ruleInWords(rule, family))}`)
  return `${[`${paint('strong', `${table.name} ${chain.name}`)}`, ...rows, `  ${' '.repeat(width)}  ${endInWords(chain, family)}`].join('\n')}\n`
}
