/** What packets usually have in their fields, best first: private and documentation addresses, common ports, the first packet of a connection. */

import { ADDRESS_TYPE, CT_STATE, PACKET_TYPE } from '../meaning/fields.ts'
import type { FieldValue, NumberField } from '../meaning/fields.ts'
import { readAddress } from '../net/address.ts'
import type { Family } from '../net/address.ts'
import { PROTOCOL } from '../net/protocol.ts'
import { TCP_FLAG } from '../packet/packet.ts'

/** Kinds of addresses that samples come from and go to. */
const SOURCES: Readonly<Record<Family, readonly FieldValue[]>> = {
  ipv4: addresses('198.51.100.7', '192.168.1.10', '10.0.0.10', '172.16.0.10', '172.17.0.2', '203.0.113.10', '192.0.2.10', '127.0.0.1', '169.254.0.10', '100.64.0.10'),
  ipv6: addresses('2001:db8:1::7', 'fd00::10', 'fe80::10', '::1'),
}
const DESTINATIONS: Readonly<Record<Family, readonly FieldValue[]>> = {
  ipv4: addresses('203.0.113.2', '192.168.1.1', '10.0.0.5', '172.16.0.5', '172.17.0.2', '192.0.2.2', '198.51.100.2', '127.0.0.1', '224.0.0.1', '255.255.255.255', '169.254.0.5'),
  ipv6: addresses('2001:db8:2::2', 'fd00::5', 'fe80::5', '::1', 'ff02::1'),
}

const PORTS = [443, 80, 22, 53, 8080, 25, 123, 3306, 5432, 6443, 8443]

const VALUES: Readonly<Partial<Record<NumberField, readonly FieldValue[]>>> = {
  'ct.state': [CT_STATE.NEW, CT_STATE.ESTABLISHED, CT_STATE.RELATED, CT_STATE.UNTRACKED, CT_STATE.INVALID],
  'ip.fragmentOffset': [0, 1480],
  'l4.dport': PORTS,
  'l4.sport': [40000, ...PORTS],
  'l4.spi': [256],
  'icmp.type': [8, 3, 11, 0],
  'icmp6.type': [128, 135, 1],
  'icmp.code': [0],
  'icmp6.code': [0],
  'tcp.options': [0n, 4n],
  'tcp.mss': [1460, 536],
  'mac.src': [0x020000000001n],
  packetType: [PACKET_TYPE.unicast, PACKET_TYPE.broadcast, PACKET_TYPE.multicast],
  'ip.length': [60, 84, 40, 100, 1500],
  'ip.ttl': [64, 63, 255, 1],
  'socket.uid': [1000, 0],
  'socket.gid': [1000, 0],
  'ct.expires': [60],
}

/** Returns usual values of a field for a packet of which some codes are chosen already. */
export function usualValues(field: NumberField, family: Family, chosen: ReadonlyMap<string, bigint>): readonly FieldValue[] {
  if (field === 'ip.src' || field === 'ct.original.src' || field === 'ct.reply.dst') return SOURCES[family]
  if (field === 'ip.dst' || field === 'ct.original.dst' || field === 'ct.reply.src') return DESTINATIONS[family]
  if (field === 'ip.protocol' || field === 'ct.protocol') return [PROTOCOL.tcp, PROTOCOL.udp, family === 'ipv4' ? PROTOCOL.icmp : PROTOCOL.icmpv6, PROTOCOL.gre, 2, 89, PROTOCOL.esp]
  if (field === 'tcp.flags' && isInvalid(chosen)) return [0, TCP_FLAG.SYN | TCP_FLAG.FIN]
  if (field === 'tcp.flags') return isNew(chosen) ? [TCP_FLAG.SYN, TCP_FLAG.ACK] : [TCP_FLAG.ACK, TCP_FLAG.SYN | TCP_FLAG.ACK, TCP_FLAG.PSH | TCP_FLAG.ACK, TCP_FLAG.SYN, TCP_FLAG.RST]
  if (field.startsWith('addressType.')) return field.includes('.dst') ? [ADDRESS_TYPE.LOCAL, ADDRESS_TYPE.UNICAST] : [ADDRESS_TYPE.UNICAST, ADDRESS_TYPE.LOCAL]
  return VALUES[field] ?? [0]
}

/** The state's code has its first two bits set: connected, and new. */
function isNew(chosen: ReadonlyMap<string, bigint>): boolean {
  const state = chosen.get('ct.state')
  return state === undefined || state >= 24n
}

/** The state's code has its first two bits clear. Flags that no TCP sends are what makes a first packet invalid. */
function isInvalid(chosen: ReadonlyMap<string, bigint>): boolean {
  return (chosen.get('ct.state') ?? 24n) < 8n
}

function addresses(...texts: readonly string[]): readonly FieldValue[] {
  return texts.map(text => readAddress(text) ?? 0)
}
