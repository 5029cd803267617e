/**
 * The rules of a chain that may match a class of packets, found without asking each: rules that want one value of a field (an address, a
 * prefix, a port) are looked up by it. Long chains only; what is left out is certain not to match.
 */

import { predicateOf } from '../extensions/meaning-of.ts'
import type { Chain, Rule } from '../ir/ruleset.ts'
import type { FieldValue, NumberField } from '../meaning/fields.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Family } from '../net/address.ts'
import type { PacketClass } from './packet-class.ts'

/** Shorter chains are gone through rule by rule. */
const FEW = 32

/** The fields in which the rules of long chains differ. */
const FIELDS = ['ip.src', 'ip.dst', 'l4.dport', 'l4.sport'] as const satisfies readonly NumberField[]

/** The rules of a chain by what they want of one field: under each mask by the value; `others` want no single value. Indices in order. */
interface FieldIndex {
  readonly field: NumberField
  readonly byMask: ReadonlyMap<FieldValue, Map<FieldValue, number[]>>
  readonly others: readonly number[]
}

const indexes = new WeakMap<Chain, readonly FieldIndex[]>()

/** Returns the 0-based indices of all rules that may match, in order, with perhaps some that do not; undefined where every rule is to be asked. */
export function rulesInQuestion(chain: Chain, packets: PacketClass): readonly number[] | undefined {
  if (chain.rules.length <= FEW) return undefined
  let best: readonly (readonly number[])[] | undefined
  let least = chain.rules.length
  for (const { field, byMask, others } of indexOf(chain, packets.family)) {
    const known = packets.fields[field]
    if (known === undefined || (known !== 'absent' && known.low !== known.high)) continue
    const lists = [others]
    if (known !== 'absent') for (const [mask, byValue] of byMask) lists.push(byValue.get(underMask(known.low, mask)) ?? [])
    const count = lists.reduce((sum, { length }) => sum + length, 0)
    if (count >= least) continue
    best = lists
    least = count
  }
  return best && merged(best)
}

function merged(lists: readonly (readonly number[])[]): readonly number[] {
  const filled = lists.filter(({ length }) => length > 0)
  return filled.length === 1 ? (filled[0] ?? []) : filled.flat().sort((one, other) => one - other)
}

function indexOf(chain: Chain, family: Family): readonly FieldIndex[] {
  const known = indexes.get(chain) ?? indexRules(chain.rules, family)
  indexes.set(chain, known)
  return known
}

/** Leaves out fields of which no rule wants one value. */
function indexRules(rules: readonly Rule[], family: Family): readonly FieldIndex[] {
  const drafts = FIELDS.map(field => ({ field, byMask: new Map<FieldValue, Map<FieldValue, number[]>>(), others: [] as number[] }))
  rules.forEach((rule, index) => {
    const predicates = rule.matches.map(use => predicateOf(use, family))
    for (const { field, byMask, others } of drafts) {
      const wanted = wantedIn(predicates, field)
      if (!wanted) {
        others.push(index)
        continue
      }
      const byValue = byMask.get(wanted.mask) ?? new Map<FieldValue, number[]>()
      byMask.set(wanted.mask, byValue)
      const list = byValue.get(wanted.value)
      if (list) list.push(index)
      else byValue.set(wanted.value, [index])
    }
  })
  return drafts.filter(({ byMask }) => byMask.size > 0)
}

interface Wanted {
  readonly mask: FieldValue
  readonly value: FieldValue
}

/** Returns the value that predicates, which hold together, want of a field. */
function wantedIn(predicates: readonly Predicate[], field: NumberField): Wanted | undefined {
  for (const predicate of predicates) {
    if (predicate.kind === 'all') {
      const wanted = wantedIn(predicate.of, field)
      if (wanted) return wanted
    } else if (predicate.kind === 'masked' && predicate.field === field) return { mask: predicate.mask, value: predicate.value }
    else if (predicate.kind === 'within' && predicate.field === field && predicate.low === predicate.high) return { mask: typeof predicate.low === 'number' ? 0xffffffff : ALL_BITS, value: predicate.low }
  }
  return undefined
}

const ALL_BITS = (1n << 128n) - 1n

function underMask(value: FieldValue, mask: FieldValue): FieldValue {
  if (typeof value === 'number' && typeof mask === 'number') return (value & mask) >>> 0
  return typeof value === 'bigint' && typeof mask === 'bigint' ? value & mask : value
}
