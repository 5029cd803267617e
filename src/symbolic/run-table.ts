/** Runs sets of packets through the chains of one table at one hook. The mirror of the simulator's run-chain.ts. */

import { invariant } from '../diagnostics/diagnostic.ts'
import type { Hook, TableName } from '../ir/hooks.ts'
import type { PacketSet, PacketSets } from '../packetset/packet-sets.ts'
import { applyEffects } from './apply-effects.ts'
import type { EffectResult } from './effect-result.ts'
import type { Decider } from './fate.ts'
import { addClass, joinClasses } from './packet-class.ts'
import type { Classes, PacketClass } from './packet-class.ts'
import type { PreparedChain, PreparedRule } from './prepare-rules.ts'
import type { Rewriting } from './rewriting.ts'
import type { Run } from './run.ts'

/** One table at one hook, as it is run. */
interface TableRun {
  readonly run: Run
  readonly hook: Hook
  readonly table: TableName
  /** Packets that a rule accepted; joined at the end, since one union of many sets costs less than many. */
  readonly accepted: PacketClass[]
  /** What a chain gives back, by the chain and the packets that entered it: the same packets fare the same. */
  readonly known: Map<PreparedChain, Map<string, Classes>>
}

/** Returns the packets that the table lets go on; what it ends is noted in the run. */
export function runTable(run: Run, hook: Hook, table: TableName, chain: PreparedChain, entering: Classes): Classes {
  const tableRun: TableRun = { run, hook, table, accepted: [], known: new Map() }
  const left = runChain(tableRun, chain, entering)
  const by: Decider = { kind: 'policy', hook, table, chain: chain.chain }
  for (const [rewriting, set] of left) {
    if (chain.chain.policy === 'DROP') {
      run.decide('drop', by, set)
      run.end('drop', by, { rewriting, set })
    } else {
      run.decide('accept', by, set)
      tableRun.accepted.push({ rewriting, set })
    }
  }
  return joinClasses(run.sets, tableRun.accepted)
}

/** Returns the packets that come out of the chain's end or by RETURN. */
function runChain(tableRun: TableRun, chain: PreparedChain, entering: Classes): Classes {
  const { sets } = tableRun.run
  const live: Classes = new Map(entering)
  const returned: PacketClass[] = []
  for (const rule of chain.rules) {
    if (live.size === 0) break
    const going: PacketClass[] = []
    for (const [rewriting, set] of [...live]) {
      const { hit, missed } = tableRun.run.splitByRule(rule, { rewriting, set })
      if (hit === sets.none) continue
      const back = runRule(tableRun, chain, rule, { rewriting, set: hit })
      returned.push(...back.returned)
      if (isUntouched(back.going, { rewriting, set: hit })) continue
      takeOut(sets, live, rewriting, missed)
      going.push(...back.going)
    }
    for (const packets of going) addClass(sets, live, packets)
  }
  if (returned.length === 0) return live
  return joinClasses(sets, [...asList(live), ...returned])
}

/** The rule let all that it matched go on as it was. */
function isUntouched(going: readonly PacketClass[], hit: PacketClass): boolean {
  const [only] = going
  return going.length === 1 && only?.rewriting === hit.rewriting && only.set === hit.set
}

function takeOut(sets: PacketSets, live: Classes, rewriting: Rewriting, missed: PacketSet): void {
  if (missed === sets.none) live.delete(rewriting)
  else live.set(rewriting, missed)
}

interface RuleOutcome {
  /** Goes on with the next rule. */
  readonly going: readonly PacketClass[]
  /** Leaves the chain without a verdict. */
  readonly returned: readonly PacketClass[]
}

function runRule(tableRun: TableRun, chain: PreparedChain, rule: PreparedRule, packets: PacketClass): RuleOutcome {
  if (rule.jump) {
    const back = asList(enterChain(tableRun, rule.jump.to, packets))
    return rule.jump.kind === 'jump' ? { going: back, returned: [] } : { going: [], returned: back }
  }
  if (rule.effects.length === 0) return { going: [packets], returned: [] }
  const { run, hook, table } = tableRun
  const by: Decider = { kind: 'rule', hook, table, chain: chain.chain, rule: rule.rule, number: rule.number }
  const going: PacketClass[] = []
  const returned: PacketClass[] = []
  for (const result of applyEffects(run, hook, rule.effects, packets)) {
    if (result.kind === 'continue') going.push(result.packets)
    else if (result.kind === 'return') returned.push(result.packets)
    else endTable(tableRun, by, result)
  }
  return { going, returned }
}

function endTable({ run, hook, accepted }: TableRun, by: Decider, { kind, packets, reason }: EffectResult): void {
  invariant(kind !== 'continue' && kind !== 'return', 'the packet leaves the table')
  const decider: Decider = reason === undefined ? by : { kind: 'kernel', reason, hook }
  run.decide(kind, by, packets.set)
  if (kind === 'accept') accepted.push(packets)
  else run.end(kind, decider, packets)
}

function enterChain({ known, ...tableRun }: TableRun, chain: PreparedChain, packets: PacketClass): Classes {
  const results = known.get(chain) ?? new Map<string, Classes>()
  known.set(chain, results)
  const key = `${packets.set} ${packets.rewriting.key}`
  const found = results.get(key)
  if (found) return found
  const back = runChain({ known, ...tableRun }, chain, new Map<Rewriting, PacketSet>([[packets.rewriting, packets.set]]))
  results.set(key, back)
  return back
}

function asList(classes: Classes): PacketClass[] {
  return [...classes].map(([rewriting, set]) => ({ rewriting, set }))
}
