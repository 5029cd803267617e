/** `5x5 trace RULES... 'PACKET' ...` */

import { looksLikePacket, PACKET_EXAMPLE } from '../../src/packet/notation.ts'
import type { PacketRequest } from '../../src/packet/notation.ts'
import { sayEmpty } from '../analysis/rulesets.ts'
import { commandError, EXIT } from '../command.ts'
import type { Command } from '../command.ts'
import { COMPOSE_FLAGS, COMPOSE_HELP, helpForName } from '../docker/compose-flags.ts'
import { readBackend } from '../input.ts'
import { placeProbe, readRequests } from '../trace/next-probe.ts'
import { readFlows, traceFlows } from '../trace/packet-flows.ts'
import { printTraces } from '../trace/print-traces.ts'
import { readWorld } from '../trace/world-input.ts'
import type { WorldInput } from '../trace/world-input.ts'

const help = `5x5 trace tells where a packet goes, rule by rule, and ends with one sentence that answers.

usage: 5x5 trace [flags] [RULES...] 'PACKET' ['PACKET' ...]

  --topology FILE.yaml   devices, addresses, routes, rules and links of one or several hosts; without it a host is guessed, and told
${COMPOSE_HELP}
  --network FILE, --pods FILE   the host that container networks and their pods make (see 5x5 cni); pods and HOST stand for addresses
  --from NAMESPACE       where packets start that name no namespace themselves: a namespace, a container or a service; default the first
  --packets FILE         send the packets of a file (see 5x5 witness) instead; blank lines divide them into flows, each in a world of its own
  --ipset FILE           the sets that \`ipset save\` printed; without it it is open whether they match
  --all                  show the rules that do not match too, and which of their conditions failed
  --round-trip           send the answer to every packet too
  --backend legacy|nft   which program loaded the rules; default legacy
  --family ipv4|ipv6     read the rules as rules of this family; without it their content tells
  --json                 print {"partial", "assumptions", "packets": [{"packet", "events", "sentence", "assumed", "outcome",
                         "path", "ctstate", "out", "local", "replies", "gen"}]}; with --all the events tell misses too; with
                         several namespaces "legs" tells what happened in each of them, and by which devices it went on; with
                         --packets {"flows": [{"about", "partial", "assumptions", "packets"}]}

RULES of one family are loaded one after the other; IPv4 and IPv6 rules may stand side by side. They are the rules of the first
namespace, in place of what the topology says; \`NAMESPACE=FILE\` gives rules to another one.

A PACKET reads \`${PACKET_EXAMPLE}\`:
  device        where it arrives; without one the host itself makes it; NAMESPACE/DEVICE (or NAMESPACE/) where there are several
  protocol      tcp, udp, icmp, icmp6, sctp, esp, gre, ... or a number
  ends          ADDRESS:PORT > ADDRESS:PORT; IPv6 with a port as [2001:db8::1]:443; source port 40000 may be left out
  tcp flags     syn (where none is given), ack, syn,ack, fin, rst, psh
  icmp          echo-request, echo-reply, port-unreachable, ...; type 3 code 4; id 7; quoting PACKET
  more          ttl 5, tos 0x10, mark 0x1, len 1500, mac 02:42:ac:11:00:02, uid 1000, gid 1000, frag 1480
\`reply\` is the answer to the packet before, as it was seen where that came out; \`again\` sends the packet before once
more; both take words: \`reply rst\`. The packets share one world: connections are remembered.

examples:
  5x5 trace firewall.rules 'eth0 tcp 198.51.100.7 > 203.0.113.2:443'
  5x5 trace docker.rules --topology host.yaml 'eth0 tcp 198.51.100.7 > 203.0.113.2:8080' reply reply
  5x5 trace --topology net.yaml --from web --round-trip 'tcp 172.17.0.2 > 198.51.100.7:443'
  5x5 trace --compose compose.yaml 'eth0 tcp 198.51.100.7 > HOST:8080' 'tcp app > db:5432'
  iptables-save | 5x5 trace - 'udp 10.0.0.1 > 192.0.2.53:53' --all

exit code: 0 traced, 2 the command line or a file cannot be read
`

/** The command. */
export const trace: Command = {
  help,
  flags: {
    ...COMPOSE_FLAGS,
    network: { type: 'string', multiple: true },
    pods: { type: 'string', multiple: true },
    topology: { type: 'string' },
    from: { type: 'string' },
    packets: { type: 'string' },
    ipset: { type: 'string', multiple: true },
    all: { type: 'boolean' },
    'round-trip': { type: 'boolean' },
    backend: { type: 'string' },
    family: { type: 'string' },
    json: { type: 'boolean' },
  },
  async run(values, words, terminal) {
    const paths = words.filter(word => !looksLikePacket(word))
    const texts = words.filter(looksLikePacket)
    if (paths.length === 0 && ['topology', 'compose', 'network', 'pods'].every(flag => values[flag] === undefined)) throw commandError('which rules?', "usage: 5x5 trace RULES... 'PACKET', with --topology FILE.yaml or --compose FILE.yaml in place of RULES or beside them")
    const flows = typeof values['packets'] === 'string' ? readFlows(values['packets'], terminal.directory) : undefined
    if (flows && texts.length > 0) throw commandError('packets stand in `--packets` or on the command line', 'give one of them')
    if (texts.length === 0 && !flows) throw commandError('which packet?', `for example: 5x5 trace ${paths[0] ?? '--topology FILE.yaml'} '${PACKET_EXAMPLE}'`)
    const how = { values, paths, backend: readBackend(values['backend']) ?? 'legacy', directory: terminal.directory }
    const hasCompose = Object.keys(COMPOSE_FLAGS).some(flag => values[flag] !== undefined)
    const compose = hasCompose ? await (await import('../docker/compose-input.ts')).readComposeInput(how) : undefined
    const hasNetwork = values['network'] !== undefined || values['pods'] !== undefined
    if (compose && hasNetwork) throw commandError('`--compose` and `--network` each make a host', 'give one of them')
    const made = compose ?? (hasNetwork ? await (await import('../network/network-input.ts')).readNetworkInput(how) : undefined)
    const from = typeof values['from'] === 'string' ? (compose?.placeOf(values['from']) ?? values['from']) : undefined
    const requests = readRequests(made ? texts.map(made.fill) : texts, made ? undefined : helpForName).map(request => fromNamespace(request, from))
    const input = made?.input ?? (await readWorld({ ...how, requests }))
    const placed = requests.map(request => (request.kind === 'probe' ? placeProbe(request, input.topology) : request))
    if (!made) sayEmpty([...input.rulesetsOf.values()].flat(), paths, terminal)
    if (paths.length > 0) checkFamilies(placed, input)
    const shown = { all: values['all'] === true, isRoundTrip: values['round-trip'] === true, isJson: values['json'] === true }
    if (flows) traceFlows({ flows, input, described: made !== undefined || values['topology'] !== undefined ? input.topology : undefined, ...shown }, terminal)
    else printTraces({ input, texts, requests: placed, ...shown }, terminal)
    return EXIT.clean
  },
}

/** A packet that names its namespace itself keeps it. */
function fromNamespace(request: PacketRequest, namespace: string | undefined): PacketRequest {
  if (request.kind !== 'probe' || namespace === undefined || request.probe.namespace !== undefined) return request
  return { ...request, probe: { ...request.probe, namespace } }
}

/** In a world without any rules of a family nothing is filtered; rules of the other family alone are likely a mistake. */
function checkFamilies(requests: readonly PacketRequest[], { rulesetsOf }: WorldInput): void {
  const rulesets = [...rulesetsOf.values()].flat()
  for (const request of requests) {
    if (request.kind !== 'probe' || rulesets.some(({ family }) => family === request.probe.packet.family)) continue
    const { family } = request.probe.packet
    throw commandError(`the packet is ${NAMES[family]}, and there are no rules for ${NAMES[family]}`, `the files are read as ${rulesets.map(one => NAMES[one.family]).join(' and ')} rules; \`--family ${family}\` reads them as ${NAMES[family]}`)
  }
}

const NAMES = { ipv4: 'IPv4', ipv6: 'IPv6' } as const
