/** What follows the heads of a sentence: limits, log and verdict, in rules of their own or in a small chain. */

import type { TableName } from '../ir/hooks.ts'
import { PROTOCOL } from '../net/protocol.ts'
import { PREFIX } from './compiled.ts'
import type { CompiledRule } from './compiled.ts'
import { chainOf, makeRule } from './drafts.ts'
import type { Drafts } from './drafts.ts'
import { ANYTHING } from './head-words.ts'
import type { Head } from './head-words.ts'
import { jumpTo, limitMatch, logging, rejection, verdict } from './matches.ts'
import type { Target } from './matches.ts'
import type { Logging, Origin } from './resolved.ts'

/** What is done with what the heads match. `counts`: a guard has a memory of its own in every rule. */
export interface Tail {
  readonly guards: readonly string[]
  readonly counts: boolean
  readonly log?: Logging
  readonly final: Target | 'reject' | 'none'
  /** The final target wants to see the protocol in its rule: it changes ports. */
  readonly needsProtocol?: boolean
}

/** Where rules are put, and which part of a sentence they are: `mark` names the chains made for it. */
export interface Place {
  readonly table: TableName
  readonly mark: string
  readonly origin: Origin
  readonly word: string
}

interface Action {
  readonly guards: readonly string[]
  readonly target: Target
  readonly protocol?: number
}

/** Returns rules for heads and what follows them. `skipped` are heads that are left out of it. */
export function writeSentence(drafts: Drafts, place: Place, heads: readonly Head[], skipped: readonly Head[], tail: Tail): readonly CompiledRule[] {
  const { origin } = place
  if (heads.length === 0) return []
  if (skipped.length === 0 && fitsInline(drafts, heads, tail, place)) {
    return heads.flatMap(head => actionsFor(head, drafts, tail, place).map(action => makeRule(origin, withProtocol(head, action.protocol), action.target, [...action.guards, ...tail.guards])))
  }
  const name = `${PREFIX}${place.mark}`
  const { rules } = chainOf(drafts, place.table, name)
  rules.length = 0
  for (const head of skipped) rules.push(makeRule(origin, head, verdict('RETURN')))
  const protocols = tail.needsProtocol ? [...new Set(heads.map(head => head.protocol))] : [commonProtocol(heads)]
  for (const protocol of protocols) rules.push(...writeTail(drafts, place, tail, protocol))
  const jump = jumpTo(name)
  return heads.map(head => makeRule(origin, head, jump))
}

/** Returns the rules that follow where all heads have matched already. */
export function writeTail(drafts: Drafts, place: Place, tail: Tail, protocol: number | undefined): readonly CompiledRule[] {
  const { origin } = place
  const actions = actionsFor({ ...ANYTHING, protocol }, drafts, tail, place)
  if (actions.length === 1 || tail.guards.length === 0) return actions.map(action => makeRule(origin, withProtocol(ANYTHING, action.protocol), action.target, [...action.guards, ...tail.guards]))
  const name = `${PREFIX}${place.mark}-ok`
  const { rules } = chainOf(drafts, place.table, name)
  rules.length = 0
  for (const action of actions) rules.push(makeRule(origin, withProtocol(ANYTHING, action.protocol), action.target, action.guards))
  return [makeRule(origin, ANYTHING, jumpTo(name), tail.guards)]
}

/** Rules that count each for itself, or that ask a limit twice, need a chain of their own. */
function fitsInline(drafts: Drafts, heads: readonly Head[], tail: Tail, place: Place): boolean {
  const actions = Math.max(...heads.map(head => actionsFor(head, drafts, tail, place).length))
  if (heads.length === 1) return actions === 1 || tail.guards.length === 0
  const countsApart = tail.counts || tail.log?.limit !== undefined
  return !countsApart && (actions === 1 || (tail.guards.length === 0 && heads.length * actions <= heads.length + actions + 1))
}

function actionsFor(head: Head, { family }: Drafts, { log, final, needsProtocol }: Tail, { word, origin }: Place): readonly Action[] {
  const actions: Action[] = []
  if (log) actions.push({ guards: log.limit ? [limitMatch(log.limit, '', family)] : [], target: logging(log.prefix ?? `gate ${word} ${origin.mark}: `.slice(0, 29)) })
  if (final === 'reject') {
    if (head.protocol === undefined || head.protocol === PROTOCOL.tcp) actions.push({ guards: [], target: rejection(family, true), protocol: PROTOCOL.tcp })
    if (head.protocol !== PROTOCOL.tcp) actions.push({ guards: [], target: rejection(family, false) })
  } else if (final !== 'none') actions.push({ guards: [], target: final, ...(needsProtocol && head.protocol !== undefined ? { protocol: head.protocol } : {}) })
  return actions
}

/** Adds `-p` where an action needs it: in a chain of its own the protocol is known, but the kernel wants to see it in the rule. */
function withProtocol(head: Head, needed: number | undefined): Head {
  return needed === undefined || head.protocol === needed ? head : { ...head, protocol: needed }
}

function commonProtocol(heads: readonly Head[]): number | undefined {
  const protocol = heads[0]?.protocol
  return heads.every(head => head.protocol === protocol) ? protocol : undefined
}
