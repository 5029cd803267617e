/** `5x5 diff OLD NEW` */

import { diffRulesets } from '../../src/analyze/diff.ts'
import type { Backend } from '../../src/ir/hooks.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import type { Family } from '../../src/net/address.ts'
import { changedIpsetNames } from '../../src/analyze/own-ipsets.ts'
import { plain } from '../../src/report/paint.ts'
import { diffJson, writeDiff } from '../../src/report/diff-text.ts'
import { assumedTopology } from '../../src/topology/assumed.ts'
import { commandError, EXIT } from '../command.ts'
import type { Command, FlagValues, Terminal } from '../command.ts'
import { readBackend, readFamily } from '../input.ts'
import type { Ipset } from '../../src/topology/topology.ts'
import { IPSET_FLAGS, ipsetsOf, sayUnknownIpsets } from '../analysis/ipset-flags.ts'
import { namespaceOf, readOneRuleset, sayEmpty } from '../analysis/rulesets.ts'

const help = `5x5 diff tells which packets two rulesets treat differently, why, and shows a packet for each reason.

usage: 5x5 diff [flags] OLD NEW

  --topology FILE.yaml   devices, addresses, routes of the host that both are for; without it every host counts:
                         what is equal is equal wherever it is loaded
  --guess                both are for the plainest host that their rules suggest; what was guessed is told
  --ipset FILE           what is in the sets that \`-m set\` asks for, as \`ipset save\` prints it; without it a set may have any address
  --ipset-old FILE, --ipset-new FILE   the sets of OLD and of NEW, where they differ: a packet that meets another fate because of
                         another content is a difference. All of these may be repeated
  --all                  show every reason
  --backend legacy|nft   which program loads the rules; default legacy
  --family ipv4|ipv6     read the rules as rules of this family; without it their content tells
  --json                 print {"equal", "whole", "notes", "groups": [{"change", "start", "state", "packets", "before", "after",
                         "example", "conditions"}]}; "more" in "before" or "after": of some packets only, the causes are too many

Exact over all packets: what becomes of them, and with which addresses, ports, tos and ttl they arrive. A match that no header
decides (\`-m string\`) counts both ways; a rule with memory (\`-m limit\`) is taken to do the same in both where its text is the same.
Packets of known connections are compared for every connection that there could be. Every example was sent through both rulesets.

examples:
  5x5 diff main.rules branch.rules
  5x5 diff firewall.rules firewall.rules --ipset-old yesterday.ipset --ipset-new today.ipset
  iptables-save | 5x5 diff firewall.rules - --topology host.yaml

exit code: 0 the same, 1 they differ, 2 the command line or a file cannot be read
`

/** The command. */
export const diff: Command = {
  help,
  flags: { ...IPSET_FLAGS, 'ipset-old': { type: 'string', multiple: true }, 'ipset-new': { type: 'string', multiple: true }, topology: { type: 'string' }, guess: { type: 'boolean' }, all: { type: 'boolean' }, backend: { type: 'string' }, family: { type: 'string' }, json: { type: 'boolean' } },
  async run(values, paths, terminal) {
    const [oldPath, newPath] = paths
    if (oldPath === undefined || newPath === undefined || paths.length > 2) throw commandError('which two rulesets?', 'usage: 5x5 diff OLD NEW')
    const backend = readBackend(values['backend']) ?? 'legacy'
    if (oldPath === '-' && newPath === '-') throw commandError('`-` stands for standard input and can be read only once')
    const { before, after } = readBoth([oldPath, newPath], readFamily(values['family']), backend, terminal)
    sayEmpty([before], [oldPath], terminal)
    sayEmpty([after], [newPath], terminal)
    const guessed = values['guess'] === true && values['topology'] === undefined ? assumedTopology([before, after], []) : undefined
    const namespace = guessed ? guessed.namespaces[0] : await namespaceOf(values['topology'], terminal.directory)
    const ipsets = ipsetsOfBoth(values, terminal.directory)
    sayUnknownIpsets([before], ipsets.before, terminal)
    if (ipsets.after !== ipsets.before) sayUnknownIpsets([after], ipsets.after, terminal)
    const found = diffRulesets({ before, after, backend, ipsets, ...(namespace ? { namespace } : {}) })
    if (values['json'] === true) terminal.out(`${JSON.stringify({ ...diffJson(found), ...(guessed ? { assumptions: guessed.assumptions } : {}) }, undefined, 2)}\n`)
    else terminal.out(`${(guessed?.assumptions ?? []).map(words => `assumed: ${words}\n`).join('')}${changedInWords(ipsets)}${writeDiff(found, { before: oldPath, after: newPath }, terminal.paint ?? plain, { all: values['all'] === true })}`)
    if (before.partial || after.partial) terminal.err('partial: lines that could not be read are left out of the comparison\n')
    return found.groups.length === 0 && found.isWhole ? EXIT.clean : EXIT.findings
  },
}

interface BothRulesets {
  readonly before: Ruleset
  readonly after: Ruleset
}

/** Rules that tell no family go with the others; those of two families have no packet in common. */
function readBoth([oldPath, newPath]: readonly [string, string], given: Family | undefined, backend: Backend, terminal: Terminal): BothRulesets {
  const read = (path: string, family: Family | undefined): Ruleset => readOneRuleset([path], { family, backend, terminal })
  const [before, after] = [read(oldPath, given), read(newPath, given)]
  if (before.family === after.family) return { before, after }
  const isOld = before.family === 'ipv4'
  const again = read(isOld ? oldPath : newPath, 'ipv6')
  if (again.partial && !(isOld ? before : after).partial) throw commandError(`\`${isOld ? oldPath : newPath}\` has rules for IPv4, \`${isOld ? newPath : oldPath}\` for IPv6: no packet meets both`, '--family FAMILY reads both as rules of one family')
  return isOld ? { before: again, after } : { before, after: again }
}

function ipsetsOfBoth(values: FlagValues, directory: string): Readonly<Record<'before' | 'after', readonly Ipset[]>> {
  const [both, before, after] = ['ipset', 'ipset-old', 'ipset-new'].map(flag => ipsetsOf(values, directory, flag))
  if ((values['ipset-old'] === undefined) !== (values['ipset-new'] === undefined)) throw commandError('the sets of one version are given, those of the other are not', '`--ipset-old FILE --ipset-new FILE`, or `--ipset FILE` for both')
  if (values['ipset-old'] === undefined) return { before: both ?? [], after: both ?? [] }
  return { before: [...(both ?? []), ...(before ?? [])], after: [...(both ?? []), ...(after ?? [])] }
}

function changedInWords({ before, after }: Readonly<Record<'before' | 'after', readonly Ipset[]>>): string {
  return [...changedIpsetNames(before, after)].map(name => `ipset \`${name}\` has other content in the new version\n`).join('')
}
