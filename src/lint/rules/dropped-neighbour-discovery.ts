/** IPv6 without the messages by which neighbours find each other. */

import { CT_STATE } from '../../meaning/fields.ts'
import { readAddress } from '../../net/address.ts'
import { deciderOf, fateAt, isCertain, placeOfDecider } from '../fate.ts'
import type { LintInputs, LintRule } from '../lint-rule.ts'
import { exactly } from '../packet-class.ts'
import type { PacketClass } from '../packet-class.ts'
import { newFromWorld, packetOf } from '../world.ts'

const MESSAGES = [
  { type: 135, name: 'neighbour solicitations' },
  { type: 136, name: 'neighbour advertisements' },
] as const

export const droppedNeighbourDiscovery: LintRule = {
  id: 'dropped-neighbour-discovery',
  severity: 'warning',
  what: 'neighbour discovery is dropped',
  why: 'IPv6 has no ARP: without these messages no neighbour, the router among them, finds this host, and it finds none',
  help: 'accept `-p ipv6-icmp` with `--icmpv6-type neighbour-solicitation` and `neighbour-advertisement`; connection tracking does not know these messages',
  needs: ['whole', 'world'],
  check(inputs, report) {
    const { ruleset, family } = inputs
    if (family !== 'ipv6') return
    for (const hook of ['INPUT', 'OUTPUT'] as const) {
      for (const { type, name } of MESSAGES) {
        const packets = message(type, hook, inputs)
        const fate = fateAt({ ruleset, hook, tables: ['filter'] }, packets)
        const by = deciderOf(fate)
        const span = by && placeOfDecider(by)
        if (!span || !by || !isCertain(fate, 'drop') || isLockdown(inputs, hook)) continue
        report({ span, message: `${hook} drops ${name}`, witness: { packet: packetOf(packets), path: [{ span, message: by.kind === 'rule' ? 'this rule drops them' : 'the chain policy drops them' }] } })
        break
      }
    }
  },
}

/** Who lets nothing through means IPv6 to be off. */
function isLockdown({ ruleset, world, family }: LintInputs, hook: 'INPUT' | 'OUTPUT'): boolean {
  const { fields } = newFromWorld(world, family, { protocol: 'tcp', port: 443 })
  const { 'ct.state': _state, 'ct.direction': _direction, 'ip.src': _src, 'l4.sport': _sport, 'l4.dport': _dport, ...some } = fields
  const fate = fateAt({ ruleset, hook, tables: ['filter'] }, { family, fields: some, devices: hook === 'INPUT' ? { 'device.in': world.device, 'device.out': '' } : { 'device.in': '', 'device.out': world.device } })
  return isCertain(fate, 'drop')
}

/** To a neighbour's own address or to the group of its last bits: whatever the destination. */
function message(type: number, hook: 'INPUT' | 'OUTPUT', { family, world }: LintInputs): PacketClass {
  const { fields } = newFromWorld(world, family, { protocol: 'icmp', type, code: 0 })
  const { 'ct.direction': _direction, 'addressType.dst': _dst, 'addressType.src': _src, packetType: _packetType, ...others } = fields
  return {
    family,
    fields: { ...others, 'ct.state': exactly(CT_STATE.UNTRACKED), 'ip.ttl': exactly(255), 'ip.src': exactly(readAddress('fe80::1') ?? 0n) },
    devices: hook === 'INPUT' ? { 'device.in': world.device, 'device.out': '' } : { 'device.in': '', 'device.out': world.device },
  }
}
