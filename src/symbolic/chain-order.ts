/** The chains that a table's built-in chains reach, callers before callees. */

import type { Chain, Table } from '../ir/ruleset.ts'

/** The order, and for each chain the rules that jump to it. Jumps that close a loop are left out: no kernel loads them. */
export interface ChainOrder {
  readonly order: readonly Chain[]
  readonly calls: ReadonlyMap<Chain, readonly { readonly from: Chain; readonly index: number }[]>
}

interface Frame {
  readonly chain: Chain
  next: number
}

/** Returns the order; walked with an explicit stack, since generated rulesets nest deep. */
export function chainOrder(table: Table): ChainOrder {
  const done: Chain[] = []
  const state = new Map<Chain, 'open' | 'done'>()
  const calls = new Map<Chain, { from: Chain; index: number }[]>()
  for (const root of table.chains) {
    if (!root.hook || state.has(root)) continue
    const stack: Frame[] = [{ chain: root, next: 0 }]
    state.set(root, 'open')
    for (let frame = stack.at(-1); frame; frame = stack.at(-1)) {
      const index = frame.next++
      const rule = frame.chain.rules[index]
      if (!rule) {
        state.set(frame.chain, 'done')
        done.push(frame.chain)
        stack.pop()
        continue
      }
      const to = rule.target && rule.target.kind !== 'target' ? table.chainByName.get(rule.target.chain) : undefined
      if (!to || state.get(to) === 'open') continue
      const known = calls.get(to)
      if (known) known.push({ from: frame.chain, index })
      else calls.set(to, [{ from: frame.chain, index }])
      if (state.has(to)) continue
      state.set(to, 'open')
      stack.push({ chain: to, next: 0 })
    }
  }
  return { order: done.reverse(), calls }
}
