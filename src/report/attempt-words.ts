/** What came of an attempt to reach somebody: where its packets went, and one sentence that answers. */

import { writeAddress } from '../net/address.ts'
import { writeEndpoint } from '../packet/endpoint.ts'
import type { Packet } from '../packet/packet.ts'
import type { Attempted, Told } from '../simulate/attempt.ts'
import { mainWay } from '../simulate/journey.ts'
import type { Journey, Leg } from '../simulate/journey.ts'
import { endOf } from '../simulate/journey-checked.ts'
import type { Topology } from '../topology/topology.ts'
import { exitInWords, outcomeInWords } from './outcome-words.ts'
import type { OutcomeWords } from './outcome-words.ts'
import { packetText } from './rule-words.ts'

/** One line of the way: which packet, and through which namespaces and devices. */
export interface WayLine {
  readonly packet: string
  readonly way: string
}

/** Returns the packets of an attempt in order, each with its way: `web eth0 > veth-web host eth0 > eth0 far`. */
export function wayLines(journeys: readonly Journey[]): readonly WayLine[] {
  return journeys.flatMap(({ start }) => [...linesOf(start)])
}

function linesOf(start: Leg): readonly WayLine[] {
  const way = mainWay(start)
  const last = way.at(-1) ?? start
  const first = start.trace.events.find(event => event.kind === 'make' || event.kind === 'arrive')
  const packet = first && 'packet' in first ? first.packet : start.trace.outcome.packet
  const answers = way.flatMap(leg => leg.answers)
  return [{ packet: packetText(packet).replace(/( tos 0xc0)?( \S+) quoting .*/, '$2'), way: `${way.map((leg, index) => placeInWords(leg, way[index - 1], way[index + 1])).join(' > ')}${endInWords(last)}` }, ...answers.flatMap(linesOf)]
}

/** `veth-web host eth0`: in by the first device, out by the last one. */
function placeInWords(leg: Leg, before: Leg | undefined, after: Leg | undefined): string {
  const entered = before?.crossings.find(crossing => crossing.leg === leg)?.to?.device
  const crossing = leg.crossings.find(one => one.leg === after && after !== undefined) ?? leg.crossings.find(({ kind }) => kind === 'leaves')
  return [...(entered === undefined ? [] : [entered]), leg.namespace, ...(crossing ? [crossing.from.device] : [])].join(' ')
}

function endInWords(last: Leg): string {
  const { outcome } = last.trace
  if (outcome.kind === 'local') return ''
  if (exitInWords(outcome) !== undefined) return last.crossings.some(({ kind }) => kind === 'leaves') ? ' (leaves the described world)' : ' (lost)'
  return outcome.kind === 'reject' ? ' (rejected)' : outcome.kind === 'drop' ? ' (dropped)' : ` (${outcome.kind})`
}

/** Returns the sentence: reached or not, by whom, or where it was lost and why. */
export function attemptInWords(attempted: Attempted, topology: Topology): OutcomeWords {
  const { told, journeys, attempt } = attempted
  const target = attempt.kind === 'ping' ? writeAddress(attempt.destination) : `${attempt.kind} ${writeEndpoint({ address: attempt.destination, ...(attempt.port === undefined ? {} : { port: attempt.port }) })}`
  const [request] = journeys
  if (!request) return { style: 'error', text: `Not sent: ${target} is an address of a group, and a socket does not send there unasked.` }
  const last = endOf(request)
  const receiver = receiverInWords(last, attempt.destination)
  switch (told) {
    case 'answered':
      return { style: 'good', text: `Reached: ${receiver} answers for ${target}.` }
    case 'connected':
      return { style: 'good', text: `Reached: ${receiver} takes the connection to ${target}.` }
    case 'arrived':
      return { style: 'warning', text: `Free: the way to ${receiver} and back is open for ${target}; whether anything listens there is not told (\`listen:\` in the topology).` }
    default:
      return { style: 'error', text: `${FAILURES[told]}: ${failureInWords(journeys, last, attempt.kind, topology)}` }
  }
}

const FAILURES: Readonly<Record<Exclude<Told, 'answered' | 'connected' | 'arrived'>, string>> = {
  refused: 'Refused', unreachable: 'Not reached (the sender is told that it is unreachable)', 'not permitted': 'Not permitted', silence: 'Not reached (the sender hears nothing)',
}

function receiverInWords({ namespace, trace: { outcome } }: Leg, asked: Packet['dst']): string {
  const { dst, dport } = outcome.packet
  return dst === asked ? namespace : `${namespace} (as ${writeEndpoint(dport === undefined ? { address: dst } : { address: dst, port: dport })})`
}

/** The request's end, where it did not arrive; else the end of what came back. */
function failureInWords(journeys: readonly Journey[], last: Leg, kind: Attempted['attempt']['kind'], topology: Topology): string {
  const [request, answer] = journeys
  const what = kind === 'ping' ? 'the echo request' : kind === 'tcp' ? 'the first packet' : 'the datagram'
  if (!request) return 'nothing was sent.'
  const { kind: end } = last.trace.outcome
  if (end !== 'local') {
    const hasLeft = last.crossings.some(crossing => crossing.kind === 'leaves')
    if (hasLeft) return `${what} leaves the described world in ${last.namespace}, and nobody is described there to answer.`
    return `${what} is ${lowered(outcomeInWords(request, topology).text)}`
  }
  if (!answer) return `${what} arrives in ${last.namespace}, which does not answer it.`
  const back = endOf(answer)
  if (back.trace.outcome.kind !== 'local') return `${what} arrives in ${last.namespace}, but the answer is ${lowered(outcomeInWords(answer, topology).text)}`
  const { src, sport } = back.trace.outcome.packet
  return `the answer comes to ${back.namespace} from ${writeEndpoint(sport === undefined ? { address: src } : { address: src, port: sport })}, which was not asked.`
}

function lowered(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
