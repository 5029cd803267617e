/** Source: iptables-extensions(8) "conntrack"; net/netfilter/xt_conntrack.c conntrack_mt(). */

import { CT_STATE } from '../../meaning/fields.ts'
import type { NumberField } from '../../meaning/fields.ts'
import { all, any, equals, hasAnyBit, masked, not, within } from '../../meaning/predicate.ts'
import type { Predicate } from '../../meaning/predicate.ts'
import { maskAddress } from '../../net/address.ts'
import type { Prefix } from '../../net/address.ts'
import type { NumberRange } from '../../net/ranges.ts'
import { hostMask } from '../address-types.ts'
import { ctStates, ctStatuses } from '../conntrack-states.ts'
import { defineMatch, read, refuse } from '../extension.ts'
import type { InfosOf, OptionType, OptionUseOf } from '../extension.ts'
import { looseNumberRange, protocol } from '../option-types.ts'
import { looseRange } from '../port-types.ts'

const direction: OptionType<0 | 1> = {
  syntax: 'ORIGINAL|REPLY', words: 1,
  read([word = '']) {
    const index = ['ORIGINAL', 'REPLY'].indexOf(word.toUpperCase())
    return index === 0 || index === 1 ? read(index) : refuse(`\`${word}\` is not a direction: ORIGINAL or REPLY`)
  },
  write: value => [value === 0 ? 'ORIGINAL' : 'REPLY'],
}

const seconds = looseNumberRange(0, 0xffffffff, 'seconds[:seconds]')
const addressRow = { type: hostMask, invertible: true } as const
/** Kernel: a range that ends at port 0 is printed as its first port. */
const portType: OptionType<NumberRange> = { ...looseRange, write: (range, family) => (range.high === 0 ? [String(range.low)] : looseRange.write(range, family)) }
const portRow = { type: portType, invertible: true } as const

/**
 * Kernel: a packet without a connection matches where the state matches, whatever the other options say; with no --ctstate it never
 * matches, `!` or not. An empty status (NONE) is found in no connection.
 */
export const conntrack = defineMatch({
  name: 'conntrack',
  doc: "matches what connection tracking knows of the packet's connection",
  requiresOneOf: ['ctstate', 'ctproto', 'ctorigsrc', 'ctorigdst', 'ctreplsrc', 'ctrepldst', 'ctorigsrcport', 'ctorigdstport', 'ctreplsrcport', 'ctrepldstport', 'ctstatus', 'ctexpire', 'ctdir'],
  options: {
    ctstate: { type: ctStates, invertible: true, doc: 'state of the connection: one of these' },
    ctproto: { type: { ...protocol, write: number => [String(number)] }, invertible: true, doc: 'protocol of the connection' },
    ctorigsrc: { ...addressRow, doc: 'source address of the original direction' },
    ctorigdst: { ...addressRow, doc: 'destination address of the original direction' },
    ctreplsrc: { ...addressRow, doc: 'source address of the reply direction' },
    ctrepldst: { ...addressRow, doc: 'destination address of the reply direction' },
    ctorigsrcport: { ...portRow, doc: 'source port or ICMP id of the original direction' },
    ctorigdstport: { ...portRow, doc: 'destination port of the original direction' },
    ctreplsrcport: { ...portRow, doc: 'source port of the reply direction' },
    ctrepldstport: { ...portRow, doc: 'destination port of the reply direction' },
    ctstatus: { type: ctStatuses, invertible: true, doc: 'status of the connection: one of these' },
    ctexpire: { type: seconds, invertible: true, doc: 'seconds until the connection is forgotten' },
    ctdir: { type: direction, doc: 'direction of the packet in its connection' },
  },
  means(infos) {
    const connected = masked('ct.state', CT_STATE.INVALID | CT_STATE.UNTRACKED, 0)
    const others = all([connected, ...connectionTerms(infos)])
    if (!infos.ctstate) return others
    return all([inverse(infos.ctstate, bits => hasAnyBit('ct.state', bits)), any([not(connected), others])])
  },
})

interface Values extends Record<string, unknown> {
  ctproto: number
  ctorigsrc: Prefix
  ctorigdst: Prefix
  ctreplsrc: Prefix
  ctrepldst: Prefix
  ctorigsrcport: NumberRange
  ctorigdstport: NumberRange
  ctreplsrcport: NumberRange
  ctrepldstport: NumberRange
  ctstatus: number
  ctexpire: NumberRange
  ctdir: 0 | 1
}

function connectionTerms(infos: InfosOf<Values>): Predicate[] {
  return [
    inverse(infos.ctproto, number => equals('ct.protocol', number)),
    inverse(infos.ctorigsrc, inPrefix('ct.original.src')), inverse(infos.ctorigdst, inPrefix('ct.original.dst')),
    inverse(infos.ctreplsrc, inPrefix('ct.reply.src')), inverse(infos.ctrepldst, inPrefix('ct.reply.dst')),
    inverse(infos.ctorigsrcport, inRange('ct.original.sport')), inverse(infos.ctorigdstport, inRange('ct.original.dport')),
    inverse(infos.ctreplsrcport, inRange('ct.reply.sport')), inverse(infos.ctrepldstport, inRange('ct.reply.dport')),
    inverse(infos.ctstatus, bits => hasAnyBit('ct.status', bits)),
    inverse(infos.ctexpire, inRange('ct.expires')),
    inverse(infos.ctdir, value => equals('ct.direction', value)),
  ]
}

/** Inversion is done here, since it does not reach a packet without a connection. */
function inverse<T>(use: OptionUseOf<T> | undefined, means: (value: T) => Predicate): Predicate {
  if (!use) return all([])
  return use.inverted ? not(means(use.value)) : means(use.value)
}

function inPrefix(field: NumberField): (prefix: Prefix) => Predicate {
  return ({ address, mask }) => masked(field, mask, maskAddress(address, mask))
}

function inRange(field: NumberField): (range: NumberRange) => Predicate {
  return ({ low, high }) => within(field, low, high)
}
