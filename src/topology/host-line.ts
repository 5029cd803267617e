/** A plain host in one line, as files of packets have it: a topology in YAML's short form. */

import { lengthOfMask, writeAddress, writePrefix } from '../net/address.ts'
import { readTopology } from './load.ts'
import { ROUTE_TABLE } from './topology.ts'
import type { Route, Topology } from './topology.ts'

/** Returns the devices, addresses and routes of a host of one namespace: `{devices: {eth0: [192.0.2.1/32]}, routes: [default dev eth0]}`. */
export function writeHostLine({ namespaces: [namespace] }: Topology): string {
  const devices = (namespace?.devices ?? []).filter(({ kind }) => kind !== 'loopback').map(({ name, addresses }) => `${quoted(name)}: [${addresses.map(({ address, length }) => quoted(`${writeAddress(address)}/${length}`)).join(', ')}]`)
  const routes = (namespace?.routes ?? []).map(route => quoted(routeWords(route)))
  return `{devices: {${devices.join(', ')}}, routes: [${routes.join(', ')}]}`
}

/** Reads such a line; a text says what is wrong with it. */
export function readHostLine(text: string): Topology | string {
  const { value, diagnostics } = readTopology({ path: 'host', text })
  return diagnostics.find(({ severity }) => severity === 'error')?.message ?? value
}

function routeWords({ kind, prefix, device, table, metric }: Route): string {
  const to = lengthOfMask(prefix.mask) === 0 ? (typeof prefix.address === 'number' ? 'default' : '::/0') : writePrefix(prefix)
  return [...(kind === 'unicast' ? [] : [kind]), to, ...(device === undefined ? [] : ['dev', device]), ...(table === ROUTE_TABLE.main ? [] : ['table', String(table)]), ...(metric === 0 ? [] : ['metric', String(metric)])].join(' ')
}

/** Colons and brackets mean something in YAML. */
function quoted(text: string): string {
  return /^[\w./ -]+$/.test(text) ? text : `"${text}"`
}
