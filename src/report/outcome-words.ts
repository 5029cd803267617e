/** What became of a packet, as one sentence. */

import { assertNever } from '../diagnostics/diagnostic.ts'
import type { Chain } from '../ir/ruleset.ts'
import { writeAddress } from '../net/address.ts'
import { writeEndpoint } from '../packet/endpoint.ts'
import { icmpNameOfType } from '../packet/icmp-names.ts'
import type { Packet } from '../packet/packet.ts'
import { mainWay } from '../simulate/journey.ts'
import type { Journey, Leg } from '../simulate/journey.ts'
import type { Decider, Outcome, Trace } from '../simulate/trace-events.ts'
import { labelOf } from '../topology/topology.ts'
import type { Topology } from '../topology/topology.ts'
import { REASONS } from './route-words.ts'
import { packetText, placeOf, ruleText } from './rule-words.ts'
import type { Style } from './paint.ts'

/** The sentence, and whether it is good or bad news. */
export interface OutcomeWords {
  readonly style: Style
  readonly text: string
}

/** Returns the sentence that answers: delivered, forwarded, dropped or rejected, where, and by whom. */
export function outcomeInWords(journey: Journey, topology: Topology): OutcomeWords {
  const way = mainWay(journey.start)
  const last = way.at(-1) ?? journey.start
  const { outcome } = last.trace
  const where = topology.namespaces.length > 1 ? `in namespace ${last.namespace}` : ''
  switch (outcome.kind) {
    case 'local':
      return { style: 'good', text: `Accepted: it is delivered to ${endOf(outcome.packet, topology)} ${where || 'on this host'}${outcome.device === 'lo' ? '' : `, arrived on ${outcome.device}`}${because(way)}.` }
    case 'forward':
    case 'sent':
    case 'bridge':
      return last.crossings.some(({ kind }) => kind === 'leaves') || !last.crossings.length ? leftInWords(way, outcome, topology) : { style: 'error', text: `Lost: ${lossInWords(last, outcome)}.` }
    case 'drop':
      return { style: 'error', text: `Dropped ${join(where, byInWords(outcome.by))}.` }
    case 'reject':
      return { style: 'error', text: `Rejected ${join(where, byInWords(outcome.by))}${answersInWords(last, topology)}.` }
    case 'queue':
      return { style: 'warning', text: `Handed to user space ${join(where, byInWords(outcome.by))}: what becomes of it is decided there.` }
    case 'stolen':
      return { style: 'warning', text: `Taken out of its way ${join(where, byInWords(outcome.by))}.` }
    default:
      return assertNever(outcome)
  }
}

function join(where: string, words: string): string {
  return where === '' ? words : `${where}, ${words}`
}

type LeavingOutcome = Extract<Outcome, { kind: 'forward' | 'sent' | 'bridge' }>

function leftInWords(way: readonly Leg[], outcome: LeavingOutcome, topology: Topology): OutcomeWords {
  const where = topology.namespaces.length > 1 ? ` namespace ${outcome.namespace}` : ''
  const leaves = outcome.kind === 'bridge' ? `crosses the bridge and leaves${where}` : `leaves${where}`
  return { style: 'good', text: `Accepted: it ${leaves} by ${leavingBy(outcome)} as ${headerOf(outcome.packet, topology)}${outcome.gateway === undefined ? '' : `, via ${writeAddress(outcome.gateway)}`}${because(way)}.` }
}

/** Nobody took the frame. */
function lossInWords({ crossings, namespace }: Leg, outcome: LeavingOutcome): string {
  const by = `it leaves ${namespace} by ${leavingBy(outcome)}, and`
  const lost = crossings.find(({ kind }) => kind === 'lost')
  if (crossings.some(({ kind }) => kind === 'circles')) return `${by} circles in a loop of bridges`
  if (lost?.to) return `${by} ${lost.to.namespace === namespace ? '' : `${lost.to.namespace}/`}${lost.to.device} is down or leads nowhere`
  return `${by} whoever gets the frame is not whom it is addressed to`
}

/** Returns how the last row calls where the packet came out, undefined where it did not. */
export function exitInWords(outcome: Outcome): string | undefined {
  if (outcome.kind === 'local') return 'delivered'
  return outcome.kind === 'forward' || outcome.kind === 'sent' || outcome.kind === 'bridge' ? `leaves by ${leavingBy(outcome)}` : undefined
}

/** Returns the sentence about the way back where a translation hides it, undefined elsewhere. */
export function answerInWords(first: Packet, outcome: Outcome): string | undefined {
  if (outcome.kind === 'drop' || outcome.kind === 'reject' || outcome.kind === 'queue' || outcome.kind === 'stolen') return undefined
  const { packet } = outcome
  const isTranslated = packet.src !== first.src || packet.dst !== first.dst || packet.sport !== first.sport || packet.dport !== first.dport
  if (!isTranslated) return undefined
  return `The answer ${endText(packet.dst, packet.dport)} > ${endText(packet.src, packet.sport)} goes back as ${endText(first.dst, first.dport)} > ${endText(first.src, first.sport)}`
}

function leavingBy(outcome: Extract<Outcome, { kind: 'forward' | 'sent' | 'bridge' }>): string {
  const ports = outcome.ports.filter(port => port !== outcome.device)
  return ports.length === 0 ? outcome.device : `${outcome.device} (${ports.join(', ')})`
}

/** `tcp 10.0.0.1:40000 > 10.0.0.2:80 (container c1)` */
function headerOf(packet: Packet, topology: Topology): string {
  return `${packetText(packet).split(' ')[0]} ${endText(packet.src, packet.sport)} > ${endOf(packet, topology)}`
}

function endOf(packet: Packet, topology: Topology): string {
  const label = labelOf(topology, packet.dst)
  return `${endText(packet.dst, packet.dport)}${label === undefined ? '' : ` (${label})`}`
}

function endText(address: Packet['src'], port: number | undefined): string {
  return writeEndpoint(port === undefined ? { address } : { address, port })
}

/** Translations and the rule that let the packet through, as the end of a sentence. */
function because(way: readonly Leg[]): string {
  const translated = way.flatMap(({ trace }) => trace.events).flatMap(event => (event.kind === 'nat' && event.by ? [`${event.binding.side} translated by ${placeOf(event.by.rule)}`] : []))
  const through = way.flatMap(({ trace }) => letThrough(trace.events))
  const told = way.length === 1 ? through : through.filter(words => !words.startsWith(NO_RULES))
  const isPlace = (words: string): boolean => words.startsWith(LET_THROUGH)
  const places = [...new Set(told.filter(isPlace))].map((words, index) => (index === 0 ? words : words.slice(LET_THROUGH.length)))
  return [...new Set([...translated, ...told.filter(words => !isPlace(words))]), ...(places.length === 0 ? [] : [places.join(' and ')])].map((words, index) => `${index === 0 ? '; ' : ', '}${words}`).join('')
}

const LET_THROUGH = 'let through by '

const NO_RULES = 'table filter has no rules'

/** Who had the last word in table filter. */
function letThrough(events: Trace['events']): string[] {
  const last = events.findLast(event => (event.kind === 'rule' && event.place.table === 'filter' && event.result.kind === 'accept') || (event.kind === 'policy' && event.place.table === 'filter'))
  if (last?.kind === 'rule') return [`${LET_THROUGH}${placeOf(last.place.rule)}`]
  if (last?.kind !== 'policy') return []
  return [last.place.chain.span === undefined && last.place.chain.rules.length === 0 ? `${NO_RULES} for ${last.place.hook}` : `${LET_THROUGH}the ${last.place.hook} policy${inParentheses(last.place.chain)}`]
}

/** A chain that a command line gave its policy has no place. */
function inParentheses(chain: Chain): string {
  const place = placeOf(chain)
  return place === '' ? '' : ` (${place})`
}

/** Returns who ended a packet's way, as the end of "Dropped ...". */
export function byInWords(by: Decider): string {
  switch (by.kind) {
    case 'rule': {
      const { hook, table, chain, rule } = by.place
      return `in ${hook} by table ${table}, ${placeOf(rule)}${chain.hook === undefined ? ` (chain ${chain.name})` : ''}: ${ruleText(rule)}`
    }
    case 'policy':
      return `in ${by.place.hook}: no rule of table ${by.place.table} accepts it, and the chain policy is DROP${inParentheses(by.place.chain)}`
    case 'kernel':
      return `by the kernel${by.hook === undefined ? '' : ` in ${by.hook}`}: ${REASONS[by.reason]}`
    default:
      return assertNever(by)
  }
}

/** What goes back, and how far it comes. */
function answersInWords({ trace, answers }: Leg, topology: Topology): string {
  const answer = trace.events.findLast(event => event.kind === 'answer')
  if (answer?.kind !== 'answer') return ''
  const { icmp, protocol, dst } = answer.packet
  const what = icmp ? `icmp ${icmpNameOfType(icmp.type, icmp.code, protocol) ?? `type ${icmp.type} code ${icmp.code}`}` : 'a tcp reset'
  const leg = answers.find(one => one.trace === answer.trace)
  const last = leg && mainWay(leg).at(-1)
  const outcome = last?.trace.outcome ?? answer.trace.outcome
  const where = last && topology.namespaces.length > 1 ? last.namespace : ''
  if (outcome.kind === 'drop') return `; ${what} for ${writeAddress(dst)} is dropped ${join(where === '' ? '' : `in namespace ${where}`, byInWords(outcome.by))}`
  return `; ${what} goes back to ${writeAddress(dst)}${outcome.kind === 'local' && where !== '' ? ` in namespace ${where}` : ''}`
}
