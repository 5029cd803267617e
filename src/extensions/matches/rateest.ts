/** Source: iptables-extensions(8) "rateest"; net/netfilter/xt_rateest.c xt_rateest_mt(), xt_rateest_mt_checkentry(). */

import { not } from '../../meaning/predicate.ts'
import { defineMatch, read } from '../extension.ts'
import type { InfosOf, OptionType } from '../extension.ts'
import { flag } from '../option-types.ts'
import { byteRate, packetRate } from '../rateest-types.ts'
import { text } from '../text-types.ts'
import { undecided } from '../undecided.ts'

const sign = (name: string): OptionType<string> => ({ syntax: '', words: 0, read: () => read(name), write: () => [] })
const estimator = text(14, 'name')

/** Kernel: an estimator that no target RATEEST has made is refused. */
export const rateest = defineMatch({
  name: 'rateest',
  doc: 'compares the rate that an estimator of target RATEEST measures',
  options: {
    rateest1: { type: estimator, aliases: ['--rateest'], doc: 'the estimator' },
    rateest2: { type: estimator, doc: 'another one with which it is compared' },
    'rateest-bps1': { type: byteRate, doc: 'bytes are compared; with --rateest-delta the rate from which the first is subtracted' },
    'rateest-pps1': { type: packetRate, doc: 'packets are compared; with --rateest-delta the rate from which the first is subtracted' },
    'rateest-bps2': { type: byteRate, aliases: ['--rateest-bps'], doc: 'bytes are compared with this rate' },
    'rateest-pps2': { type: packetRate, aliases: ['--rateest-pps'], doc: 'packets are compared with this rate' },
    'rateest-delta': { type: flag, doc: 'differences are compared' },
    'rateest-eq': {
      type: sign('eq'), invertible: true, repeatable: 'otherSpelling', spellings: { 'rateest-lt': sign('lt'), 'rateest-gt': sign('gt') },
      doc: 'they are equal; with --rateest-lt and --rateest-gt the first is below or above',
    },
  },
  print: infos => printAll(infos, infos['rateest-eq']?.inverted ? ' !' : ''),
  means(infos) {
    const holds = undecided(`-m rateest ${printAll(infos, '')}`)
    return infos['rateest-eq']?.inverted ? not(holds) : holds
  },
  check(infos) {
    if (!infos.rateest1) return '`-m rateest` needs `--rateest`'
    if (!infos['rateest-eq']) return '`-m rateest` needs `--rateest-lt`, `--rateest-gt` or `--rateest-eq`'
    return hasBytes(infos) || hasPackets(infos) ? undefined : '`-m rateest` needs `--rateest-bps` or `--rateest-pps`'
  },
})

type Infos = InfosOf<{
  rateest1: string; rateest2: string; 'rateest-bps1': number; 'rateest-pps1': number; 'rateest-bps2': number; 'rateest-pps2': number; 'rateest-delta': true; 'rateest-eq': string
}>

function hasBytes(infos: Infos): boolean {
  return infos['rateest-bps1'] !== undefined || infos['rateest-bps2'] !== undefined
}

function hasPackets(infos: Infos): boolean {
  return infos['rateest-pps1'] !== undefined || infos['rateest-pps2'] !== undefined
}

function printAll(infos: Infos, bang: string): string {
  const isDelta = infos['rateest-delta'] !== undefined
  const compared = `${bang} --rateest-${infos['rateest-eq']?.value ?? 'eq'}`
  const rates = (name: 'bps' | 'pps', type: OptionType<number>): string => {
    const [first, second] = [infos[`rateest-${name}1`]?.value ?? 0, infos[`rateest-${name}2`]?.value ?? 0].map(rate => type.write(rate, 'ipv4').join(''))
    if (isDelta) return ` --rateest-${name}1 ${first}${compared} --rateest-${name}2 ${second}`
    return `${compared} --rateest-${name}${infos.rateest2 ? '' : ` ${second}`}`
  }
  return [
    isDelta ? '--rateest-delta ' : '', `--rateest${infos.rateest2 ? '1' : ''} ${infos.rateest1?.value ?? ''}`, hasBytes(infos) ? rates('bps', byteRate) : '',
    hasPackets(infos) ? rates('pps', packetRate) : '', infos.rateest2 ? ` --rateest2 ${infos.rateest2.value}` : '',
  ].join('')
}
