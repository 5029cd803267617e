/** Source: iptables-extensions(8) "ECN"; net/ipv4/netfilter/ipt_ECN.c ecn_tg(), ecn_tg_check(); extensions/libipt_ECN.c ECN_save(). */

import type { Effect } from '../../meaning/effect.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import { TCP_FLAG } from '../../packet/packet.ts'
import { defineTarget } from '../extension.ts'
import type { InfosOf, Surroundings } from '../extension.ts'
import { flag, wholeNumber } from '../option-types.ts'

type Options = { 'ecn-tcp-remove': true; 'ecn-tcp-ece': number; 'ecn-tcp-cwr': number; 'ecn-ip-ect': number }

export const ecnTarget = defineTarget<Options>({
  name: 'ECN',
  doc: 'changes what the packet says of congestion; the next rule follows',
  families: ['ipv4'],
  tables: ['mangle'],
  requiresOneOf: ['ecn-tcp-remove', 'ecn-tcp-ece', 'ecn-tcp-cwr', 'ecn-ip-ect'],
  options: {
    'ecn-tcp-remove': { type: flag, excludes: ['ecn-tcp-ece', 'ecn-tcp-cwr'], forgets: () => ['ecn-ip-ect'], doc: 'the TCP flags ECE and CWR are cleared' },
    'ecn-tcp-ece': { type: wholeNumber(0, 1), excludes: ['ecn-tcp-remove'], doc: 'the TCP flag ECE becomes this' },
    'ecn-tcp-cwr': { type: wholeNumber(0, 1), excludes: ['ecn-tcp-remove'], doc: 'the TCP flag CWR becomes this' },
    'ecn-ip-ect': { type: wholeNumber(0, 3), doc: 'the lower two bits of the TOS byte become this' },
  },
  print: printAll,
  does: effectsOf,
  check: tcpOnly,
})

/** The two flags are saved as --ecn-tcp-remove where they are all that is cleared. */
function printAll(infos: InfosOf<Options>): string {
  const { ece, cwr, ect } = valuesOf(infos)
  if (ece === 0 && cwr === 0 && ect === undefined) return '--ecn-tcp-remove'
  return [['ecn-tcp-ece', ece], ['ecn-tcp-cwr', cwr], ['ecn-ip-ect', ect]].flatMap(([name, value]) => (value === undefined ? [] : [`--${name} ${value}`])).join(' ')
}

function effectsOf(infos: InfosOf<Options>): readonly Effect[] {
  const { ece, cwr, ect } = valuesOf(infos)
  const setFlag = (bit: number, value: number | undefined): Effect[] => (value === undefined ? [] : [{ kind: 'assign', field: 'tcp.flags', clear: bit, flip: value === 0 ? 0 : bit }])
  return [...(ect === undefined ? [] : [{ kind: 'assign', field: 'ip.tos', clear: 3, flip: ect } as const]), ...setFlag(TCP_FLAG.ECE, ece), ...setFlag(TCP_FLAG.CWR, cwr)]
}

function valuesOf(infos: InfosOf<Options>): { ece: number | undefined; cwr: number | undefined; ect: number | undefined } {
  const removed = infos['ecn-tcp-remove'] ? 0 : undefined
  return { ece: infos['ecn-tcp-ece']?.value ?? removed, cwr: infos['ecn-tcp-cwr']?.value ?? removed, ect: infos['ecn-ip-ect']?.value }
}

function tcpOnly(infos: InfosOf<Options>, { protocol }: Surroundings): string | undefined {
  const { ece, cwr } = valuesOf(infos)
  const isTcp = protocol !== undefined && protocol.number === PROTOCOL.tcp && !protocol.inverted
  return isTcp || (ece === undefined && cwr === undefined) ? undefined : 'TCP flags need `-p tcp`, not inverted'
}
