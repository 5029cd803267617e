/** Chains INPUT that drop what the host says to itself. */

import { readAddress } from '../../net/address.ts'
import { deciderOf, fateAt, isCertain, placeOfDecider } from '../fate.ts'
import type { LintInputs, LintRule } from '../lint-rule.ts'
import { exactly, withFields } from '../packet-class.ts'
import type { PacketClass } from '../packet-class.ts'
import { newFromWorld, packetOf } from '../world.ts'

export const loopbackNotAccepted: LintRule = {
  id: 'loopback-not-accepted',
  severity: 'warning',
  what: 'connections of the host to itself are dropped',
  why: 'programs on a host talk to each other over lo (name service, databases, desktops): without it they hang until a timeout',
  help: 'begin INPUT with `-A INPUT -i lo -j ACCEPT`',
  needs: ['whole', 'world'],
  check(inputs, report) {
    const { ruleset, family } = inputs
    const sent = toItself(inputs, 'OUTPUT')
    const leaving = fateAt({ ruleset, hook: 'OUTPUT', tables: ['filter'] }, sent)
    // Who forbids it when it is sent means it.
    if (isCertain(leaving, 'drop') && leaving.endings.length > 0) return
    const packets = toItself(inputs, 'INPUT')
    const fate = fateAt({ ruleset, hook: 'INPUT', tables: ['filter'] }, packets)
    const by = deciderOf(fate)
    if (!by || !isCertain(fate, 'drop')) return
    const span = placeOfDecider(by)
    if (!span || by.chain.rules.length === 0) return
    const example = packetOf(sent)
    report({
      span, related: [], witness: { packet: example, path: [{ span, message: by.kind === 'rule' ? 'this rule drops it' : 'the chain policy drops it' }] },
      ...(family === 'ipv6' ? { help: 'begin INPUT with `-A INPUT -i lo -j ACCEPT`; `::1` is asked before 127.0.0.1' } : {}),
    })
  },
}

function toItself({ family, world }: LintInputs, hook: 'INPUT' | 'OUTPUT'): PacketClass {
  const own = readAddress(family === 'ipv4' ? '127.0.0.1' : '::1') ?? 0
  return withFields(newFromWorld(world, family, { protocol: 'tcp', port: 59999 }), { 'ip.src': exactly(own), 'ip.dst': exactly(own), 'addressType.src': exactly(4), 'addressType.dst': exactly(4) }, hook === 'INPUT' ? { 'device.in': 'lo', 'device.out': '' } : { 'device.in': '', 'device.out': 'lo' })
}
