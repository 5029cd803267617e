/** Source: iptables-extensions(8) "pkttype"; net/netfilter/xt_pkttype.c pkttype_mt(). */

import { PACKET_TYPE } from '../../meaning/fields.ts'
import { all, any, equals, masked, not } from '../../meaning/predicate.ts'
import type { Predicate } from '../../meaning/predicate.ts'
import type { Family } from '../../net/address.ts'
import { defineMatch, read, refuse } from '../extension.ts'
import type { OptionType } from '../extension.ts'

const NAMES: Readonly<Record<string, number>> = {
  unicast: PACKET_TYPE.unicast, broadcast: PACKET_TYPE.broadcast, multicast: PACKET_TYPE.multicast, otherhost: PACKET_TYPE.otherhost,
  bcast: PACKET_TYPE.broadcast, mcast: PACKET_TYPE.multicast, host: PACKET_TYPE.unicast,
}

const packetType: OptionType<number> = {
  syntax: 'unicast|broadcast|multicast|otherhost', words: 1,
  read([word = '']) {
    const type = NAMES[word.toLowerCase()]
    return type === undefined ? refuse(`there is no packet type \`${word}\``, 'unicast, broadcast, multicast or otherhost') : read(type)
  },
  write: type => [Object.keys(NAMES).find(name => NAMES[name] === type) ?? ''],
}

/** Kernel: what this host sends to a group and hears itself counts as multicast or, to any other address, as broadcast. */
export const pkttype = defineMatch({
  name: 'pkttype',
  doc: 'matches how the frame that carried the packet was addressed',
  options: {
    'pkt-type': { type: packetType, invertible: true, required: true, doc: 'to this host, to all, to a group, or to another host', means: isOfType },
  },
})

function isOfType(type: number, family: Family): Predicate {
  const isToGroup = family === 'ipv4' ? masked('ip.dst', 0xf0000000, 0xe0000000) : masked('ip.dst', 0xffn << 120n, 0xffn << 120n)
  const isLooped = equals('packetType', PACKET_TYPE.loopback)
  if (type === PACKET_TYPE.multicast) return any([equals('packetType', type), all([isLooped, isToGroup])])
  if (type === PACKET_TYPE.broadcast) return any([equals('packetType', type), all([isLooped, not(isToGroup)])])
  return equals('packetType', type)
}
