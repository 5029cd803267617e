/** `5x5 verify [RULES...] [--topology F]` */

import { writeVerifyReport } from '../../src/report/verify-report.ts'
import { sayNotLoaded } from '../analysis/rulesets.ts'
import { ipsetsOf } from '../analysis/ipset-flags.ts'
import { commandError, EXIT } from '../command.ts'
import type { Command } from '../command.ts'
import { readBackend, readFamily, readSources, withShortPaths } from '../input.ts'
import { makeProgress } from '../progress.ts'
import { readFlows } from '../trace/packet-flows.ts'
import { topologyFor } from '../trace/topology-for.ts'
import { checkNamespaces, splitPath } from '../trace/world-input.ts'
import { requireMachine } from '../verify/machine.ts'
import { readGiven, rulesOfAll } from '../verify/rules-of.ts'
import { verifyFlows } from '../verify/verify-flows.ts'
import { verifyRules } from '../verify/verify-rules.ts'

const help = `5x5 verify asks the kernel of this machine: it does what the simulator says, or where it does not. Needs root.

usage: 5x5 verify [flags] RULES...
       5x5 verify [flags] --topology FILE.yaml      (with the rules that the topology has)

  --topology FILE.yaml   the host to rebuild; without it one is guessed from the rules, and told
  --packets FILE         send the packets of a file (see 5x5 witness) in place of such as are looked for
  --ipset FILE           the sets that \`ipset save\` printed
  --backend legacy|nft   which program loads the rules; default legacy
  --family ipv4|ipv6     read the rules as rules of this family; without it their content tells
  --json                 print {"agrees", "backend", "machine", "assumptions", "rules": [{"namespace", "family", "table", "chain",
                         "number", "place", "words", "verdict", "kernel", "simulator", "why"?}], "packets": [{"packet", "agrees",
                         "differences": [{"namespace", "what", "kernel", "simulator"}]}]}

The topology is built again in network namespaces of its own, the rules are loaded by the real iptables-restore, and packets are sent
that exercise every rule for which the simulator finds some: as frames on the devices, or from sockets of the host. Then the
counters of all rules and chain policies and what left every device are compared with what the simulator says. RULES are those of the
first namespace of the topology; \`NAMESPACE=FILE\` names another. Nobody listens in the rebuilt namespaces: closed ports answer.
Nothing outside of these namespaces is touched, and they are removed at the end, after Ctrl-C too.

examples:
  sudo 5x5 verify firewall.rules
  sudo 5x5 snapshot -o host.yaml && sudo 5x5 verify --topology host.yaml

exit code: 0 the kernel did what the simulator says, 1 something differs, 2 it cannot run: not root, no iptables, or rules that cannot be loaded
`

/** The command. */
export const verify: Command = {
  help,
  flags: {
    topology: { type: 'string' },
    packets: { type: 'string' },
    ipset: { type: 'string', multiple: true },
    backend: { type: 'string' },
    family: { type: 'string' },
    json: { type: 'boolean' },
  },
  async run(values, paths, terminal) {
    if (paths.length === 0 && values['topology'] === undefined) throw commandError('which rules?', 'usage: 5x5 verify RULES...')
    const backend = readBackend(values['backend']) ?? 'legacy'
    const named = paths.map(splitPath)
    const sources = readSources(named.map(({ path }) => path), terminal.directory)
    const shown = values['json'] === true ? sources : withShortPaths(sources)
    const given = { files: shown.map((source, index) => ({ ...named[index], source })), family: readFamily(values['family']), backend }
    const topology = await topologyFor({ values, requests: [], rulesets: readGiven(given).map(one => one.ruleset), directory: terminal.directory })
    checkNamespaces(named, topology)
    const rules = rulesOfAll(topology, given)
    if (rules.length === 0) throw commandError('there are no rules to verify: the topology has none', 'usage: 5x5 verify RULES... --topology FILE.yaml')
    sayNotLoaded(rules.flatMap(({ warnings }) => warnings), terminal)
    requireMachine(backend, [...new Set(rules.map(one => one.family))])
    const progress = makeProgress(terminal)
    const requested = typeof values['packets'] === 'string' ? readFlows(values['packets'], terminal.directory) : undefined
    const described = values['topology'] === undefined ? undefined : topology
    const report = await (requested ? verifyFlows({ requested, described, ipsets: ipsetsOf(values, terminal.directory), rules, backend, progress }) : verifyRules({ topology, rules, backend, progress }))
    progress.clear()
    const agrees = report.packets.every(packet => packet.agrees)
    terminal.out(values['json'] === true ? `${JSON.stringify({ agrees, ...report }, undefined, 2)}\n` : writeVerifyReport(report, terminal.paint))
    return agrees ? EXIT.clean : EXIT.findings
  },
}
