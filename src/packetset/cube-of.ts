/** Conjunctions of predicates as cubes, without building a set: most rules test exact values, prefixes and single states. */

import type { FieldValue } from '../meaning/fields.ts'
import type { Predicate } from '../meaning/predicate.ts'
import { levelOf, lowOf, highOf, ONE, ZERO } from './bdd.ts'
import type { Edge } from './bdd.ts'
import type { Cube } from './bdd-cubes.ts'
import { codingOf } from './layout.ts'
import { setOfPredicate } from './set-of.ts'
import { deviceEdge, GATE_PROTOCOLS, gateOf } from './space.ts'
import type { CubeDraft, Space } from './space.ts'

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
  const cube = added === 'never' ? 'never' : draft.levels.map(level => level * 2 + (draft.literals[level] === 2 ? 1 : 0)).sort((one, other) => one - other)
  cutTo(draft, 0, 0)
  return { cube, rest }
}

/** Adds those that can be added, all or nothing of each. */
function addEach(space: Space, draft: CubeDraft, predicates: readonly Predicate[]): { readonly added: Added; readonly rest: readonly Predicate[] } {
  const rest: Predicate[] = []
  for (const predicate of predicates.flatMap(one => (one.kind === 'all' ? one.of : [one]))) {
    const [levels, gates] = [draft.levels.length, draft.gates.length]
    const alone = add(space, draft, predicate)
    const added = alone === 'added' && draft.gates.length > gates ? addGates(space, draft) : alone
    if (added === 'never') return { added, rest }
    if (added === 'added') continue
    rest.push(predicate)
    cutTo(draft, levels, gates)
  }
  return { added: 'added', rest }
}

function cutTo(draft: CubeDraft, levels: number, gates: number): void {
  for (let place = levels; place < draft.levels.length; place++) draft.literals[draft.levels[place] ?? 0] = 0
  draft.levels.length = levels
  draft.gates.length = gates
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
  const gate = gateOf(term.field)
  if (gate !== undefined && !draft.gates.includes(gate)) draft.gates.push(gate)
  if (term.kind === 'masked') return addBits(draft, bits, term.mask, term.value)
  const size = BigInt(term.high) - BigInt(term.low) + 1n
  if (size === 1n) return addBits(draft, bits, (1n << BigInt(bits.width)) - 1n, term.low)
  if ((size & (size - 1n)) !== 0n || (BigInt(term.low) & (size - 1n)) !== 0n) return 'noCube'
  return addBits(draft, bits, ((1n << BigInt(bits.width)) - 1n) & ~(size - 1n), term.low)
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
  draft.levels.push(level)
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
function addGates(space: Space, draft: CubeDraft): Added {
  if (draft.gates.length === 0) return 'added'
  const protocol = knownNumber(draft, codingOf(space.layout, 'ip.protocol').bits)
  for (const gate of draft.gates) {
    const protocols = GATE_PROTOCOLS[gate]
    if (!protocols || protocol === undefined) return 'noCube'
    if (!protocols.includes(protocol)) return 'never'
  }
  return addLiteral(draft, codingOf(space.layout, 'ip.fragmentOffset').bits.first, false)
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
