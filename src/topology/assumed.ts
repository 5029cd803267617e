/**
 * The plainest host that makes sense of rules and packets where nobody described it. Every guess is said in a sentence: a trace
 * through a guessed host is a trace of the rules, not of the network.
 */

import { didYouMean } from '../extensions/did-you-mean.ts'
import type { Ruleset } from '../ir/ruleset.ts'
import { addressWidth, familyOf, maskOfLength, prefixIncludes, writeAddress, writePrefix } from '../net/address.ts'
import type { Address, Family } from '../net/address.ts'
import type { Probe } from '../packet/probe.ts'
import { LOOPBACK } from './loopback.ts'
import { readHints } from './rule-hints.ts'
import type { PrefixHint, RuleHints } from './rule-hints.ts'
import { ROUTE_TABLE } from './topology.ts'
import type { Device, DeviceAddress, Route, Topology } from './topology.ts'

/** Addresses for benchmarks (RFC 2544, RFC 5180), which no ruleset has: they stand for those that nobody told. */
const STAND_IN = { ipv4: (index: number): Address => 0xc6120000 + index, ipv6: (index: number): Address => (0x20010002n << 96n) + BigInt(index) } as const

/** Returns a host for the packets to go through; its `assumptions` say what was guessed. */
export function assumedTopology(rulesets: readonly Ruleset[], probes: readonly Probe[]): Topology {
  const hints = hintsOf(rulesets)
  const names = deviceNames(hints, probes)
  const outside = hints.outside ?? probes.find(probe => probe.inDevice !== undefined)?.inDevice ?? outermost(names.filter(name => !hints.prefixes.some(hint => hint.device === name))) ?? names[0] ?? 'eth0'
  const families: readonly Family[] = rulesets.length === 0 ? ['ipv4'] : [...new Set(rulesets.map(ruleset => ruleset.family))]
  const own = ownAddresses(probes, hints, outside)
  const devices = names.map((name, index) => makeDevice(name, index, families, own))
  const prefixes = [...usefulPrefixes(hints, own), ...senders(probes, hints, outside)]
  return {
    namespaces: [{
      name: 'host', devices: [LOOPBACK, ...devices], rules: [], neighbours: [], sysctls: {}, ipsets: [],
      routes: [...prefixes.map(routeTo), ...families.map(family => defaultRoute(family, outside))],
    }],
    labels: [],
    assumptions: sentences({ hints, own, prefixes, outside, devices, probes }),
  }
}

/** Of the devices behind which nothing is known to lie, one that may be a wire is likelier to lead to the world than a bridge. */
function outermost(names: readonly string[]): string | undefined {
  return names.find(name => /^(?:eth|en|wan|wl|ppp|bond|team|venet)/.test(name)) ?? names[0]
}

const known = new WeakMap<readonly Ruleset[], RuleHints>()

/** Whoever asks for many hosts of the same list of rulesets has its rules read once. */
function hintsOf(rulesets: readonly Ruleset[]): RuleHints {
  const found = known.get(rulesets) ?? readHints(rulesets)
  known.set(rulesets, found)
  return found
}

interface OwnAddress {
  readonly address: Address
  readonly device: string
  readonly why: 'destination' | 'source'
}

function deviceNames(hints: RuleHints, probes: readonly Probe[]): readonly string[] {
  const fromProbes = probes.flatMap(probe => (probe.inDevice === undefined || probe.inDevice === 'lo' ? [] : [probe.inDevice]))
  const names = [...new Set([...fromProbes, ...hints.devices])]
  return names.length === 0 ? ['eth0'] : names
}

/** What arrives is for this host unless a rule says that its destination lies elsewhere; what the host sends comes from an address of its own. */
function ownAddresses(probes: readonly Probe[], hints: RuleHints, outside: string): readonly OwnAddress[] {
  const found: OwnAddress[] = []
  for (const { packet, inDevice } of probes) {
    const address = inDevice === undefined ? packet.src : packet.dst
    if (found.some(one => one.address === address) || isLoopbackOrGroup(address)) continue
    if (inDevice === undefined || !isElsewhere(address, inDevice, hints)) found.push({ address, device: inDevice ?? outside, why: inDevice === undefined ? 'source' : 'destination' })
  }
  return found
}

/**
 * A neighbour of the sender would not be reached through this host, so an address behind the device of arrival is the host's own;
 * and what comes in from a side whose sources are translated on another device is for the world behind that one.
 */
function isElsewhere(address: Address, inDevice: string, hints: RuleHints): boolean {
  const known = hints.prefixes.find(hint => prefixIncludes(hint.prefix, address))
  if (known) return known.device !== inDevice
  return hints.outside !== undefined && hints.outside !== inDevice
}

function isLoopbackOrGroup(address: Address): boolean {
  if (typeof address === 'bigint') return address === 1n || address >> 120n === 0xffn
  return address >>> 24 === 127 || address >>> 24 === 0 || address >>> 28 >= 0xe
}

function makeDevice(name: string, index: number, families: readonly Family[], own: readonly OwnAddress[]): Device {
  const addresses = families.flatMap((family): DeviceAddress[] => {
    const given = own.filter(one => one.device === name && familyOf(one.address) === family).map(one => ({ address: one.address, length: addressWidth(family) }))
    return given.length > 0 ? given : [{ address: STAND_IN[family](index + 1), length: addressWidth(family) }]
  })
  return { name, kind: 'physical', addresses, mtu: 1500, up: true, hairpin: false }
}

/** One device for each prefix: the one named first. Prefixes that hold an own address of another device would contradict it. */
function usefulPrefixes(hints: RuleHints, own: readonly OwnAddress[]): readonly PrefixHint[] {
  const seen = new Map<string, PrefixHint>()
  for (const hint of hints.prefixes) {
    const key = writePrefix(hint.prefix)
    const isOwn = own.some(one => one.address === hint.prefix.address)
    if (!seen.has(key) && !isOwn) seen.set(key, hint)
  }
  return [...seen.values()]
}

/** Where a packet came from is where its answer goes. */
function senders(probes: readonly Probe[], hints: RuleHints, outside: string): readonly PrefixHint[] {
  const found = new Map<Address, PrefixHint>()
  for (const { packet, inDevice } of probes) {
    const { src } = packet
    if (inDevice === undefined || inDevice === outside || inDevice === 'lo' || isLoopbackOrGroup(src) || hints.prefixes.some(hint => prefixIncludes(hint.prefix, src))) continue
    found.set(src, { prefix: { address: src, mask: maskOfLength(familyOf(src), addressWidth(familyOf(src))) }, device: inDevice })
  }
  return [...found.values()]
}

function routeTo({ prefix, device }: PrefixHint): Route {
  return { kind: 'unicast', prefix, table: ROUTE_TABLE.main, metric: 0, device }
}

function defaultRoute(family: Family, device: string): Route {
  return { kind: 'unicast', prefix: { address: family === 'ipv4' ? 0 : 0n, mask: maskOfLength(family, 0) }, table: ROUTE_TABLE.main, metric: 1024, device }
}

interface Guessed {
  readonly hints: RuleHints
  readonly own: readonly OwnAddress[]
  readonly prefixes: readonly PrefixHint[]
  readonly outside: string
  readonly devices: readonly Device[]
  readonly probes: readonly Probe[]
}

function sentences({ hints, own, prefixes, outside, devices, probes }: Guessed): readonly string[] {
  const families = new Set(probes.length > 0 ? probes.map(probe => probe.packet.family) : devices.flatMap(device => device.addresses.map(one => familyOf(one.address))))
  const told = prefixes.filter(({ prefix }) => families.has(familyOf(prefix.address)))
  const strange = [...new Set(probes.flatMap(({ inDevice }) => misspeltDevice(inDevice ?? 'lo', hints.devices) ?? []))]
  return [
    ...strange,
    ...own.map(one => `${writeAddress(one.address)} is an address of this host, on ${one.device}`),
    ...told.slice(0, LISTED).map(({ prefix, device }) => `${writePrefix(prefix)} is behind ${device}, since ${hints.prefixes.some(hint => hint.prefix === prefix) ? 'rules name them together' : 'the packet comes from there'}`),
    ...(told.length > LISTED ? [`${told.length - LISTED} more prefixes are behind the devices that rules name with them`] : []),
    `everything else is reached by ${outside}`,
    ...devices.filter(device => !own.some(one => one.device === device.name)).map(device => standInSentence(device, families)),
    'forwarding is on and the reverse path filter is off',
  ]
}

const LISTED = 6

/** Tells whether an assumption matters to packets that passed these devices: one about what lies behind another device does not. */
export function concerns(assumption: string, devices: ReadonlySet<string>): boolean {
  const [, behind, standIn] = /^\S+ is behind ([^,]+), since rules|stands for the address of (\S+)$/.exec(assumption) ?? []
  const device = behind ?? standIn
  return device === undefined ? !assumption.includes(' more prefixes are behind ') : devices.has(device)
}

/** Returns what is to be said of a device that no rule names and that looks like one that rules do name; `eth1` beside `eth0` is no slip, nor `lan` beside `wan`. */
export function misspeltDevice(device: string, named: readonly string[]): string | undefined {
  if (named.includes(device)) return undefined
  const alike = named.find(name => looksOf(name) === looksOf(device))
  const near = alike === undefined && device.length > 4 ? didYouMean(device, named.filter(name => withoutNumber(name) !== withoutNumber(device))) : undefined
  return alike === undefined && near === undefined ? undefined : `there is a device ${device}, which no rule names: ${near ?? `did you mean \`${alike}\`?`}`
}

/** What is the same for the eye: `ethO` and `eth0`, `enpls0` and `enp1s0`. */
function looksOf(name: string): string {
  return name.toLowerCase().replaceAll('o', '0').replace(/[li]/g, '1')
}

function withoutNumber(name: string): string {
  return name.replace(/\d+$/, '')
}

function standInSentence(device: Device, families: ReadonlySet<Family>): string {
  const addresses = device.addresses.filter(one => families.has(familyOf(one.address))).map(one => writeAddress(one.address))
  return `${addresses.join(' and ')} stands for the address of ${device.name}`
}
