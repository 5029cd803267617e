/** raw -> rules in iptables' own words, read as a save would be, in chains of the policy's own or hooked into those of others. */

import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { isBuiltInChain } from '../ir/hooks.ts'
import type { MatchUse, TargetUse } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'
import { readRuleset } from '../save/read.ts'
import { CHAIN_NAME_LIMIT, PREFIX } from './compiled.ts'
import type { CompiledChain, CompiledRule } from './compiled.ts'
import { chainOf, makeRule, ownOrigin } from './drafts.ts'
import type { Drafts } from './drafts.ts'
import { ANYTHING } from './head-words.ts'
import { jumpTo } from './matches.ts'
import type { RawSentence } from './resolved.ts'

/** A raw rule for one family. */
export interface RawRule {
  readonly matches: readonly MatchUse[]
  readonly target: TargetUse
}

/** What a raw rule becomes, or what is wrong with it. */
export type ReadRaw = { readonly rule: RawRule } | { readonly problems: readonly Diagnostic[] }

/** Reads a raw rule for one family. */
export function readRaw(sentence: RawSentence, family: Family): ReadRaw {
  const { table, chain, rule, ruleSpan, origin } = sentence
  const jump = /(?:^|\s)-[jg]\s+(gate-\S+|DOCKER-USER)/.exec(rule)?.[1]
  const start = `*${table}\n${isBuiltInChain(table, chain) ? '' : `:${chain} - [0:0]\n`}${jump === undefined || jump === chain ? '' : `:${jump} - [0:0]\n`}-A ${chain} `
  const { value, diagnostics } = readRuleset([{ path: origin.place, text: `${start}${rule}\nCOMMIT\n` }], { family })
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  const read = value.tables[0]?.chainByName.get(chain)?.rules[0]
  if (errors.length === 0 && read?.target) return { rule: { matches: read.matches, target: read.target } }
  const place = (offset: number): number => Math.min(Math.max(ruleSpan.start + 1, ruleSpan.start + 1 + offset - start.length), ruleSpan.end)
  if (errors.length === 0) return { problems: [{ code: 'missing-option', severity: 'error', message: 'the rule does nothing: it has no target', span: ruleSpan, related: [], help: 'end it with `-j TARGET`' }] }
  return { problems: errors.map(error => ({ ...error, span: { source: ruleSpan.source, start: place(error.span.start), end: place(error.span.end) }, related: [] })) }
}

/** A raw sentence with its rule of one family. */
export interface RawPlacement {
  readonly sentence: RawSentence
  readonly rule: CompiledRule
}

/** Puts raw rules where they belong, in the order of their sentences. Chains of the policy's own take them as they are; those of others get a hook. */
export function placeRaws(drafts: Drafts, placements: readonly RawPlacement[]): void {
  const firsts = new Map<CompiledChain, CompiledRule[]>()
  for (const { sentence, rule } of placements) {
    const isOwn = ownsChain(drafts, sentence)
    const chain = isOwn ? chainOf(drafts, sentence.table, sentence.chain) : hookedChain(drafts, sentence)
    if (!isOwn || sentence.place === 'last') addLast(drafts, chain.rules, rule)
    else firsts.set(chain, [...(firsts.get(chain) ?? []), rule])
  }
  for (const [{ rules }, first] of firsts) {
    const others = rules.splice(0)
    for (const rule of first) rules.push(rule)
    for (const rule of others) rules.push(rule)
  }
}

/** Tells whether the policy writes the chain of a raw sentence as a whole. */
export function ownsChain({ policy }: Pick<Drafts, 'policy'>, { table, chain }: RawSentence): boolean {
  return chain.startsWith(PREFIX) || (policy.managesAll && isBuiltInChain(table, chain))
}

/** What follows the default would never be asked. */
function addLast({ policy }: Drafts, rules: CompiledRule[], rule: CompiledRule): void {
  const last = rules[rules.length - 1]
  if (last && last.span === policy.defaultVerdict.origin.span) rules.splice(rules.length - 1, 0, rule)
  else rules.push(rule)
}

function hookedChain(drafts: Drafts, { table, chain, place }: RawSentence): CompiledChain {
  const name = `${PREFIX}${place}-${chain}`.slice(0, CHAIN_NAME_LIMIT)
  const own = chainOf(drafts, table, name)
  if (own.rules.length === 0) drafts.hooks.push({ table, chain, place, rule: makeRule(ownOrigin(drafts), ANYTHING, jumpTo(name)) })
  return own
}
