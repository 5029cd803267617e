/** Finds the rules of a chain that match one packet, without asking each: rules that test the same bits are looked up by their values. */

import type { PacketPoint, PacketSets } from '../packetset/packet-sets.ts'
import type { RuleMatch } from '../symbolic/rule-sets.ts'
import type { ChainRun } from '../symbolic/run-chain.ts'

/** Rules by what they test. */
export interface RuleIndex {
  readonly groups: readonly Group[]
  /** Indices of rules that are no cubes, in order. */
  readonly others: readonly number[]
}

interface Group {
  /** The tested bits, in order. */
  readonly levels: readonly number[]
  readonly byValues: ReadonlyMap<string, readonly number[]>
}

const indexes = new WeakMap<ChainRun, RuleIndex>()

/** Returns the index of a chain's rules, made once. */
export function indexOf(here: ChainRun): RuleIndex {
  const known = indexes.get(here) ?? indexRules(here.matches)
  indexes.set(here, known)
  return known
}

function indexRules(matches: readonly RuleMatch[]): RuleIndex {
  const groups = new Map<string, { levels: readonly number[]; byValues: Map<string, number[]> }>()
  const others: number[] = []
  matches.forEach(({ cube }, index) => {
    if (cube === 'never') return
    if (!cube) {
      others.push(index)
      return
    }
    const levels = cube.map(literal => literal >> 1)
    const key = levels.join(' ')
    const group = groups.get(key) ?? { levels, byValues: new Map<string, number[]>() }
    groups.set(key, group)
    const values = packBits(cube)
    const list = group.byValues.get(values)
    if (list) list.push(index)
    else group.byValues.set(values, [index])
  })
  return { groups: [...groups.values()], others }
}

/** Returns the indices of the rules that match a packet, in order. */
export function rulesMatching(sets: PacketSets, matches: readonly RuleMatch[], index: RuleIndex, point: PacketPoint): readonly number[] {
  const found: number[] = []
  for (const { levels, byValues } of index.groups) found.push(...(byValues.get(packBits(levels.map(level => point[level] ?? 0))) ?? []))
  for (const other of index.others) {
    const match = matches[other]
    if (match && sets.includesPoint(match.set(), point)) found.push(other)
  }
  return found.sort((one, other) => one - other)
}

/** The lowest bit of each number, 16 to a character. */
function packBits(numbers: readonly number[]): string {
  let text = ''
  for (let from = 0; from < numbers.length; from += 16) {
    let code = 0
    for (let at = from; at < from + 16 && at < numbers.length; at++) code = code * 2 + ((numbers[at] ?? 0) & 1)
    text += String.fromCharCode(code)
  }
  return text
}
