/** What follows the heads of a sentence: limits, log and verdict, in rules of their own or in a small chain. */

import type { TableName } from '../ir/hooks.ts'
import type { MatchUse, TargetUse } from '../ir/ruleset.ts'
import { PROTOCOL } from '../net/protocol.ts'
import { PREFIX } from './compiled.ts'
import type { CompiledRule } from './compiled.ts'
import { chainOf, makeRule } from './drafts.ts'
import type { Drafts } from './drafts.ts'
import type { Head } from './heads.ts'
import { ipMatch, jumpTo, logging, rejection } from './matches.ts'
import type { Logging, Origin } from './resolved.ts'
import { limitMatch } from './matches.ts'

/** What is done with what the heads match. `counts`: a guard has a memory of its own in every rule. */
export interface Tail {
  readonly guards: readonly MatchUse[]
  readonly counts: boolean
  readonly log?: Logging
  readonly final: TargetUse | 'reject' | 'none'
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
  readonly guards: readonly MatchUse[]
  readonly target: TargetUse
  readonly protocol?: number
}

/** Returns rules for heads and what follows them. `skipped` are heads that are left out of it. */
export function writeSentence(drafts: Drafts, place: Place, heads: readonly Head[], skipped: readonly Head[], tail: Tail): readonly CompiledRule[] {
  const { origin } = place
  if (heads.length === 0) return []
  if (skipped.length === 0 && fitsInline(drafts, heads, tail, place)) {
    return heads.flatMap(head => actionsFor(head, drafts, tail, place).map(action => makeRule(drafts, origin, [...withProtocol(head, action.protocol), ...action.guards, ...tail.guards], action.target)))
  }
  const name = `${PREFIX}${place.mark}`
  const { rules } = chainOf(drafts, place.table, name)
  rules.length = 0
  for (const head of skipped) rules.push(makeRule(drafts, origin, head.matches, RETURN))
  const protocols = tail.needsProtocol ? [...new Set(heads.map(head => head.protocol))] : [commonProtocol(heads)]
  for (const protocol of protocols) rules.push(...writeTail(drafts, place, tail, protocol))
  return heads.map(head => makeRule(drafts, origin, head.matches, jumpTo(name)))
}

const RETURN: TargetUse = { kind: 'target', name: 'RETURN', infos: {} }

/** Returns the rules that follow where all heads have matched already. */
export function writeTail(drafts: Drafts, place: Place, tail: Tail, protocol: number | undefined): readonly CompiledRule[] {
  const { origin } = place
  const actions = actionsFor({ matches: [], ...(protocol === undefined ? {} : { protocol }) }, drafts, tail, place)
  if (actions.length === 1 || tail.guards.length === 0) return actions.map(action => makeRule(drafts, origin, [...withProtocol({ matches: [] }, action.protocol), ...action.guards, ...tail.guards], action.target))
  const name = `${PREFIX}${place.mark}-ok`
  const { rules } = chainOf(drafts, place.table, name)
  rules.length = 0
  for (const action of actions) rules.push(makeRule(drafts, origin, [...withProtocol({ matches: [] }, action.protocol), ...action.guards], action.target))
  return [makeRule(drafts, origin, tail.guards, jumpTo(name))]
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
  if (log) actions.push({ guards: log.limit ? [limitMatch(log.limit, '')] : [], target: logging(log.prefix ?? `gate ${word} ${origin.mark}: `.slice(0, 29)) })
  if (final === 'reject') {
    if (head.protocol === undefined || head.protocol === PROTOCOL.tcp) actions.push({ guards: [], target: rejection(family, true), protocol: PROTOCOL.tcp })
    if (head.protocol !== PROTOCOL.tcp) actions.push({ guards: [], target: rejection(family, false) })
  } else if (final !== 'none') actions.push({ guards: [], target: final, ...(needsProtocol && head.protocol !== undefined ? { protocol: head.protocol } : {}) })
  return actions
}

/** Adds `-p` where an action needs it and the head does not say it. */
function withProtocol({ matches, protocol }: Head, needed: number | undefined): readonly MatchUse[] {
  if (needed === undefined || protocol === needed) {
    // In a chain of its own the protocol is known, but the kernel wants to see it in the rule.
    if (needed === undefined || matches.some(use => use.name === 'ip' && use.infos['protocol'])) return matches
  }
  const [first, ...others] = matches
  if (first?.name === 'ip') return [{ name: 'ip', infos: { ...first.infos, protocol: { value: needed, inverted: false } } }, ...others]
  const ip = ipMatch({ protocol: needed })
  return ip ? [ip, ...matches] : matches
}

function commonProtocol(heads: readonly Head[]): number | undefined {
  const protocol = heads[0]?.protocol
  return heads.every(head => head.protocol === protocol) ? protocol : undefined
}
