/** Source: iptables-extensions(8) "socket"; net/netfilter/xt_socket.c socket_match(). */

import { defineMatch } from '../extension.ts'
import { flag } from '../option-types.ts'
import { undecided } from '../undecided.ts'

/** Kernel: sockets of this host decide. */
export const socket = defineMatch({
  name: 'socket',
  doc: 'matches packets for which this host has an open socket',
  hooks: ['PREROUTING', 'INPUT'],
  options: {
    transparent: { type: flag, doc: 'only transparent sockets count' },
    nowildcard: { type: flag, doc: 'sockets that listen on any address count too' },
    'restore-skmark': { type: flag, doc: 'the packet gets the mark of the socket' },
  },
  means: ({ transparent, nowildcard }) => undecided(`-m socket${transparent ? ' --transparent' : ''}${nowildcard ? ' --nowildcard' : ''}`),
})
