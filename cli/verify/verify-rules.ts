/** A run of 5x5 verify: the lab is built, flows are sent, and what became of every rule is gathered. */

import { release } from 'node:os'
import { keyOf, planProbes } from '../../src/analyze/probe-plan.ts'
import type { Flow } from '../../src/analyze/probe-flow.ts'
import type { ProbePlan } from '../../src/analyze/probe-plan.ts'
import { goalsOf, searchRuleset } from '../../src/analyze/probe-goal.ts'
import type { Goal } from '../../src/analyze/probe-goal.ts'
import { surroundingsOf } from '../../src/analyze/surroundings.ts'
import type { Backend } from '../../src/ir/hooks.ts'
import type { Family } from '../../src/net/address.ts'
import type { Probe } from '../../src/packet/probe.ts'
import { placeOf, ruleText } from '../../src/report/rule-words.ts'
import type { VerifiedPacket, VerifiedRule, VerifyReport } from '../../src/report/verify-report.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import type { World } from '../../src/simulate/world.ts'
import { isOwnAddress } from '../../src/topology/fib.ts'
import { withMacs } from '../../src/topology/links.ts'
import type { Topology } from '../../src/topology/topology.ts'
import type { Progress } from '../progress.ts'
import { readCounters } from './counters.ts'
import { buildLab, loadRules, nameOf, planLab, removeLab } from './lab.ts'
import type { Lab } from './lab.ts'
import { attempt, saveProgram } from './machine.ts'
import { haveMemory } from './rules-of.ts'
import type { LoadedRules } from './rules-of.ts'
import { runFlow } from './run-flow.ts'
import type { SentPacket } from './run-flow.ts'
import { canSend } from './senders.ts'
import type { Session } from './session.ts'
import { holdWires } from './wires.ts'
import type { Wires } from './wires.ts'

/** What to verify. */
export interface VerifyJob {
  readonly topology: Topology
  readonly rules: readonly LoadedRules[]
  readonly backend: Backend
  readonly progress: Progress
  /** What to send; without it flows are looked for. */
  readonly flows?: readonly Flow[]
}

/** Rebuilds the topology, sends packets, and removes everything again, also where it is interrupted. */
export async function verifyRules(job: VerifyJob): Promise<VerifyReport> {
  const topology: Topology = { ...job.topology, namespaces: withMacs(job.topology.namespaces).map(namespace => ({ ...namespace, sockets: [] })) }
  const lab = planLab(topology, job.backend)
  const families = [...new Set(job.rules.map(rules => rules.family))]
  const stop = (signal: NodeJS.Signals): void => {
    removeLab(lab)
    process.exit(signal === 'SIGINT' ? 130 : 143)
  }
  process.once('SIGINT', stop).once('SIGTERM', stop)
  let wires: Wires | undefined
  try {
    job.progress.step(1, 1, 'building the namespaces')
    buildLab(lab, families)
    for (const rules of job.rules) load(lab, rules)
    wires = await holdWires(lab)
    return await verifyAll({ ...job, topology }, lab, wires)
  } finally {
    wires?.close()
    removeLab(lab)
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}

async function verifyAll(job: VerifyJob, lab: Lab, wires: Wires): Promise<VerifyReport> {
  const rules: VerifiedRule[] = []
  const packets: VerifiedPacket[] = []
  for (const family of [...new Set(job.rules.map(one => one.family))]) {
    const ofFamily = job.rules.filter(one => one.family === family)
    const session: Session = { lab, wires, family, ruled: ofFamily.map(one => one.namespace), newWorld: choices => newWorld(job, choices), counters: new Map(), neighbours: new Set() }
    const given = job.flows?.filter(flow => familyOfFlow(flow) === family).map(flow => ({ flow, meets: new Set<string>() }))
    const plans = ofFamily.map((one, index) => ({ one, plan: given ? { flows: index === 0 ? given : [], missed: [] } : planFor(one, job) }))
    const sent = await sendPlans(job, session, plans.map(({ plan }) => plan), ofFamily)
    packets.push(...sent.map(asVerified))
    for (const { one, plan } of plans) rules.push(...goalsOf(one.ruleset).map(goal => ruleRow(goal, one, plan, sent)))
  }
  return { backend: job.backend, machine: machineInWords(job.backend, job.rules[0]?.family ?? 'ipv4'), assumptions: job.topology.assumptions, rules, packets }
}

function planFor(rules: LoadedRules, job: VerifyJob): ProbePlan {
  const namespace = job.topology.namespaces.find(one => one.name === rules.namespace)
  job.progress.step(1, 1, 'looking for packets')
  if (!namespace) return { flows: [], missed: [] }
  return planProbes({ searched: searchRuleset(rules.ruleset, job.backend), surroundings: surroundingsOf(job.topology, namespace, rules.family), newWorld: () => newWorld(job, new Map()), canSend: probe => canSend(probe) && hasSource(job.topology, probe) })
}

function familyOfFlow([first]: Flow): Family | undefined {
  return first?.kind === 'probe' ? first.probe.packet.family : undefined
}

/** A socket is bound to an address of its host. */
function hasSource({ namespaces }: Topology, { inDevice, namespace, packet }: Probe): boolean {
  return inDevice !== undefined || namespaces.some(one => one.name === namespace && isOwnAddress(one, packet.src))
}

function newWorld({ topology, rules, backend }: VerifyJob, choices: ReadonlyMap<string, number>): World {
  const rulesetsOf = new Map(topology.namespaces.map(({ name }) => [name, rules.filter(one => one.namespace === name).map(one => one.ruleset)]))
  return makeWorld({ topology, rulesets: [], rulesetsOf, backend, choosePort: (protocol, port) => choices.get(`${protocol} ${port}`) })
}

/** Connections of earlier flows are out of the way, since ports differ; where they cannot, the table is emptied. */
async function sendPlans({ progress }: VerifyJob, session: Session, plans: readonly ProbePlan[], rules: readonly LoadedRules[]): Promise<readonly SentPacket[]> {
  const flows = plans.flatMap(plan => plan.flows)
  const seen = new Set<string>()
  const sent: SentPacket[] = []
  const remember = rules.filter(haveMemory)
  for (const { namespace } of rules) session.counters.set(namespace, readCounters(session.lab, namespace, session.family))
  for (const [index, { flow }] of flows.entries()) {
    progress.step(index + 1, flows.length, 'sending packets')
    const [first] = flow
    const key = first?.kind === 'probe' ? `${first.probe.packet.protocol} ${first.probe.packet.src} ${first.probe.packet.sport ?? first.probe.packet.icmp?.id ?? 0} ${first.probe.packet.dst} ${first.probe.packet.dport ?? 0}` : ''
    if (seen.has(key)) for (const { namespace } of rules) attempt(['ip', 'netns', 'exec', nameOf(session.lab, namespace), 'conntrack', '-F'])
    seen.add(key)
    for (const one of remember) {
      load(session.lab, one)
      session.counters.set(one.namespace, readCounters(session.lab, one.namespace, session.family))
    }
    sent.push(...(await runFlow(session, flow)))
  }
  return sent
}

function load(lab: Lab, { namespace, family, sources }: LoadedRules): void {
  loadRules(lab, namespace, family, sources.map(source => source.text))
}

function asVerified({ text, differences }: SentPacket): VerifiedPacket {
  return { packet: text, agrees: differences.length === 0, differences }
}

function ruleRow(goal: Goal, { namespace, family }: LoadedRules, plan: ProbePlan, sent: readonly SentPacket[]): VerifiedRule {
  const key = keyOf(goal)
  const sum = (side: 'kernel' | 'simulator'): number => sent.reduce((total, packet) => total + (packet[side].get(namespace)?.get(key) ?? 0), 0)
  const [kernel, simulator] = [sum('kernel'), sum('simulator')]
  const differs = sent.some(packet => packet.differences.some(difference => difference.namespace === namespace && difference.what === key))
  const why = plan.missed.find(one => keyOf(one.goal) === key)?.why
  const verdict = differs ? 'differs' : kernel + simulator > 0 ? 'agrees' : 'not exercised'
  return {
    namespace, family, table: goal.table, chain: goal.chain.name, number: goal.number, place: goal.rule ? placeOf(goal.rule) : '', words: goal.rule ? ruleText(goal.rule) : `(policy ${goal.chain.policy})`,
    ...(goal.chain.hook === undefined ? {} : { hook: goal.chain.hook }), verdict, kernel, simulator, ...(verdict === 'not exercised' ? { why: why ?? 'no packet that was sent came to it' } : {}),
  }
}

function machineInWords(backend: Backend, family: Family): string {
  const version = attempt([saveProgram(backend, family), '--version']).stdout.trim().replace(/-save/, '')
  return `Linux ${release()}, ${version}`
}
