/** Sends the packets of a command line into one world, one after the other, and prints what becomes of them. */

import type { PacketRequest } from '../../src/packet/notation.ts'
import type { Probe } from '../../src/packet/probe.ts'
import { writeProbe } from '../../src/packet/write-packet.ts'
import { count } from '../../src/report/paint.ts'
import { writeDiagnostics } from '../../src/report/pretty.ts'
import { jsonJourney } from '../../src/report/trace-json.ts'
import { writeTrace } from '../../src/report/trace-text.ts'
import { writeTrace as oracleShape } from '../simulate/answer-json.ts'
import { answersTo, sendThrough } from '../../src/simulate/journey.ts'
import { concerns } from '../../src/topology/assumed.ts'
import { endOf, sendChecked } from '../../src/simulate/journey-checked.ts'
import type { CheckedJourney } from '../../src/simulate/journey-checked.ts'
import type { World } from '../../src/simulate/world.ts'
import type { Topology } from '../../src/topology/topology.ts'
import type { Terminal } from '../command.ts'
import { nextProbe } from './next-probe.ts'
import type { SentPacket } from './next-probe.ts'
import { worldOf } from './world-input.ts'
import type { WorldInput } from './world-input.ts'

/** What to trace and how to print it. */
export interface TraceJob {
  readonly input: WorldInput
  readonly texts: readonly string[]
  readonly requests: readonly PacketRequest[]
  readonly all: boolean
  readonly isRoundTrip: boolean
  readonly isJson: boolean
  /** Values of free variables. */
  readonly assume?: ReadonlyMap<string, boolean>
}

interface Sent {
  readonly probe: Probe
  readonly checked: CheckedJourney
}

/** Sends and prints. */
export function printTraces(job: TraceJob, terminal: Terminal): void {
  const results = sendAll(job)
  if (job.isJson) terminal.out(`${JSON.stringify(jsonOf(job, results), undefined, 2)}\n`)
  else printText(job, results, terminal)
}

/** Prints the flows of a file, each after what its comments say. */
export function printFlows(flows: readonly { readonly title: string; readonly job: TraceJob }[], { isJson }: Pick<TraceJob, 'isJson'>, terminal: Terminal): void {
  if (isJson) terminal.out(`${JSON.stringify({ flows: flows.map(({ title: about, job }) => ({ about, ...jsonOf(job, sendAll(job)) })) }, undefined, 2)}\n`)
  for (const { title: about, job } of isJson ? [] : flows) {
    terminal.out(`${terminal.paint('strong', about)}\n\n`)
    printText(job, sendAll(job), terminal)
    terminal.out('\n')
  }
}

/** A packet that could not be made is the text that says why. */
function sendAll(job: TraceJob): (Sent | string)[] {
  const { input } = job
  const sent: Probe[] = []
  const assumed = job.assume ? { assume: job.assume } : {}
  const world = worldOf(input)
  const remake = (): World => {
    const copy = worldOf(input)
    for (const probe of sent) answersTo(copy, sendThrough(copy, probe, { record: 'none', ...assumed }), true)
    return copy
  }
  const send = (probe: Probe): Sent => {
    const checked = sendChecked(world, probe, { record: job.all ? 'all' : 'matches', ...assumed }, remake)
    sent.push(probe)
    return { probe, checked }
  }
  let before: SentPacket | undefined
  return job.requests.flatMap(request => {
    const probe = nextProbe(request, before)
    if (typeof probe === 'string') return [probe]
    const first = send(probe)
    before = { probe, outcome: endOf(first.checked.journey).trace.outcome }
    if (!job.isRoundTrip) return [first]
    if (world.links) return [first, ...sendAnswers(world, first, send)]
    const answer = nextProbe(ROUND_TRIP, before)
    if (typeof answer === 'string') return [first, answer]
    const second = send(answer)
    before = { probe: answer, outcome: endOf(second.checked.journey).trace.outcome }
    return [first, second]
  })
}

const ROUND_TRIP: PacketRequest = { kind: 'reply', change: packet => packet }
const MOST_ANSWERS = 8

/** What the receivers answer, and what is answered to that. */
function sendAnswers(world: World, first: Sent, send: (probe: Probe) => Sent): (Sent | string)[] {
  const queue = [...answersTo(world, first.checked.journey, true)]
  if (queue.length === 0) return ['nobody answers: the packet before it did not arrive']
  const sent: Sent[] = []
  for (let next = queue.shift(); next !== undefined && sent.length < MOST_ANSWERS; next = queue.shift()) {
    const one = send(next)
    sent.push(one)
    queue.push(...answersTo(world, one.checked.journey, false))
  }
  return sent
}

function printText({ input, texts, all }: TraceJob, results: readonly (Sent | string)[], { out, err, paint, paintErr }: Terminal): void {
  const { topology, errors, warnings, partial } = input
  const blocks = results.map((result, index) => {
    const head = results.length === 1 ? '' : `${paint('strong', `packet ${index + 1}`)}: ${typeof result === 'string' ? (texts[index] ?? 'reply') : title(result.probe, topology)}\n\n`
    if (typeof result === 'string') return `${head}  Not sent: ${result}.\n`
    const { probe, checked: { journey, decisive, assumed } } = result
    return `${head}${writeTrace({ journey, decisive, assumed, topology, packet: probe.packet, partial, all, tellsAnswer: results.length === 1 }, paint)}`
  })
  out(blocks.join('\n'))
  if (errors.length > 0 && !partial) out(`  ${paint('warning', 'Loading would refuse these rules')}: ${count(errors.length, 'error')} (5x5 check shows them).\n`)
  const likely = warnings.filter(({ severity }) => severity === 'warning')
  if (likely.length > 0) err(`\n${writeDiagnostics(likely, paintErr)}`)
  const told = all ? topology.assumptions : topology.assumptions.filter(words => concerns(words, passedDevices(results)))
  const more = topology.assumptions.length - told.length
  if (told.length > 0) out(`\n  Assumed, since nobody told (--topology FILE.yaml does):\n${told.map(words => `    ${paint('faint', words)}\n`).join('')}`)
  if (more > 0) out(`    ${paint('faint', `... and ${more} more about devices that ${results.length === 1 ? 'this packet does' : 'these packets do'} not pass (--all shows them)`)}\n`)
}

/** The devices by which packets came or went. */
function passedDevices(results: readonly (Sent | string)[]): ReadonlySet<string> {
  const sent = results.filter(result => typeof result !== 'string')
  return new Set(sent.flatMap(({ probe, checked: { journey } }) => [probe.inDevice ?? '', ...journey.start.trace.events.flatMap(event => (event.kind === 'route' ? [event.decision.device ?? ''] : []))]))
}

/** Names the namespace only where there are several. */
function title({ namespace, ...probe }: Probe, topology: Topology): string {
  return writeProbe(namespace === undefined || topology.namespaces.length === 1 ? probe : { namespace, ...probe }, { brief: true })
}

function jsonOf({ input: { topology, partial } }: TraceJob, results: readonly (Sent | string)[]): object {
  return {
    partial,
    assumptions: topology.assumptions,
    packets: results.map(result => (typeof result === 'string' ? { error: result } : { packet: writeProbe(result.probe), ...jsonJourney(result.checked, topology), ...JSON.parse(oracleShape(result.checked.journey.start.trace)) })),
  }
}
