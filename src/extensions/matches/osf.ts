/** Source: iptables-extensions(8) "osf"; net/netfilter/xt_osf.c xt_osf_match_packet(). */

import { not } from '../../meaning/predicate.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import { defineMatch } from '../extension.ts'
import { wholeNumber } from '../option-types.ts'
import { printBare, text } from '../text-types.ts'
import { undecided } from '../undecided.ts'

const level = wholeNumber(0, 2)

/** Kernel: fingerprints come from user space. */
export const osf = defineMatch({
  name: 'osf',
  doc: 'guesses the operating system of the sender from a TCP SYN',
  families: ['ipv4'],
  hooks: ['PREROUTING', 'INPUT', 'FORWARD'],
  protocols: [PROTOCOL.tcp],
  options: {
    genre: { type: text(31, 'name'), invertible: true, required: true, print: printBare('--genre'), doc: 'name of the operating system' },
    ttl: { type: level, doc: 'how the TTL counts: 0 as it is, 1 not above the fingerprint, 2 not at all' },
    log: { type: level, doc: 'what is logged: 0 all, 1 the first, 2 all known fingerprints' },
  },
  means({ genre, ttl }) {
    const isOfGenre = undecided(`-m osf --genre ${genre?.value ?? ''}${ttl ? ` --ttl ${ttl.value}` : ''}`)
    return genre?.inverted ? not(isOfGenre) : isOfGenre
  },
})
