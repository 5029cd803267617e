/** Rules and chains that do nothing: what can never match, what earlier rules take away, what would change nothing if it went, what nothing reaches. */

import type { Chain, Ruleset } from '../ir/ruleset.ts'
import { matchesAny } from '../symbolic/flows.ts'
import type { ChainRun, TableRun } from '../symbolic/run-chain.ts'
import type { Namespace } from '../topology/topology.ts'
import { deadAcrossTables } from './across-tables.ts'
import type { AcrossReport, AcrossTables } from './across-tables.ts'
import { blamesIn } from './blame.ts'
import type { RuleBlame } from './blame.ts'
import { comesTo } from './comers.ts'
import { countCandidates, redundantRules } from './redundant.ts'
import type { Redundant } from './redundant.ts'
import { isReached, ruleReach } from './rule-reach.ts'
import type { ReachOptions, RuleReach, RuleRef } from './rule-reach.ts'
import { unlessTooBig } from './unless-too-big.ts'

/** One thing that does nothing. */
export type DeadFinding =
  /** The rule's own conditions exclude each other. */
  | { readonly kind: 'contradiction'; readonly at: RuleRef }
  /** No packet that can be in the rule's chain is like that: `brings` are the jumps to the chain, none for a built-in chain. */
  | { readonly kind: 'misplaced'; readonly at: RuleRef; readonly brings: readonly RuleRef[] }
  /** Other rules decide every packet before it comes to the rule. */
  | { readonly kind: 'shadowed'; readonly at: RuleRef; readonly blame: RuleBlame | undefined }
  /** Without it the same becomes of its packets. */
  | ({ readonly kind: 'redundant' } & Redundant)
  /** Some packet would match in the rule's own table, but none does on its way through all tables. */
  | ({ readonly kind: 'acrossTables' } & AcrossTables)
  /** No packet comes to the chain; `jumps` are the rules that jump to it. */
  | { readonly kind: 'unreachableChain'; readonly chain: Chain; readonly jumps: readonly RuleRef[] }
  /** Rules decide every packet before the chain policy. */
  | { readonly kind: 'unusedPolicy'; readonly chain: Chain; readonly by: RuleRef | undefined }

/** All that does nothing, in the order of the text, and what could not be decided. */
export interface DeadReport {
  readonly reach: RuleReach
  readonly findings: readonly DeadFinding[]
  /** What was too big, as sentences' ends: `the nat table`. */
  readonly undecided: readonly string[]
  /** What is not followed, and so not told: sentences. */
  readonly notes: readonly string[]
}

/** Some 400 MB: what needs more ends after seconds, not minutes, and is told. */
const MOST_NODES = 16_000_000

/** Where more rules could be redundant it is not asked which are: that takes several times as long as everything else. */
const MOST_RULES = 30_000

/** `mostForRedundant`: tables with more rules that could be redundant are not asked for them (default 30,000). */
export interface DeadOptions extends ReachOptions {
  readonly mostForRedundant?: number
  /** So many nodes of sets are given to what one table leaves to another (default 1,500,000). */
  readonly mostAcross?: number
  /** The host that the rules are for, for what one table leaves to another. */
  readonly namespace?: Namespace
  /** What one table leaves to another is not asked. */
  readonly isEachTableAlone?: boolean
  /** Of which rules it is asked what other tables leave to them; of all where it is absent. */
  readonly isAskedAcross?: (at: RuleRef) => boolean
}

/** Returns what does nothing in a ruleset. Each table is looked at by itself, with every packet that the kernel can bring to it; then all together. */
export function findDead(ruleset: Ruleset, options: DeadOptions = {}): DeadReport {
  const { mostForRedundant = MOST_RULES } = options
  const live: RuleRef[] = []
  const reach = ruleReach(ruleset, { nodeLimit: MOST_NODES, ...options })
  const undecided = reach.skipped.map(name => `the ${name} table`)
  const findings = reach.tables.flatMap(run => unlessTooBig((): readonly DeadFinding[] => {
    const dead = deadRules(run)
    live.push(...liveRules(run, dead.rules))
    const isLong = countCandidates(run) > mostForRedundant
    const { found: redundant, isWhole } = isLong ? { found: [], isWhole: false } : redundantRules(run, dead.rules)
    if (!isWhole) undecided.push(`which${redundant.length > 0 ? ' other' : ''} rules of the ${run.table.name} table are redundant${isLong ? ` (more than ${mostForRedundant.toLocaleString('en')} could be)` : ''}`)
    // Where a last rule only says what the policy says, the rule is in question, not the policy.
    const inQuestion = new Set(redundant.filter(({ policyOf }) => policyOf).map(({ at }) => at.rule))
    const policies = unusedPolicies(reach, run).filter(({ by }) => !by || !inQuestion.has(by.rule))
    return [...dead.findings, ...redundant.map(one => ({ kind: 'redundant' as const, ...one })), ...unreachableChains(run), ...policies]
  }, [], () => undecided.push(`the ${run.table.name} table`)))
  const { namespace, mostAcross, backend = 'legacy', isEachTableAlone = false, isAskedAcross = () => true } = options
  const across: AcrossReport = isEachTableAlone ? { found: [] } : deadAcrossTables(ruleset, live.filter(isAskedAcross), { backend, ipsets: options.universe?.ipsets ?? [], ...(mostAcross === undefined ? {} : { mostNodes: mostAcross }), ...(namespace ? { namespace } : {}) })
  if (across.open === 'tooBig') undecided.push('which rules have no packets because of other tables')
  const notes = across.open === 'notFollowed' ? [NOT_FOLLOWED] : []
  const all = [...findings, ...withoutIdleChains(reach, across.found).map(one => ({ kind: 'acrossTables' as const, ...one }))]
  return { reach, findings: all.sort((one, other) => placeOf(one) - placeOf(other)), undecided, notes }
}

const NOT_FOLLOWED = 'which rules have no packets because of other tables is not told: a rule on the way hands packets to programs, expects connections or translates in a way that is not followed'

/** The rules that packets match, in chains that packets come to. */
function liveRules(run: TableRun, dead: ReadonlySet<number>): readonly RuleRef[] {
  return run.order.filter(chain => isEntered(run, chain)).flatMap(chain => chain.rules.map((rule, index) => ({ rule, number: index + 1, chain }))).filter(({ rule }) => !dead.has(rule.id))
}

/** Of a chain to which only such rules jump, the jumps are told. */
function withoutIdleChains({ tables }: RuleReach, found: readonly AcrossTables[]): readonly AcrossTables[] {
  const ids = new Set(found.map(({ at }) => at.rule.id))
  const jumps = ({ at: { chain } }: AcrossTables): readonly RuleRef[] => tables.filter(run => run.runs.has(chain)).flatMap(run => jumpsTo(run, chain))
  return found.filter(one => one.at.chain.hook || jumps(one).some(({ rule }) => !ids.has(rule.id)))
}

/** Where a finding stands in its text. */
function placeOf(finding: DeadFinding): number {
  return ('at' in finding ? finding.at.rule.span.start : finding.chain.span?.start) ?? 0
}

function deadRules(run: TableRun): { readonly findings: readonly DeadFinding[]; readonly rules: ReadonlySet<number> } {
  const findings: DeadFinding[] = []
  const rules = new Set<number>()
  const blameFor = blamesIn(run)
  for (const chain of run.order) {
    const here = run.runs.get(chain)
    if (!here) continue
    for (const [index, rule] of chain.rules.entries()) {
      const at = { rule, number: index + 1, chain }
      if (isReached(run, at)) continue
      if (!isEntered(run, chain)) break
      rules.add(rule.id)
      // That it is dead is sure by now, whatever becomes of the search for the reason.
      findings.push(unlessTooBig(() => whyDead(run, here, at), undefined, () => undefined) ?? { kind: 'shadowed', at, blame: unlessTooBig(() => blameFor(at), undefined, () => undefined) })
    }
  }
  return { findings, rules }
}

/** Undefined where other rules are the reason. */
function whyDead(run: TableRun, here: ChainRun, at: RuleRef): DeadFinding | undefined {
  const { sets } = run.ruleSets
  const match = here.matches[at.number - 1]
  if (!match || match.cube === 'never' || (!match.cube && match.set() === sets.none)) return { kind: 'contradiction', at }
  return matchesAny(sets, here.start, match) ? undefined : { kind: 'misplaced', at, brings: jumpsTo(run, at.chain) }
}

const entered = new WeakMap<ChainRun, boolean>()

/** Tells whether any packet comes to a chain. */
export function isEntered(run: TableRun, chain: Chain): boolean {
  const here = run.runs.get(chain)
  if (!here) return false
  const known = entered.get(here) ?? comesTo(run, chain, here.start)
  entered.set(here, known)
  return known
}

function jumpsTo(run: TableRun, to: Chain): readonly RuleRef[] {
  return (run.calls.get(to) ?? []).flatMap(({ from, index }) => {
    const rule = from.rules[index]
    return rule ? [{ rule, number: index + 1, chain: from }] : []
  })
}

/** What jumps to a chain may itself stand in a chain to which nothing jumps. */
function everyJumpTo(run: TableRun, to: Chain): readonly RuleRef[] {
  const found = run.table.chains.flatMap(chain => chain.rules.map((rule, index) => ({ rule, number: index + 1, chain })))
  return found.filter(({ rule: { target } }) => target && target.kind !== 'target' && target.chain === to.name)
}

function unreachableChains(run: TableRun): readonly DeadFinding[] {
  return run.table.chains.filter(chain => !chain.hook && chain.rules.length > 0 && !isEntered(run, chain)).map(chain => ({ kind: 'unreachableChain', chain, jumps: run.order.includes(chain) ? jumpsTo(run, chain) : everyJumpTo(run, chain) }))
}

/** Chains without rules have nothing but their policy. */
function unusedPolicies({ sets }: RuleReach, run: TableRun): readonly Extract<DeadFinding, { kind: 'unusedPolicy' }>[] {
  return run.table.chains.flatMap((chain): Extract<DeadFinding, { kind: 'unusedPolicy' }>[] => {
    const here = run.runs.get(chain)
    if (!chain.hook || !here || chain.rules.length === 0 || here.start === sets.none || here.returned.length > 0) return []
    const last = here.before.findLastIndex(flows => flows.length > 0)
    const rule = chain.rules[last]
    return [{ kind: 'unusedPolicy', chain, by: rule && { rule, number: last + 1, chain } }]
  })
}
