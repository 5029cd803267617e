/** The recorded flows of the corpora, which lie beside the repository where they are present: what the kernel did with single packets. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readAddress } from '../../src/net/address.ts'
import type { Address, Family } from '../../src/net/address.ts'
import { PROTOCOL, protocolNumber } from '../../src/net/protocol.ts'
import { makePacket, TCP_FLAG } from '../../src/packet/packet.ts'
import type { Packet } from '../../src/packet/packet.ts'
import type { Probe } from '../../src/packet/probe.ts'
import { LOOPBACK } from '../../src/topology/loopback.ts'
import { readIpsets } from '../../src/topology/ipset-text.ts'
import { readRoute } from '../../src/topology/route-text.ts'
import type { Topology } from '../../src/topology/topology.ts'

/** Where the corpora are, or would be. */
export const CORPORA = '../shared/corpora'

/** One recorded packet: `hits` are the rules counted, table -> chain -> numbers. */
export interface RecordedPacket {
  readonly in: string | null
  readonly proto: string
  readonly src: string
  readonly dst: string
  readonly sport: number | null
  readonly dport: number
  readonly flags?: string
  readonly icmp_type?: number
  readonly icmp_code?: number
  readonly src_mac?: string
  readonly uid?: number
  readonly gid?: number
  readonly outcome: RecordedOutcome
  readonly hits: Readonly<Record<string, Readonly<Record<string, readonly (number | 'policy')[]>>>>
}

/** What became of it. */
export interface RecordedOutcome {
  readonly kind: 'out' | 'local' | 'drop' | 'reject'
  readonly oif?: string
  readonly iif?: string
  readonly src?: string
  readonly dst?: string
  readonly sport?: number
  readonly dport?: number
  readonly mark?: number
  /** The sender was told that the packet was not sent. */
  readonly send_error?: string
}

/** A recorded file. */
export interface FlowFile {
  readonly name: string
  readonly ruleset_file: string
  readonly family: 4 | 6
  readonly interfaces: readonly { readonly name: string; readonly addrs: readonly string[]; readonly routes: readonly string[] }[]
  readonly default_dev: string
  readonly setup: readonly string[]
  readonly sysctls?: Readonly<Record<string, string>>
  readonly packets: readonly RecordedPacket[]
}

/** Returns the recorded files, none where the corpora are absent. */
export function readFlowFiles(): readonly FlowFile[] {
  const folder = join(CORPORA, 'packet-flows/kernel')
  if (!existsSync(folder)) return []
  return readdirSync(folder).filter(file => file.endsWith('.json')).sort().map(file => ({ name: file, ...(JSON.parse(readFileSync(join(folder, file), 'utf8')) as Omit<FlowFile, 'name'>) }))
}

/** Returns the text of a file's ruleset. */
export function rulesetText(file: FlowFile): string {
  return readFileSync(join(CORPORA, file.ruleset_file), 'utf8')
}

/** Returns the network that a file's packets were sent into. */
export function topologyOf(file: FlowFile): Topology {
  const devices = file.interfaces.map(({ name, addrs }) => ({
    name,
    kind: 'physical' as const,
    addresses: addrs.map(text => ({ address: addressOf(text.split('/')[0] ?? ''), length: Number(text.split('/')[1]) })),
    mtu: 1500, up: true, hairpin: false,
  }))
  const routes = [...file.interfaces.flatMap(({ name, routes: texts }) => texts.map(text => `${text} dev ${name}`)), `default dev ${file.default_dev}`]
  const isIpv6 = file.family === 6
  const namespace = {
    name: 'host',
    devices: [LOOPBACK, ...devices],
    routes: routes.flatMap(text => {
      const route = readRoute(isIpv6 && text.startsWith('default') ? text.replace('default', '::/0') : text)
      return route.ok ? [route.value] : []
    }),
    rules: [], neighbours: [], sysctls: file.sysctls ?? {},
    ipsets: readIpsets(file.setup.map(line => line.replace(/^ipset /, '')).join('\n')),
  }
  return { namespaces: [namespace], labels: [], assumptions: [] }
}

/** What a packet's source MAC is where it was not recorded: none that a rule names. */
const USUAL_MAC = '020000000001'

/** Returns the packet to send. */
export function probeOf(recorded: RecordedPacket, family: Family): Probe {
  const packet = packetOf(recorded, family)
  if (recorded.in === null) return { packet: { ...packet, socket: { uid: recorded.uid ?? 0, gid: recorded.gid ?? 0 } } }
  return { packet: { ...packet, macSource: recorded.src_mac?.replaceAll(':', '') ?? USUAL_MAC }, inDevice: recorded.in }
}

function packetOf(recorded: RecordedPacket, family: Family): Packet {
  const base = { src: addressOf(recorded.src), dst: addressOf(recorded.dst), payload: new Uint8Array() }
  const ports = { sport: recorded.sport ?? 0, dport: recorded.dport }
  const protocol = protocolOf(recorded.proto, family)
  switch (protocol) {
    case PROTOCOL.tcp:
      return makePacket({ ...base, protocol, ...ports, tcp: { flags: flagsOf(recorded.flags ?? 'S'), seq: 1, ack: 0, window: 8192, optionKinds: [] } })
    case PROTOCOL.udp:
      return makePacket({ ...base, protocol, ...ports })
    case PROTOCOL.sctp:
      return makePacket({ ...base, protocol, ...ports, sctp: { chunk: 1, vtag: 0, initTag: 1 } })
    case PROTOCOL.icmp:
    case PROTOCOL.icmpv6: {
      const usual = protocol === PROTOCOL.icmp ? 8 : 128
      return makePacket({ ...base, protocol, icmp: { type: recorded.icmp_type ?? usual, code: recorded.icmp_code ?? 0, id: 1, sequence: 1 } })
    }
    default:
      return makePacket({ ...base, protocol })
  }
}

function protocolOf(name: string, family: Family): number {
  if (/^\d+$/.test(name)) return Number(name)
  return protocolNumber(name === 'icmp6' ? 'icmpv6' : name) ?? (family === 'ipv6' ? PROTOCOL.icmpv6 : PROTOCOL.icmp)
}

/** `SA` is SYN and ACK. */
function flagsOf(letters: string): number {
  return Object.entries(TCP_FLAG).reduce((bits, [name, bit]) => (letters.includes(name === 'CWR' ? 'C' : name.charAt(0)) ? bits | bit : bits), 0)
}

function addressOf(text: string): Address {
  return readAddress(text) ?? 0
}
