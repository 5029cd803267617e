/**
 * What loading a ruleset would refuse beyond single options, and what it takes but can hardly be meant. Everything about an
 * extension comes from its definition. Each backend is asked on its own: `backend` is set where only one of them refuses.
 */

import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { chainGraph, chainGraphUpTo, hooksOf } from '../ir/chain-graph.ts'
import type { Backend, Hook } from '../ir/hooks.ts'
import type { Chain, MatchUse, Rule, Ruleset } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'
import { checkBackends } from './check-backends.ts'
import { checkChains } from './check-chains.ts'
import { checkDuplicates } from './check-duplicates.ts'
import { checkDevices } from './check-devices.ts'
import { checkUse } from './check-use.ts'
import type { CheckedChain } from './check-use.ts'
import { useInWords } from './option-words.ts'

const BACKENDS: readonly Backend[] = ['legacy', 'nft']

/** Returns everything there is to say about a ruleset that was read, in the order of the places in the text; for one backend where it is given. */
export function checkRuleset(ruleset: Ruleset, options: { readonly backend?: Backend } = {}): readonly Diagnostic[] {
  const byBackend = (options.backend ? [options.backend] : BACKENDS).map(backend => ({ backend, found: refusals(ruleset, backend) }))
  const merged = byBackend.length === 1 ? (byBackend[0]?.found ?? []) : mergeBackends(byBackend)
  const differing = options.backend ? [] : checkBackends(ruleset)
  return [...merged, ...checkDuplicates(ruleset), ...differing].sort(byPlace)
}

/** Returns diagnostics in the order of the files and of the places in them. */
export function byPlace(a: Diagnostic, b: Diagnostic): number {
  return a.span.source === b.span.source ? a.span.start - b.span.start : a.span.source.path < b.span.source.path ? -1 : 1
}

function refusals(ruleset: Ruleset, backend: Backend): Diagnostic[] {
  const { family } = ruleset
  return ruleset.tables.flatMap(table => {
    const ends: number[] = []
    for (const chain of table.chains) ends[chain.id] = endOfChain(chain, backend, family)
    const endOf = (chain: Chain): number => ends[chain.id] ?? Infinity
    const graph = ends.every(end => end === Infinity) ? chainGraph(table) : chainGraphUpTo(table, endOf)
    const clean = new Map<Rule, readonly Hook[]>()
    return [...checkChains(graph, backend), ...table.chains.flatMap(chain => checkRules({ chain, graph, backend, family, end: endOf(chain) }, clean))]
  })
}

/** Returns the index behind the last rule that the backend's kernel looks at. */
function endOfChain(chain: Chain, backend: Backend, family: Family): number {
  if (backend === 'nft') return Infinity
  const { digest } = chain
  const last = digest ? (digest.kinds.find(kind => decidesEverything(kind.sample, family))?.first ?? -1) : chain.rules.findIndex(rule => decidesEverything(rule, family))
  return last === -1 ? Infinity : last + 1
}

/** Where nothing is wrong with the kinds of rules, nothing is with the rules; else each is looked at. `clean`: kinds known to be right, by where they were last. */
function checkRules(checked: CheckedChain, clean: Map<Rule, readonly Hook[]>): Diagnostic[] {
  const { chain, graph, end } = checked
  const reached = hooksOf(graph, chain)
  const isRight = (sample: Rule, hooks: readonly Hook[]): boolean => {
    if (chain.hook === undefined && clean.get(sample) === hooks) return true
    const isClean = checkRule(sample, hooks, checked).length === 0
    if (isClean && chain.hook === undefined) clean.set(sample, hooks)
    return isClean
  }
  const isClean = chain.digest?.kinds.every(({ sample, first, last }) => (first >= end || isRight(sample, reached)) && (last < end || isRight(sample, NO_HOOKS)))
  return isClean ? [] : chain.rules.flatMap((rule, index) => checkRule(rule, index < end ? reached : NO_HOOKS, checked))
}

const NO_HOOKS: readonly Hook[] = []

function checkRule(rule: Rule, hooks: readonly Hook[], checked: CheckedChain): Diagnostic[] {
  const found = checkDevices(rule, checked.chain, hooks)
  for (const use of rule.matches) found.push(...checkUse(use, rule, hooks, checked))
  if (rule.target?.kind === 'target') found.push(...checkUse(rule.target, rule, hooks, checked))
  return found
}

/**
 * Kernel: a rule without any condition and with a verdict of its own ends what ip_tables looks at in the chain when it follows the
 * jumps; nf_tables looks at all rules. Source: net/ipv4/netfilter/ip_tables.c mark_source_chains().
 */
function decidesEverything(rule: Rule, family: Family): boolean {
  const { target } = rule
  if (target?.kind !== 'target' || !VERDICTS.has(target.name) || rule.matches.length > 1) return false
  const [use] = rule.matches
  return use === undefined || isEmptyIp(use, family)
}

const VERDICTS = new Set(['ACCEPT', 'DROP', 'QUEUE', 'RETURN'])

const emptyIps = new WeakMap<MatchUse, boolean>()

/** `-s 0.0.0.0/0` and its kin say nothing. */
function isEmptyIp(use: MatchUse, family: Family): boolean {
  if (use.name !== 'ip') return false
  const known = emptyIps.get(use) ?? useInWords(use, family) === ''
  emptyIps.set(use, known)
  return known
}

/** What both backends say is said once, without a backend. */
function mergeBackends(byBackend: readonly { readonly backend: Backend; readonly found: readonly Diagnostic[] }[]): Diagnostic[] {
  const merged = new Map<string, { readonly diagnostic: Diagnostic; readonly backends: Backend[] }>()
  for (const { backend, found } of byBackend) {
    for (const diagnostic of found) {
      const key = `${diagnostic.code} ${diagnostic.span.source.path} ${diagnostic.span.start} ${diagnostic.span.end}`
      const known = merged.get(key)
      if (!known) merged.set(key, { diagnostic, backends: [backend] })
      else if (!known.backends.includes(backend)) known.backends.push(backend)
    }
  }
  return [...merged.values()].map(({ diagnostic, backends }) => (backends.length === byBackend.length || diagnostic.severity !== 'error' ? diagnostic : { ...diagnostic, ...(backends[0] ? { backend: backends[0] } : {}) }))
}
