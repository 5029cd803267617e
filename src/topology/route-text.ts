/** Reads routes and routing rules as `ip route add` and `ip rule add` take them. */

import { addressWidth, familyOf, maskOfLength, readAddress, readPrefix } from '../net/address.ts'
import type { Family, Prefix } from '../net/address.ts'
import { ROUTE_TABLE } from './topology.ts'
import type { Route, RouteKind, RouteRule } from './topology.ts'

/** A text that was read, or what is wrong with it (lower case, no final stop). */
export type TextReading<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string }

const KINDS: readonly RouteKind[] = ['unicast', 'local', 'broadcast', 'anycast', 'multicast', 'blackhole', 'unreachable', 'prohibit', 'throw']
const IGNORED_WITH_WORD = new Set(['proto', 'scope', 'mtu', 'advmss', 'pref'])
const IGNORED = new Set(['onlink', 'linkdown'])
const WITH_DEVICE: ReadonlySet<RouteKind> = new Set<RouteKind>(['unicast', 'local', 'broadcast', 'anycast', 'multicast'])

/** Reads `default via 192.0.2.1 dev eth0 [table N] [metric N] [src A]`, `blackhole 10.0.0.0/8`, ... Source: ip-route(8). */
export function readRoute(text: string): TextReading<Route> {
  const words = text.trim().split(/\s+/)
  const given = KINDS.find(kind => kind === words[0])
  const kind = given ?? 'unicast'
  const [target = '', ...rest] = given ? words.slice(1) : words
  const options = readOptions(rest, new Set(['via', 'dev', 'table', 'metric', 'src', 'tos', 'realm', 'realms']))
  if (!options.ok) return options
  const { via, dev, table, metric, src, tos, realm, realms } = options.value
  const toRealm = realm ?? realms?.split('/').at(-1)
  const gateway = via === undefined ? undefined : readAddress(via)
  if (via !== undefined && gateway === undefined) return problem(`\`${via}\` is not an address`)
  const prefix = readTarget(target, gateway === undefined ? 'ipv4' : familyOf(gateway))
  if (!prefix) return problem(`\`${target}\` is neither \`default\` nor a prefix`)
  if (WITH_DEVICE.has(kind) && dev === undefined) return problem('the route has no `dev DEVICE`')
  const tableNumber = readTable(table)
  if (tableNumber === undefined) return problem(`there is no routing table \`${table}\``)
  const source = src === undefined ? undefined : readAddress(src)
  const value: Route = {
    kind,
    prefix,
    table: table === undefined && (kind === 'local' || kind === 'broadcast') ? ROUTE_TABLE.local : tableNumber,
    metric: metric === undefined ? (familyOf(prefix.address) === 'ipv4' ? 0 : 1024) : Number(metric),
    ...(dev === undefined ? {} : { device: dev }),
    ...(gateway === undefined ? {} : { gateway }),
    ...(source === undefined ? {} : { source }),
    ...(tos === undefined ? {} : { tos: Number(tos) }),
    ...(toRealm !== undefined && /^\d+$/.test(toRealm) ? { realm: Number(toRealm) } : {}),
  }
  return { ok: true, value }
}

/** Reads `from 10.0.0.0/8 fwmark 0x1/0x1 lookup 100 priority 1000`. Source: ip-rule(8). */
export function readRouteRule(text: string): TextReading<RouteRule> {
  const words = text.trim().split(/\s+/)
  const inverted = words[0] === 'not'
  const actions = ['blackhole', 'unreachable', 'prohibit'] as const
  const action = actions.find(one => words.includes(one))
  const rest = words.slice(inverted ? 1 : 0).filter(word => word !== action)
  const options = readOptions(rest, new Set(['from', 'to', 'iif', 'oif', 'fwmark', 'tos', 'dsfield', 'lookup', 'table', 'priority', 'pref', 'preference', 'order']))
  if (!options.ok) return options
  const given = options.value
  const table = readTable(given['lookup'] ?? given['table'])
  if (table === undefined) return problem(`there is no routing table \`${given['lookup'] ?? given['table']}\``)
  const from = readOptionalPrefix(given['from'])
  const to = readOptionalPrefix(given['to'])
  if (from === 'bad' || to === 'bad') return problem(`\`${from === 'bad' ? given['from'] : given['to']}\` is not a prefix`)
  const [mark, mask] = (given['fwmark'] ?? '').split('/')
  const tos = given['tos'] ?? given['dsfield']
  const value: RouteRule = {
    priority: Number(given['priority'] ?? given['pref'] ?? given['preference'] ?? given['order'] ?? 32765),
    action: action ?? 'lookup',
    table,
    inverted,
    ...(from ? { from } : {}),
    ...(to ? { to } : {}),
    ...(given['iif'] === undefined ? {} : { inDevice: given['iif'] }),
    ...(given['oif'] === undefined ? {} : { outDevice: given['oif'] }),
    ...(mark ? { mark: { value: Number(mark), mask: mask === undefined ? 0xffffffff : Number(mask) } } : {}),
    ...(tos === undefined ? {} : { tos: Number(tos) }),
  }
  return { ok: true, value }
}

function readOptions(words: readonly string[], known: ReadonlySet<string>): TextReading<Record<string, string>> {
  const options: Record<string, string> = {}
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? ''
    if (IGNORED.has(word)) continue
    const value = words[index + 1]
    if (!known.has(word) && !IGNORED_WITH_WORD.has(word)) return problem(`\`${word}\` is not known here`)
    if (value === undefined) return problem(`\`${word}\` lacks its value`)
    options[word] = value
    index += 1
  }
  return { ok: true, value: options }
}

function readTarget(text: string, family: Family): Prefix | undefined {
  if (text === 'default' || text === 'any' || text === 'all') return { address: family === 'ipv4' ? 0 : 0n, mask: maskOfLength(family, 0) }
  const slash = text.indexOf('/')
  if (slash === -1) {
    const address = readAddress(text)
    return address === undefined ? undefined : { address, mask: maskOfLength(familyOf(address), addressWidth(familyOf(address))) }
  }
  return readPrefix(text)
}

function readOptionalPrefix(text: string | undefined): Prefix | undefined | 'bad' {
  if (text === undefined || text === 'all' || text === 'any' || text === 'default') return undefined
  return readPrefix(text) ?? 'bad'
}

function readTable(text: string | undefined): number | undefined {
  if (text === undefined) return ROUTE_TABLE.main
  if (text === 'local' || text === 'main' || text === 'default') return ROUTE_TABLE[text]
  return /^\d+$/.test(text) ? Number(text) : undefined
}

function problem(text: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem: text }
}
