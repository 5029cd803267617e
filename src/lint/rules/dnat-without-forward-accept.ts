/** Published services whose packets FORWARD drops: every packet that the DNAT rule can match, whatever is not known of it. */

import { predicateOf } from '../../extensions/meaning-of.ts'
import { eachRule } from '../../ir/ruleset.ts'
import type { Rule } from '../../ir/ruleset.ts'
import { CT_STATE } from '../../meaning/fields.ts'
import { writeAddress } from '../../net/address.ts'
import type { Address, Family } from '../../net/address.ts'
import { lookupRoute, makeFib } from '../../topology/fib.ts'
import type { Fib } from '../../topology/fib.ts'
import { deciderOf, fateAt, isCertain, placeOfDecider } from '../fate.ts'
import type { Fate } from '../fate.ts'
import type { LintInputs, LintRule } from '../lint-rule.ts'
import { exactly, narrowed, withFields } from '../packet-class.ts'
import type { PacketClass } from '../packet-class.ts'
import { ownAddresses } from '../own-addresses.ts'
import type { IsOwnAddress } from '../own-addresses.ts'
import { natOf } from '../rule-facts.ts'

export const dnatWithoutForwardAccept: LintRule = {
  id: 'dnat-without-forward-accept',
  severity: 'warning',
  what: 'what this rule sends to another host is dropped in FORWARD',
  why: 'DNAT only changes the destination: the packet is then forwarded, and no rule of FORWARD accepts any such packet',
  help: 'accept it in FORWARD by its new destination',
  needs: ['whole', 'chains', 'world'],
  check(inputs, report) {
    const { ruleset, family, chains } = inputs
    const fib = routesOf(inputs)
    let isOwnAddress: IsOwnAddress | undefined
    let mayDrop: boolean | undefined
    eachRule(ruleset, (rule, _number, chain, table) => {
      const nat = table.name === 'nat' && chains.hooksOf(chain).includes('PREROUTING') ? natOf(rule, family) : undefined
      const server = nat?.side === 'destination' && nat.addresses.kind === 'ranges' ? nat.addresses.ranges[0] : undefined
      if (!nat || !server || server.low !== server.high) return
      // Where FORWARD drops nothing that DNAT rewrote, no rule needs a look of its own.
      mayDrop ??= filteredAt('FORWARD', withFields(anyForwarded(family), TRANSLATED), inputs).endings.some(({ verdict }) => verdict === 'drop')
      if (!mayDrop) return
      const packets = leavingFor(server.low, fib, afterwards(rule, nat, server.low, inputs))
      const forward = filteredAt('FORWARD', packets, inputs)
      const by = deciderOf(forward)
      if (!by || !isCertain(forward, 'drop')) return
      const isOwn = (isOwnAddress ??= ownAddresses(inputs))(server.low)
      if (isOwn === true) return
      const isSure = isOwn === false || isDroppedAtHome(packets, inputs)
      const place = placeOfDecider(by)
      report({
        span: rule.span,
        ...(isSure ? {} : { severity: 'note' as const, help: 'accept it in FORWARD by its new destination; with `--topology` it is known which addresses this host has' }),
        message: `what this rule sends to ${writeAddress(server.low)} is dropped in FORWARD${isSure ? '' : ', unless this host has the address itself'}`,
        related: place ? [{ span: place, message: by.kind === 'rule' ? 'this rule drops what is left of it' : 'no rule accepts it, and the chain policy drops it' }] : [],
      })
    })
  },
}

const TRANSLATED: PacketClass['fields'] = { 'ct.state': exactly(CT_STATE.NEW | CT_STATE.DNAT), 'ct.direction': exactly(0) }

function anyForwarded(family: Family): PacketClass {
  return { family, fields: {}, devices: { 'device.in': { not: [''] } } }
}

function filteredAt(hook: 'INPUT' | 'FORWARD', packets: PacketClass, { ruleset }: LintInputs): Fate {
  return fateAt({ ruleset, hook, tables: ['mangle', 'filter', 'security'] }, packets)
}

/** The first packets of the connections after the rule: what it asks for holds, the destination is the new one. */
function afterwards(rule: Rule, nat: NonNullable<ReturnType<typeof natOf>>, server: Address, { family }: LintInputs): PacketClass {
  const asked = narrowed(anyForwarded(family), rule.matches.map(use => predicateOf(use, family)))
  const { 'l4.dport': port, 'addressType.dst': _type, ...others } = asked.fields
  const newPort = nat.ports === undefined ? port : nat.ports.base === undefined ? { low: nat.ports.low, high: nat.ports.high } : undefined
  return withFields({ ...asked, fields: others }, { 'ip.dst': exactly(server), ...(newPort === undefined ? {} : { 'l4.dport': newPort }), ...TRANSLATED })
}

/** Where a described host sends its packets; undefined where policy routing has a say, or nothing is known. */
function routesOf({ topology }: LintInputs): Fib | undefined {
  const namespace = topology?.namespaces[0]
  return namespace?.rules.length === 0 ? makeFib(namespace) : undefined
}

function leavingFor(server: Address, fib: Fib | undefined, packets: PacketClass): PacketClass {
  const route = fib && lookupRoute(fib, { destination: server, mark: 0, tos: 0 })
  return route?.kind === 'unicast' && route.device !== undefined ? withFields(packets, {}, { 'device.out': route.device }) : packets
}

/** Where the address might be the host's own, INPUT must drop it too. */
function isDroppedAtHome(packets: PacketClass, inputs: LintInputs): boolean {
  const fate = filteredAt('INPUT', packets, inputs)
  return fate.endings.length > 0 && isCertain(fate, 'drop')
}
