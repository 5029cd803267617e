/** A trace as JSON values of a stable shape: the events in order, then what became of the packet. */

import { positionAt } from '../diagnostics/source-file.ts'
import type { Span } from '../diagnostics/source-file.ts'
import { writePacket } from '../packet/write-packet.ts'
import type { ChainPlace, RulePlace, RuleResult, Trace, TraceEvent } from '../simulate/trace-events.ts'
import { mainWay } from '../simulate/journey.ts'
import type { Journey } from '../simulate/journey.ts'
import type { CheckedJourney } from '../simulate/journey-checked.ts'
import type { Topology } from '../topology/topology.ts'
import type { Family } from '../net/address.ts'
import { missInWords } from './miss-words.ts'
import { outcomeInWords } from './outcome-words.ts'
import { connectionInWords, routeInWords } from './route-words.ts'
import { changesInWords, ruleText } from './rule-words.ts'

type JsonObject = Readonly<Record<string, unknown>>

/** Returns events, the sentence, what was assumed (`matters` tells whether the end depends on it), and where there are several namespaces the way from one to the next. */
export function jsonJourney({ journey, assumed, decisive }: CheckedJourney, topology: Topology): JsonObject {
  return {
    events: jsonEvents(journey.start.trace),
    sentence: outcomeInWords(journey, topology).text,
    assumed: assumed.map(({ key, words, value }) => {
      const otherwise = decisive.find(({ assumption }) => assumption.key === key)?.otherwise
      return { words, value, matters: otherwise !== undefined, ...(otherwise ? { otherwise: outcomeInWords(otherwise, topology).text } : {}) }
    }),
    ...(topology.namespaces.length > 1 ? { legs: jsonLegs(journey) } : {}),
  }
}

/** Returns the way of a packet, namespace by namespace: what happened in each, and the devices that it passed. */
export function jsonLegs({ start }: Journey): readonly JsonObject[] {
  const way = mainWay(start)
  return way.map((leg, index) => {
    const next = way[index + 1]
    const crossing = leg.crossings.find(one => one.leg === next && next !== undefined) ?? leg.crossings[0]
    return {
      namespace: leg.namespace,
      outcome: leg.trace.outcome.kind,
      packet: writePacket(leg.trace.outcome.packet),
      events: jsonEvents(leg.trace),
      ...(crossing ? { leaves: { by: crossing.from.device, ...(crossing.to ? { to: `${crossing.to.namespace}/${crossing.to.device}` } : {}), how: crossing.kind } } : {}),
    }
  })
}

function jsonEvents(trace: Trace): JsonObject[] {
  const { family } = trace.outcome.packet
  return trace.events.flatMap(event => (event.kind === 'table' ? [] : [{ kind: event.kind, ...jsonEvent(event, family) }]))
}

function jsonEvent(event: Exclude<TraceEvent, { kind: 'table' }>, family: Family): JsonObject {
  switch (event.kind) {
    case 'arrive':
      return { namespace: event.namespace, device: event.device, ...(event.port === undefined ? {} : { port: event.port }), packet: writePacket(event.packet) }
    case 'make':
      return { namespace: event.namespace, packet: writePacket(event.packet) }
    case 'conntrack':
      return { hook: event.hook, words: connectionInWords(event.ctState, event.connection, event.why) }
    case 'natSkipped':
      return { hook: event.hook, why: event.why }
    case 'rule':
      return { ...jsonRule(event.place), did: jsonResult(event.result), ...(event.observed === undefined ? {} : { observed: event.observed }) }
    case 'miss':
      return { ...jsonRule(event.place), words: missInWords(event, family) }
    case 'return':
      return { ...jsonChain(event.from), to: event.to.chain.name }
    case 'policy':
      return { ...jsonChain(event.place), policy: event.policy }
    case 'rewrite':
      return { by: event.by.kind === 'rule' ? jsonRule(event.by.place) : event.by.kind, changes: changesInWords(event.changes, event.packet), packet: writePacket(event.packet) }
    case 'nat':
      return { ...(event.by ? jsonRule(event.by) : { hook: event.hook }), side: event.binding.side }
    case 'assumption':
      return { ...jsonRule(event.place), words: event.words, value: event.value }
    case 'route':
      return { words: routeInWords(event.decision, event.why), ...(event.decision.device === undefined ? {} : { device: event.decision.device }) }
    case 'loop':
      return { device: event.device }
    case 'confirm':
      return {}
    case 'answer':
      return { packet: writePacket(event.packet), events: jsonEvents(event.trace), outcome: event.trace.outcome.kind }
    case 'copy':
      return { port: event.port, events: jsonEvents(event.trace), outcome: event.trace.outcome.kind }
    case 'fragment':
      return { hook: event.hook, came: event.came, whole: event.isWhole }
    case 'notModelled':
      return { words: event.words }
  }
}

function jsonRule(place: RulePlace): JsonObject {
  return { ...jsonChain(place), rule: place.number, ...jsonPlace(place.rule.span), text: ruleText(place.rule) }
}

function jsonChain(place: ChainPlace): JsonObject {
  return { hook: place.hook, table: place.table, chain: place.chain.name }
}

function jsonPlace(span: Span): JsonObject {
  return { path: span.source.path, line: positionAt(span.source, span.start).line }
}

function jsonResult(result: RuleResult): JsonObject | string {
  if (result.kind === 'jump' || result.kind === 'goto') return { [result.kind]: result.chain.name }
  return result.kind === 'reject' ? { reject: result.with.kind === 'icmp' ? result.with.name : 'tcp-reset' } : result.kind
}
