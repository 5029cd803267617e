/** What became of a packet, as one sentence. */

import { assertNever } from '../diagnostics/diagnostic.ts'
import type { Chain } from '../ir/ruleset.ts'
import { writeAddress } from '../net/address.ts'
import { writeEndpoint } from '../packet/endpoint.ts'
import { icmpNameOfType } from '../packet/icmp-names.ts'
import type { Packet } from '../packet/packet.ts'
import type { Decider, Outcome, Trace, TraceEvent } from '../simulate/trace-events.ts'
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
export function outcomeInWords(trace: Trace, topology: Topology): OutcomeWords {
  const { outcome } = trace
  switch (outcome.kind) {
    case 'local':
      return { style: 'good', text: `Accepted: it is delivered to ${endOf(outcome.packet, topology)} ${inNamespace(outcome.namespace, topology)}${outcome.device === 'lo' ? '' : `, arrived on ${outcome.device}`}${because(trace)}.` }
    case 'forward':
    case 'sent':
    case 'bridge':
      return { style: 'good', text: `Accepted: it ${outcome.kind === 'bridge' ? 'crosses the bridge and leaves' : 'leaves'} by ${leavingBy(outcome)} as ${headerOf(outcome.packet, topology)}${outcome.gateway === undefined ? '' : `, via ${writeAddress(outcome.gateway)}`}${because(trace)}.` }
    case 'drop':
      return { style: 'error', text: `Dropped ${byInWords(outcome.by)}.` }
    case 'reject':
      return { style: 'error', text: `Rejected ${byInWords(outcome.by)}${answersInWords(trace)}.` }
    case 'queue':
      return { style: 'warning', text: `Handed to user space ${byInWords(outcome.by)}: what becomes of it is decided there.` }
    case 'stolen':
      return { style: 'warning', text: `Taken out of its way ${byInWords(outcome.by)}.` }
    default:
      return assertNever(outcome)
  }
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

function inNamespace(name: string, topology: Topology): string {
  return topology.namespaces.length > 1 ? `in namespace ${name}` : 'on this host'
}

/** Translations and the rule that let the packet through, as the end of a sentence. */
function because({ events }: Trace): string {
  const translated = events.flatMap(event => (event.kind === 'nat' && event.by ? [`${event.binding.side} translated by ${placeOf(event.by.rule)}`] : []))
  return [...new Set(translated), ...letThrough(events)].map((words, index) => `${index === 0 ? '; ' : ', '}${words}`).join('')
}

/** Who had the last word in table filter. */
function letThrough(events: readonly TraceEvent[]): string[] {
  const last = events.findLast(event => (event.kind === 'rule' && event.place.table === 'filter' && event.result.kind === 'accept') || (event.kind === 'policy' && event.place.table === 'filter'))
  if (last?.kind === 'rule') return [`let through by ${placeOf(last.place.rule)}`]
  if (last?.kind !== 'policy') return []
  return [last.place.chain.span === undefined && last.place.chain.rules.length === 0 ? `table filter has no rules for ${last.place.hook}` : `let through by the ${last.place.hook} policy${inParentheses(last.place.chain)}`]
}

/** A chain that a command line gave its policy has no place. */
function inParentheses(chain: Chain): string {
  const place = placeOf(chain)
  return place === '' ? '' : ` (${place})`
}

function byInWords(by: Decider): string {
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

function answersInWords({ events }: Trace): string {
  const answer = events.findLast(event => event.kind === 'answer')
  if (answer?.kind !== 'answer') return ''
  const { icmp, protocol, dst } = answer.packet
  const what = icmp ? `icmp ${icmpNameOfType(icmp.type, icmp.code, protocol) ?? `type ${icmp.type} code ${icmp.code}`}` : 'a tcp reset'
  const { outcome } = answer.trace
  return outcome.kind === 'drop' ? `; ${what} for ${writeAddress(dst)} is dropped ${byInWords(outcome.by)}` : `; ${what} goes back to ${writeAddress(dst)}`
}
