/** Rules and chains that do nothing, dropped. */

import type { Chain, Rule } from '../../ir/ruleset.ts'
import { CT_STATE } from '../../meaning/fields.ts'
import { hasAnyBit } from '../../meaning/predicate.ts'
import type { PacketSets } from '../../packetset/packet-sets.ts'
import type { DeadFinding, DeadReport } from '../dead.ts'
import type { RuleRef } from '../rule-reach.ts'
import type { ProofSpace } from './behaviour.ts'
import type { DraftRule, DraftTable, NotTaken } from './draft.ts'
import { COUNT } from './rule-acts.ts'
import type { RuleAct } from './rule-acts.ts'

/** What was dropped, and why. `emptyJump`: the chain it jumps to does nothing any more; `lastReturn`: the chain ends there anyway. */
export type Dropped =
  | { readonly kind: 'rule'; readonly at: RuleRef; readonly finding: Exclude<DeadFinding, { kind: 'unreachableChain' | 'unusedPolicy' | 'acrossTables' }> }
  | { readonly kind: 'chain'; readonly chain: Chain; readonly jumps: readonly RuleRef[] }
  | { readonly kind: 'emptyJump' | 'lastReturn'; readonly at: RuleRef }

/** What dropping shares over a ruleset. */
export interface DropShop {
  readonly report: DeadReport
  readonly notTaken: NotTaken[]
  readonly dropped: Dropped[]
}

/** Returns a table without what does nothing. */
export function dropDead({ table, space, rules }: DraftTable, shop: DropShop): DraftTable {
  const all = [...rules.values()].flat()
  const watchers = all.filter(({ act }) => act.noticed !== undefined || isCount(act))
  const acts = new Map(all.map(({ rule, act }) => [rule.id, act] as const))
  const gone = new Set<number>()
  const goneChains = new Set<Chain>()
  for (const finding of shop.report.findings) {
    if (finding.kind === 'unusedPolicy' || finding.kind === 'acrossTables') continue
    const chain = finding.kind === 'unreachableChain' ? finding.chain : finding.at.chain
    if (!rules.has(chain)) continue
    if (finding.kind === 'unreachableChain') {
      goneChains.add(chain)
      shop.dropped.push({ kind: 'chain', chain, jumps: finding.jumps })
    } else if (finding.kind !== 'redundant' || mayGo(space, finding, acts.get(finding.at.rule.id), watchers, shop)) {
      gone.add(finding.at.rule.id)
      shop.dropped.push({ kind: 'rule', at: finding.at, finding })
    }
  }
  const left = new Map([...rules].flatMap(([chain, list]) => (goneChains.has(chain) ? [] : [[chain, withoutGone(list, gone, shop)] as const])))
  return dropEmpty({ table, space, rules: left }, shop)
}

/** The packets of a redundant rule will be those of a rule that does the same. */
function withoutGone(rules: readonly DraftRule[], gone: ReadonlySet<number>, { report }: DropShop): readonly DraftRule[] {
  const extra = new Map<number, number>()
  for (const finding of report.findings) {
    const heir = finding.kind === 'redundant' && gone.has(finding.at.rule.id) ? finding.instead[0] : undefined
    if (heir && finding.kind === 'redundant') extra.set(heir.rule.id, (extra.get(heir.rule.id) ?? 0) + Number(finding.at.rule.counters?.packets ?? 0n))
  }
  return rules.flatMap(draft => (gone.has(draft.rule.id) ? [] : [{ ...draft, packets: draft.packets + (extra.get(draft.rule.id) ?? 0) }]))
}

/** A rule without a target counts. */
function isCount({ deed }: RuleAct): boolean {
  return deed?.startsWith(COUNT) === true
}

/** Of a redundant rule's packets nobody else may take notice once it is gone, and it may be there to be quick. */
function mayGo({ sets }: ProofSpace, { at, instead }: Extract<DeadFinding, { kind: 'redundant' }>, act: RuleAct | undefined, watchers: readonly DraftRule[], { notTaken }: DropShop): boolean {
  if (!act) return false
  const watcher = watchers.find(one => one.act !== act && sets.meets(isCount(one.act) ? one.act.set() : (one.act.noticed?.() ?? sets.none), act.set()))
  if (watcher) notTaken.push({ chain: at.chain, rule: at.rule, why: { kind: 'counted', by: watcher.rule } })
  else if (isShortcut(sets, at, act, instead)) notTaken.push({ chain: at.chain, rule: at.rule, why: { kind: 'shortcut' } })
  else return true
  return false
}

/** A rule that takes most packets early is worth its place: by its counter, or where it is about known connections. */
function isShortcut(sets: PacketSets, { rule, number, chain }: RuleRef, act: RuleAct, instead: readonly RuleRef[]): boolean {
  const later = Math.min(...instead.filter(ref => ref.chain === chain).map(ref => ref.number), chain.rules.length + 1)
  const saved = later - number
  const packets = Number(rule.counters?.packets ?? 0n)
  const counted = chain.rules.reduce((sum, one) => sum + Number(one.counters?.packets ?? 0n), 0)
  if (counted > 0) return packets * saved > counted
  return saved > 2 && sets.isSubset(act.set(), sets.setOf(hasAnyBit('ct.state', CT_STATE.ESTABLISHED | CT_STATE.RELATED)))
}

/** Drops jumps to chains that dropping left empty, and RETURN where a chain ends anyway, until there are none. */
function dropEmpty({ table, space, rules }: DraftTable, { dropped }: DropShop): DraftTable {
  const left = new Map(rules)
  const wasEmpty = new Set(table.chains.filter(chain => chain.rules.length === 0).map(({ name }) => name))
  const isEmptied = (name: string): boolean => {
    const chain = wasEmpty.has(name) ? undefined : table.chainByName.get(name)
    return chain !== undefined && left.get(chain)?.length === 0
  }
  for (let isChanged = true; isChanged; ) {
    isChanged = false
    for (const [chain, list] of left) {
      const kept = list.filter(({ rule, act }) => {
        const isEmptyJump = act.end.kind === 'jump' && !act.noticed && isEmptied(act.end.to)
        if (isEmptyJump) dropped.push({ kind: 'emptyJump', at: refOf(rule, chain) })
        return !isEmptyJump
      })
      for (let last = kept.at(-1); last && last.act.end.kind === 'back' && !last.act.noticed; last = kept.at(-1)) {
        dropped.push({ kind: 'lastReturn', at: refOf(last.rule, chain) })
        kept.pop()
      }
      if (kept.length === list.length) continue
      left.set(chain, kept)
      isChanged = true
    }
  }
  return { table, space, rules: withoutEmptied(left, isEmptied) }
}

/** A chain that is empty now and that nothing jumps to any more is gone too. */
function withoutEmptied(rules: ReadonlyMap<Chain, readonly DraftRule[]>, isEmptied: (name: string) => boolean): ReadonlyMap<Chain, readonly DraftRule[]> {
  const wanted = new Set([...rules.values()].flat().flatMap(({ act: { end } }) => ('to' in end ? [end.to] : [])))
  return new Map([...rules].filter(([chain]) => chain.hook !== undefined || wanted.has(chain.name) || !isEmptied(chain.name)))
}

function refOf(rule: Rule, chain: Chain): RuleRef {
  return { rule, chain, number: chain.rules.indexOf(rule) + 1 }
}
