/** Routes, routing rules and neighbours of a machine -> lines as `ip route add`, `ip rule add` and `ip neigh add` take them. */

import { addressWidth, familyOf, maskOfLength, prefixOf, readAddress, writePrefix } from '../net/address.ts'
import type { Family } from '../net/address.ts'
import { hasWord, numberIn, objectsIn, textIn } from './snapshot-record.ts'
import type { JsonObject, NamespaceRecord } from './snapshot-record.ts'

/** Lines of a topology file, and sentences about what such a file cannot say. */
export interface SnapshotLines {
  readonly lines: readonly string[]
  readonly leftOut: readonly string[]
}

/** Types of routes by their numbers, as `ip -N` prints them. Source: include/uapi/linux/rtnetlink.h RTN_*. */
const TYPES: readonly string[] = ['unspec', 'unicast', 'local', 'broadcast', 'anycast', 'multicast', 'blackhole', 'unreachable', 'prohibit', 'throw']
const KERNEL: readonly (string | undefined)[] = ['2', 'kernel']
const TABLES: Readonly<Record<string, string>> = { '253': 'default', '254': 'main', '255': 'local' }

const UNKNOWN_TABLE = 'the number of its table is not told (an older `ip` prints its name alone)'

/** Returns the routes that do not follow from the addresses of devices. */
export function snapshotRoutes(record: NamespaceRecord, family: Family): SnapshotLines {
  const prefixes = prefixesOf(record, family)
  const seen = new Set<string>()
  const leftOut: string[] = []
  const lines = record.routes[family].flatMap(route => {
    if (isImplied(route, prefixes, seen)) return []
    const written = routeLine(route, family)
    if (written.why !== undefined) leftOut.push(`route ${written.text}: ${written.why}`)
    return written.line === undefined ? [] : [written.line]
  })
  const missing = prefixes.filter(({ key, isUp, length }) => isUp && length < addressWidth(family) && !seen.has(key))
  return { lines, leftOut: [...leftOut, ...missing.map(({ text, device }) => `${device} has no route to the network of its address ${text}; a topology gives it one`)] }
}

/** Returns the routing rules beyond those that every namespace has. */
export function snapshotRules(record: NamespaceRecord, family: Family): SnapshotLines {
  const leftOut: string[] = []
  const lines = record.rules[family].flatMap(rule => {
    const priority = numberIn(rule, 'priority') ?? 0
    const table = tableOf(rule)
    if ((priority === 0 && table === 'local') || (priority === 32766 && table === 'main') || (priority === 32767 && table === 'default')) return []
    const line = ruleLine(rule, family)
    const unknown = Object.keys(rule).filter(key => !RULE_KEYS.has(key))
    if (unknown.length > 0) leftOut.push(`routing rule \`${line}\`: it also depends on ${unknown.join(', ')}, so the whole rule is left out`)
    else if (!isTable(table)) leftOut.push(`routing rule \`${line}\`: ${UNKNOWN_TABLE}`)
    return unknown.length > 0 || !isTable(table) ? [] : [line]
  })
  const has = (priority: number, table: string): boolean => record.rules[family].some(rule => numberIn(rule, 'priority') === priority && tableOf(rule) === table)
  if (record.rules[family].length > 0 && !(has(0, 'local') && has(32766, 'main'))) leftOut.push(`the routing rules of ${family === 'ipv4' ? 'IPv4' : 'IPv6'} for the tables local and main are not where they usually are; a topology has them at 0 and 32766`)
  return { lines, leftOut }
}

/** Returns the neighbours whose link address is known, with the bridge port behind which the bridge last saw them. */
export function snapshotNeighbours(record: NamespaceRecord): readonly string[] {
  return record.neighbours.flatMap(neighbour => {
    const [address, device, mac] = [textIn(neighbour, 'dst'), textIn(neighbour, 'dev'), textIn(neighbour, 'lladdr')]
    const isUsable = !hasWord(neighbour, 'state', 'FAILED') && !hasWord(neighbour, 'state', 'NOARP')
    if (address === undefined || device === undefined || mac === undefined || !isUsable || readAddress(address) === undefined) return []
    const port = record.fdb.find(entry => textIn(entry, 'mac') === mac && textIn(entry, 'master') === device && textIn(entry, 'ifname') !== device)
    return [`${address} dev ${device} lladdr ${mac}${port ? ` port ${textIn(port, 'ifname')}` : ''}`]
  })
}

interface AddressPrefix {
  readonly key: string
  readonly text: string
  readonly device: string
  readonly length: number
  readonly isUp: boolean
}

function prefixesOf(record: NamespaceRecord, family: Family): readonly AddressPrefix[] {
  return record.devices.flatMap(device => {
    const name = textIn(device, 'ifname') ?? ''
    const isUp = hasWord(device, 'flags', 'UP') && !hasWord(device, 'flags', 'LOOPBACK')
    return objectsIn(device, 'addr_info').flatMap(one => {
      const [local, length] = [readAddress(textIn(one, 'local') ?? ''), numberIn(one, 'prefixlen')]
      if (local === undefined || length === undefined || familyOf(local) !== family) return []
      const prefix = writePrefix(prefixOf(local, maskOfLength(family, length)))
      return [{ key: `${prefix} ${name}`, text: `${textIn(one, 'local')}/${length}`, device: name, length, isUp }]
    })
  })
}

/** What the kernel adds to the tables local and main for every address; the networks of addresses that are there are noted in `seen`. */
function isImplied(route: JsonObject, prefixes: readonly AddressPrefix[], seen: Set<string>): boolean {
  if (!KERNEL.includes(textIn(route, 'protocol'))) return false
  const [table, device, type] = [tableOf(route), textIn(route, 'dev') ?? '', typeOf(route)]
  if (table === 'local') return type !== 'unicast'
  const key = `${textIn(route, 'dst')} ${device}`
  const isConnected = table === 'main' && type === 'unicast' && textIn(route, 'gateway') === undefined && prefixes.some(prefix => prefix.key === key)
  if (isConnected) seen.add(key)
  return isConnected
}

/** A topology has one next hop for a route; of several the first is written. */
function routeLine(route: JsonObject, family: Family): { readonly text: string; readonly line?: string; readonly why?: string } {
  const hops = objectsIn(route, 'nexthops')
  const hop = hops[0] ?? route
  const type = typeOf(route)
  const [gateway, via, device] = [textIn(hop, 'gateway'), route['via'], textIn(hop, 'dev')]
  const needsDevice = ['unicast', 'local', 'broadcast', 'anycast', 'multicast'].includes(type)
  const target = textIn(route, 'dst') ?? 'default'
  const table = tableOf(route)
  const option = (name: string, key: string, usual?: string): string => (textIn(route, key) === undefined || textIn(route, key) === usual ? '' : `${name} ${textIn(route, key)}`)
  const isDefault6 = target === 'default' && family === 'ipv6' && gateway === undefined
  const line = [
    type === 'unicast' ? '' : type, isDefault6 ? '::/0' : target, gateway === undefined ? '' : `via ${gateway}`, device === undefined || !needsDevice ? '' : `dev ${device}`,
    table === 'main' ? '' : `table ${table}`, option('metric', 'metric', family === 'ipv4' ? '0' : '1024'), option('src', 'prefsrc'), option('tos', 'tos'),
  ].filter(word => word !== '').join(' ')
  const text = `\`${target}\`${table === 'main' ? '' : ` of table ${table}`}`
  if (!isTable(table)) return { text, why: UNKNOWN_TABLE }
  if (needsDevice && device === undefined) return { text, why: 'it has no device that a topology could name' }
  if (via !== undefined) return { text, why: 'its next hop is of another family' }
  if (route['encap'] !== undefined) return { text, why: 'it encapsulates packets' }
  if (textIn(route, 'from') !== undefined) return { text, why: 'it depends on the source' }
  return { text, line, ...(hops.length > 1 ? { why: `it has ${hops.length} next hops, of which only the first is written` } : {}) }
}

const RULE_KEYS = new Set(['priority', 'src', 'srclen', 'dst', 'dstlen', 'iif', 'oif', 'fwmark', 'fwmask', 'tos', 'table', 'action', 'not', 'protocol', 'iif_detached', 'oif_detached'])

/** A rule of IPv6 is told from one of IPv4 by its prefix alone. */
function ruleLine(rule: JsonObject, family: Family): string {
  const prefix = (key: string): string | undefined => {
    const address = textIn(rule, key)
    if (address === undefined || address === 'all') return undefined
    return `${address}/${numberIn(rule, `${key}len`) ?? addressWidth(family)}`
  }
  const [from, to, mark, mask] = [prefix('src'), prefix('dst'), textIn(rule, 'fwmark'), textIn(rule, 'fwmask')]
  const action = textIn(rule, 'action')
  return [
    rule['not'] === undefined ? '' : 'not',
    from === undefined ? '' : `from ${from}`,
    to !== undefined ? `to ${to}` : family === 'ipv6' && from === undefined ? 'to ::/0' : '',
    mark === undefined ? '' : `fwmark ${mark}${mask === undefined ? '' : `/${mask}`}`,
    ...(['iif', 'oif', 'tos'] as const).map(key => (textIn(rule, key) === undefined ? '' : `${key} ${textIn(rule, key)}`)),
    action === undefined ? `lookup ${tableOf(rule)}` : (TYPES[Number(action)] ?? action),
    `priority ${textIn(rule, 'priority') ?? '0'}`,
  ].filter(word => word !== '').join(' ')
}

function typeOf(route: JsonObject): string {
  const type = textIn(route, 'type')
  return type === undefined ? 'unicast' : (TYPES[Number(type)] ?? type)
}

function tableOf(object: JsonObject): string {
  const table = textIn(object, 'table') ?? '254'
  return TABLES[table] ?? table
}

function isTable(table: string): boolean {
  return /^(\d+|main|local|default)$/.test(table)
}
