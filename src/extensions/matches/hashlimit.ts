/** Source: iptables-extensions(8) "hashlimit"; net/netfilter/xt_hashlimit.c hashlimit_mt(), hashlimit_mt_check_common(). */

import type { Subject } from '../../meaning/subject.ts'
import { addressWidth, maskAddress, maskOfLength } from '../../net/address.ts'
import type { Family } from '../../net/address.ts'
import { maskLength } from '../address-types.ts'
import { defineMatch } from '../extension.ts'
import type { InfosOf } from '../extension.ts'
import { creditsOf, makeBucketTable, takeFromBucket } from '../hash-buckets.ts'
import type { BucketTable } from '../hash-buckets.ts'
import { bytesOfCost, hashBurst, hashMode, hashRate, printByteBurst, printRate } from '../hashlimit-types.ts'
import type { HashRate } from '../hashlimit-types.ts'
import { flag, wholeNumber } from '../option-types.ts'
import { name } from '../text-types.ts'

const number = wholeNumber(0, 0xffffffff)

/** Kernel: rules with one name share their table, and the first of them made it: the rates of the others are not looked at. */
export const hashlimit = defineMatch({
  name: 'hashlimit',
  doc: 'matches below or above a rate for each group of packets: a token bucket each',
  requiresOneOf: ['hashlimit-upto', 'hashlimit-above'],
  options: {
    'hashlimit-upto': { type: hashRate, invertible: true, aliases: ['--hashlimit'], excludes: ['hashlimit-above'], doc: 'matches up to this rate' },
    'hashlimit-above': { type: hashRate, invertible: true, excludes: ['hashlimit-upto'], doc: 'matches above this rate' },
    'hashlimit-burst': { type: hashBurst, doc: 'packets that pass at once after a pause, 5 where it is not given; of a rate of bytes: bytes' },
    'hashlimit-mode': { type: hashMode, doc: 'packets that agree in these share a bucket; all share one where it is not given' },
    'hashlimit-name': { type: name(255, 'name'), required: true, doc: 'name of the table' },
    'hashlimit-htable-size': { type: number, doc: 'hash buckets of the table' },
    'hashlimit-htable-max': { type: number, doc: 'entries of the table at most' },
    'hashlimit-htable-gcinterval': { type: number, doc: 'milliseconds between two clean-ups, 1000 where it is not given' },
    'hashlimit-htable-expire': { type: number, doc: 'milliseconds after which an idle entry is forgotten' },
    'hashlimit-srcmask': { type: maskLength, doc: 'length of the prefix of source addresses that counts' },
    'hashlimit-dstmask': { type: maskLength, doc: 'length of the prefix of destination addresses that counts' },
    'hashlimit-rate-match': { type: flag, doc: 'matches by the rate seen, without limiting it' },
    'hashlimit-rate-interval': { type: wholeNumber(1, 0x7fffffff), doc: 'seconds over which that rate is seen' },
  },
  print: printAll,
  check(infos) {
    const { rate, burst, expire, bytes } = partsOf(infos)
    if (infos['hashlimit-name']?.value === '') return '`--hashlimit-name` is empty'
    if (infos['hashlimit-htable-gcinterval']?.value === 0 || expire === 0) return '`--hashlimit-htable-gcinterval` and `--hashlimit-htable-expire` cannot be 0'
    if ([infos['hashlimit-srcmask'], infos['hashlimit-dstmask']].some(use => use && use.value === undefined)) return 'a mask of hashlimit is no prefix'
    if (rate.kind === 'bytes') return byteProblem(rate.cost, bytes, burst)
    if ((burst ?? 5n) > 1_000_000n) return '`--hashlimit-burst` is above 1000000'
    return creditsOf(rate.period * (burst ?? 5n)) < creditsOf(rate.period) ? 'the burst is too big for so slow a rate: the product overflows 64 bits' : undefined
  },
  memory: {
    start(infos: Infos): BucketTable {
      const { rate, burst, expire } = partsOf(infos)
      return makeBucketTable(rate.kind === 'packets' ? rate.period : 1n, burst ?? 5n, expire, infos['hashlimit-htable-gcinterval']?.value ?? 1000)
    },
    sharedBy: (infos: Infos) => `hashlimit ${infos['hashlimit-name']?.value ?? ''}`,
    /** Rates of bytes, and rates that are only seen, are left open. */
    step(state, infos: Infos, subject, now) {
      const { rate, isAbove } = partsOf(infos)
      if (rate.kind === 'bytes' || infos['hashlimit-rate-match']) return undefined
      const isEnough = takeFromBucket(state as BucketTable, groupOf(infos, subject), now)
      return isEnough === undefined ? undefined : isEnough !== isAbove
    },
  },
})

type Infos = InfosOf<{
  'hashlimit-upto': HashRate; 'hashlimit-above': HashRate; 'hashlimit-burst': bigint; 'hashlimit-mode': readonly string[]; 'hashlimit-name': string
  'hashlimit-htable-size': number; 'hashlimit-htable-max': number; 'hashlimit-htable-gcinterval': number; 'hashlimit-htable-expire': number
  'hashlimit-srcmask': number | undefined; 'hashlimit-dstmask': number | undefined; 'hashlimit-rate-match': true; 'hashlimit-rate-interval': number
}>

function partsOf(infos: Infos) {
  const upto = infos['hashlimit-upto']
  const above = infos['hashlimit-above']
  const given: HashRate = (upto ?? above)?.value ?? { kind: 'packets', period: 1n, unit: 1 }
  const isRateMatch = infos['hashlimit-rate-match'] !== undefined
  const rate: HashRate = given.kind === 'packets' && isRateMatch ? { ...given, period: given.period / BigInt(given.unit) } : given
  const burst = infos['hashlimit-burst']?.value
  const usual = given.kind === 'packets' ? given.unit * 1000 : burst === undefined ? 15_000 : 60_000
  return {
    rate, burst, isAbove: upto ? upto.inverted : !above?.inverted, bytes: given.kind === 'bytes' ? bytesOfCost(given.cost) : 0n,
    expire: infos['hashlimit-htable-expire']?.value ?? usual, interval: infos['hashlimit-rate-interval']?.value ?? (given.kind === 'packets' ? given.unit : 1),
  }
}

function byteProblem(cost: bigint, bytes: bigint, burst: bigint | undefined): string | undefined {
  if (cost === 0n) return 'the rate is too high'
  if (burst === undefined) return undefined
  if (bytes === 0n) return '`--hashlimit-burst` makes iptables crash where the rate is below 16 bytes: it divides by zero'
  return burst < bytes ? `\`--hashlimit-burst\` cannot be below the rate, ${bytes} bytes` : undefined
}

function printAll(infos: Infos, family: Family): string {
  const { rate, burst, isAbove, bytes, expire, interval } = partsOf(infos)
  const printed = hashRate.write(rate, family).join('')
  const isUsual = expire === (rate.kind === 'packets' ? printRate(rate.period).expire : burst === undefined ? 15_000 : 60_000)
  const byteBurst = burst === undefined ? [] : [`--hashlimit-burst ${printByteBurst(bytes * ((burst + bytes - 1n) / (bytes || 1n)))}`]
  const modes = infos['hashlimit-mode']?.value ?? []
  const option = (key: `htable-${'size' | 'max' | 'gcinterval'}` | 'srcmask' | 'dstmask', usual: number) => {
    const value = infos[`hashlimit-${key}`]?.value
    return value === undefined || value === usual ? [] : [`--hashlimit-${key} ${value}`]
  }
  return [
    `--hashlimit-${isAbove ? 'above' : 'upto'} ${printed}`, ...(rate.kind === 'bytes' ? byteBurst : [`--hashlimit-burst ${hashBurst.write(burst ?? 5n, family).join('')}`]),
    ...(modes.length > 0 ? [`--hashlimit-mode ${modes.join(',')}`] : []), `--hashlimit-name ${infos['hashlimit-name']?.value ?? ''}`,
    ...option('htable-size', 0), ...option('htable-max', 0), ...option('htable-gcinterval', 1000), ...(isUsual ? [] : [`--hashlimit-htable-expire ${expire}`]),
    ...option('srcmask', addressWidth(family)), ...option('dstmask', addressWidth(family)),
    ...(infos['hashlimit-rate-match'] ? ['--hashlimit-rate-match', ...(interval === 1 ? [] : [`--hashlimit-rate-interval ${interval}`])] : []),
  ].join(' ')
}

function groupOf(infos: Infos, { packet }: Subject): string {
  const modes = infos['hashlimit-mode']?.value ?? []
  const mask = (key: 'srcmask' | 'dstmask') => maskOfLength(packet.family, infos[`hashlimit-${key}`]?.value ?? addressWidth(packet.family))
  const parts: Readonly<Record<string, unknown>> = {
    srcip: maskAddress(packet.src, mask('srcmask')), dstip: maskAddress(packet.dst, mask('dstmask')), srcport: packet.sport ?? 0, dstport: packet.dport ?? 0,
  }
  return [packet.family, ...modes.map(mode => String(parts[mode]))].join(' ')
}
