/** MASQUERADE for whatever leaves, by whichever device. */

import { placeOfTarget } from '../../extensions/word-place.ts'
import { readAddress } from '../../net/address.ts'
import { fateAt } from '../fate.ts'
import type { LintInputs, LintRule } from '../lint-rule.ts'
import { exactly, withFields } from '../packet-class.ts'
import type { PacketClass } from '../packet-class.ts'
import { natOf } from '../rule-facts.ts'
import { newFromWorld } from '../world.ts'

export const masqueradeWithoutOutDevice: LintRule = {
  id: 'masquerade-without-out-device',
  severity: 'warning',
  what: 'everything that leaves is masqueraded, whatever its device',
  why: 'connections that come in get the address of this host as their source too, so servers behind it see no client, and lists of allowed senders let everybody in',
  help: 'name the device to the outside, `-o DEVICE`, or the sources, `-s PREFIX`',
  needs: ['whole', 'world'],
  check(inputs, report) {
    const { ruleset, family } = inputs
    const fates = probes(inputs).map(packets => fateAt({ ruleset, hook: 'POSTROUTING', tables: ['nat'] }, packets))
    const by = fates[0]?.endings[0]?.by
    if (by?.kind !== 'rule' || natOf(by.rule, family)?.addresses.kind !== 'outDevice') return
    const isSure = fates.every(({ endings }) => endings.length === 1 && endings[0]?.by.kind === 'rule' && endings[0].by.rule === by.rule)
    if (isSure) report({ span: placeOfTarget(by.rule) })
  },
}

/** A connection from the world to a host behind this one, and one of the host with itself. */
function probes({ family, world }: LintInputs): readonly PacketClass[] {
  const { fields } = newFromWorld(world, family, { protocol: 'tcp', port: 59999 }, 'beyond')
  const own = readAddress(family === 'ipv4' ? '127.0.0.1' : '::1') ?? 0
  const inner = { family, fields, devices: {} }
  return [inner, withFields(inner, { 'ip.src': exactly(own), 'ip.dst': exactly(own), 'addressType.src': exactly(4), 'addressType.dst': exactly(4) }, { 'device.out': 'lo' })]
}
