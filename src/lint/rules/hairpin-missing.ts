/** Published servers that clients of their own network cannot reach by the public address. */

import { eachRule } from '../../ir/ruleset.ts'
import type { Rule } from '../../ir/ruleset.ts'
import type { Address, Prefix } from '../../net/address.ts'
import { lengthOfMask, maskAddress, writeAddress, writePrefix } from '../../net/address.ts'
import type { NumberRange } from '../../net/ranges.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import { fateAt } from '../fate.ts'
import type { LintInputs, LintRule } from '../lint-rule.ts'
import { exactly, withFields } from '../packet-class.ts'
import type { PacketClass } from '../packet-class.ts'
import { natOf, optionOf } from '../rule-facts.ts'
import { isInnerDevice, newFromWorld, packetOf } from '../world.ts'

export const hairpinMissing: LintRule = {
  id: 'hairpin-missing',
  severity: 'note',
  what: 'clients of the same network as the server do not reach it by the published address',
  why: 'the server answers such a client directly, from an address that the client did not ask: only a translated source brings the answer back this way',
  needs: ['whole', 'chains', 'world'],
  check(inputs, report) {
    const { ruleset, family, chains, world } = inputs
    eachRule(ruleset, (rule, _number, chain, table) => {
      const nat = table.name === 'nat' && chains.hooksOf(chain).includes('PREROUTING') ? natOf(rule, family) : undefined
      const server = nat?.side === 'destination' && nat.addresses.kind === 'ranges' ? nat.addresses.ranges[0]?.low : undefined
      // On a bridge of containers br_netfilter translates the answer back.
      if (chain.name === 'DOCKER') return
      const hint = server === undefined ? undefined : world.hintsAt(server).find(({ prefix, device }) => !isInnerDevice(device) && (lengthOfMask(prefix.mask) ?? 0) < (family === 'ipv4' ? 31 : 127))
      if (server === undefined || !hint) return
      const packets = fromNeighbour(rule, server, hint, inputs)
      const translated = packets && fateAt({ ruleset, hook: 'PREROUTING', tables: ['mangle', 'nat'] }, packets)
      if (!translated?.endings.every(({ by }) => by.kind === 'rule' && by.rule === rule)) return
      const leaving = fateAt({ ruleset, hook: 'POSTROUTING', tables: ['nat'] }, withFields(translated.packets, {}, { 'device.out': hint.device }))
      if (leaving.endings.every(({ by }) => by.kind === 'policy' || natOf(by.rule, family) === undefined) && packets) {
        report({
          span: rule.span, message: `clients in ${writePrefix(hint.prefix)} do not reach ${writeAddress(server)} by the published address`,
          help: `add \`-A POSTROUTING -s ${writePrefix(hint.prefix)} -d ${writeAddress(server)} -o ${hint.device} -j MASQUERADE\`, or let them resolve its name to the inner address`,
          witness: { packet: packetOf(packets), path: [{ span: rule.span, message: 'it gets the server as destination, its source stays' }] },
        })
      }
    })
  },
}

/** A new connection of another host of the server's network to the published port. */
function fromNeighbour(rule: Rule, server: Address, { prefix, device }: { readonly prefix: Prefix; readonly device: string }, { family, world }: LintInputs): PacketClass | undefined {
  const protocol = optionOf(rule, 'ip', 'protocol')?.value === PROTOCOL.udp ? 'udp' : 'tcp'
  const port = optionOf(rule, protocol, 'dport')
  const destination = optionOf(rule, 'ip', 'destination')?.value as Prefix | undefined
  const neighbours = typeof server === 'number' ? [server + 1, server - 1] : [server + 1n, server - 1n]
  const client = neighbours.find(address => maskAddress(address, prefix.mask) === prefix.address)
  if (!port || port.inverted || client === undefined) return undefined
  return withFields(newFromWorld(world, family, { protocol, port: (port.value as NumberRange).low }), { 'ip.src': exactly(client), ...(destination ? { 'ip.dst': exactly(destination.address) } : {}) }, { 'device.in': device })
}
