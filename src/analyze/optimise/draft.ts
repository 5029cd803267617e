/** A ruleset while it is made shorter: the rules of each chain with what they come from. */

import type { Chain, Rule, Ruleset, Table } from '../../ir/ruleset.ts'
import type { ProofSpace } from './behaviour.ts'
import type { RuleAct } from './rule-acts.ts'

/** A rule of the draft. */
export interface DraftRule {
  readonly rule: Rule
  readonly act: RuleAct
  /** The rules of the input that it stands for, in their order: itself where nothing was joined. */
  readonly from: readonly Rule[]
  /** In what they differed, such as `destination ports`. */
  readonly joined: readonly string[]
  /** Packets that it matches, by the counters: those of rules that it does the work of are among them. */
  readonly packets: number
}

/** One table. Chains that are not in `rules` are gone. */
export interface DraftTable {
  readonly table: Table
  readonly space: ProofSpace
  readonly rules: ReadonlyMap<Chain, readonly DraftRule[]>
}

/** Something that would have been done, and why it was not. */
export interface NotTaken {
  readonly chain: Chain
  /** The rule that stays as it is; undefined where it is about the whole chain. */
  readonly rule: Rule | undefined
  readonly why: NotTakenReason
}

/** Why a step was not taken. `between`: a rule that would come before or after `rule`, and then see or decide other packets. */
export type NotTakenReason =
  | { readonly kind: 'between'; readonly with: Rule; readonly blocker: Rule }
  | { readonly kind: 'shortcut' }
  | { readonly kind: 'counted'; readonly by: Rule }
  | { readonly kind: 'notProved' | 'tooBig' | 'tooLong'; readonly words: string }

/** Returns the ruleset of drafts: rules and chains are numbered anew, chains that are gone are left out. */
export function rulesetOfDrafts(ruleset: Ruleset, drafts: readonly DraftTable[]): Ruleset {
  let [ruleId, chainId] = [0, 0]
  const tables = drafts.map(({ table, rules }): Table => {
    const chains = table.chains.flatMap((chain): Chain[] => {
      const kept = rules.get(chain)
      if (!kept) return []
      const { digest: _, ...others } = chain
      return [{ ...others, id: chainId++, rules: kept.map(({ rule }) => ({ ...rule, id: ruleId++ })) }]
    })
    return { name: table.name, chains, chainByName: new Map(chains.map(chain => [chain.name, chain])) }
  })
  return { ...ruleset, tables, chainCount: chainId, ruleCount: ruleId }
}
