/** New connections from and through this host, and the answers to them, as the hooks see them. */

import { predicateOf } from '../extensions/meaning-of.ts'
import type { Hook } from '../ir/hooks.ts'
import type { Rule } from '../ir/ruleset.ts'
import { ADDRESS_TYPE, CT_STATE } from '../meaning/fields.ts'
import { exactly, narrowed, withFields } from './packet-class.ts'
import type { PacketClass } from './packet-class.ts'
import { packetOf, repliesTo, serviceFields } from './world.ts'

/** Returns what this host sends to where packets of the world come from, from an address of its own. */
export function leaving({ family, fields, devices }: PacketClass): PacketClass {
  const { 'ip.src': far, 'addressType.src': _src, 'addressType.dst': _dst, ...others } = fields
  return { family, fields: { ...others, ...(far === undefined ? {} : { 'ip.dst': far }), 'addressType.src': exactly(ADDRESS_TYPE.LOCAL), 'addressType.dst': exactly(ADDRESS_TYPE.UNICAST) }, devices: { 'device.in': '', ...(devices['device.in'] === undefined ? {} : { 'device.out': devices['device.in'] }) } }
}

/** Returns the packets that a rule asks for, of those that open connections through this host: of TCP, to port 443 where it names none. */
export function passing(rule: Rule, family: PacketClass['family']): PacketClass {
  const another = { not: ['', 'lo'] }
  const opening = { family, fields: { ...serviceFields({ protocol: 'tcp', port: 443 }, family), 'ct.state': exactly(CT_STATE.NEW), 'ct.direction': exactly(0), 'ip.fragmentOffset': exactly(0), 'ip.moreFragments': exactly(0) }, devices: { 'device.in': another, 'device.out': another } }
  return narrowed(opening, rule.matches.map(use => predicateOf(use, family)))
}

/** Returns one of the packets in the packet notation: where a network is asked for its first host, not its own address. */
export function shown(packets: PacketClass): string {
  const hosts = (['ip.src', 'ip.dst'] as const).flatMap(name => {
    const known = packets.fields[name]
    return known === undefined || known === 'absent' || known.low === known.high ? [] : [[name, exactly(typeof known.low === 'bigint' ? known.low + 1n : known.low + 1)] as const]
  })
  return packetOf(withFields(packets, Object.fromEntries(hosts)))
}

/** Fields of an answer that follow from the packet it answers: what marks, sizes and MAC addresses it has nobody knows. */
const FOLLOWING = ['ip.src', 'ip.dst', 'ip.protocol', 'l4.sport', 'l4.dport', 'l4.spi', 'tcp.flags', 'icmp.type', 'icmp.code', 'icmp6.type', 'icmp6.code', 'ip.fragmentOffset', 'ip.moreFragments', 'ct.direction'] as const

/** Returns the answers as a hook sees them. What is forwarded may be translated, or not tracked: then a rule for such packets may be meant for its answers. */
export function repliesIn(hook: Hook, packets: PacketClass): readonly PacketClass[] {
  const { family, fields, devices } = repliesTo(packets)
  if (hook !== 'FORWARD') return [{ family, fields, devices }]
  const known = Object.fromEntries(FOLLOWING.flatMap(name => (fields[name] === undefined ? [] : [[name, fields[name]]])))
  const states = [CT_STATE.ESTABLISHED, CT_STATE.ESTABLISHED | CT_STATE.SNAT, CT_STATE.ESTABLISHED | CT_STATE.DNAT, CT_STATE.ESTABLISHED | CT_STATE.SNAT | CT_STATE.DNAT, CT_STATE.UNTRACKED]
  return states.map(state => ({ family, fields: { ...known, 'ct.state': exactly(state) }, devices }))
}
