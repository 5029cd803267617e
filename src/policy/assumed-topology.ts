/** The host that a policy speaks of, where nobody described it: its zones say which addresses are behind which device. */

import { addressWidth, familyOf, maskOfLength, prefixIncludes, writeAddress, writePrefix } from '../net/address.ts'
import type { Address, Family, Prefix } from '../net/address.ts'
import { LOOPBACK } from '../topology/loopback.ts'
import { ROUTE_TABLE } from '../topology/topology.ts'
import type { Device, DeviceAddress, Route, Topology } from '../topology/topology.ts'
import type { Ends, ResolvedPolicy, Sentence, Zone } from './resolved.ts'

/** Addresses for benchmarks (RFC 2544, RFC 5180) stand for those that nobody told. */
const STAND_IN = { ipv4: (index: number): Address => 0xc6120000 + index, ipv6: (index: number): Address => (0x20010002n << 96n) + BigInt(index) } as const

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6']

/** Returns a topology of one namespace; its `assumptions` say what was guessed. */
export function assumedTopology(policy: ResolvedPolicy): Topology {
  const named = namedAddresses(policy)
  const own = policy.sentences.flatMap(sentence => (sentence.kind === 'publish' ? sentence.on.filter(isHost).map(prefix => prefix.address) : sentence.kind === 'sourceNat' && sentence.to !== undefined ? [sentence.to] : []))
  const outside = policy.zones.find(zone => !zone.at)
  const devices: Device[] = []
  const assumptions: string[] = []
  for (const [index, zone] of policy.zones.entries()) for (const { name, prefix } of zone.devices) {
    const deviceName = prefix ? `${name}0` : name
    if (devices.some(device => device.name === deviceName)) continue
    const addresses = FAMILIES.flatMap(family => addressesOf(zone, zone === outside, index, family, own, named))
    devices.push({ name: deviceName, kind: 'physical', addresses, mtu: 1500, up: true, hairpin: false })
    assumptions.push(`${addresses.map(({ address }) => writeAddress(address)).join(' and ')} ${addresses.length === 1 ? 'is' : 'are'} the firewall's own on ${deviceName}`)
  }
  const routes = policy.zones.flatMap(zone => zoneRoutes(zone, zone === outside))
  assumptions.push(...policy.zones.filter(zone => zone.at).map(zone => `${FAMILIES.flatMap(family => zone.at?.[family] ?? []).map(writePrefix).join(', ')} ${zone.at ? 'is' : ''} behind ${zone.devices[0]?.name ?? ''}`))
  if (outside) assumptions.push(`everything else is behind ${outside.devices[0]?.name ?? ''}`)
  return { namespaces: [{ name: 'fw', devices: [LOOPBACK, ...devices], routes, rules: [], neighbours: [], sysctls: {}, ipsets: [] }], labels: [], assumptions }
}

function isHost({ address, mask }: Prefix): boolean {
  return mask === maskOfLength(familyOf(address), addressWidth(familyOf(address)))
}

/** The firewall's address in a zone must be none that the policy speaks of. */
function addressesOf(zone: Zone, isOutside: boolean, index: number, family: Family, own: readonly Address[], named: readonly Prefix[]): readonly DeviceAddress[] {
  const length = addressWidth(family)
  const at = zone.at?.[family]
  if (!at) {
    const given = isOutside ? own.filter(address => familyOf(address) === family) : []
    return (given.length > 0 ? [...new Set(given)] : [STAND_IN[family](index + 1)]).map(address => ({ address, length }))
  }
  const inside = own.find(address => at.some(prefix => prefixIncludes(prefix, address)))
  const address = inside ?? at.map(prefix => lastFree(prefix, family, named)).find(found => found !== undefined)
  return address === undefined ? [] : [{ address, length }]
}

function lastFree({ address, mask }: Prefix, family: Family, named: readonly Prefix[]): Address | undefined {
  const size = (1n << BigInt(addressWidth(family))) - 1n
  const end = BigInt(address) | (~BigInt(mask) & size)
  for (let at = end - 1n; at > BigInt(address) && at > end - 256n; at--) {
    const candidate = family === 'ipv4' ? Number(at) : at
    if (!named.some(prefix => prefixIncludes(prefix, candidate))) return candidate
  }
  return undefined
}

/** Prefixes of which sentences and assertions speak, but for those of whole zones. */
function namedAddresses({ sentences, assertions }: ResolvedPolicy): readonly Prefix[] {
  const ofEnds = ({ included, excluded }: Ends): readonly Prefix[] => [...included, ...excluded].flatMap(({ addresses }) => (addresses ? [...addresses.ipv4, ...addresses.ipv6] : []))
  const ofSentence = (sentence: Sentence): readonly Prefix[] => {
    if (sentence.kind === 'raw') return []
    if (sentence.kind === 'publish') return [...ofEnds(sentence.from), { address: sentence.to, mask: maskOfLength(sentence.family, addressWidth(sentence.family)) }]
    return sentence.kind === 'rule' ? [...ofEnds(sentence.from), ...ofEnds(sentence.to)] : ofEnds(sentence.from)
  }
  return [...sentences.flatMap(ofSentence), ...assertions.flatMap(({ flow }) => [...ofEnds(flow.from), ...ofEnds(flow.to)])]
}

function zoneRoutes(zone: Zone, isOutside: boolean): readonly Route[] {
  const [pattern] = zone.devices
  if (!pattern) return []
  const device = pattern.prefix ? `${pattern.name}0` : pattern.name
  const prefixes = zone.at ? [...zone.at.ipv4, ...zone.at.ipv6] : isOutside ? FAMILIES.map((family): Prefix => ({ address: family === 'ipv4' ? 0 : 0n, mask: maskOfLength(family, 0) })) : []
  return prefixes.map(prefix => ({ kind: 'unicast', prefix, table: ROUTE_TABLE.main, metric: 0, device }))
}
