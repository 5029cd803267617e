/**
 * A topology where none was given: one host whose devices, addresses and routes are guessed from the rules and the packets.
 * Every guess that can change an answer is told as a sentence.
 */

import type { MatchUse, Rule, Ruleset } from '../ir/ruleset.ts'
import { eachRule } from '../ir/ruleset.ts'
import { addressWidth, familyOf, lengthOfMask, maskOfLength, prefixIncludes, writeAddress, writePrefix } from '../net/address.ts'
import type { Address, Family, Prefix } from '../net/address.ts'
import type { DevicePattern } from '../net/device-name.ts'
import type { Probe } from '../packet/probe.ts'
import type { Device, DeviceAddress, Namespace, Route, Topology } from './topology.ts'
import { ROUTE_TABLE } from './topology.ts'

/** A network, and the device behind which it is. */
interface Network {
  readonly prefix: Prefix
  readonly device: string
}

/** What the rules tell of the host. */
interface Hints {
  readonly devices: ReadonlySet<string>
  readonly networks: readonly Network[]
  /** The device by which rules translate sources: it leads to the rest of the world. */
  readonly outside: string | undefined
}

/** The device of a host of which nothing is known. */
const USUAL_DEVICE = 'eth0'

/** Addresses for a device that must have one and of which none is known (RFC 5737, RFC 3849). */
const USUAL_ADDRESS: Readonly<Record<Family, Address>> = { ipv4: 0xc0000201, ipv6: 0x20010db8_00000000_00000000_00000001n }

/** Returns the guessed topology for these rules and packets; `assumptions` says what was guessed. */
export function assumeTopology(rulesets: readonly Ruleset[], probes: readonly Probe[]): Topology {
  const hints = readHints(rulesets)
  const stranger = probes.find(probe => probe.inDevice !== undefined && !networkOf(hints.networks, probe.packet.src))
  const outside = hints.outside ?? stranger?.inDevice ?? USUAL_DEVICE
  const own = ownAddresses(probes, hints.networks, outside)
  const senders = probes.flatMap(({ packet, inDevice }) => (inDevice === undefined || inDevice === outside ? [] : [{ prefix: hostPrefix(packet.src), device: inDevice }]))
  const families = new Set(probes.map(({ packet }) => packet.family))
  const names = new Set([outside, ...hints.devices, ...probes.flatMap(({ inDevice }) => inDevice ?? [])])
  names.delete('lo')
  const devices = [...names].map(name => makeDevice(name, addressesOf(name, own, name === outside ? families : new Set(), hints.networks)))
  const routes = [...senders, ...hints.networks, ...[...families].map(family => ({ prefix: { address: zero(family), mask: zero(family) }, device: outside }))]
  const namespace: Namespace = { name: 'host', devices, routes: routes.map(makeRoute), rules: [], neighbours: [], sysctls: FORWARDING, ipsets: [] }
  return { namespaces: [namespace], labels: [], assumptions: inWords(own, hints.networks, outside, probes) }
}

const FORWARDING = { 'net.ipv4.ip_forward': '1', 'net.ipv6.conf.all.forwarding': '1' } as const

interface OwnAddress {
  readonly address: Address
  readonly device: string
}

/** The host's own: where packets made here come from, and where packets go that arrive from outside and that no known network has. */
function ownAddresses(probes: readonly Probe[], networks: readonly Network[], outside: string): readonly OwnAddress[] {
  const own = new Map<Address, OwnAddress>()
  for (const { packet, inDevice } of probes) {
    if (inDevice === undefined) own.set(packet.src, { address: packet.src, device: networkOf(networks, packet.src)?.device ?? outside })
    else if (inDevice === outside && !networkOf(networks, packet.dst)) own.set(packet.dst, { address: packet.dst, device: inDevice })
  }
  return [...own.values()].filter(({ address }) => !isLoopback(address))
}

function isLoopback(address: Address): boolean {
  return typeof address === 'number' ? address >>> 24 === 127 : address === 1n
}

function addressesOf(name: string, own: readonly OwnAddress[], families: ReadonlySet<Family>, networks: readonly Network[]): readonly DeviceAddress[] {
  const known = own.filter(({ device }) => device === name).map(({ address }) => hostAddress(address))
  const missing = [...families].filter(family => !known.some(({ address }) => familyOf(address) === family)).map(family => hostAddress(USUAL_ADDRESS[family]))
  const gateways = networks.filter(({ device, prefix }) => device === name && (lengthOfMask(prefix.mask) ?? 0) < addressWidth(familyOf(prefix.mask)) - 1).map(({ prefix }) => hostAddress(firstOf(prefix)))
  return [...known, ...missing, ...gateways]
}

function firstOf({ address }: Prefix): Address {
  return typeof address === 'number' ? address + 1 : address + 1n
}

function hostAddress(address: Address): DeviceAddress {
  return { address, length: addressWidth(familyOf(address)) }
}

function hostPrefix(address: Address): Prefix {
  return { address, mask: maskOfLength(familyOf(address), addressWidth(familyOf(address))) }
}

function zero(family: Family): Address {
  return family === 'ipv4' ? 0 : 0n
}

function networkOf(networks: readonly Network[], address: Address): Network | undefined {
  return networks.find(({ prefix }) => prefixIncludes(prefix, address))
}

function makeDevice(name: string, addresses: readonly DeviceAddress[]): Device {
  return { name, kind: 'physical', addresses, mtu: 1500, up: true, hairpin: false }
}

function makeRoute({ prefix, device }: Network): Route {
  return { kind: 'unicast', prefix, table: ROUTE_TABLE.main, metric: 0, device }
}

function readHints(rulesets: readonly Ruleset[]): Hints {
  const devices = new Set<string>()
  const networks = new Map<string, Network>()
  let outside: string | undefined
  for (const ruleset of rulesets) {
    eachRule(ruleset, (rule, _number, _chain, table) => {
      const ip = rule.matches.find(use => use.name === 'ip')
      if (!ip) return
      for (const option of ['in-interface', 'out-interface']) {
        const device = deviceOf(ip, option)
        if (device && device.name !== '') devices.add(device.name)
      }
      for (const network of networksOf(rule, ip)) networks.set(`${writePrefix(network.prefix)} ${network.device}`, network)
      if (table.name === 'nat' && rule.target?.kind === 'target' && /^(MASQUERADE|SNAT)$/.test(rule.target.name)) outside ??= deviceOf(ip, 'out-interface', false)?.name
    })
  }
  return { devices, networks: [...networks.values()], outside }
}

/** `-s P -i D`, `-d P -o D`, and as docker writes it `-s P ! -o D` before MASQUERADE and `-d P ! -i D` before DROP: P is behind D. */
function networksOf(rule: Rule, ip: MatchUse): readonly Network[] {
  const name = rule.target?.kind === 'target' ? rule.target.name : ''
  const pairs = [
    [prefixOf(ip, 'source'), deviceOf(ip, 'in-interface', false)],
    [prefixOf(ip, 'destination'), deviceOf(ip, 'out-interface', false)],
    [prefixOf(ip, 'source'), name === 'MASQUERADE' ? deviceOf(ip, 'out-interface', true) : undefined],
    [prefixOf(ip, 'destination'), name === 'DROP' ? deviceOf(ip, 'in-interface', true) : undefined],
  ] as const
  return pairs.flatMap(([prefix, device]) => (prefix && device && device.name !== 'lo' ? [{ prefix, device: device.name }] : []))
}

/** A device by its whole name; with `inverted` only one after `!`, or only one without. */
function deviceOf(ip: MatchUse, option: string, inverted?: boolean): DevicePattern | undefined {
  const use = ip.infos[option]
  const pattern = use?.value as DevicePattern | undefined
  return pattern && !pattern.prefix && (inverted === undefined || use?.inverted === inverted) ? pattern : undefined
}

/** A prefix that says where a network is: not negated, not every address, no multicast. */
function prefixOf(ip: MatchUse, option: string): Prefix | undefined {
  const use = ip.infos[option]
  const prefix = use?.value as Prefix | undefined
  if (!prefix || use?.inverted || (lengthOfMask(prefix.mask) ?? 0) < 8) return undefined
  return isMulticast(prefix.address) || isLoopback(prefix.address) ? undefined : prefix
}

function isMulticast(address: Address): boolean {
  return typeof address === 'number' ? address >>> 28 >= 14 : address >> 120n === 0xffn
}

function inWords(own: readonly OwnAddress[], networks: readonly Network[], outside: string, probes: readonly Probe[]): readonly string[] {
  const asked = networks.filter(({ prefix }) => probes.some(({ packet }) => prefixIncludes(prefix, packet.src) || prefixIncludes(prefix, packet.dst)))
  const told = [...new Set([...asked, ...networks])].slice(0, 3)
  const more = networks.length > told.length ? `, and ${networks.length - told.length} more networks where the rules name a device` : ''
  return [
    ...own.map(({ address, device }) => `${writeAddress(address)} is an address of this host (${device})`),
    ...(told.length === 0 ? [] : [`${told.map(({ prefix, device }) => `${writePrefix(prefix)} is behind ${device}`).join(', ')}${more}: the rules suggest it`]),
    `everything else is behind ${outside}, and the host forwards`,
    'with --topology FILE.yaml nothing has to be assumed',
  ]
}
