/** `5x5 ping --topology F NAMESPACE ADDRESS` */

import { commandError } from '../command.ts'
import type { Command } from '../command.ts'
import { ATTEMPT_FLAGS, ATTEMPT_FLAGS_HELP, printAttempt } from '../trace/print-attempt.ts'

const help = `5x5 ping tells whether one host of a topology would reach another with an echo request, and if not, where and why it is lost.

usage: 5x5 ping --topology FILE.yaml [flags] NAMESPACE ADDRESS

${ATTEMPT_FLAGS_HELP}
NAMESPACE is where the request comes from, by its name or that of a container. ADDRESS is whom to reach; the name of a namespace with
one address will do. Nothing is sent: the way of each packet is computed from the topology, ARP and bridges included.

examples:
  5x5 ping --topology net.yaml web 198.51.100.7
  5x5 ping --topology net.yaml host 10.0.0.1 --device eth0 --trace

exit code: 0 an answer would come, 1 none, 2 the command line or a file cannot be read
`

/** The command. */
export const ping: Command = {
  help,
  flags: ATTEMPT_FLAGS,
  async run(values, words, terminal) {
    const [namespace, target, ...rest] = words
    if (namespace === undefined || target === undefined || rest.length > 0) throw commandError('who pings whom?', 'usage: 5x5 ping --topology FILE.yaml NAMESPACE ADDRESS')
    return printAttempt({ kind: 'ping', namespace, target }, values, terminal)
  },
}
