/** `5x5 verify --packets FILE`: the flows of a file on the kernel, each on its host, instead of flows that are looked for. */

import type { Flow } from '../../src/analyze/probe-flow.ts'
import type { Probe } from '../../src/packet/probe.ts'
import { writeProbe } from '../../src/packet/write-packet.ts'
import type { VerifiedRule, VerifyReport } from '../../src/report/verify-report.ts'
import { endOf } from '../../src/simulate/journey-checked.ts'
import { sendThrough } from '../../src/simulate/journey.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import { assumedTopology } from '../../src/topology/assumed.ts'
import { writeHostLine } from '../../src/topology/host-line.ts'
import type { Ipset, Topology } from '../../src/topology/topology.ts'
import { withIpsets } from '../analysis/ipset-flags.ts'
import { nextProbe, placeProbe } from '../trace/next-probe.ts'
import type { SentPacket } from '../trace/next-probe.ts'
import type { RequestedFlow } from '../trace/packet-flows.ts'
import { canSend } from './senders.ts'
import type { VerifyJob } from './verify-rules.ts'
import { verifyRules } from './verify-rules.ts'

/** What to send. Without `described` each flow has the host that it names or makes likely. */
export interface FlowsVerification extends Omit<VerifyJob, 'topology' | 'flows'> {
  readonly requested: readonly RequestedFlow[]
  readonly described: Topology | undefined
  /** The sets that every host has besides its own. */
  readonly ipsets: readonly Ipset[]
}

/** Flows of equal hosts share a lab. */
interface Group {
  readonly topology: Topology
  readonly flows: Flow[]
}

/** Returns the report of all hosts together. */
export async function verifyFlows({ requested, described, ipsets, ...job }: FlowsVerification): Promise<VerifyReport> {
  const groups = new Map<string, Group>()
  const leftOut: string[] = []
  for (const { flow, requests } of requested) {
    const rulesets = job.rules.map(({ ruleset }) => ruleset)
    const host = flow.host ?? described ?? assumedTopology(rulesets, requests.flatMap(request => (request.kind === 'probe' ? [request.probe] : [])))
    const topology = host === described ? host : { ...host, namespaces: host.namespaces.map(namespace => withIpsets(namespace, ipsets)) }
    const probes = explicitProbes(requests, topology, topology === described ? job.rules : rulesFor(topology, job), job.backend)
    if (!probes.every(canSend)) {
      leftOut.push(`left out, since this machine cannot send it: ${probes.map(({ namespace: _, ...probe }) => writeProbe(probe, { brief: true })).join(', then ')}`)
      continue
    }
    const key = writeHostLine(topology)
    const group = groups.get(key) ?? { topology, flows: [] }
    groups.set(key, group)
    group.flows.push(probes.map(probe => ({ kind: 'probe', probe })))
  }
  const reports: VerifyReport[] = []
  for (const { topology, flows } of groups.values()) reports.push(await verifyRules({ ...job, topology, flows, rules: topology === described ? job.rules : rulesFor(topology, job) }))
  return joined(job.backend, reports, leftOut)
}

/** A host that a flow names or makes likely has the rules of all. */
function rulesFor({ namespaces: [first] }: Topology, { rules }: Pick<VerifyJob, 'rules'>): VerifyJob['rules'] {
  return rules.map(one => ({ ...one, namespace: first?.name ?? one.namespace }))
}

/** The packets of a flow in full, `reply` and `again` as the simulator makes them. What arrives comes from a neighbour, what the host makes from a socket of root. */
function explicitProbes(requests: RequestedFlow['requests'], topology: Topology, rules: VerifyJob['rules'], backend: VerifyJob['backend']): readonly Probe[] {
  const [first] = topology.namespaces
  const rulesetsOf = new Map(topology.namespaces.map(({ name }) => [name, rules.filter(({ namespace }) => namespace === name).map(({ ruleset }) => ruleset)]))
  const world = makeWorld({ topology, rulesets: [], rulesetsOf, backend })
  const probes: Probe[] = []
  let before: SentPacket | undefined
  for (const request of requests) {
    const probe = nextProbe(request.kind === 'probe' ? placeProbe(request, topology) : request, before)
    if (typeof probe === 'string') break
    const { packet, inDevice } = probe
    const sender = inDevice === undefined ? { socket: packet.socket ?? { uid: 0, gid: 0 } } : { macSource: packet.macSource ?? STRANGER_MAC }
    const placed: Probe = { ...probe, namespace: probe.namespace ?? first?.name ?? '', packet: { ...packet, ...sender } }
    probes.push(placed)
    before = { probe: placed, outcome: endOf(sendThrough(world, placed, { record: 'none' })).trace.outcome }
  }
  return probes
}

/** The link address of whoever is outside. */
const STRANGER_MAC = '02aa000000fe'

/** One row for each rule over all hosts. */
function joined(backend: VerifyReport['backend'], reports: readonly VerifyReport[], leftOut: readonly string[]): VerifyReport {
  const rules = new Map<string, VerifiedRule>()
  for (const rule of reports.flatMap(report => report.rules)) {
    const key = `${rule.namespace} ${rule.family} ${rule.table} ${rule.chain} ${rule.number}`
    const known = rules.get(key)
    rules.set(key, known ? together(known, rule) : rule)
  }
  const hosts = reports.length === 1 ? (reports[0]?.assumptions ?? []) : [`the packets went through ${reports.length} hosts, each as the file has it or as rules and packets make likely`]
  return { backend, machine: reports[0]?.machine ?? '', assumptions: [...hosts, ...leftOut], rules: [...rules.values()], packets: reports.flatMap(report => report.packets) }
}

function together(one: VerifiedRule, other: VerifiedRule): VerifiedRule {
  const { why, ...rest } = one
  const [kernel, simulator] = [one.kernel + other.kernel, one.simulator + other.simulator]
  const verdict = one.verdict === 'differs' || other.verdict === 'differs' ? 'differs' : kernel + simulator > 0 ? 'agrees' : 'not exercised'
  return { ...rest, kernel, simulator, verdict, ...(verdict === 'not exercised' && why !== undefined ? { why } : {}) }
}
