/** Groups, conditions and the answer of a matrix in words. */

import type { MatrixCell, ReachMatrix } from '../analyze/matrix.ts'
import type { MatrixCondition } from '../analyze/matrix-conditions.ts'
import type { AddressGroup, AddressRun } from '../analyze/matrix-groups.ts'
import type { Way } from '../analyze/matrix-passage.ts'
import { DEVICE_FIELDS, fieldRow } from '../meaning/fields.ts'
import type { DeviceField, NumberField } from '../meaning/fields.ts'
import { inWords } from '../meaning/in-words.ts'
import { always, never } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import { listInWords } from '../meaning/values-in-words.ts'
import { addressWidth, maskOfLength, writeAddress, writePrefix } from '../net/address.ts'
import type { Address, Family } from '../net/address.ts'
import type { FreeVariable } from '../symbolic/prepare-rules.ts'
import { mapTerms } from '../symbolic/map-terms.ts'
import { count } from './paint.ts'
import { placeOf } from './rule-words.ts'

/** The addresses of a group, in the fewest pieces: prefixes and ranges, or where that is shorter those that are not in it. */
export interface GroupWords {
  readonly isAllBut: boolean
  readonly pieces: readonly string[]
}

/** Returns the addresses of a group; `all` is everything that the matrix speaks of. */
export function groupWords({ runs }: AddressGroup, all: readonly AddressRun[], family: Family): GroupWords {
  const others = gapsOf(runs, all)
  const isAllBut = others.length < runs.length
  return { isAllBut, pieces: (isAllBut ? others : runs).map(run => runWords(run, family)) }
}

/** Returns the addresses that a matrix speaks of. */
export function addressesOf({ groups }: ReachMatrix): readonly AddressRun[] {
  const sorted = groups.flatMap(({ runs }) => runs).sort((one, other) => (one.low < other.low ? -1 : 1))
  return sorted.reduce<AddressRun[]>((joined, run) => {
    const last = joined.at(-1)
    if (last && last.high + 1n === run.low) joined[joined.length - 1] = { low: last.low, high: run.high }
    else joined.push(run)
    return joined
  }, [])
}

function gapsOf(runs: readonly AddressRun[], all: readonly AddressRun[]): readonly AddressRun[] {
  return all.flatMap(whole => {
    const inside = runs.filter(({ low }) => whole.low <= low && low <= whole.high)
    const borders = [whole.low, ...inside.flatMap(({ low, high }) => [low - 1n, high + 1n]), whole.high]
    return Array.from({ length: borders.length / 2 }, (_, index) => ({ low: borders[index * 2] ?? 0n, high: borders[index * 2 + 1] ?? 0n })).filter(({ low, high }) => low <= high)
  })
}

/** Returns a run as `10.0.0.0/8`, `10.0.0.7` or `10.0.0.7-10.0.0.9`. */
export function runWords({ low, high }: AddressRun, family: Family): string {
  const size = high - low + 1n
  const address = (value: bigint): Address => (family === 'ipv4' ? Number(value) : value)
  if ((size & (size - 1n)) !== 0n || low % size !== 0n) return `${writeAddress(address(low))}-${writeAddress(address(high))}`
  return writePrefix({ address: address(low), mask: maskOfLength(family, addressWidth(family) - (size.toString(2).length - 1)) })
}

/** Returns how many addresses a group has: `256 addresses`, `2^96 addresses` where nobody counts them. */
export function sizeWords({ size }: AddressGroup): string {
  if (size === 1n) return '1 address'
  const bits = size.toString(2).length - 1
  if (size < 1n << 33n) return `${String(size).replace(/\B(?=(\d{3})+$)/g, ',')} addresses`
  return `${size === 1n << BigInt(bits) ? '' : 'about '}2^${bits} addresses`
}

/** Returns the names of groups that stand together: `A`, `B-D`, `A C`. */
export function namesOf(groups: readonly AddressGroup[], all: readonly AddressGroup[]): string {
  const places = groups.map(group => all.indexOf(group)).sort((one, other) => one - other)
  const words: string[] = []
  for (let at = 0; at < places.length; ) {
    let end = at
    while ((places[end + 1] ?? -1) === (places[end] ?? 0) + 1) end++
    const name = (index: number): string => all[places[index] ?? 0]?.name ?? ''
    if (end - at >= 2) words.push(`${name(at)}-${name(end)}`)
    else for (let index = at; index <= end; index++) words.push(name(index))
    at = end + 1
  }
  return words.join(' ')
}

/** Returns a condition as a piece of a sentence: ``only if `-m string ...` at fw.rules:12 matches``. */
export function conditionWords(condition: MatrixCondition, way: Way): string {
  const { variables } = condition
  if (condition.kind === 'mixed') return `depends on the addresses, and on ${listInWords([...condition.fields.map(fieldWords), ...variables.map(variable => variableWords(variable))], 'and')}`
  const when = mapTerms(condition.when, term => withoutAbsent(term, way))
  const inner = when.kind === 'not' ? when.of : when
  const [only] = variables
  if (inner.kind === 'opaque' && only) return `only if ${variableWords(only)} ${when.kind === 'not' ? 'does not match' : 'matches'}`
  const asked = [...new Set(variables.map(variable => placeWords(variable)).filter(words => words !== ''))]
  return `only those that ${inWords(when)}${asked.length === 0 ? '' : ` (asked${asked.join(',')})`}`
}

/** Packets that arrive or leave do so by some device, and those that arrive not on lo: that goes without saying. */
function withoutAbsent(term: Predicate, way: Way): Predicate {
  if (term.kind === 'device') return !term.pattern.prefix && (term.pattern.name === '' || (term.pattern.name === 'lo' && way !== 'OUTPUT')) ? never : term
  return term.kind === 'within' && term.field === 'ip.fragmentOffset' ? always : term
}

function fieldWords(field: NumberField | DeviceField): string {
  return `the ${field === 'device.in' || field === 'device.out' || field === 'bridge.in' || field === 'bridge.out' ? DEVICE_FIELDS[field].words : fieldRow(field).words}`
}

function variableWords(variable: FreeVariable): string {
  return `\`${variable.words}\`${placeWords(variable)}`
}

/** " at fw.rules:12 and 2 other rules". */
function placeWords({ rules }: FreeVariable): string {
  const [rule] = rules
  if (!rule || placeOf(rule) === '') return ''
  return ` at ${placeOf(rule)}${rules.length > 1 ? ` and ${count(rules.length - 1, 'other rule')}` : ''}`
}

/** Returns who may reach whom in one sentence. */
export function answerWords(matrix: ReachMatrix): string {
  const { sources, destinations, cells, groups, service } = matrix
  const kinds = cells.flat().map(({ kind }) => kind)
  const every = (kind: MatrixCell['kind']): boolean => kinds.every(one => one === kind || one === 'never')
  if (groups.length === 0 || every('never')) return `No packet of ${service.name} goes this way.`
  if (every('yes')) return `Everybody may reach everybody by ${service.name}.`
  if (every('no')) return `Nobody may reach anybody by ${service.name}.`
  if (every('some')) return `Everybody may reach everybody by ${service.name}, but only on conditions.`
  const names = (lists: readonly (readonly AddressGroup[])[]): string => listInWords(namesOf(lists.flat(), groups).split(' '), 'and')
  const verb = (lists: readonly (readonly AddressGroup[])[], singular: string, plural: string): string => (lists.flat().length === 1 ? singular : plural)
  const everywhere = sources.filter((_, row) => cells[row]?.every(({ kind }) => kind === 'yes' || kind === 'never'))
  const nowhere = sources.filter((_, row) => cells[row]?.every(({ kind }) => kind === 'no' || kind === 'never'))
  const unreached = destinations.filter((_, column) => cells.every(row => row[column]?.kind === 'no' || row[column]?.kind === 'never'))
  const parts = [
    ...(everywhere.length > 0 ? [`${names(everywhere)} ${verb(everywhere, 'reaches', 'reach')} everybody`] : []),
    ...(nowhere.length > 0 ? [`${names(nowhere)} ${verb(nowhere, 'reaches', 'reach')} nobody`] : []),
    ...(unreached.length > 0 ? [`nobody reaches ${names(unreached)}`] : []),
  ]
  const [open, partly] = [kinds.filter(kind => kind === 'yes').length, kinds.filter(kind => kind === 'some').length]
  const total = `of ${count(kinds.filter(kind => kind !== 'never').length, 'pair')}`
  const sum = open === 0 ? `${partly} ${total} may talk ${service.name} on conditions` : `${open} ${total} may talk ${service.name}${partly > 0 ? `, ${partly} more on conditions` : ''}`
  return `${[sum, ...parts].join('; ')}.`
}

/** Returns a text in lines of at most `width` where its words are not longer. */
export function wrapWords(text: string, width: number): readonly string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
