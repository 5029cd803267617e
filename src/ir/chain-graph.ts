/**
 * Which chain jumps to which: the hooks that reach a chain, loops, and how deep jumps nest. Walked with explicit stacks, since
 * rulesets nest tens of thousands of chains where a generator went wrong, and a recursive walk would not survive them.
 */

import type { Hook } from './hooks.ts'
import type { Chain, ChainId, Rule, Table } from './ruleset.ts'

/** A jump or goto of a rule. */
export interface Jump {
  readonly from: Chain
  readonly rule: Rule
  readonly to: Chain
}

/** The jumps of one table. */
export interface ChainGraph {
  readonly table: Table
  readonly jumps: ReadonlyMap<ChainId, readonly Jump[]>
  /** How each hook first reaches a chain: the last jump of a shortest path. Built-in chains are not in it. */
  readonly reachedBy: ReadonlyMap<Hook, ReadonlyMap<ChainId, Jump>>
}

/** Returns the graph of the rules that are looked at: those up to and with the first for which `isLast` holds. */
export function chainGraph(table: Table, isLast: (rule: Rule) => boolean): ChainGraph {
  const jumps = new Map(table.chains.map(chain => [chain.id, jumpsOf(table, chain, isLast)]))
  const reachedBy = new Map<Hook, ReadonlyMap<ChainId, Jump>>()
  for (const chain of table.chains) if (chain.hook !== undefined) reachedBy.set(chain.hook, reach(jumps, chain))
  return { table, jumps, reachedBy }
}

/** Returns the hooks from which a chain is reached, in hook order; its own for a built-in chain. */
export function hooksOf(graph: ChainGraph, chain: Chain): readonly Hook[] {
  if (chain.hook !== undefined) return [chain.hook]
  return [...graph.reachedBy].filter(([, reached]) => reached.has(chain.id)).map(([hook]) => hook)
}

/** Returns the jumps of a shortest path from a hook to a chain; empty for the hook's own chain and for one it does not reach. */
export function pathFrom(graph: ChainGraph, hook: Hook, chain: Chain): readonly Jump[] {
  const path: Jump[] = []
  let jump = graph.reachedBy.get(hook)?.get(chain.id)
  while (jump) {
    path.unshift(jump)
    jump = jump.from.hook === hook ? undefined : graph.reachedBy.get(hook)?.get(jump.from.id)
  }
  return path
}

/** Returns the loops that a hook reaches, each as its jumps in order; of several that share their closing jump, one. */
export function loops(graph: ChainGraph): readonly (readonly Jump[])[] {
  const found: Jump[][] = []
  const finished = new Set<ChainId>()
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
    for (const id of level.keys()) for (const jump of graph.jumps.get(id) ?? []) next.set(jump.to.id, { jump, before: id })
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

function jumpsOf(table: Table, chain: Chain, isLast: (rule: Rule) => boolean): readonly Jump[] {
  const list: Jump[] = []
  for (const rule of chain.rules) {
    const to = rule.target && rule.target.kind !== 'target' ? table.chainByName.get(rule.target.chain) : undefined
    if (to) list.push({ from: chain, rule, to })
    if (isLast(rule)) break
  }
  return list
}

/** Breadth first, so that paths are shortest. */
function reach(jumps: ReadonlyMap<ChainId, readonly Jump[]>, from: Chain): ReadonlyMap<ChainId, Jump> {
  const reached = new Map<ChainId, Jump>()
  const queue = [from]
  for (const chain of queue) {
    for (const jump of jumps.get(chain.id) ?? []) {
      if (reached.has(jump.to.id) || jump.to.id === from.id) continue
      reached.set(jump.to.id, jump)
      queue.push(jump.to)
    }
  }
  return reached
}

/** Depth first: a jump to a chain that is on the path closes a loop. */
function findLoops(graph: ChainGraph, from: Chain, finished: Set<ChainId>, found: Jump[][]): void {
  const path: { readonly chain: Chain; readonly jump: Jump | undefined; next: number }[] = [{ chain: from, jump: undefined, next: 0 }]
  const placeOnPath = new Map<ChainId, number>([[from.id, 0]])
  for (let top = path.at(-1); top; top = path.at(-1)) {
    const jump = graph.jumps.get(top.chain.id)?.[top.next++]
    if (!jump) {
      finished.add(top.chain.id)
      placeOnPath.delete(top.chain.id)
      path.pop()
      continue
    }
    const start = placeOnPath.get(jump.to.id)
    if (start !== undefined) found.push([...path.slice(start + 1).flatMap(step => step.jump ?? []), jump])
    else if (!finished.has(jump.to.id)) {
      placeOnPath.set(jump.to.id, path.length)
      path.push({ chain: jump.to, jump, next: 0 })
    }
  }
}
