/** A trace as a human reads it: rows in columns, then one sentence that answers. */

import { memoryOf } from '../extensions/meaning-of.ts'
import type { Packet } from '../packet/packet.ts'
import type { Family } from '../net/address.ts'
import { mainWay } from '../simulate/journey.ts'
import type { Journey, Leg } from '../simulate/journey.ts'
import type { Assumption, Trace } from '../simulate/trace-events.ts'
import type { Topology } from '../topology/topology.ts'
import { answerInWords, exitInWords, outcomeInWords } from './outcome-words.ts'
import { printable } from './paint.ts'
import type { Paint } from './paint.ts'
import { packetText, placeOf } from './rule-words.ts'
import { hasUnknownTarget } from './trace-matters.ts'
import { traceRows } from './trace-rows.ts'
import type { TraceRow } from './trace-rows.ts'

/** What to print of a packet's way, and what is known about it. */
export interface TraceReport {
  readonly journey: Journey
  readonly topology: Topology
  readonly packet: Packet
  /** Assumptions on which the outcome depends, with the trace of the other case. */
  readonly decisive: readonly { readonly assumption: Assumption; readonly otherwise: Journey }[]
  readonly assumed: readonly Assumption[]
  /** The ruleset was not read completely. */
  readonly partial: boolean
  readonly all: boolean
  /** Say how the answer goes back, and with which flag it is shown. */
  readonly tellsAnswer: boolean
}

/** Returns the text of one packet's way with a line end. */
export function writeTrace(report: TraceReport, paint: Paint): string {
  const { journey, topology, packet } = report
  const way = mainWay(journey.start)
  const { style, text } = outcomeInWords(journey, topology)
  const [verdict = '', ...rest] = printable(text).split(/(?<=^\w+)/)
  const last = way.at(-1) ?? journey.start
  const answer = report.tellsAnswer ? answerInWords(packet, last.trace.outcome) : undefined
  const events = way.flatMap(({ trace }) => trace.events)
  return [
    ...layOut(wayRows(report, way), paint),
    '',
    ...(report.partial ? [`  ${paint('warning', 'Partial')}: lines of the ruleset could not be read (5x5 check shows them); the kernel may do something else.`] : []),
    `  ${paint(style, verdict)}${rest.join('')}`,
    ...(answer === undefined ? [] : [`  ${answer} (--round-trip shows it).`]),
    ...assumptionLines(report, events, paint),
    ...unknownTargetLines(events, paint),
    ...memoryLines(events, packet.family),
    '',
  ].join('\n')
}

/** Where there are several namespaces, a heading says which one the rows that follow are in. */
function wayRows({ all, decisive, topology }: TraceReport, way: readonly Leg[]): readonly TraceRow[] {
  const options = { all, decisive: new Set(decisive.map(({ assumption }) => assumption.key)) }
  return way.flatMap(leg => {
    const rows = [...traceRows(leg.trace, options), ...exitRow(leg.trace)]
    return topology.namespaces.length > 1 ? [{ hook: leg.namespace, chain: '', place: '', text: '', isHeading: true }, ...rows] : rows
  })
}

function exitRow(trace: Trace): TraceRow[] {
  const hook = exitInWords(trace.outcome)
  return hook === undefined ? [] : [{ hook, chain: '', place: '', text: packetText(trace.outcome.packet), style: 'strong' }]
}

function unknownTargetLines(events: Trace['events'], paint: Paint): string[] {
  const places = events.flatMap(event => (event.kind === 'rule' && hasUnknownTarget(event) ? [placeOf(event.place.rule)] : []))
  return places.length === 0 ? [] : [`  ${paint('warning', 'It depends')}: what the target of ${places.join(', ')} does is not known; it was taken to do nothing.`]
}

/** Matches with memory begin as right after loading: a limit is full, a quota is not used up. */
function memoryLines(events: Trace['events'], family: Family): string[] {
  const places = events.flatMap(event => (event.kind === 'rule' ? event.place.rule.matches.flatMap(use => (memoryOf(use, family) ? [`-m ${use.name} at ${placeOf(event.place.rule)}`] : [])) : []))
  return places.length === 0 ? [] : [`  Counted as if the rules had just been loaded: ${listed(places)}.`]
}

function assumptionLines({ topology, decisive, assumed }: TraceReport, events: Trace['events'], paint: Paint): string[] {
  const harmless = assumed.filter(({ key }) => !decisive.some(({ assumption }) => assumption.key === key))
  return [
    ...decisive.flatMap(({ assumption, otherwise }) => [
      `  ${paint('warning', 'It depends')}: ${assumption.words}${placeOfAssumption(events, assumption)} was assumed ${assumption.value ? '' : 'not '}to match. If it ${assumption.value ? 'does not' : 'does'}:`,
      `    ${outcomeInWords(otherwise, topology).text}`,
    ]),
    ...(harmless.length === 0 ? [] : [`  Assumed not to match, and the outcome would be the same otherwise: ${listed(harmless.map(({ words }) => words))}.`]),
  ]
}

function placeOfAssumption(events: Trace['events'], { key }: Assumption): string {
  const event = events.find(one => one.kind === 'assumption' && one.key === key)
  return event?.kind === 'assumption' ? ` (${placeOf(event.place.rule)})` : ''
}

function listed(words: readonly string[]): string {
  return words.length <= 3 ? words.join(', ') : `${words.slice(0, 3).join(', ')} and ${words.length - 3} more`
}

const GAP = 2
const CHAIN_WIDEST = 34

function layOut(rows: readonly TraceRow[], paint: Paint): string[] {
  const isPlain = (row: TraceRow) => row.chain === '' && row.place === '' && row.hook !== ''
  const width = (column: 'hook' | 'chain' | 'place', widest: number) => Math.min(widest, Math.max(0, ...rows.map(row => row[column].length)))
  const hookWidth = width('hook', 32) + GAP
  const chainWidth = width('chain', CHAIN_WIDEST) + GAP
  const placeWidth = width('place', 40) + GAP
  const indent = rows.some(row => row.isHeading === true) ? '    ' : '  '
  return rows.map(row => {
    if (row.isHeading === true) return `  ${paint('note', printable(row.hook))}`
    const hook = paint('strong', printable(row.hook)) + ' '.repeat(Math.max(GAP, hookWidth - row.hook.length))
    const chain = printable(row.chain) + ' '.repeat(Math.max(chainWidth - row.chain.length, row.chain === '' ? 0 : GAP))
    const place = paint('place', row.place) + ' '.repeat(Math.max(placeWidth - row.place.length, row.place === '' ? 0 : GAP))
    const text = row.style ? paint(row.style, printable(row.text)) : printable(row.text)
    const note = row.note === undefined ? '' : `   ${paint('faint', printable(row.note))}`
    return `${indent}${hook}${isPlain(row) ? '' : chain + place}${text}${note}`.trimEnd()
  })
}
