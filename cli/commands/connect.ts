/** `5x5 connect --topology F NAMESPACE ADDRESS:PORT[/udp]` */

import { servicePort } from '../../src/net/services.ts'
import { commandError } from '../command.ts'
import type { Command } from '../command.ts'
import { ATTEMPT_FLAGS, ATTEMPT_FLAGS_HELP, printAttempt } from '../trace/print-attempt.ts'

const help = `5x5 connect tells whether a program on one host of a topology could connect to a port of another, and if not, where and why.

usage: 5x5 connect --topology FILE.yaml [flags] NAMESPACE ADDRESS:PORT[/udp]

${ATTEMPT_FLAGS_HELP}
NAMESPACE is where the program runs, by its name or that of a container. ADDRESS is whom to reach ([2001:db8::1]:80 for IPv6); the name
of a namespace with one address will do. A TCP handshake is followed to its end; over UDP a service is taken to answer a datagram.
Who listens is told by \`listen:\` in the topology.

examples:
  5x5 connect --topology net.yaml laptop 203.0.113.10:8080
  5x5 connect --topology net.yaml web db:5432
  5x5 connect --topology net.yaml web 10.0.0.53:53/udp --trace

exit code: 0 reached, 1 not, 2 the command line or a file cannot be read
`

/** The command. */
export const connect: Command = {
  help,
  flags: ATTEMPT_FLAGS,
  async run(values, words, terminal) {
    const [namespace, place, ...rest] = words
    const usage = 'usage: 5x5 connect --topology FILE.yaml NAMESPACE ADDRESS:PORT[/udp]'
    if (namespace === undefined || place === undefined || rest.length > 0) throw commandError('who connects to what?', usage)
    const [, target = '', portText = '', protocol = 'tcp'] = /^\[?([^\]]*?)\]?:([^:/]+)(?:\/(\w+))?$/.exec(place) ?? []
    const port = /^\d+$/.test(portText) ? Number(portText) : servicePort(portText)
    if (port === undefined || port < 1 || port > 65535) throw commandError(portText === '' ? `\`${place}\` has no port` : `\`${portText}\` is not a port`, usage)
    if (protocol !== 'tcp' && protocol !== 'udp') throw commandError(`\`/${protocol}\`: a program can connect over tcp or udp`, usage)
    return printAttempt({ kind: protocol, namespace, target, port }, values, terminal)
  },
}
