/** `5x5 trace RULES... 'PACKET' ...` */

import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts'
import type { SourceFile } from '../../src/diagnostics/source-file.ts'
import { checkRuleset } from '../../src/extensions/check-ruleset.ts'
import type { Backend } from '../../src/ir/hooks.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import type { Family } from '../../src/net/address.ts'
import { looksLikePacket, PACKET_EXAMPLE } from '../../src/packet/notation.ts'
import type { PacketRequest } from '../../src/packet/notation.ts'
import { guessFamily } from '../../src/save/family.ts'
import { readRuleset } from '../../src/save/read.ts'
import { commandError, EXIT } from '../command.ts'
import type { Command } from '../command.ts'
import { readBackend, readFamily, readSources, withShortPaths } from '../input.ts'
import { checkPlace, readRequests } from '../trace/next-probe.ts'
import { printTraces } from '../trace/print-traces.ts'
import { topologyFor } from '../trace/topology-for.ts'

const help = `5x5 trace tells where a packet goes, rule by rule, and ends with one sentence that answers.

usage: 5x5 trace [flags] RULES... 'PACKET' ['PACKET' ...]

  --topology FILE.yaml   devices, addresses, routes and sysctls of the host; without it they are guessed, and told
  --ipset FILE           the sets that \`ipset save\` printed; without it it is open whether they match
  --all                  show the rules that do not match too, and which of their conditions failed
  --round-trip           send the answer to every packet too
  --backend legacy|nft   which program loaded the rules; default legacy
  --family ipv4|ipv6     read the rules as rules of this family; without it their content tells
  --json                 print {"partial", "assumptions", "packets": [{"packet", "events", "sentence", "assumed", "outcome",
                         "path", "ctstate", "out", "local", "replies", "gen"}]}; with --all the events tell misses too

RULES of one family are loaded one after the other; IPv4 and IPv6 rules may stand side by side.

A PACKET reads \`${PACKET_EXAMPLE}\`:
  device        where it arrives; without one the host itself makes it; NAMESPACE/DEVICE where there are several
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
  iptables-save | 5x5 trace - 'udp 10.0.0.1 > 192.0.2.53:53' --all

exit code: 0 traced, 2 the command line or a file cannot be read
`

/** The command. */
export const trace: Command = {
  help,
  flags: {
    topology: { type: 'string' },
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
    if (paths.length === 0) throw commandError('which rules?', "usage: 5x5 trace RULES... 'PACKET'")
    if (texts.length === 0) throw commandError('which packet?', `for example: 5x5 trace ${paths[0]} '${PACKET_EXAMPLE}'`)
    const requests = readRequests(texts)
    const backend = readBackend(values['backend']) ?? 'legacy'
    const sources = readSources(paths, terminal.directory)
    const rules = readRules(values['json'] === true ? sources : withShortPaths(sources), readFamily(values['family']), backend)
    checkFamilies(requests, rules.rulesets)
    const topology = await topologyFor({ values, requests, rulesets: rules.rulesets, directory: terminal.directory })
    for (const request of requests) if (request.kind === 'probe') checkPlace(request, topology)
    printTraces({ ...rules, topology, backend, texts, requests, all: values['all'] === true, isRoundTrip: values['round-trip'] === true, isJson: values['json'] === true }, terminal)
    return EXIT.clean
  },
}

/** The rules of a command line, one ruleset for each family. */
export interface TracedRules {
  readonly rulesets: readonly Ruleset[]
  /** What loading would refuse. */
  readonly errors: readonly Diagnostic[]
}

function readRules(sources: readonly SourceFile[], family: Family | undefined, backend: Backend): TracedRules {
  const read = (['ipv4', 'ipv6'] as const).flatMap(of => {
    const files = sources.filter(source => (family ?? guessFamily([source])) === of)
    return files.length === 0 ? [] : [readRuleset(files, { family: of, backend })]
  })
  const all = read.flatMap(({ value, diagnostics }) => [...diagnostics, ...checkRuleset(value, { backend })])
  const errors = all.filter(({ severity, backend: only }) => severity === 'error' && (only === undefined || only === backend))
  const loop = errors.find(({ code }) => code === 'chain-loop')
  if (loop) throw commandError(`the rules cannot be loaded: ${loop.message}`, '5x5 check shows where')
  return { rulesets: read.map(({ value }) => value), errors }
}

function checkFamilies(requests: readonly PacketRequest[], rulesets: readonly Ruleset[]): void {
  for (const request of requests) {
    if (request.kind !== 'probe' || rulesets.some(({ family }) => family === request.probe.packet.family)) continue
    const { family } = request.probe.packet
    throw commandError(`the packet is ${NAMES[family]}, and there are no rules for ${NAMES[family]}`, `the files are read as ${rulesets.map(one => NAMES[one.family]).join(' and ')} rules; \`--family ${family}\` reads them as ${NAMES[family]}`)
  }
}

const NAMES = { ipv4: 'IPv4', ipv6: 'IPv6' } as const

