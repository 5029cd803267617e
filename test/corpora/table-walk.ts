/** One packet through one table, rule by rule and without any index: a second opinion on what the analyses say of real rulesets. */

import { effectsOf, memoryOf, predicateOf } from '../../src/extensions/meaning-of.ts'
import type { Chain, Rule, Ruleset, Table } from '../../src/ir/ruleset.ts'
import { assignedValue } from '../../src/meaning/effect.ts'
import type { Effect } from '../../src/meaning/effect.ts'
import { evaluate } from '../../src/meaning/evaluate.ts'
import { CT_STATE } from '../../src/meaning/fields.ts'
import type { Subject } from '../../src/meaning/subject.ts'

/** A subject that rules may change. */
export type Walker = { -readonly [K in keyof Subject]: Subject[K] }

/** What became of a packet: everything that somebody could notice but which rule it was. */
export interface Walked {
  readonly verdict: string
  readonly matched: ReadonlySet<number>
  /** The built-in chain's policy decided. */
  readonly byPolicy: boolean
  /** What it left behind: log lines, entries of sets, counts of limits, and what was written into it. */
  readonly traces: readonly string[]
}

interface Walk {
  readonly table: Table
  readonly family: Ruleset['family']
  readonly subject: Walker
  readonly matched: Set<number>
  readonly traces: string[]
}

/** Sends a packet through a built-in chain; rules in `gone` are left out. Matches with memory answer what the subject decides. */
export function walkTable({ family }: Ruleset, table: Table, chain: Chain, subject: Walker, gone: ReadonlySet<number>): Walked {
  const walk: Walk = { table, family, subject, matched: new Set(), traces: [] }
  const verdict = walkChain(walk, chain, gone)
  const written = `mark ${subject.packet.mark} tos ${subject.packet.tos} ttl ${subject.packet.ttl} state ${subject.ctState} ct.mark ${subject.connection?.mark}`
  const byPolicy = verdict === 'return'
  return { verdict: byPolicy ? (chain.policy === 'DROP' ? 'drop' : 'accept') : verdict, matched: walk.matched, byPolicy, traces: [...walk.traces, written] }
}

function walkChain(walk: Walk, chain: Chain, gone: ReadonlySet<number>): string {
  for (const rule of chain.rules) {
    if (gone.has(rule.id) || !matches(walk, rule)) continue
    walk.matched.add(rule.id)
    const { target } = rule
    if (!target) continue
    if (target.kind !== 'target') {
      const to = walk.table.chainByName.get(target.chain)
      const ended = to ? walkChain(walk, to, gone) : 'return'
      if (ended !== 'return' || target.kind === 'goto') return ended
      continue
    }
    const ended = apply(walk, effectsOf(target, walk.family))
    if (ended !== undefined) return ended
  }
  return 'return'
}

function matches({ subject, family, traces }: Walk, { matches: uses }: Rule): boolean {
  for (const use of uses) {
    if (memoryOf(use, family)) traces.push(`asked ${use.name} ${inText(use.infos)}`)
    if (evaluate(predicateOf(use, family), subject) !== true) return false
  }
  return true
}

/** Returns how the packet's way ends here, undefined where it goes on. */
function apply(walk: Walk, effects: readonly Effect[]): string | undefined {
  const { subject } = walk
  for (const effect of effects) {
    const { packet } = subject
    switch (effect.kind) {
      case 'verdict':
        if (effect.verdict === 'continue') continue
        return effect.verdict === 'queue' ? inText(effects) : effect.verdict
      case 'reject':
      case 'nat':
        return inText(effects)
      case 'assign':
        if (effect.field === 'mark') subject.packet = { ...packet, mark: assignedValue(effect, packet.mark, taken(subject, effect.from?.field)) }
        else if (effect.field === 'ip.tos') subject.packet = { ...packet, tos: assignedValue(effect, packet.tos, taken(subject, effect.from?.field)) & 255 }
        else if (effect.field === 'ip.ttl') subject.packet = { ...packet, ttl: assignedValue(effect, packet.ttl) & 255 }
        else if (effect.field === 'ct.mark' && subject.connection) subject.connection = { ...subject.connection, mark: assignedValue(effect, subject.connection.mark, taken(subject, effect.from?.field)) }
        else walk.traces.push(inText([effect]))
        break
      case 'adjust':
        subject.packet = { ...packet, ttl: Math.min(255, Math.max(0, packet.ttl + effect.by)) }
        break
      case 'untrack':
        subject.ctState = CT_STATE.UNTRACKED
        subject.connection = undefined
        break
      default:
        walk.traces.push(inText([effect]))
    }
  }
  return undefined
}

function taken({ packet, connection }: Walker, field: string | undefined): number {
  return field === 'mark' ? packet.mark : field === 'ct.mark' ? (connection?.mark ?? 0) : 0
}

function inText(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part))
}
