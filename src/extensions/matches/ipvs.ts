/** Source: iptables-extensions(8) "ipvs"; net/netfilter/xt_ipvs.c ipvs_mt(); extensions/libxt_ipvs.c ipvs_mt_check(). */

import { hostMask } from '../address-types.ts'
import { defineMatch, read, refuse } from '../extension.ts'
import type { OptionType } from '../extension.ts'
import { flag, protocol } from '../option-types.ts'
import { loosePort } from '../port-types.ts'
import { undecided } from '../undecided.ts'

const OTHERS = ['vproto', 'vaddr', 'vport', 'vdir', 'vmethod', 'vportctl'] as const

/** Kernel: the table of IPVS connections decides. The save leaves `--ipvs` out where another option says it too. */
export const ipvs = defineMatch({
  name: 'ipvs',
  doc: 'matches packets of virtual services',
  requiresOneOf: ['ipvs', ...OTHERS],
  options: {
    ipvs: { type: flag, invertible: true, doc: 'packet of a virtual service', means: () => undecided('-m ipvs --ipvs') },
    vproto: { type: { ...protocol, write: number => [String(number)] }, invertible: true, doc: 'protocol of the service', means: number => undecided(`-m ipvs --vproto ${number}`) },
    vaddr: { type: hostMask, invertible: true, doc: 'address of the service', means: prefix => undecided(`-m ipvs --vaddr ${hostMask.write(prefix, 'ipv4').join('')}`) },
    vport: { type: loosePort, invertible: true, doc: 'port of the service', means: port => undecided(`-m ipvs --vport ${port}`) },
    vdir: { type: oneOf('ORIGINAL', 'REPLY'), doc: 'direction of the packet', means: direction => undecided(`-m ipvs --vdir ${direction}`) },
    vmethod: { type: oneOf('GATE', 'IPIP', 'MASQ'), invertible: true, doc: 'how packets are forwarded', means: method => undecided(`-m ipvs --vmethod ${method}`) },
    vportctl: { type: loosePort, invertible: true, doc: 'port of the controlling connection, such as 21 of FTP', means: port => undecided(`-m ipvs --vportctl ${port}`) },
  },
  savedBy(_backend, infos) {
    const { ipvs: property, ...others } = infos
    return property && OTHERS.some(name => infos[name]) ? others : infos
  },
  check: infos => (infos.ipvs?.inverted && OTHERS.some(name => infos[name]) ? '`! --ipvs` cannot stand beside other options' : undefined),
})

function oneOf(...names: readonly string[]): OptionType<string> {
  return {
    syntax: names.join('|'), words: 1,
    read: ([word = '']) => (names.includes(word.toUpperCase()) ? read(word.toUpperCase()) : refuse(`\`${word}\` is none of ${names.join(', ')}`)),
    write: value => [value],
  }
}
