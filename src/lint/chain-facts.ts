/** The chains of a ruleset as rules ask about them: who leads where, which hooks reach a chain, and where a chain's way ends for certain. */

import { chainGraph, hooksOf, loops } from '../ir/chain-graph.ts'
import type { ChainGraph, Jump } from '../ir/chain-graph.ts'
import type { Hook, TableName } from '../ir/hooks.ts'
import type { Chain, ChainId, Rule, Ruleset, Table } from '../ir/ruleset.ts'
import { isFinal, matchesAll } from './rule-facts.ts'

/** The facts; each is computed when it is first asked for. */
export interface ChainFacts {
  readonly graphs: ReadonlyMap<TableName, ChainGraph>
  readonly hasLoop: boolean
  /** The hooks that reach a chain; none for an unused one. */
  readonly hooksOf: (chain: Chain) => readonly Hook[]
  /** Every jump and goto to a chain. */
  readonly jumpsTo: (chain: Chain) => readonly Jump[]
  /** The chain that a rule leads to. */
  readonly chainOf: (rule: Rule, table: TableName) => Chain | undefined
  /** The index of the first rule that lets no packet go on behind it, -1 where there is none. */
  readonly endOf: (chain: Chain) => number
}

/** Jumps that nest deeper are not followed: what lies there is taken to return. */
const DEEPEST = 200

/** Returns the facts about a ruleset's chains. */
export function chainFacts(ruleset: Ruleset): ChainFacts {
  const graphs = new Map(ruleset.tables.map(table => [table.name, chainGraph(table)] as const))
  const tableOf = new Map(ruleset.tables.map(table => [table.name, table] as const))
  const hooks = new Map<ChainId, readonly Hook[]>()
  const ends = new Map<ChainId, number>()
  let depth = 0
  let incoming: ReadonlyMap<ChainId, readonly Jump[]> | undefined
  const facts: ChainFacts = {
    graphs,
    hasLoop: [...graphs.values()].some(graph => loops(graph).length > 0),
    hooksOf(chain) {
      const graph = graphs.get(chain.table)
      const known = hooks.get(chain.id) ?? (graph ? hooksOf(graph, chain) : [])
      hooks.set(chain.id, known)
      return known
    },
    jumpsTo(chain) {
      incoming ??= jumpsByTarget(graphs)
      return incoming.get(chain.id) ?? []
    },
    chainOf: (rule, table) => (rule.target && rule.target.kind !== 'target' ? tableOf.get(table)?.chainByName.get(rule.target.chain) : undefined),
    endOf(chain) {
      const known = ends.get(chain.id)
      if (known !== undefined) return known
      ends.set(chain.id, -1)
      if (depth === DEEPEST) return -1
      depth++
      const end = chain.rules.findIndex(rule => endsAll(rule, chain, ruleset, facts))
      depth--
      ends.set(chain.id, end)
      return end
    },
  }
  return facts
}

/** A final verdict, a return or a goto for every packet, or a jump for every packet to a chain from which none comes back. */
function endsAll(rule: Rule, chain: Chain, { family }: Ruleset, facts: ChainFacts): boolean {
  if (!rule.target || !matchesAll(rule, family)) return false
  if (rule.target.kind === 'goto' || isFinal(rule, family)) return true
  if (rule.target.kind === 'target') return rule.target.name === 'RETURN'
  const to = facts.chainOf(rule, chain.table)
  return to !== undefined && neverReturns(to, facts, new Set())
}

/** Tells whether no packet comes back from a chain: something in it ends all, nothing before that returns. Loops come back. */
export function neverReturns(chain: Chain, facts: ChainFacts, path: Set<ChainId>): boolean {
  const end = path.has(chain.id) ? -1 : facts.endOf(chain)
  if (end === -1) return false
  path.add(chain.id)
  const isLeft = chain.rules.slice(0, end + 1).some(rule => returns(rule, chain, facts, path))
  path.delete(chain.id)
  return !isLeft
}

function returns({ target }: Rule, chain: Chain, facts: ChainFacts, path: Set<ChainId>): boolean {
  if (target?.kind === 'target') return target.name === 'RETURN'
  if (target?.kind !== 'goto') return false
  const to = facts.graphs.get(chain.table)?.table.chainByName.get(target.chain)
  return to === undefined || !neverReturns(to, facts, path)
}

function jumpsByTarget(graphs: ReadonlyMap<TableName, ChainGraph>): ReadonlyMap<ChainId, readonly Jump[]> {
  const incoming = new Map<ChainId, Jump[]>()
  for (const graph of graphs.values()) {
    for (const jump of graph.jumps.flat()) {
      if (!jump) continue
      const list = incoming.get(jump.to.id)
      if (list) list.push(jump)
      else incoming.set(jump.to.id, [jump])
    }
  }
  return incoming
}

/** Returns a built-in chain of a table, undefined where the ruleset lacks the table or the table the chain. */
export function builtInChain(ruleset: Ruleset, table: TableName, hook: Hook): Chain | undefined {
  return tableOfName(ruleset, table)?.chainByName.get(hook)
}

function tableOfName(ruleset: Ruleset, name: TableName): Table | undefined {
  return ruleset.tables.find(table => table.name === name)
}
