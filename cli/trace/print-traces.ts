/** Sends the packets of a command line into one world, one after the other, and prints what becomes of them. */

import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts'
import type { Backend } from '../../src/ir/hooks.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import type { PacketRequest } from '../../src/packet/notation.ts'
import type { Probe } from '../../src/packet/probe.ts'
import { writeProbe } from '../../src/packet/write-packet.ts'
import { count } from '../../src/report/paint.ts'
import { jsonTrace } from '../../src/report/trace-json.ts'
import { writeTrace } from '../../src/report/trace-text.ts'
import { writeTrace as oracleShape } from '../simulate/answer-json.ts'
import { traceChecked } from '../../src/simulate/trace-checked.ts'
import type { CheckedTrace } from '../../src/simulate/trace-checked.ts'
import { trace } from '../../src/simulate/trace.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import type { World } from '../../src/simulate/world.ts'
import type { Topology } from '../../src/topology/topology.ts'
import type { Terminal } from '../command.ts'
import { nextProbe } from './next-probe.ts'
import type { SentPacket } from './next-probe.ts'

/** What to trace and how to print it. */
export interface TraceJob {
  readonly rulesets: readonly Ruleset[]
  readonly errors: readonly Diagnostic[]
  readonly topology: Topology
  readonly backend: Backend
  readonly texts: readonly string[]
  readonly requests: readonly PacketRequest[]
  readonly all: boolean
  readonly isRoundTrip: boolean
  readonly isJson: boolean
}

interface Sent {
  readonly probe: Probe
  readonly checked: CheckedTrace
}

/** Sends and prints. */
export function printTraces(job: TraceJob, terminal: Terminal): void {
  const results = sendAll(job)
  if (job.isJson) terminal.out(`${JSON.stringify(jsonOf(job, results), undefined, 2)}\n`)
  else printText(job, results, terminal)
}

/** A packet that could not be made is the text that says why. */
function sendAll(job: TraceJob): (Sent | string)[] {
  const { topology, rulesets, backend } = job
  const sent: Probe[] = []
  const newWorld = () => makeWorld({ topology, rulesets, backend })
  const world = newWorld()
  const remake = (): World => {
    const copy = newWorld()
    for (const probe of sent) trace(copy, probe, { record: 'none' })
    return copy
  }
  let before: SentPacket | undefined
  const requests = job.isRoundTrip ? job.requests.flatMap(request => [request, ROUND_TRIP]) : job.requests
  return requests.map(request => {
    const probe = nextProbe(request, before)
    if (typeof probe === 'string') return probe
    const checked = traceChecked(world, probe, { record: job.all ? 'all' : 'matches' }, remake)
    sent.push(probe)
    before = { probe, outcome: checked.trace.outcome }
    return { probe, checked }
  })
}

const ROUND_TRIP: PacketRequest = { kind: 'reply', change: packet => packet }

function printText(job: TraceJob, results: readonly (Sent | string)[], { out, paint }: Terminal): void {
  const { topology, errors, rulesets } = job
  const partial = rulesets.some(ruleset => ruleset.partial)
  const blocks = results.map((result, index) => {
    const head = results.length === 1 ? '' : `${paint('strong', `packet ${index + 1}`)}: ${typeof result === 'string' ? (job.texts[index] ?? 'reply') : title(result.probe, topology)}\n\n`
    if (typeof result === 'string') return `${head}  Not sent: ${result}.\n`
    const { probe, checked } = result
    return `${head}${writeTrace({ trace: checked.trace, topology, packet: probe.packet, decisive: checked.decisive, partial, all: job.all, tellsAnswer: results.length === 1 }, paint)}`
  })
  out(blocks.join('\n'))
  if (errors.length > 0 && !partial) out(`  ${paint('warning', 'Loading would refuse these rules')}: ${count(errors.length, 'error')} (5x5 check shows them).\n`)
  if (topology.assumptions.length > 0) out(`\n  Assumed, since nobody told (--topology FILE.yaml does):\n${topology.assumptions.map(words => `    ${paint('faint', words)}\n`).join('')}`)
}

/** Names the namespace only where there are several. */
function title({ namespace, ...probe }: Probe, topology: Topology): string {
  return writeProbe(namespace === undefined || topology.namespaces.length === 1 ? probe : { namespace, ...probe }, { brief: true })
}

function jsonOf({ topology, rulesets }: TraceJob, results: readonly (Sent | string)[]): unknown {
  return {
    partial: rulesets.some(ruleset => ruleset.partial),
    assumptions: topology.assumptions,
    packets: results.map(result => (typeof result === 'string' ? { error: result } : { packet: writeProbe(result.probe), ...jsonTrace(result.checked, topology), ...JSON.parse(oracleShape(result.checked.trace)) })),
  }
}
