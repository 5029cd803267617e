/** Conjunctions of predicates as cubes, without building a set: most rules test exact values, prefixes and single states. */

import type { FieldValue } from '../meaning/fields.ts'
import type { Predicate } from '../meaning/predicate.ts'
import { levelOf, lowOf, highOf, ONE, ZERO } from './bdd.ts'
import type { Edge } from './bdd.ts'
import type { Cube } from './bdd-cubes.ts'
import { codingOf } from './layout.ts'
import { setOfPredicate } from './set-of.ts'
import { deviceEdge, GATE_PROTOCOLS, gateOf } from './space.ts'
import type { CubeDraft, Gate, Space } from './space.ts'

type Term = Extract<Predicate, { kind: 'within' | 'masked' }>

/** A cube, and the predicates that it does not say. */
export interface CubePart {
  /** 'never' where no packet has all that the predicates ask for; not every such case is found. */
  readonly cube: Cube | 'never'
  readonly rest: readonly Predicate[]
}

/** Returns those of the predicates that together are a cube as one, and the others. */
export function cubePartOf(space: Space, predicates: readonly Predicate[]): CubePart {
  const draft = space.cubeDraft
  if (space.nextLevel > draft.literals.length) draft.literals = new Uint8Array(space.nextLevel * 2)
  let rest = predicates
  let added: Added = 'added'
  // What was left out for want of a known protocol may do once that is known.
  for (let before = -1; added !== 'never' && rest.length > 0 && rest.length !== before; ) {
    before = rest.length
    ;({ added, rest } = addEach(space, draft, rest))
  }
  if (added === 'added') return { cube: takeLiterals(draft, space.layout.owners.length), rest }
  cutTo(draft, 0)
  return { cube: 'never', rest }
}

/** Adds those that can be added, all or nothing of each. */
function addEach(space: Space, draft: CubeDraft, predicates: readonly Predicate[]): { readonly added: Added; readonly rest: readonly Predicate[] } {
  const rest: Predicate[] = []
  for (const predicate of predicates) {
    for (const part of predicate.kind === 'all' ? predicate.of : [predicate]) {
      const { count } = draft
      const added = add(space, draft, part)
      if (added === 'never') return { added, rest }
      if (added === 'added') continue
      rest.push(part)
      cutTo(draft, count)
    }
  }
  return { added: 'added', rest }
}

function cutTo(draft: CubeDraft, count: number): void {
  for (let place = count; place < draft.count; place++) draft.literals[draft.levels[place] ?? 0] = 0
  draft.count = count
}

/** Empties the draft. The literals of fields are found in order by their levels; those of free variables, of which there may be thousands, are sorted. */
function takeLiterals(draft: CubeDraft, fieldLevels: number): Cube {
  const { literals, levels, count } = draft
  let last = -1
  const free: number[] = []
  for (let place = 0; place < count; place++) {
    const level = levels[place] ?? 0
    if (level >= fieldLevels) free.push(level)
    else if (level > last) last = level
  }
  draft.count = 0
  const take = (level: number): void => {
    levels[draft.count++] = level * 2 + (literals[level] ?? 0) - 1
    literals[level] = 0
  }
  for (let level = 0; level <= last; level++) if (literals[level] !== 0) take(level)
  for (const level of free.sort((one, other) => one - other)) take(level)
  const cube = levels.slice(0, draft.count)
  draft.count = 0
  return cube
}

type Added = 'added' | 'never' | 'noCube'

function add(space: Space, draft: CubeDraft, predicate: Predicate): Added {
  switch (predicate.kind) {
    case 'always':
      return 'added'
    case 'never':
      return 'never'
    case 'all':
      for (const part of predicate.of) {
        const added = add(space, draft, part)
        if (added !== 'added') return added
      }
      return 'added'
    case 'within':
    case 'masked':
      return codingOf(space.layout, predicate.field).kind === 'number' && predicate.field !== 'ct.direction' ? addNumber(space, draft, predicate) : addPath(space, draft, setOfPredicate(space, predicate))
    case 'device':
      return addPath(space, draft, deviceEdge(space, predicate.field, predicate.pattern))
    default:
      return addPath(space, draft, setOfPredicate(space, predicate))
  }
}

/** Adds bits of a number: a mask's, or those of an aligned range. */
function addNumber(space: Space, draft: CubeDraft, term: Term): Added {
  const { bits } = codingOf(space.layout, term.field)
  const mask = term.kind === 'masked' ? term.mask : maskOfRange(term.low, term.high, bits.width)
  if (mask === undefined) return 'noCube'
  const added = addBits(draft, bits, mask, term.kind === 'masked' ? term.value : term.low)
  const gate = gateOf(term.field)
  return added === 'added' && gate !== undefined ? addGate(space, draft, gate) : added
}

/** Returns the bits in which all numbers of a range agree, undefined where others agree in them too. */
function maskOfRange(low: FieldValue, high: FieldValue, width: number): FieldValue | undefined {
  if (typeof low === 'number' && typeof high === 'number' && width <= 32) {
    const size = high - low + 1
    return isAligned(low, size) ? (width === 32 ? 0xffffffff : 2 ** width - 1) - (size - 1) : undefined
  }
  const size = BigInt(high) - BigInt(low) + 1n
  return (size & (size - 1n)) === 0n && (BigInt(low) & (size - 1n)) === 0n ? (1n << BigInt(width)) - size : undefined
}

function isAligned(low: number, size: number): boolean {
  return (size & (size - 1)) === 0 && low % size === 0
}

function addBits(draft: CubeDraft, { first, width }: { readonly first: number; readonly width: number }, mask: FieldValue, value: FieldValue): Added {
  for (let word = Math.ceil(width / 32) - 1; word >= 0; word--) {
    const from = typeof mask === 'number' && word === 0 ? mask : Number((BigInt(mask) >> BigInt(32 * word)) & 0xffffffffn)
    const wanted = typeof value === 'number' && word === 0 ? value : Number((BigInt(value) >> BigInt(32 * word)) & 0xffffffffn)
    for (let bit = Math.min(31, width - 1 - word * 32); bit >= 0; bit--) {
      if (((from >>> bit) & 1) === 0) continue
      if (addLiteral(draft, first + width - 1 - word * 32 - bit, ((wanted >>> bit) & 1) === 1) === 'never') return 'never'
    }
  }
  return 'added'
}

function addLiteral(draft: CubeDraft, level: number, value: boolean): Added {
  const known = draft.literals[level] ?? 0
  const literal = value ? 2 : 1
  if (known === literal) return 'added'
  if (known !== 0) return 'never'
  if (level >= draft.literals.length) draft.literals = widened(draft.literals, level)
  draft.literals[level] = literal
  draft.levels[draft.count++] = level
  return 'added'
}

/** Free variables come without end. */
function widened(literals: Uint8Array, level: number): Uint8Array {
  const wider = new Uint8Array(level * 2)
  wider.set(literals)
  return wider
}

/** Adds a set that is a single path. */
function addPath(space: Space, draft: CubeDraft, edge: Edge): Added {
  if (edge === ZERO) return 'never'
  for (let at = edge; at !== ONE; ) {
    const [low, high] = [lowOf(space.bdd, at), highOf(space.bdd, at)]
    if (low !== ZERO && high !== ZERO) return 'noCube'
    if (addLiteral(draft, levelOf(space.bdd, at), low === ZERO) === 'never') return 'never'
    at = low === ZERO ? high : low
  }
  return 'added'
}

/** A first fragment of a protocol that is known has ports or has not; where the protocol is open, or the gate another, it is no cube. */
function addGate(space: Space, draft: CubeDraft, gate: Gate): Added {
  const protocols = GATE_PROTOCOLS[gate]
  const protocol = protocols && knownNumber(draft, codingOf(space.layout, 'ip.protocol').bits)
  if (!protocols || protocol === undefined) return 'noCube'
  return protocols.includes(protocol) ? addLiteral(draft, codingOf(space.layout, 'ip.fragmentOffset').bits.first, false) : 'never'
}

function knownNumber(draft: CubeDraft, { first, width }: { readonly first: number; readonly width: number }): number | undefined {
  let number = 0
  for (let bit = 0; bit < width; bit++) {
    const value = draft.literals[first + bit]
    if (value !== 1 && value !== 2) return undefined
    number = number * 2 + value - 1
  }
  return number
}
