/** Asks the simulator whether INPUT would refuse what a published port lets in: the same packet, with and without the engine's rules. */

import { invariant } from '../../src/diagnostics/diagnostic.ts'
import { lineOf } from '../../src/diagnostics/source-file.ts'
import type { AskInput } from '../../src/docker/findings.ts'
import type { DockerHost, PortBinding } from '../../src/docker/model.ts'
import { assumedOutside } from '../../src/docker/outside.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import { familyOf, isUnspecified } from '../../src/net/address.ts'
import type { Address } from '../../src/net/address.ts'
import { writeEndpoint } from '../../src/packet/endpoint.ts'
import { readPacket } from '../../src/packet/notation.ts'
import type { Decider, Outcome } from '../../src/simulate/trace-events.ts'
import { trace } from '../../src/simulate/trace.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import { addressOfHost } from '../../src/topology/assumed-host.ts'
import type { Topology } from '../../src/topology/topology.ts'
import { composeWorld } from './compose-world.ts'

/** The device to the world of a host that nobody described. */
const DEVICE = 'eth0'

/** Somewhere in the world, in both families (RFC 5737, RFC 3849). */
const SENDER = { ipv4: 0xc6336407, ipv6: 0x20010db8_0000_0000_0000_0000_0000_0007n } as const

/** Returns the question for a host that had these rules before. */
export function askInput(host: DockerHost, base: readonly Ruleset[]): AskInput {
  const world = composeWorld(host, base)
  const bare: Topology = { namespaces: [world.outside], labels: [], assumptions: [] }
  return binding => {
    const target = targetOf(binding, world.outside)
    if (target === undefined || !base.some(({ family }) => family === familyOf(target))) return undefined
    const alone = send(bare, base, target, binding)
    if (alone.kind !== 'drop' && alone.kind !== 'reject') return undefined
    const together = send(world.topology, world.rulesets, target, binding)
    return together.kind === 'forward' ? { refusedBy: deciderWords(alone.by) } : undefined
  }
}

/** 127.0.0.1 is not reached from outside. */
function targetOf({ hostAddress }: PortBinding, outside: ReturnType<typeof assumedOutside>['namespace']): Address | undefined {
  if (hostAddress === 1n || (typeof hostAddress === 'number' && hostAddress >>> 24 === 127)) return undefined
  return isUnspecified(hostAddress) ? addressOfHost(outside, familyOf(hostAddress)) : hostAddress
}

function send(topology: Topology, rulesets: readonly Ruleset[], target: Address, { protocol, hostPort }: PortBinding): Outcome {
  const reading = readPacket(`${DEVICE} ${protocol} ${writeEndpoint({ address: SENDER[familyOf(target)], port: 40000 })} > ${writeEndpoint({ address: target, ...(hostPort === undefined ? {} : { port: hostPort }) })}`)
  invariant(reading.ok && reading.value.kind === 'probe', 'a published port can be asked for')
  return trace(makeWorld({ topology, rulesets }), reading.value.probe, { record: 'none' }).outcome
}

function deciderWords(by: Decider): string {
  if (by.kind === 'rule') return `${by.place.rule.span.source.path}:${lineOf(by.place.rule.span)}`
  return by.kind === 'policy' ? `the policy of ${by.place.chain.name}` : by.reason
}
