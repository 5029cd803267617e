/** ICMP messages that say a packet was too big, dropped. */

import { CT_STATE } from '../../meaning/fields.ts'
import { deciderOf, fateAt, isCertain, placeOfDecider } from '../fate.ts'
import type { LintRule } from '../lint-rule.ts'
import { exactly } from '../packet-class.ts'
import type { PacketClass } from '../packet-class.ts'
import { newFromWorld, packetOf } from '../world.ts'

const TOO_BIG = { ipv4: { protocol: 'icmp', type: 3, code: 4 }, ipv6: { protocol: 'icmp', type: 2, code: 0 } } as const

export const droppedPathMtu: LintRule = {
  id: 'dropped-path-mtu',
  severity: 'warning',
  what: 'messages that a packet was too big are dropped',
  why: 'a sender that never hears of a smaller MTU on the way sends the same large packet again and again: connections open and then hang',
  needs: ['whole', 'world'],
  check({ ruleset, family, world }, report) {
    for (const hook of ['INPUT', 'FORWARD'] as const) {
      const base = newFromWorld(world, family, TOO_BIG[family], hook === 'INPUT' ? 'host' : 'beyond')
      const packets = related(base)
      const fate = fateAt({ ruleset, hook, tables: ['filter'] }, packets)
      const by = deciderOf(fate)
      const span = by && placeOfDecider(by)
      const passes = fateAt({ ruleset, hook, tables: ['filter'] }, withState(newFromWorld(world, family, { protocol: 'tcp', port: 443 }, hook === 'INPUT' ? 'host' : 'beyond'), CT_STATE.ESTABLISHED))
      // Where nothing is let through there is no connection to break.
      if (!span || !by || !isCertain(fate, 'drop') || !passes.endings.some(({ verdict }) => verdict === 'accept') || by.chain.rules.length === 0) continue
      const type = family === 'ipv4' ? '`-p icmp -m icmp --icmp-type fragmentation-needed`' : '`-p ipv6-icmp -m icmp6 --icmpv6-type packet-too-big`'
      report({
        span, message: `${hook} drops ${family === 'ipv4' ? 'ICMP "fragmentation needed"' : 'ICMPv6 "packet too big"'}`, help: `accept \`-m conntrack --ctstate RELATED,ESTABLISHED\`, or ${type}`,
        witness: { packet: packetOf(base), path: [{ span, message: by.kind === 'rule' ? 'this rule drops it' : 'the chain policy drops it' }] },
      })
    }
  },
}

function related(packets: PacketClass): PacketClass {
  return withState(packets, CT_STATE.RELATED)
}

function withState({ family, fields, devices }: PacketClass, state: number): PacketClass {
  const { 'ct.direction': _direction, ...others } = fields
  return { family, fields: { ...others, 'ct.state': exactly(state) }, devices }
}
