/** Who gets packets that leave a host: they are divided by their next hop. The mirror of the simulator's neighbours.ts. */

import { equals } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Address, Family, Prefix } from '../net/address.ts'
import { casesOfAddress, inCase } from './address-cases.ts'
import { keyOfQuestion } from './frame-ways.ts'
import type { FindFrameWays, FrameAnswer, NeighbourQuestion } from './frame-ways.ts'
import type { PacketClass } from './packet-class.ts'
import { unionOf } from './packet-class.ts'
import type { PacketSet } from '../packetset/packet-sets.ts'
import type { Rewriting } from './rewriting.ts'
import type { Run } from './run.ts'
import { constantOf } from './value.ts'

/** What the question about the next hop goes by. */
export interface NextHopQuestion {
  readonly namespace: string
  readonly device: string
  /** Own addresses of the namespace: it asks in the name of a packet that has one. */
  readonly own: readonly Address[]
  /** The address space, cut where answers may change. */
  readonly pieces: readonly AddressPiece[]
  readonly find: FindFrameWays
  /** Answers may hang on what was asked before. */
  readonly remembers: boolean
}

/** Addresses about which all answers are the same, and one of them. */
export interface AddressPiece {
  readonly address: Address
  readonly isTowards: Predicate
}

/** Returns the address space cut at the borders of prefixes. */
export function addressPieces(family: Family, borders: readonly Prefix[]): readonly AddressPiece[] {
  return casesOfAddress(family, borders, address => address, String).map(piece => ({ address: piece.answer, isTowards: inCase('ip.dst', piece) }))
}

/** Packets that go the same way. */
export interface ToNextHop {
  readonly answer: FrameAnswer
  readonly packets: PacketClass
}

/** Returns the packets by the way that their frames take. */
export function toNextHops(run: Run, question: NextHopQuestion, { rewriting, set }: PacketClass): readonly ToNextHop[] {
  const { sets } = run
  const found = new Map<string, { readonly answer: FrameAnswer; readonly asked: NeighbourQuestion | undefined; readonly parts: PacketSet[] }>()
  const note = (asked: NeighbourQuestion, part: PacketSet): void => {
    const answer = question.find({ ...asked, asked: rewriting.asked })
    const isTaken = question.remembers && answer.kind === 'ways' && answer.ways.some(({ end }) => end.kind === 'taken')
    const key = `${isTaken ? keyOfQuestion(asked) : ''} ${keyOfAnswer(answer)}`
    const known = found.get(key)
    if (known) known.parts.push(part)
    else found.set(key, { answer, asked: isTaken ? asked : undefined, parts: [part] })
  }
  let rest = set
  for (const source of question.own) {
    const made = sets.intersect(rest, run.setOf(equals('ip.src', source), rewriting))
    if (made === sets.none) continue
    askAbout(run, question, { rewriting, set: made }, source, note)
    rest = sets.subtract(rest, made)
  }
  if (rest !== sets.none) askAbout(run, question, { rewriting, set: rest }, undefined, note)
  return [...found.values()].map(({ answer, asked, parts }) => ({ answer, packets: { rewriting: asked ? withAsked(run, rewriting, asked) : rewriting, set: unionOf(sets, parts) } }))
}

const answerKeys = new WeakMap<FrameAnswer, string>()

function keyOfAnswer(answer: FrameAnswer): string {
  const key = answerKeys.get(answer) ?? JSON.stringify(answer)
  answerKeys.set(answer, key)
  return key
}

function withAsked({ rewritings }: Run, rewriting: Rewriting, asked: NeighbourQuestion): Rewriting {
  const isKnown = rewriting.asked.some(one => keyOfQuestion(one) === keyOfQuestion(asked))
  return isKnown ? rewriting : rewritings.with(rewriting, { asked: [...rewriting.asked, asked] })
}

function askAbout(run: Run, { namespace, device, pieces }: NextHopQuestion, { rewriting, set }: PacketClass, source: Address | undefined, note: (asked: NeighbourQuestion, part: PacketSet) => void): void {
  const { sets, family } = run
  const ask = (nextHop: Address): NeighbourQuestion => ({ namespace, device, nextHop, source })
  const constant = constantOf(run.rewritings.valueOf(rewriting, 'ip.dst'))
  const single = rewriting.gateway ?? (constant === undefined ? undefined : family === 'ipv4' ? Number(constant) : constant)
  if (single !== undefined) {
    note(ask(single), set)
    return
  }
  let rest = set
  for (const { address, isTowards } of pieces) {
    if (rest === sets.none) return
    const towards = run.setOf(isTowards, rewriting)
    const here = sets.intersect(rest, towards)
    if (here === sets.none) continue
    note(ask(address), here)
    rest = sets.subtract(rest, here)
  }
}
