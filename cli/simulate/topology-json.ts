/** The oracle's topology shape -> ours. */

import { readAddress } from '../../src/net/address.ts'
import type { Device, DeviceAddress, DeviceKind, Namespace, Neighbour, Topology } from '../../src/topology/topology.ts'
import { LOOPBACK } from '../../src/topology/loopback.ts'
import { readIpsets } from '../../src/topology/ipset-text.ts'
import { readRoute, readRouteRule } from '../../src/topology/route-text.ts'
import { isObject, numberOr } from './packet-json.ts'
import type { JsonObject } from './packet-json.ts'

/** What the oracle sets beyond the kernel's defaults. */
const ORACLE_SYSCTLS: Readonly<Record<string, string>> = { 'net.ipv4.ip_forward': '1', 'net.ipv6.conf.all.forwarding': '1' }

/** Reads a topology of a request; what is not understood is left out. */
export function readTopologyJson(json: JsonObject, ipsets: string): Topology {
  const devices = objects(json['ifaces']).map((one, index) => readDevice(one, index))
  const namespace: Namespace = {
    name: typeof json['name'] === 'string' ? json['name'] : 'host',
    devices: [LOOPBACK, ...devices],
    routes: strings(json['routes']).flatMap(text => {
      const route = readRoute(text)
      return route.ok ? [route.value] : []
    }),
    rules: strings(json['rules']).flatMap(text => {
      const rule = readRouteRule(text)
      return rule.ok ? [rule.value] : []
    }),
    neighbours: objects(json['neighbours']).flatMap(readNeighbour),
    sysctls: { ...ORACLE_SYSCTLS, ...stringValues(json['sysctls']) },
    ipsets: readIpsets(ipsets),
  }
  return { namespaces: [namespace], labels: [], assumptions: [] }
}

function readDevice(json: JsonObject, index: number): Device {
  const kind: DeviceKind = json['kind'] === 'bridge' || json['kind'] === 'dummy' ? json['kind'] : 'physical'
  const mac = typeof json['mac'] === 'string' ? json['mac'] : `02:42:${index.toString(16).padStart(2, '0')}:00:00:01`
  return {
    name: String(json['name']),
    kind,
    addresses: strings(json['addrs']).flatMap(readDeviceAddress),
    ...(typeof json['master'] === 'string' ? { master: json['master'] } : {}),
    mtu: numberOr(json['mtu'], 1500),
    mac: mac.replaceAll(':', '').toLowerCase(),
    up: true,
    hairpin: json['hairpin'] === true,
  }
}

function readDeviceAddress(text: string): DeviceAddress[] {
  const [host = '', length] = text.split('/')
  const address = readAddress(host)
  return address === undefined ? [] : [{ address, length: Number(length ?? (typeof address === 'number' ? 32 : 128)) }]
}

function readNeighbour(json: JsonObject): Neighbour[] {
  const address = typeof json['ip'] === 'string' ? readAddress(json['ip']) : undefined
  if (address === undefined) return []
  const port = typeof json['port'] === 'string' ? { port: json['port'] } : {}
  return [{ device: String(json['dev']), address, mac: String(json['mac']).replaceAll(':', '').toLowerCase(), ...port }]
}

function objects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : []
}

function stringValues(value: unknown): Readonly<Record<string, string>> {
  if (!isObject(value)) return {}
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [name.replaceAll('/', '.'), String(text)]))
}
