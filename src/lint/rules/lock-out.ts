/** Connections that must stay open (`--keep-open`), cut off. */

import { CT_STATE } from '../../meaning/fields.ts'
import { maskAddress } from '../../net/address.ts'
import type { Prefix } from '../../net/address.ts'
import { fateAt, isCertain } from '../fate.ts'
import type { Fate } from '../fate.ts'
import type { KeepOpen } from '../keep-open.ts'
import type { LintInputs, LintRule } from '../lint-rule.ts'
import { exactly, withFields } from '../packet-class.ts'
import type { PacketClass } from '../packet-class.ts'
import { newFromWorld, packetOf, repliesTo } from '../world.ts'

export const lockOut: LintRule = {
  id: 'lock-out',
  severity: 'error',
  what: 'a connection that must stay open is cut off',
  why: 'it was named as one that this ruleset must let through: loading it may lock you out of the host',
  help: 'accept it before the rule or policy that ends its way',
  needs: ['whole', 'keepOpen', 'world'],
  check(inputs, report) {
    const { ruleset, family, keepOpen, sources } = inputs
    for (const one of keepOpen) {
      if (one.from && (typeof one.from.address === 'number') !== (family === 'ipv4')) continue
      const packets = opening(one, inputs)
      const steps = [
        { what: 'its first packet', fate: fateAt({ ruleset, hook: 'PREROUTING', tables: ['raw', 'mangle'] }, packets) },
        { what: 'its first packet', fate: fateAt({ ruleset, hook: 'INPUT', tables: ['mangle', 'filter', 'security'] }, packets) },
        { what: 'its answers', fate: fateAt({ ruleset, hook: 'OUTPUT', tables: ['raw', 'mangle', 'filter', 'security'] }, repliesTo(packets)) },
        { what: 'its later packets', fate: fateAt({ ruleset, hook: 'INPUT', tables: ['mangle', 'filter', 'security'] }, withFields(packets, { 'ct.state': exactly(CT_STATE.ESTABLISHED), ...(one.protocol === 'tcp' ? { 'tcp.flags': exactly(16) } : {}) })) },
      ]
      const stopped = steps.find(({ fate }) => !isCertain(fate, 'accept'))
      const by = stopped && decider(stopped.fate)
      const first = sources[0]
      const span = by?.span ?? (first && { source: first, start: 0, end: 0 })
      if (!stopped || !span) continue
      const isSure = isCertain(stopped.fate, 'drop')
      report({
        span, message: `\`${one.text}\` ${isSure ? 'is cut off' : 'may be cut off'}: ${stopped.what} ${isSure ? (stopped.what.endsWith('s') ? 'are' : 'is') : 'may be'} dropped here`,
        ...(isSure ? {} : { why: 'whether this rule or policy drops them depends on what is not known here: other parts of the packet, sets, or rates' }),
        witness: { packet: packetOf(packets), path: by ? [{ span, message: `${by.kind} drops ${stopped.what}` }] : [] },
      })
    }
  },
}

function decider({ endings }: Fate) {
  const by = endings.find(({ verdict }) => verdict !== 'accept')?.by
  return by && { span: by.kind === 'rule' ? by.rule.span : by.chain.span, kind: by.kind === 'rule' ? 'this rule' : 'the chain policy' }
}

/** All first packets of the connection: any address of the prefix, any source port. */
function opening({ protocol, port, from, device }: KeepOpen, { family, world }: LintInputs): PacketClass {
  const { fields, devices, family: own } = newFromWorld(world, family, { protocol, port })
  const { 'l4.sport': _sport, 'ip.src': _src, ...others } = fields
  return { family: own, fields: { ...others, 'l4.sport': { low: 1024, high: 65535 }, ...(from ? { 'ip.src': range(from) } : {}) }, devices: { ...devices, ...(device === undefined ? {} : { 'device.in': device }) } }
}

function range({ address, mask }: Prefix) {
  const rest = typeof mask === 'number' ? ~mask >>> 0 : ~mask & ((1n << 128n) - 1n)
  const low = maskAddress(address, mask)
  return { low, high: typeof low === 'number' ? low + Number(rest) : low + BigInt(rest) }
}
