/** `5x5 reach RULES... 'from eth0 to 10.0.0.0/8 tcp/22'` */

import { readReachQuery } from '../../src/analyze/reach-query.ts'
import { reachability } from '../../src/analyze/reachability.ts'
import { reachJson, writeReach } from '../../src/report/reach-text.ts'
import { namespaceOf, readOneRuleset } from '../analysis/rulesets.ts'
import { commandError, EXIT } from '../command.ts'
import type { Command } from '../command.ts'
import { readBackend, readFamily } from '../input.ts'

const help = `5x5 reach tells which packets get through, which do not, and which rules see to it: all packets, not one.

usage: 5x5 reach [flags] RULES... 'from END to END [SERVICE]'

  --topology FILE.yaml   devices, addresses and routes of the host; without it every network is possible: a packet may be
                         for this host or leave by any device
  --all                  show every reason
  --backend legacy|nft   which program loaded the rules; default legacy
  --family ipv4|ipv6     read the rules as rules of this family; without it the question or their content tells
  --json                 print {"query", "through", "elsewhere", "ended", "notes"}; each a list of {"outcome", "by", "packets",
                         "translation", "example", "conditions"}

A question reads \`from eth0 to 10.0.0.0/8 tcp/22\`. An END is a device, an address, a prefix, \`host\` (this host) or \`any\`; two of them
may stand together: \`from eth0 192.0.2.0/24\`. \`to ADDRESS\` is where packets are sent, before any translation.
A SERVICE is \`tcp/22\`, \`udp/53,67\`, \`tcp/1000-2000\`, \`icmp\`. \`established\` asks for packets of known connections, without it
for those that begin one: whole packets between hosts, of tcp those with SYN (established: ACK). Every example was sent through the rules.

examples:
  5x5 reach firewall.rules 'from eth0 to host tcp/22'
  5x5 reach docker.rules --topology host.yaml 'from eth0 to any tcp'

exit code: 0 answered, 2 the command line or a file cannot be read
`

/** The command. */
export const reach: Command = {
  help,
  flags: { topology: { type: 'string' }, all: { type: 'boolean' }, backend: { type: 'string' }, family: { type: 'string' }, json: { type: 'boolean' } },
  async run(values, words, terminal) {
    const text = words.at(-1)
    const paths = words.slice(0, -1)
    if (text === undefined || paths.length === 0 || !/^(from|to)\s/.test(text.trim())) throw commandError('which packets?', "usage: 5x5 reach RULES... 'from eth0 to 10.0.0.0/8 tcp/22'")
    const reading = readReachQuery(text)
    if (!reading.ok) throw commandError(reading.problem.message, text)
    const query = reading.value
    const backend = readBackend(values['backend']) ?? 'legacy'
    const ruleset = readOneRuleset(paths, { family: readFamily(values['family']) ?? query.family, backend, directory: terminal.directory })
    const namespace = await namespaceOf(values['topology'], terminal.directory)
    const answer = reachability({ ruleset, query, backend, ...(namespace ? { namespace } : {}) })
    if (values['json'] === true) terminal.out(`${JSON.stringify(reachJson(answer, query), undefined, 2)}\n`)
    else terminal.out(writeReach(answer, query, terminal.paint, { all: values['all'] === true }))
    if (ruleset.partial) terminal.err('partial: lines that could not be read are left out\n')
    return EXIT.clean
  },
}
