/** `5x5 witness RULES...` */

import { ruleReach } from '../../src/analyze/rule-reach.ts'
import { findWitnesses } from '../../src/analyze/witness.ts'
import { witnessJson, writeWitnesses } from '../../src/report/witness-text.ts'
import type { FoundWitnesses } from '../../src/report/witness-text.ts'
import type { Backend } from '../../src/ir/hooks.ts'
import { IPSET_FLAGS, IPSET_HELP } from '../analysis/ipset-flags.ts'
import { readWitnessInput } from '../analysis/witness-input.ts'
import type { WitnessInput } from '../analysis/witness-input.ts'
import { commandError, EXIT } from '../command.ts'
import type { Command, FlagValues } from '../command.ts'
import { readBackend } from '../input.ts'

const help = `5x5 witness finds for every rule packets that reach it: a test set for a ruleset.

usage: 5x5 witness [flags] RULES...
       5x5 witness [flags] --topology FILE.yaml      (for the rules that the topology has)

  --topology FILE.yaml   the hosts that the packets are sent to: they come by devices that exist and go where routes lead; without it
                         the rules suggest a host. RULES are those of the first namespace; \`NAMESPACE=FILE\` names another
${IPSET_HELP}
  --backend legacy|nft   which program loads the rules; default legacy
  --family ipv4|ipv6     read the files as rules of this family; without it their content tells
  --json                 print {"files": [{"path", "namespace"?, "partial", "tooBig", "rules": [{"place", "chain", "table", "number",
                         "packets": [...], "host"?, "conditions": [...], "why"?, "metBy"?}]}]}

What is printed is a file for 5x5 trace --packets and 5x5 verify --packets. Blank lines divide it: for each rule the packets that are sent one
after the other into a world of their own, the last of which (or what is answered to it) meets the rule. One packet is enough for most rules; for
one that asks for an established or related connection the first packet opens it. Each was sent through the simulator
as it is written here: on the topology where one is given (name it to trace and verify too), or else on the host that rules and packets
make likely, or on that of a \`host\` line. \`if\` and \`unless\` lines say what
has to match, or must not, of what headers do not decide. A rule without packets is dead, or the reason is told; of
more than 1,000 rules one that the packets for another rule meet has none of its own.

examples:
  5x5 witness firewall.rules > packets.txt
  5x5 trace firewall.rules --packets packets.txt
  sudo 5x5 verify firewall.rules --packets packets.txt
  5x5 witness firewall.rules --topology host.yaml > packets.txt && 5x5 trace firewall.rules --topology host.yaml --packets packets.txt

exit code: 0 every rule has its packets, 1 some rule has none, 2 a file cannot be read
`

/** The command. */
export const witness: Command = {
  help,
  flags: { ...IPSET_FLAGS, topology: { type: 'string' }, backend: { type: 'string' }, family: { type: 'string' }, json: { type: 'boolean' } },
  async run(values, paths, terminal) {
    if (paths.length === 0 && values['topology'] === undefined) throw commandError('which file?', 'usage: 5x5 witness RULES...')
    const backend = readBackend(values['backend']) ?? 'legacy'
    const found = (await readWitnessInput({ values, paths, backend, terminal })).map(input => findIn(input, backend, values['topology']))
    terminal.out(values['json'] ? `${JSON.stringify(witnessJson(found), undefined, 2)}\n` : writeWitnesses(found))
    if (!values['json'] && found.some(({ partial }) => partial)) terminal.err('partial: lines that could not be read are left out\n')
    const isWhole = found.every(({ tooBig, witnesses }) => tooBig.length === 0 && witnesses.every(({ kind }) => kind === 'packets'))
    return isWhole ? EXIT.clean : EXIT.findings
  },
}

function findIn({ path, ruleset, place, universe }: WitnessInput, backend: Backend, topology: FlagValues[string]): FoundWitnesses {
  const reach = ruleReach(ruleset, { backend, ...(universe ? { universe } : {}) })
  const witnesses = findWitnesses(reach, { backend, ...(place ? { place } : {}) })
  return { path, partial: ruleset.partial, tooBig: reach.skipped, witnesses, ...(place ? { place: { topology: String(topology), namespace: place.namespace.name } } : {}) }
}
