/** The forwarding information base: how a namespace finds a route, and what type an address is to it. */

import { ADDRESS_TYPE } from '../meaning/fields.ts'
import { addressWidth, familyOf, lengthOfMask, maskOfLength, prefixIncludes, prefixOf } from '../net/address.ts'
import type { Address, Family, Prefix } from '../net/address.ts'
import { selectAddress6 } from './source-address6.ts'
import { ROUTE_TABLE } from './topology.ts'
import type { Device, Namespace, Route, RouteRule } from './topology.ts'

/** What a route lookup found, ready for words. */
export interface RouteDecision {
  /** `none`: no route at all. `martian`: refused because of its addresses. */
  readonly kind: 'local' | 'unicast' | 'broadcast' | 'multicast' | 'blackhole' | 'unreachable' | 'prohibit' | 'none' | 'martian'
  readonly destination: Address
  /** The outgoing device; for local delivery the device that has the address. */
  readonly device?: string
  readonly gateway?: Address
  /** The prefix of the route that matched, and its table. */
  readonly prefix?: Prefix
  readonly table?: number
  /** The source address that the host itself would use this way. */
  readonly source?: Address
  /** The realm of the route; 0 where it is absent. */
  readonly realm?: number
}

/** What a lookup goes by. */
export interface RouteQuery {
  readonly destination: Address
  readonly source?: Address
  readonly mark: number
  readonly tos: number
  /** Absent for what this host sends itself. */
  readonly inDevice?: string
  /** Only routes over this device. */
  readonly outDevice?: string
}

/** The routes of a namespace, prepared for lookups. */
export interface Fib {
  readonly rules: Readonly<Record<Family, readonly RouteRule[]>>
  /** By table number, longest prefix first, then smallest metric. */
  readonly tables: ReadonlyMap<number, readonly Route[]>
  readonly hasCustomRules: boolean
  /** What was found for destinations that alone decide: there are no rules and no routes by TOS. Undefined where more decides. */
  readonly known: Map<Address, RouteDecision> | undefined
  readonly ownAddresses: ReadonlySet<Address>
}

/** So many destinations are remembered. */
const MOST_KNOWN = 20_000

const IPV6_ALL_ONES = (1n << 128n) - 1n

/** Returns the fib of a namespace: its routes, those that follow from the addresses of its devices, and its rules. */
export function makeFib(namespace: Namespace): Fib {
  // Kernel: a device that is down leaves its IPv4 addresses local, and nothing else.
  const own = namespace.devices.flatMap(device => routesOfDevice(device).filter(({ route }) => device.up || (route.kind === 'local' && typeof route.prefix.address === 'number')))
  const routes = [...own.sort((one, other) => one.added - other.added).map(({ route }) => route), ...namespace.routes]
  const tables = new Map<number, Route[]>()
  for (const route of routes) {
    const table = tables.get(route.table)
    if (table) table.push(route)
    else tables.set(route.table, [route])
  }
  for (const table of tables.values()) table.sort((one, other) => prefixLength(other) - prefixLength(one) || one.metric - other.metric || (other.tos ?? 0) - (one.tos ?? 0))
  const rules = { ipv4: rulesOf(namespace, 'ipv4'), ipv6: rulesOf(namespace, 'ipv6') }
  const hasCustomRules = namespace.rules.length > 0
  return {
    rules, tables, hasCustomRules,
    known: hasCustomRules || routes.some(route => route.tos) ? undefined : new Map(),
    ownAddresses: new Set(namespace.devices.flatMap(device => device.addresses.map(own => own.address))),
  }
}

/** Looks a route up through the rules. Source: net/ipv4/fib_rules.c __fib_lookup(), fib_trie.c fib_table_lookup(). */
export function lookupRoute(fib: Fib, query: RouteQuery): RouteDecision {
  if (!fib.known || query.outDevice !== undefined) return searchRoute(fib, query)
  const known = fib.known.get(query.destination)
  if (known) return known
  const found = searchRoute(fib, query)
  if (fib.known.size >= MOST_KNOWN) fib.known.clear()
  fib.known.set(query.destination, found)
  return found
}

function searchRoute(fib: Fib, query: RouteQuery): RouteDecision {
  for (const rule of fib.rules[familyOf(query.destination)]) {
    if (!ruleMatches(rule, query)) continue
    if (rule.action !== 'lookup') return { kind: rule.action, destination: query.destination }
    const route = lookupTable(fib, rule.table, query)
    if (route && route.kind !== 'throw') return decisionOf(route, query.destination)
  }
  return { kind: 'none', destination: query.destination }
}

/**
 * Returns the bits of `ADDRESS_TYPE` of an address, in IPv4 just one, asked of the local table and then of main; with a device only what is on it.
 * Source: net/ipv4/fib_frontend.c __inet_dev_addr_type(); net/netfilter/xt_addrtype.c match_lookup_rt6().
 */
export function addressType(fib: Fib, address: Address, device?: string): number {
  if (typeof address === 'bigint') return addressType6(fib, address, device)
  if (address >>> 24 === 0 || address === 0xffffffff) return ADDRESS_TYPE.BROADCAST
  if (address >>> 28 === 0xe) return ADDRESS_TYPE.MULTICAST
  const route = lookupTable(fib, ROUTE_TABLE.local, { destination: address, mark: 0, tos: 0 })
  if (!route) return ADDRESS_TYPE.UNICAST
  return device === undefined || route.device === device ? typeBit(route.kind) : ADDRESS_TYPE.UNICAST
}

/** IPv6 has several types at once: an own address is UNICAST and LOCAL. */
function addressType6(fib: Fib, address: bigint, device: string | undefined): number {
  if (address === 0n) return ADDRESS_TYPE.UNSPEC
  const kind = address >> 120n === 0xffn ? ADDRESS_TYPE.MULTICAST : ADDRESS_TYPE.UNICAST
  const route = lookupRoute(fib, { destination: address, mark: 0, tos: 0, ...(device === undefined ? {} : { outDevice: device }) })
  if (route.kind === 'none' || route.kind === 'unreachable' || route.kind === 'prohibit' || route.kind === 'blackhole') return kind | ADDRESS_TYPE.UNREACHABLE
  const isLocal = route.kind === 'local' && (device === undefined || route.device === device)
  return kind | (isLocal ? ADDRESS_TYPE.LOCAL : 0)
}

/** Tells whether the address is one of the namespace's own. */
export function isOwnAddress(namespace: Namespace, address: Address): boolean {
  return namespace.devices.some(device => device.addresses.some(own => own.address === address))
}

/** Returns the addresses that are the first of their prefix on a device. Source: net/ipv4/devinet.c __inet_insert_ifa(). */
export function primaryAddresses(device: Device): readonly Address[] {
  const primaries = device.addresses.filter((one, index) => {
    const prefix = prefixOf(one.address, maskOfLength(familyOf(one.address), one.length))
    return !device.addresses.slice(0, index).some(other => other.length === one.length && prefixIncludes(prefix, other.address))
  })
  return primaries.map(one => one.address)
}

/**
 * Returns the device's address that is used towards `towards`: the primary one of its network, else the first one; where the
 * device has none, one of another device. Source: net/ipv4/devinet.c inet_select_addr().
 */
export function selectAddress(namespace: Namespace, device: Device | undefined, family: Family, towards?: Address): Address | undefined {
  if (typeof towards === 'bigint') return selectAddress6(namespace, device, towards)
  const own = device ? addressesOf(device, family) : []
  const near = own.find(one => towards !== undefined && prefixIncludes(prefixOf(one.address, maskOfLength(family, one.length)), towards))
  if (near) return near.address
  if (own[0]) return own[0].address
  for (const other of namespace.devices) {
    const first = addressesOf(other, family)[0]
    if (first) return first.address
  }
  return undefined
}

function addressesOf(device: Device, family: Family) {
  if (device.kind === 'loopback') return []
  const primaries = primaryAddresses(device)
  return device.addresses.filter(one => familyOf(one.address) === family && primaries.includes(one.address))
}

function rulesOf(namespace: Namespace, family: Family): readonly RouteRule[] {
  const always = [
    { priority: 0, action: 'lookup' as const, table: ROUTE_TABLE.local, inverted: false },
    { priority: 32766, action: 'lookup' as const, table: ROUTE_TABLE.main, inverted: false },
    { priority: 32767, action: 'lookup' as const, table: ROUTE_TABLE.default, inverted: false },
  ]
  const own = namespace.rules.filter(rule => familyOf((rule.from ?? rule.to)?.address ?? (family === 'ipv4' ? 0 : 0n)) === family)
  return [...always, ...own].sort((one, other) => one.priority - other.priority)
}

function ruleMatches(rule: RouteRule, query: RouteQuery): boolean {
  const isMatch =
    (!rule.from || (query.source !== undefined && prefixIncludes(rule.from, query.source))) &&
    (!rule.to || prefixIncludes(rule.to, query.destination)) &&
    (rule.inDevice === undefined || rule.inDevice === (query.inDevice ?? 'lo')) &&
    (rule.outDevice === undefined || rule.outDevice === query.outDevice) &&
    (!rule.mark || ((query.mark ^ rule.mark.value) & rule.mark.mask) === 0) &&
    (rule.tos === undefined || rule.tos === (query.tos & 0xfc))
  return isMatch !== rule.inverted
}

function lookupTable(fib: Fib, table: number, query: RouteQuery): Route | undefined {
  return fib.tables.get(table)?.find(
    route =>
      prefixIncludes(route.prefix, query.destination) &&
      (query.outDevice === undefined || route.device === query.outDevice || (route.kind === 'local' && typeof query.destination === 'bigint')) &&
      (!route.tos || route.tos === (query.tos & 0xfc)),
  )
}

function decisionOf(route: Route, destination: Address): RouteDecision {
  const kind = route.kind === 'anycast' || route.kind === 'throw' ? 'local' : route.kind
  return {
    kind,
    destination,
    prefix: route.prefix,
    table: route.table,
    ...(route.device === undefined ? {} : { device: route.device }),
    ...(route.gateway === undefined ? {} : { gateway: route.gateway }),
    ...(route.source === undefined ? {} : { source: route.source }),
    ...(route.realm === undefined ? {} : { realm: route.realm }),
  }
}

function typeBit(kind: Route['kind']): number {
  switch (kind) {
    case 'local':
      return ADDRESS_TYPE.LOCAL
    case 'broadcast':
      return ADDRESS_TYPE.BROADCAST
    case 'anycast':
      return ADDRESS_TYPE.ANYCAST
    default:
      return ADDRESS_TYPE.UNICAST
  }
}

function prefixLength(route: Route): number {
  return lengthOfMask(route.prefix.mask) ?? 0
}

/** Source: net/ipv4/fib_frontend.c fib_add_ifaddr(); IPv6: net/ipv6/addrconf.c. */
function routesOfDevice(device: Device): readonly { readonly route: Route; readonly added: number }[] {
  return device.addresses.flatMap(({ address, length, added = 0 }, index) => {
    const family = familyOf(address)
    const width = addressWidth(family)
    const host = maskOfLength(family, width)
    const prefix = prefixOf(address, maskOfLength(family, length))
    const isLoopback = device.kind === 'loopback'
    const isSecondary = family === 'ipv4' && device.addresses.slice(0, index).some(other => other.length === length && prefixIncludes(prefix, other.address))
    const source = isSecondary ? (device.addresses.find(other => other.length === length && prefixIncludes(prefix, other.address))?.address ?? address) : address
    const local = { table: ROUTE_TABLE.local, metric: 0, device: device.name, source }
    const routes: Route[] = [{ ...local, kind: 'local', prefix: { address, mask: host } }]
    if (isLoopback && family === 'ipv4') routes.push({ ...local, kind: 'local', prefix })
    if (length < width && !isLoopback && !isSecondary) routes.push({ kind: 'unicast', prefix, table: ROUTE_TABLE.main, metric: family === 'ipv4' ? 0 : 256, device: device.name, source })
    if (typeof prefix.address === 'number' && length < 31) {
      const last = (prefix.address | ~Number(prefix.mask)) >>> 0
      routes.push({ ...local, kind: 'broadcast', prefix: { address: last, mask: host } })
    }
    if (typeof prefix.address === 'bigint' && !isLoopback && length < 127) routes.push({ ...local, kind: 'anycast', prefix: { address: prefix.address, mask: IPV6_ALL_ONES } })
    return routes.map(route => ({ route, added }))
  })
}
