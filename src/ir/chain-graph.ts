/**
 * Which chain jumps to which: the hooks that reach a chain, loops, and how deep jumps nest. Walked with explicit stacks, since
 * rulesets nest tens of thousands of chains where a generator went wrong, and a recursive walk would not survive them.
 */

import { invariant } from '../diagnostics/diagnostic.ts'
import type { Hook } from './hooks.ts'
import type { Chain, ChainId, ChainJump, Rule, Table } from './ruleset.ts'

/** A jump or goto of a rule: `index` is the rule's place in `from`. */
export interface Jump {
  readonly from: Chain
  readonly index: number
  readonly to: Chain
}

/** Returns the rule that jumps. */
export function ruleOf({ from, index }: Jump): Rule {
  const rule = from.rules[index]
  invariant(rule, 'a jump is a rule of its chain')
  return rule
}

/** The jumps of one table; what is known of each chain stands in lists by its id. */
export interface ChainGraph {
  readonly table: Table
  readonly jumps: readonly (readonly Jump[] | undefined)[]
  /** How each hook first reaches a chain: the last jump of a shortest path. Built-in chains are not in it. */
  readonly reachedBy: ReadonlyMap<Hook, readonly (Jump | undefined)[]>
  /** The hooks from which a chain is reached, in hook order; one list for all chains that the same hooks reach. */
  readonly hooks: readonly (readonly Hook[] | undefined)[]
}

const graphs = new WeakMap<Table, ChainGraph>()

/** Returns the graph of all rules; it is made once. */
export function chainGraph(table: Table): ChainGraph {
  const known = graphs.get(table) ?? chainGraphUpTo(table, () => Infinity)
  graphs.set(table, known)
  return known
}

/** Returns the graph of the rules that are looked at: in every chain those before the index that `endOf` returns. */
export function chainGraphUpTo(table: Table, endOf: (chain: Chain) => number): ChainGraph {
  const jumps: (readonly Jump[])[] = []
  for (const chain of table.chains) jumps[chain.id] = jumpsOf(table, chain, endOf(chain))
  const reachedBy = new Map<Hook, readonly (Jump | undefined)[]>()
  for (const chain of table.chains) if (chain.hook !== undefined) reachedBy.set(chain.hook, reach(jumps, chain))
  return { table, jumps, reachedBy, hooks: hooksOfChains(table, reachedBy) }
}

/** Returns the hooks from which a chain is reached, in hook order; its own for a built-in chain. */
export function hooksOf(graph: ChainGraph, chain: Chain): readonly Hook[] {
  return graph.hooks[chain.id] ?? []
}

/** Returns the jumps of a shortest path from a hook to a chain; empty for the hook's own chain and for one it does not reach. */
export function pathFrom(graph: ChainGraph, hook: Hook, chain: Chain): readonly Jump[] {
  const path: Jump[] = []
  let jump = graph.reachedBy.get(hook)?.[chain.id]
  while (jump) {
    path.unshift(jump)
    jump = jump.from.hook === hook ? undefined : graph.reachedBy.get(hook)?.[jump.from.id]
  }
  return path
}

/** Returns the loops that a hook reaches, each as its jumps in order; of several that share their closing jump, one. */
export function loops(graph: ChainGraph): readonly (readonly Jump[])[] {
  const found: Jump[][] = []
  const finished: boolean[] = []
  for (const chain of graph.table.chains) if (chain.hook !== undefined) findLoops(graph, chain, finished, found)
  return found
}

/** Returns a path of more than `limit` jumps from a built-in chain, undefined where none nests that deep. Only for graphs without loops. */
export function deepPath(graph: ChainGraph, limit: number): readonly Jump[] | undefined {
  let level = new Map<ChainId, { readonly jump: Jump | undefined; readonly before: ChainId | undefined }>()
  for (const chain of graph.table.chains) if (chain.hook !== undefined) level.set(chain.id, { jump: undefined, before: undefined })
  const levels = [level]
  while (levels.length <= limit + 1) {
    const next: typeof level = new Map()
    for (const id of level.keys()) for (const jump of graph.jumps[id] ?? []) next.set(jump.to.id, { jump, before: id })
    if (next.size === 0) return undefined
    levels.push(next)
    level = next
  }
  return followBack(levels)
}

function followBack(levels: readonly ReadonlyMap<ChainId, { readonly jump: Jump | undefined; readonly before: ChainId | undefined }>[]): Jump[] {
  const path: Jump[] = []
  let id = levels.at(-1)?.keys().next().value
  for (const level of levels.toReversed()) {
    const step = id === undefined ? undefined : level.get(id)
    if (step?.jump) path.unshift(step.jump)
    id = step?.before
  }
  return path
}

function jumpsOf(table: Table, chain: Chain, end: number): readonly Jump[] {
  const found = chain.digest?.jumps ?? jumpsOfRules(chain)
  if (found.length === 0) return NO_JUMPS
  const list: Jump[] = []
  for (const { index, chain: name } of found) {
    const to = table.chainByName.get(name)
    if (to && index < end) list.push({ from: chain, index, to })
  }
  return list
}

const NO_JUMPS: readonly Jump[] = []

function jumpsOfRules({ rules }: Chain): ChainJump[] {
  return rules.flatMap(({ target }, index) => (target && target.kind !== 'target' ? [{ index, chain: target.chain }] : []))
}

/** Breadth first, so that paths are shortest. */
function reach(jumps: readonly (readonly Jump[] | undefined)[], from: Chain): readonly (Jump | undefined)[] {
  const reached: (Jump | undefined)[] = new Array<Jump | undefined>(jumps.length)
  const queue = [from]
  for (const chain of queue) {
    for (const jump of jumps[chain.id] ?? NO_JUMPS) {
      if (reached[jump.to.id] || jump.to.id === from.id) continue
      reached[jump.to.id] = jump
      queue.push(jump.to)
    }
  }
  return reached
}

function hooksOfChains(table: Table, reachedBy: ReadonlyMap<Hook, readonly (Jump | undefined)[]>): (readonly Hook[])[] {
  const hooks: (readonly Hook[])[] = []
  const byMask: (readonly Hook[])[] = []
  const entries = [...reachedBy]
  for (const chain of table.chains) {
    let mask = 0
    for (const [index, [hook, reached]] of entries.entries()) if (chain.hook === undefined ? reached[chain.id] : chain.hook === hook) mask |= 1 << index
    hooks[chain.id] = byMask[mask] ??= entries.flatMap(([hook], index) => (mask & (1 << index) ? [hook] : []))
  }
  return hooks
}

/** Depth first: a jump to a chain that is on the path closes a loop. */
function findLoops(graph: ChainGraph, from: Chain, finished: boolean[], found: Jump[][]): void {
  const path: { readonly chain: Chain; readonly jump: Jump | undefined; next: number }[] = [{ chain: from, jump: undefined, next: 0 }]
  const placeOnPath = new Map<ChainId, number>([[from.id, 0]])
  for (let top = path.at(-1); top; top = path.at(-1)) {
    const jump = graph.jumps[top.chain.id]?.[top.next++]
    if (!jump) {
      finished[top.chain.id] = true
      placeOnPath.delete(top.chain.id)
      path.pop()
      continue
    }
    const start = placeOnPath.get(jump.to.id)
    if (start !== undefined) found.push([...path.slice(start + 1).flatMap(step => step.jump ?? []), jump])
    else if (!finished[jump.to.id]) {
      placeOnPath.set(jump.to.id, path.length)
      path.push({ chain: jump.to, jump, next: 0 })
    }
  }
}
