/** What the simulator says that the kernel will do with a probe: the packet, the answer to it, and every rule that either hits. */

import { nextProbe, readRequests } from '../../cli/trace/next-probe.ts'
import { countHits } from '../../cli/simulate/path-texts.ts'
import type { Backend } from '../../src/ir/hooks.ts'
import { writeAddress } from '../../src/net/address.ts'
import type { Packet } from '../../src/packet/packet.ts'
import { readRuleset } from '../../src/save/read.ts'
import { trace } from '../../src/simulate/trace.ts'
import type { Outcome, Trace } from '../../src/simulate/trace-events.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import { readTopology } from '../../src/topology/load.ts'
import type { KernelCase, Observation, Probe } from './case.ts'

/** Simulates a probe as the lab sends it: a listener answers, a closed TCP port resets. */
export function simulateProbe(kernelCase: KernelCase, probe: Probe, backend: Backend): Observation {
  const { value: topology, diagnostics } = readTopology({ path: `${kernelCase.folder}/topology.yaml`, text: kernelCase.topologyText })
  const read = readRuleset([{ path: kernelCase.name, text: kernelCase.rules }], { backend })
  const problem = [...diagnostics, ...read.diagnostics].find(diagnostic => diagnostic.severity === 'error')
  if (problem) throw new Error(`case ${kernelCase.name}: ${problem.message}`)
  const world = makeWorld({ topology, rulesets: [read.value], backend })
  const traces: Trace[] = []
  let last: Parameters<typeof nextProbe>[1]
  for (const request of readRequests([probe.packet, ...replies(probe)])) {
    const next = nextProbe(request, last)
    if (typeof next === 'string') break
    const one = trace(world, next)
    traces.push(one)
    last = { probe: next, outcome: one.outcome }
    if (!hasReceiver(one.outcome, kernelCase)) break
  }
  const [there, back] = traces
  return { answer: there ? answerOf(there, back, probe) : 'silence', seen: probe.listen && there && arrived(there.outcome) ? endOf(there.outcome.packet) : null, counters: countHits(traces) }
}

/** What the far end sends back: a listener's answer, the reset of a closed TCP port. */
function replies({ listen, sending }: Probe): string[] {
  return listen ? ['reply'] : sending.protocol === 'tcp' ? ['reply rst,ack'] : []
}

/** What the sender's socket reports. */
function answerOf(there: Trace, back: Trace | undefined, probe: Probe): string {
  const { outcome } = there
  if (arrived(outcome)) return back && arrived(back.outcome) && comesFrom(back.outcome.packet, probe) ? (probe.listen ? 'answered' : 'refused') : 'silence'
  const [answer] = there.answers
  if (outcome.kind !== 'reject' || !answer || !arrived(answer.outcome)) return 'silence'
  const { icmp } = answer.outcome.packet
  return icmp === undefined || icmp.code === 3 ? 'refused' : 'unreachable'
}

/** Whether somebody there has the address that the packet came out with. */
function hasReceiver(outcome: Outcome, { peers }: KernelCase): boolean {
  const address = writeAddress(outcome.packet.dst)
  return outcome.kind === 'local' || Object.values(peers).some(peer => peer.addresses.some(one => one.startsWith(`${address}/`)))
}

function arrived(outcome: Outcome): boolean {
  return outcome.kind === 'local' || outcome.kind === 'forward' || outcome.kind === 'sent' || outcome.kind === 'bridge'
}

/** A socket takes an answer only from where it sent to. */
function comesFrom(packet: Packet, { sending }: Probe): boolean {
  return writeAddress(packet.src) === sending.to.address && packet.sport === sending.to.port
}

function endOf(packet: Packet): string {
  return `${writeAddress(packet.src)}:${packet.sport}`
}
