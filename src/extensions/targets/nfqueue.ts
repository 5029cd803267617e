/** Source: iptables-extensions(8) "NFQUEUE"; net/netfilter/xt_NFQUEUE.c nfqueue_tg_v3(), net/netfilter/nf_queue.c nf_queue(). */

import type { Effect } from '../../meaning/effect.ts'
import type { NumberRange } from '../../net/ranges.ts'
import { defineTarget, refuse } from '../extension.ts'
import type { InfosOf, OptionType } from '../extension.ts'
import { flag, readRange, readWholeNumber, wholeNumber, writeRange } from '../option-types.ts'

/** Kernel: 0:65535 has one queue too many. */
const queues: OptionType<NumberRange> = {
  syntax: 'first:last', words: 1,
  read([word = '']) {
    const range = readRange(word, 0, 65535, end => readWholeNumber(end, 0, 65535))
    if (!range.ok) return range
    const { low, high } = range.value
    return low === high || high - low === 65535 ? refuse(`\`${word}\` is not a range of 2 to 65535 queues`) : range
  },
  write: range => [writeRange(range, ':')],
}

type Options = { 'queue-balance': NumberRange; 'queue-num': number; 'queue-bypass': true; 'queue-cpu-fanout': true }

/** Kernel: where nobody listens to the queue the packet is dropped; with --queue-bypass it is accepted. */
export const nfqueueTarget = defineTarget<Options>({
  name: 'NFQUEUE',
  doc: 'hands the packet to a program, which decides; without one it is dropped',
  options: {
    'queue-balance': { type: queues, excludes: ['queue-num'], doc: 'range of queues over which connections are spread' },
    'queue-num': { type: wholeNumber(0, 65535), excludes: ['queue-balance'], doc: 'number of the queue; 0 where it is not given' },
    'queue-bypass': { type: flag, doc: 'where nobody listens to the queue the packet is accepted' },
    'queue-cpu-fanout': { type: flag, requires: ['queue-balance'], doc: 'spread by CPU, not by connection' },
  },
  print: infos => [`--queue-${queueOf(infos, ':')}`, ...(infos['queue-bypass'] ? ['--queue-bypass'] : []), ...(infos['queue-cpu-fanout'] ? ['--queue-cpu-fanout'] : [])].join(' '),
  does: infos => effectsOf(infos),
})

function queueOf(infos: InfosOf<Options>, separator: string): string {
  const range = infos['queue-balance']?.value
  return range ? `balance ${writeRange(range, separator)}` : `num ${infos['queue-num']?.value ?? 0}`
}

function effectsOf(infos: InfosOf<Options>): readonly Effect[] {
  const range = infos['queue-balance']?.value
  const queue = range ? `queues ${range.low} to ${range.high}` : `queue ${infos['queue-num']?.value ?? 0}`
  if (!infos['queue-bypass']) return [{ kind: 'observe', words: `handed to ${queue}` }, { kind: 'verdict', verdict: 'queue' }]
  return [{ kind: 'notModelled', words: `a program that listens to ${queue}: the packet goes on as without one` }, { kind: 'verdict', verdict: 'accept' }]
}
