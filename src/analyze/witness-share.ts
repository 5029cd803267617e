/** In large rulesets packets are looked for only where none of those that were sent before meets the rule, and less often where tables let nothing through. */

import type { TableRun } from '../symbolic/run-chain.ts'
import { stepKey } from './probe-flow.ts'
import { isReached } from './rule-reach.ts'
import type { RuleRef } from './rule-reach.ts'
import { MOST_ASSUMED } from './witness-flow.ts'
import type { Found, SentFlow, Witness, WitnessFlow, WitnessRules } from './witness-flow.ts'

/** The flows that were sent so far, whether or not they met the rule that they were for. */
export interface SentFlows {
  readonly note: (flow: WitnessFlow, sent: SentFlow) => void
  /** By the ids of rules, a flow that met them; the first one. */
  readonly meeting: ReadonlyMap<number, WitnessFlow>
  /** How many there are. */
  readonly count: () => number
  /** Where the last flow ended, as `filter FORWARD 2`. */
  readonly lastEnd: () => string | undefined
}

/** Returns the notes of a search. */
export function makeSentFlows(): SentFlows {
  const meeting = new Map<number, WitnessFlow>()
  let last: SentFlow['last']
  let count = 0
  return {
    meeting,
    count: () => count,
    lastEnd: () => last && stepKey(last),
    note(flow, sent) {
      last = sent.last
      count += 1
      if (flow.conditions.size > MOST_ASSUMED) return
      for (const id of sent.met) if (!meeting.has(id)) meeting.set(id, flow)
    },
  }
}

/** So many packets are sent, divided by how many rules there are: each may come by all of them. Every table has its share. */
const MOST_WORK = 180_000_000

/** After so many searches in vain one after the other in a table, only every so many of its rules are tried. */
const PATIENCE = 64
const STRIDE = 8

/** What was spent on a table, and the searches in vain since the last success. */
interface Effort {
  readonly limit: number
  inVain: number
  skipped: number
  end: string | undefined
}

/** Returns a search that takes a flow which was sent for one rule for all others that it meets. */
export function shareFlows({ ruleset }: WitnessRules, sent: SentFlows, search: (run: TableRun, at: RuleRef) => Witness): (run: TableRun, at: RuleRef) => Witness {
  const told = new Map<WitnessFlow, Found>()
  const efforts = new Map<TableRun, Effort>()
  const share = MOST_WORK / ruleset.ruleCount / Math.max(1, ruleset.tables.length)
  return (run, at) => {
    const flow = sent.meeting.get(at.rule.id)
    const known = flow && told.get(flow)
    if (known) return { ...known, at, of: known.at }
    if (flow) return tell(told, { kind: 'packets', at, flow })
    // What one table leaves of its share the next ones have.
    const effort = efforts.get(run) ?? { limit: share * (efforts.size + 1), inVain: 0, skipped: 0, end: undefined }
    efforts.set(run, effort)
    const why = whyNotSearched(effort, sent)
    if (why !== undefined && isReached(run, at)) return { kind: 'unconfirmed', at, why }
    const found = search(run, at)
    if (found.kind === 'dead') return found
    effort.inVain = found.kind === 'packets' ? 0 : effort.inVain + 1
    effort.end = sent.lastEnd()
    return found.kind === 'packets' ? tell(told, found) : found
  }
}

function whyNotSearched(effort: Effort, sent: SentFlows): string | undefined {
  if (sent.count() > effort.limit) return 'the ruleset is so large that packets are looked for only for some of its rules'
  effort.skipped = effort.inVain < PATIENCE ? 0 : (effort.skipped + 1) % STRIDE
  if (effort.skipped === 0) return undefined
  return `packets for ${effort.inVain} other rules of the table were looked for in vain${effort.end === undefined ? '' : `; the last ones ended at ${effort.end}`}`
}

function tell(told: Map<WitnessFlow, Found>, found: Found): Found {
  told.set(found.flow, found)
  return found
}
