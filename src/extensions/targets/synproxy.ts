/** Source: iptables-extensions(8) "SYNPROXY"; net/ipv4/netfilter/ipt_SYNPROXY.c synproxy_tg4(), synproxy_tg4_check(). */

import { PROTOCOL } from '../../net/protocol.ts'
import { defineTarget, read } from '../extension.ts'
import type { OptionType } from '../extension.ts'
import { flag, readWholeNumber } from '../option-types.ts'

/** Kernel: a SYN is answered by the kernel itself; only when the sender acknowledges that is the connection made. */
export const synproxyTarget = defineTarget({
  name: 'SYNPROXY',
  doc: 'answers a TCP SYN with a cookie and takes the packet away',
  hooks: ['INPUT', 'FORWARD'],
  protocols: [PROTOCOL.tcp],
  options: {
    'sack-perm': { type: flag, doc: 'the server takes selective acknowledgements' },
    timestamp: { type: flag, doc: 'the server uses timestamps' },
    wscale: { type: wrapping(8), doc: 'window scale of the server' },
    mss: { type: wrapping(16, 'bytes'), doc: 'maximum segment size of the server' },
    ecn: { type: flag, doc: 'the server takes explicit congestion notification' },
  },
  does: () => [
    { kind: 'notModelled', words: 'the handshake of SYNPROXY: the packet is taken to be its SYN or ACK' },
    { kind: 'verdict', verdict: 'stolen' },
  ],
})

/** Kernel: of a number of 32 bits the lowest `bits` are kept. */
function wrapping(bits: number, syntax = 'number'): OptionType<number> {
  return {
    syntax, words: 1,
    read([word = '']) {
      const number = readWholeNumber(word, 0, 0xffffffff)
      if (!number.ok) return number
      const kept = number.value % 2 ** bits
      return read(kept, kept === number.value ? undefined : `\`${word}\` does not fit into ${bits} bits: it becomes ${kept}`)
    },
    write: value => [String(value)],
  }
}
