/** `--packets FILE`: the flows of a file of packets, each with its own host and world. */

import type { PacketRequest } from '../../src/packet/notation.ts'
import { assumedTopology } from '../../src/topology/assumed.ts'
import { readPacketFile } from '../../src/topology/packet-file.ts'
import type { PacketFlow } from '../../src/topology/packet-file.ts'
import type { Topology } from '../../src/topology/topology.ts'
import { commandError } from '../command.ts'
import type { Terminal } from '../command.ts'
import { readSources } from '../input.ts'
import { refuseRulesets } from '../wrong-file.ts'
import { placeProbe, readRequests } from './next-probe.ts'
import { printFlows } from './print-traces.ts'
import type { TraceJob } from './print-traces.ts'
import type { WorldInput } from './world-input.ts'

/** A flow with its packets read. */
export interface RequestedFlow {
  readonly flow: PacketFlow
  readonly requests: readonly PacketRequest[]
}

/** Reads a file; what cannot be read is a `commandError`. */
export function readFlows(path: string, directory: string): readonly RequestedFlow[] {
  const [source] = readSources([path], directory)
  if (source) refuseRulesets([source], 'a file of packets', '5x5 witness RULES writes such a file')
  const { flows, problems } = readPacketFile(source?.text ?? '')
  const [problem] = problems
  if (problem) throw commandError(`${path}:${problem.line}: ${problem.message}`, 'a host line reads like `host {devices: {eth0: [192.0.2.1/24]}, routes: [default dev eth0]}`')
  if (flows.length === 0) throw commandError(`there are no packets in \`${path}\``, '5x5 witness RULES writes such a file')
  return flows.map(flow => ({ flow, requests: readRequests(flow.packets) }))
}

/** Flows, and the rules and the host of the command line; without `described` each flow has the host that it makes likely. */
export interface FlowsJob extends Pick<TraceJob, 'input' | 'all' | 'isRoundTrip' | 'isJson'> {
  readonly flows: readonly RequestedFlow[]
  readonly described: Topology | undefined
}

/** Traces every flow in a world of its own and prints them, each after what its comments say. */
export function traceFlows({ flows, input, described, ...shown }: FlowsJob, terminal: Terminal): void {
  const jobs = flows.map(({ flow, requests }) => {
    const own = worldOfFlow(input, { flow, requests }, described)
    const placed = requests.map(request => (request.kind === 'probe' ? placeProbe(request, own.topology) : request))
    return { title: flow.comments.join('\n') || flow.packets.join(', then '), job: { ...shown, input: own, requests: placed, texts: flow.packets, assume: flow.conditions } }
  })
  printFlows(jobs, shown, terminal)
}

/** Returns the world of a flow: on its own host, on the described one, or on that which rules and packets make likely. */
export function worldOfFlow(input: WorldInput, { flow, requests }: RequestedFlow, described: Topology | undefined): WorldInput {
  if (!flow.host && described) return input
  const rulesets = [...input.rulesetsOf.values()].flat()
  const host = flow.host ?? assumedTopology(rulesets, requests.flatMap(request => (request.kind === 'probe' ? [request.probe] : [])))
  const ipsets = input.topology.namespaces[0]?.ipsets ?? []
  const topology = { ...host, namespaces: host.namespaces.map(namespace => ({ ...namespace, ipsets })) }
  return { ...input, topology, rulesetsOf: new Map([[topology.namespaces[0]?.name ?? '', rulesets]]) }
}
