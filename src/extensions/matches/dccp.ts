/** Source: iptables-extensions(8) "dccp"; net/netfilter/xt_dccp.c dccp_mt(). */

import { equals, within } from '../../meaning/predicate.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import { defineMatch, read, refuse } from '../extension.ts'
import type { OptionType } from '../extension.ts'
import { wholeNumber } from '../option-types.ts'
import { looseRange } from '../port-types.ts'
import { undecided } from '../undecided.ts'

const TYPES = ['REQUEST', 'RESPONSE', 'DATA', 'ACK', 'DATAACK', 'CLOSEREQ', 'CLOSE', 'RESET', 'SYNC', 'SYNCACK', 'INVALID']

const packetTypes: OptionType<readonly string[]> = {
  syntax: 'type[,...]', words: 1,
  read([word = '']) {
    const given = word.toUpperCase().split(',').filter(part => part !== '')
    const unknown = given.find(part => !TYPES.includes(part))
    return unknown === undefined ? read(TYPES.filter(type => given.includes(type))) : refuse(`there is no DCCP type \`${unknown}\``, TYPES.join(', '))
  },
  write: types => [types.join(',')],
}

/** Kernel: fragments after the first never match, `!` or not. */
export const dccp = defineMatch({
  name: 'dccp',
  doc: 'matches DCCP ports, packet types and options',
  protocols: [PROTOCOL.dccp],
  options: {
    sport: { type: looseRange, invertible: true, aliases: ['--source-port'], doc: 'source port or range', means: ({ low, high }) => within('l4.sport', low, high) },
    dport: { type: looseRange, invertible: true, aliases: ['--destination-port'], doc: 'destination port or range', means: ({ low, high }) => within('l4.dport', low, high) },
    'dccp-types': { type: packetTypes, invertible: true, doc: 'type of the packet: one of these', means: types => undecided(`-m dccp --dccp-types ${types.join(',')}`) },
    'dccp-option': { type: wholeNumber(1, 255), invertible: true, doc: 'the header has an option of this kind', means: kind => undecided(`-m dccp --dccp-option ${kind}`) },
  },
  means: () => equals('ip.fragmentOffset', 0),
})
