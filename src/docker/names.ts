/** Names that stand for addresses in packets: services, containers, and HOST. */

import { didYouMean } from '../extensions/did-you-mean.ts'
import { familyOf, readAddress, writeAddress } from '../net/address.ts'
import type { Address, Family } from '../net/address.ts'
import { readEndpoint } from '../packet/endpoint.ts'
import { addressOfHost } from '../topology/assumed-host.ts'
import type { Namespace } from '../topology/topology.ts'
import { gatewaysOf } from './gateway.ts'
import type { DockerHost, Endpoint, Sandbox } from './model.ts'

/** The name of the host itself. */
export const HOST_NAME = 'HOST'

/** A packet text without names, or what is wrong with one of them. */
export type FilledPacket = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: string; readonly help: string }

/**
 * Returns a packet text in which names before and behind `>` are addresses: `eth0 tcp 198.51.100.7 > web:80`. A packet from a container
 * that names no device begins in the container's namespace. Where a container has several addresses the one that both ends share a
 * network by is taken, else that of its gateway.
 */
export function fillNames(text: string, host: DockerHost, outside: Namespace): FilledPacket {
  const [, before = '', source, destination, after = ''] = /^(.*?)(\S+)\s+>\s+(\S+)(.*)$/s.exec(text) ?? []
  if (source === undefined || destination === undefined) return { ok: true, text }
  const ends = [source, destination].map(splitEnd)
  const [from, to] = ends
  if (!from || !to) return { ok: true, text }
  const unknown = ends.find(({ name }) => name !== undefined && name !== HOST_NAME && !sandboxNamed(host, name))
  if (unknown?.name !== undefined) return strange(unknown.name, host)
  const family = familyFor(before, from, to, host)
  const isMadeHere = before.trim().split(/\s+/).length === 1
  const sourceText = (isMadeHere && from.name === HOST_NAME ? ownText(from, to, family, host) : undefined) ?? endText(from, to, family, host, outside)
  const destinationText = endText(to, from, family, host, outside)
  if (sourceText === undefined) return { ok: false, problem: `\`${from.name}\` has no ${NAMES[family]} address`, help: 'name another one' }
  if (destinationText === undefined) return { ok: false, problem: `\`${to.name}\` has no ${NAMES[family]} address`, help: 'name another one' }
  const sender = from.name === undefined ? undefined : sandboxNamed(host, from.name)
  const place = sender && isMadeHere ? `${sender.kind === 'host' ? '' : `${sender.container}/ `}` : ''
  return { ok: true, text: `${place}${before}${sourceText} > ${destinationText}${after}` }
}

/** Returns the container that a name stands for (a container's own, or a service's), undefined where it stands for none. */
export function containerNamed(host: DockerHost, name: string): string | undefined {
  return sandboxNamed(host, name)?.container
}

const NAMES = { ipv4: 'IPv4', ipv6: 'IPv6' } as const

interface PacketEnd {
  readonly name: string | undefined
  readonly address: Address | undefined
  readonly port: string
}

/** `web:80`, `web`, or an address, which has no name. */
function splitEnd(text: string): PacketEnd {
  const literal = readEndpoint(text)
  if (literal.ok || readAddress(text) !== undefined || !/^[A-Za-z0-9][\w.-]*(:|$)/.test(text)) return { name: undefined, address: literal.ok ? literal.value.address : undefined, port: text }
  const colon = text.indexOf(':')
  return { name: colon === -1 ? text : text.slice(0, colon), address: undefined, port: colon === -1 ? '' : text.slice(colon) }
}

function strange(name: string, host: DockerHost): FilledPacket {
  const known = [...new Set([HOST_NAME, ...host.sandboxes.flatMap(({ container, service, guests }) => [...(service === undefined ? [] : [service]), container, ...guests])])]
  return { ok: false, problem: `there is no container or service \`${name}\``, help: didYouMean(name, known) ?? `known are ${known.join(', ')}` }
}

/** Returns the container of a name, the first one of a service; guests live with their host. */
function sandboxNamed({ sandboxes, project }: DockerHost, name: string): Sandbox | undefined {
  return sandboxes.find(({ container }) => container === name) ?? sandboxes.find(({ service }) => service === name) ?? sandboxes.find(({ guests }) => guests.includes(name) || guests.includes(`${project}-${name}-1`))
}

/** The other end's family; where both are names IPv4, unless the protocol or an address says otherwise. */
function familyFor(before: string, from: PacketEnd, to: PacketEnd, host: DockerHost): Family {
  const given = from.address ?? to.address
  if (given !== undefined) return familyOf(given)
  if (/\b(icmp6|icmpv6|ipv6-icmp)\b/.test(before)) return 'ipv6'
  const sandboxes = [from, to].flatMap(({ name }) => (name === undefined ? [] : (sandboxNamed(host, name) ?? [])))
  const lacksIpv4 = sandboxes.some(({ kind, endpoints }) => kind === 'own' && endpoints.length > 0 && endpoints.every(({ addresses }) => addresses.ipv4 === undefined))
  return lacksIpv4 ? 'ipv6' : 'ipv4'
}

/** To a container the host sends from the address of the bridge. */
function ownText(end: PacketEnd, other: PacketEnd, family: Family, host: DockerHost): string | undefined {
  const sandbox = other.name === undefined ? undefined : sandboxNamed(host, other.name)
  const endpoint = sandbox?.endpoints.find(({ addresses }) => addresses[family] !== undefined)
  const gateway = endpoint?.network.sides[family]?.gateway
  return gateway === undefined ? undefined : withPort(gateway, end.port)
}

function endText(end: PacketEnd, other: PacketEnd, family: Family, host: DockerHost, outside: Namespace): string | undefined {
  if (end.name === undefined) return end.port
  const address = addressFor(end.name, other.name, family, host, outside)
  return address === undefined ? undefined : withPort(address, end.port)
}

function withPort(address: Address, port: string): string {
  const text = writeAddress(address)
  return port === '' ? text : `${typeof address === 'bigint' ? `[${text}]` : text}${port}`
}

function addressFor(name: string, other: string | undefined, family: Family, host: DockerHost, outside: Namespace): Address | undefined {
  const sandbox = name === HOST_NAME ? undefined : sandboxNamed(host, name)
  if (!sandbox || sandbox.kind === 'host') return addressOfHost(outside, family)
  const neighbours = other === undefined ? [] : (sandboxNamed(host, other)?.endpoints ?? [])
  const has = (endpoint: Endpoint | undefined): boolean => endpoint?.addresses[family] !== undefined
  const shared = sandbox.endpoints.find(endpoint => has(endpoint) && neighbours.some(({ network }) => network === endpoint.network))
  const gateway = gatewaysOf(sandbox.endpoints, host.engine)[family]
  const chosen = shared ?? (has(gateway) ? gateway : sandbox.endpoints.find(has))
  return chosen?.addresses[family]
}
