/** What a packet on the command line asks for -> the packet to send, given what became of the one before. */

import { didYouMean } from '../../src/extensions/did-you-mean.ts'
import { PACKET_EXAMPLE, readPacket } from '../../src/packet/notation.ts'
import type { PacketProblem, PacketRequest } from '../../src/packet/notation.ts'
import type { Probe } from '../../src/packet/probe.ts'
import { replyTo } from '../../src/packet/reply.ts'
import type { Outcome } from '../../src/simulate/trace-events.ts'
import { namespaceNamed } from '../../src/topology/topology.ts'
import type { Namespace, Topology } from '../../src/topology/topology.ts'
import { commandError } from '../command.ts'

/** A packet that was sent, and what became of it. */
export interface SentPacket {
  readonly probe: Probe
  readonly outcome: Outcome
}

/** Reads the packets of a command line; one that is wrong is a `commandError` with a caret under the wrong word, and what `helpForEnd` says where an address should be. */
export function readRequests(texts: readonly string[], helpForEnd: (word: string) => string | undefined = () => undefined): PacketRequest[] {
  return texts.map((text, index) => {
    const reading = readPacket(text)
    if (!reading.ok) throw packetError(text, { ...reading.problem, help: (isEnd(text, reading.problem) ? helpForEnd(text.slice(reading.problem.start, reading.problem.end)) : undefined) ?? reading.problem.help })
    if (reading.value.kind !== 'probe' && index === 0) throw packetError(text, { message: `there is no packet before \`${reading.value.kind}\``, help: `the first packet reads like \`${PACKET_EXAMPLE}\``, start: 0, end: reading.value.kind.length })
    return reading.value
  })
}

/** Returns the packet to send; a text where there is none, since the packet before came to nothing. */
export function nextProbe(request: PacketRequest, before: SentPacket | undefined): Probe | string {
  if (request.kind === 'probe') return request.probe
  if (!before) return 'there is no packet before it'
  if (request.kind === 'again') return { ...before.probe, packet: request.change(before.probe.packet) }
  const { outcome } = before
  const packet = request.change(replyTo(outcome.packet))
  switch (outcome.kind) {
    case 'local':
      return { packet, namespace: outcome.namespace }
    case 'forward':
    case 'sent':
    case 'bridge':
      return { packet, inDevice: outcome.ports[0] ?? outcome.device, namespace: outcome.namespace }
    default:
      return 'nobody answers: the packet before it did not arrive'
  }
}

/** Returns the packet in the namespace that is meant (a container's where a container is named); one that the topology does not have is a `commandError`. */
export function placeProbe({ kind, probe }: Extract<PacketRequest, { kind: 'probe' }>, topology: Topology): PacketRequest {
  const namespace = probe.namespace === undefined ? topology.namespaces[0] : namespaceNamed(topology, probe.namespace)
  if (!namespace) throw commandError(`the topology has no namespace \`${probe.namespace}\``, didYouMean(probe.namespace ?? '', topology.namespaces.map(({ name }) => name)) ?? listed(topology.namespaces))
  const { inDevice } = probe
  const placed = { kind, probe: probe.namespace === undefined ? probe : { ...probe, namespace: namespace.name } }
  if (inDevice === undefined || namespace.devices.some(device => device.name === inDevice)) return placed
  const names = namespace.devices.map(device => device.name)
  throw commandError(`namespace \`${namespace.name}\` has no device \`${inDevice}\``, didYouMean(inDevice, names) ?? `its devices are ${names.map(name => `\`${name}\``).join(', ')}`)
}

function listed(namespaces: readonly Namespace[]): string {
  return `its namespaces are ${namespaces.map(({ name }) => `\`${name}\``).join(', ')}`
}

/** The ends of a packet stand beside the `>`. */
function isEnd(text: string, { start, end }: PacketProblem): boolean {
  return text.slice(0, start).trimEnd().endsWith('>') || text.slice(end).trimStart().startsWith('>')
}

function packetError(text: string, { message, help, start, end, candidates }: PacketProblem): Error {
  const near = candidates && didYouMean(text.slice(start, end), candidates)
  return commandError(message, `${text}\n${' '.repeat(start)}${'^'.repeat(Math.max(1, end - start))}\n${near ?? help}`)
}
