/** `5x5 reach RULES... 'from eth0 to 10.0.0.0/8 tcp/22'` */

import { reachJson, writeReach } from '../../src/report/reach-text.ts'
import { IPSET_FLAGS, IPSET_HELP } from '../analysis/ipset-flags.ts'
import { answerReach } from '../analysis/reach-input.ts'
import { commandError, EXIT } from '../command.ts'
import type { Command } from '../command.ts'
import { COMPOSE_FLAGS } from '../docker/compose-flags.ts'
import { readBackend } from '../input.ts'

const help = `5x5 reach tells which packets get through, which do not, and which rules see to it: all packets, not one.

usage: 5x5 reach [flags] [RULES...] 'from END to END [SERVICE]'

  --topology FILE.yaml   devices, addresses, routes, rules and links of one or several hosts: packets are followed from host to host;
                         without it every network is possible: a packet may be for this host or leave by any device
  --guess                take the plainest host that the rules suggest, and tell what was guessed
  --compose FILE.yaml    the host that a compose file makes: rules and topology are those of dockerd (see 5x5 docker); RULES are
                         what the host had before; services, containers and HOST are ENDs: \`to web:80\`
  --engine RELEASE, --daemon FILE   the release of the engine and its daemon.json, with --compose
  --network FILE, --pods FILE   the host that container networks and their pods make (see 5x5 cni); pods and HOST are ENDs
${IPSET_HELP}
  --all                  show every reason
  --backend legacy|nft   which program loaded the rules; default legacy
  --family ipv4|ipv6     read the rules as rules of this family; without it the question or their content tells
  --json                 print {"query", "assumptions", "through", "elsewhere", "ended", "undecided", "notes"}; \`through\` and the like are
                         lists of {"outcome", "by", "packets", "translation", "example", "conditions"}, of several hosts with
                         "namespace" and "device"

A question reads \`from eth0 to 10.0.0.0/8 tcp/22\`. An END is a device, an address, a prefix, ADDRESS:PORT, \`host\` (this host) or
\`any\`; two of them may stand together: \`from eth0 192.0.2.0/24\`. \`to ADDRESS\` is where packets are sent, before any translation.
Of several hosts an END is also NAMESPACE/DEVICE, or the name of a namespace or container: \`from web\` is what it sends,
\`to web:80\` is what arrives there at port 80, whatever it was addressed to. RULES are those of the first namespace; \`NAMESPACE=FILE\` for others.
A SERVICE is \`ssh\`, \`dns\`, \`ping\`, \`tcp/22\`, \`udp/53,67\`, \`tcp/1000-2000\`, \`icmp\`. \`established\` asks for later packets, of either
direction, of connections that the rules let begin, without it for those that begin one: whole packets between hosts, of tcp those with SYN
(established: ACK). Every example was sent through the rules.

examples:
  5x5 reach firewall.rules 'from eth0 to host ssh'
  5x5 reach docker.rules --guess 'from eth0 198.51.100.7 to 172.17.0.2:8080'
  5x5 reach docker.rules --topology host.yaml 'from eth0 to any tcp'
  5x5 reach --topology net.yaml 'from gw/eth0 to web:443'
  5x5 reach --compose compose.yaml 'from eth0 to web:80'
  5x5 reach --network podnet.conflist --pods pods.yaml 'from eth0 to HOST:8080'

exit code: 0 answered, 2 the command line or a file cannot be read
`

/** The command. */
export const reach: Command = {
  help,
  flags: { ...COMPOSE_FLAGS, ...IPSET_FLAGS, network: { type: 'string', multiple: true }, pods: { type: 'string', multiple: true }, topology: { type: 'string' }, guess: { type: 'boolean' }, all: { type: 'boolean' }, backend: { type: 'string' }, family: { type: 'string' }, json: { type: 'boolean' } },
  async run(values, words, terminal) {
    const text = words.at(-1)
    const paths = words.slice(0, -1)
    const isAsked = text !== undefined && /(^|\s)(from|to)\s/.test(text)
    if (text !== undefined && !isAsked && text.includes(' ')) throw commandError(`\`${text}\` is no question`, 'a question reads `from eth0 to 10.0.0.0/8 tcp/22`')
    if (!isAsked || (paths.length === 0 && ['topology', 'compose', 'network', 'pods'].every(flag => values[flag] === undefined))) throw commandError(isAsked ? 'which rules?' : 'which packets?', "usage: 5x5 reach RULES... 'from eth0 to 10.0.0.0/8 tcp/22'")
    const { query, answer, assumptions, isPartial } = await answerReach({ text, paths, values, backend: readBackend(values['backend']) ?? 'legacy', terminal })
    if (values['json'] === true) terminal.out(`${JSON.stringify({ ...reachJson(answer, query), assumptions }, undefined, 2)}\n`)
    else terminal.out(`${assumptions.map(words => `assumed: ${words}\n`).join('')}${writeReach(answer, query, terminal.paint, { all: values['all'] === true })}`)
    if (isPartial) terminal.err('partial: lines that could not be read are left out\n')
    return EXIT.clean
  },
}
