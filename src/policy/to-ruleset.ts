/** Compiled rules -> the IR, so that they can be traced, proved and linted; their spans are the sentences of the policy. */

import type { SourceFile, Span } from '../diagnostics/source-file.ts'
import { isBuiltInChain, TABLE_HOOKS, TABLES } from '../ir/hooks.ts'
import type { TableName } from '../ir/hooks.ts'
import { tableNamed } from '../ir/ruleset.ts'
import type { Chain, MatchUse, Rule, Ruleset, Table, TargetUse } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'
import { readRuleset } from '../save/read.ts'
import { writeRule } from '../save/write-rule.ts'
import { deviceMatches } from '../net/device-name.ts'
import { invariant } from '../diagnostics/diagnostic.ts'
import { DOCKER_CHAIN, PREFIX, ruleInWords } from './compiled.ts'
import type { CompiledRule, CompiledRules } from './compiled.ts'
import type { Zone } from './resolved.ts'

/** Returns the ruleset that is there once the policy is loaded: over the live rules where they are given, else over empty tables. */
export function toRuleset(rules: CompiledRules, zones: readonly Zone[], live?: Ruleset): Ruleset {
  const names = TABLES.filter(table => rules.chains.some(chain => chain.table === table) || rules.hooks.some(hook => hook.table === table) || (live && tableNamed(live, table)))
  const numbers = { chain: 0, rule: 0 }
  const read = readBack(rules)
  const tables = names.map(name => makeTable(name, { rules, read, zones, live, numbers }))
  return { family: rules.family, tables, chainCount: numbers.chain, ruleCount: numbers.rule, partial: live?.partial ?? false }
}

interface Numbers {
  chain: number
  rule: number
}

interface DraftRule {
  readonly matches: readonly MatchUse[]
  readonly target: TargetUse | undefined
  readonly span: Span
}

/** Returns the compiled rules as iptables-restore would read them. */
function readBack({ family, chains, hooks }: CompiledRules): ReadonlyMap<CompiledRule, DraftRule> {
  const placed = [...hooks.map(({ table, chain, rule }) => ({ table, chain, rules: [rule] })), ...chains.map(({ table, name, rules }) => ({ table, chain: name, rules }))]
  const texts = TABLES.flatMap(table => {
    const inTable = placed.filter(one => one.table === table)
    const names = new Set(inTable.flatMap(({ chain, rules }) => [chain, ...rules.flatMap(leadsTo)]))
    return inTable.length === 0 ? [] : [`*${table}`, ...[...names].filter(name => !isBuiltInChain(table, name)).map(name => `:${name} - [0:0]`), ...inTable.flatMap(({ chain, rules }) => rules.map(rule => `-A ${chain} ${ruleInWords(rule)}`)), 'COMMIT', '']
  })
  const { value } = readRuleset([{ path: 'compiled', text: texts.join('\n') }], { family })
  const next = new Map(value.tables.flatMap(({ chains: all }) => all.map(chain => [`${chain.table} ${chain.name}`, chain.rules.values()] as const)))
  return new Map(placed.flatMap(({ table, chain, rules }) => rules.map(rule => {
    const found = next.get(`${table} ${chain}`)?.next()
    invariant(found !== undefined && found.done !== true, 'what is compiled can be read')
    return [rule, { matches: found.value.matches, target: found.value.target, span: rule.span }] as const
  })))
}

interface DraftChain {
  readonly name: string
  readonly policy: Chain['policy']
  readonly span: Span | undefined
  rules: DraftRule[]
}

interface Making {
  readonly rules: CompiledRules
  readonly read: ReadonlyMap<CompiledRule, DraftRule>
  readonly zones: readonly Zone[]
  readonly live: Ruleset | undefined
  readonly numbers: Numbers
}

function makeTable(name: TableName, { rules, read, zones, live, numbers }: Making): Table {
  const drafts = new Map<string, DraftChain>()
  for (const hook of TABLE_HOOKS[name]) drafts.set(hook, { name: hook, policy: (name === 'filter' ? rules.policies[hook] : undefined) ?? 'ACCEPT', span: undefined, rules: [] })
  if (live && !rules.managesAll) for (const chain of tableNamed(live, name)?.chains ?? []) if (!chain.name.startsWith(PREFIX)) drafts.set(chain.name, { name: chain.name, policy: chain.policy, span: chain.span, rules: chain.rules.filter(rule => !leadsToOwn(rule)) })
  for (const chain of rules.chains) {
    if (chain.table !== name) continue
    const policy = drafts.get(chain.name)?.policy ?? '-'
    drafts.set(chain.name, { name: chain.name, policy, span: chain.rules[0]?.span ?? SOMEWHERE, rules: chain.rules.flatMap(rule => read.get(rule) ?? []) })
  }
  if (name === 'filter') makeRoomForDocker(drafts, rules, zones, live)
  for (const { table, chain, place, rule } of rules.hooks) {
    const into = table === name ? drafts.get(chain) : undefined
    const hook = read.get(rule)
    if (into && hook) into.rules = place === 'first' ? [hook, ...into.rules] : [...into.rules, hook]
  }
  const chains = [...drafts.values()].map(draft => finish(draft, name, numbers, rules.family))
  return { name, chains, chainByName: new Map(chains.map(chain => [chain.name, chain])) }
}

/** A raw rule may lead into any chain of the policy's own, and docker's. */
function leadsTo({ target }: CompiledRule): readonly string[] {
  const name = /^-[jg] (\S+)$/.exec(target)?.[1] ?? ''
  return name.startsWith(PREFIX) || name === DOCKER_CHAIN ? [name] : []
}

function leadsToOwn({ target }: Rule): boolean {
  return target !== undefined && target.kind !== 'target' && target.chain.startsWith(PREFIX)
}

const NOWHERE: SourceFile = { path: 'docker', text: '' }
const SOMEWHERE: Span = { source: NOWHERE, start: 0, end: 0 }

const ACCEPT: TargetUse = { kind: 'target', name: 'ACCEPT', infos: {} }

/** Where docker's own rules are not known, docker lets pass what is left to it: nothing that it would refuse is then called safe for that. */
function makeRoomForDocker(drafts: Map<string, DraftChain>, { hooks }: CompiledRules, zones: readonly Zone[], live: Ruleset | undefined): void {
  if (!hooks.some(hook => hook.chain === DOCKER_CHAIN) || drafts.has(DOCKER_CHAIN)) return
  drafts.set(DOCKER_CHAIN, { name: DOCKER_CHAIN, policy: '-', span: SOMEWHERE, rules: [] })
  const forward = drafts.get('FORWARD')
  if (!forward) return
  const lets: DraftRule[] = live ? [] : zones.filter(zone => zone.isDockers).flatMap(zone => zone.devices.flatMap(device => (['in-interface', 'out-interface'] as const).map(option => ({ matches: [{ name: 'ip', infos: { [option]: { value: device, inverted: false } } }], target: ACCEPT, span: SOMEWHERE }))))
  forward.rules = [{ matches: [], target: { kind: 'jump', chain: DOCKER_CHAIN }, span: SOMEWHERE }, ...lets, ...forward.rules]
}

/** Rules that no sentence asks for (hooks, replies, loopback) stand in a text of their own. */
function ownSpan(rule: DraftRule, chain: string, family: Family): Span {
  const text = `-A ${chain} ${writeRule(rule, family)}`
  return { source: { path: 'compiled', text }, start: 0, end: text.length }
}

function finish({ name, policy, span, rules }: DraftChain, table: TableName, numbers: Numbers, family: Family): Chain {
  const made = rules.map((rule): Rule => ({ id: numbers.rule++, matches: rule.matches, target: rule.target, counters: undefined, span: rule.span.end > rule.span.start ? rule.span : ownSpan(rule, name, family) }))
  return { id: numbers.chain++, table, name, hook: isBuiltInChain(table, name) ? name : undefined, policy, counters: undefined, rules: made, span }
}

/** Tells whether a device belongs to a zone. */
export function isInZone(zone: Zone, device: string): boolean {
  return zone.devices.some(pattern => deviceMatches(pattern, device))
}
