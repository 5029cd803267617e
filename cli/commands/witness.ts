/** `5x5 witness RULES...` */

import { ruleReach } from '../../src/analyze/rule-reach.ts'
import { findWitnesses } from '../../src/analyze/witness.ts'
import type { Witness } from '../../src/analyze/witness.ts'
import type { SourceFile } from '../../src/diagnostics/source-file.ts'
import { writeProbe } from '../../src/packet/write-packet.ts'
import { count } from '../../src/report/paint.ts'
import { placeOf, ruleText } from '../../src/report/rule-words.ts'
import { readRuleset } from '../../src/save/read.ts'
import { refuseForeign } from '../analysis/rulesets.ts'
import { IPSET_FLAGS, IPSET_HELP, ipsetsOf, sayUnknownIpsets } from '../analysis/ipset-flags.ts'
import { commandError, EXIT } from '../command.ts'
import type { Command, FlagValues, Terminal } from '../command.ts'
import { readBackend, readFamily, readSources } from '../input.ts'

const help = `5x5 witness finds for every rule a packet that reaches it: a test set for a ruleset.

usage: 5x5 witness [flags] RULES...

${IPSET_HELP}
  --backend legacy|nft   which program loads the rules; default legacy
  --family ipv4|ipv6     read the files as rules of this family; without it their content tells
  --json                 print {"files": [{"path", "partial", "tooBig", "rules": [{"place", "chain", "table", "number",
                         "packet"?, "hook"?, "conditions": [...], "why"?}]}]}

Each packet was sent through the simulator, on a host that has its devices and routes, and met its rule there. Lines
that begin with # say which rule the packet after them is for, and what has to be so for conditions that headers do not
decide. Packets are written as 5x5 trace takes them. A rule without a packet is dead, or needs a connection first.

examples:
  5x5 witness firewall.rules > packets.txt
  5x5 trace firewall.rules "$(grep -v '^#' packets.txt | head -1)"

exit code: 0 every rule has its packet, 1 some rule has none, 2 a file cannot be read
`

/** The command. */
export const witness: Command = {
  help,
  flags: { ...IPSET_FLAGS, backend: { type: 'string' }, family: { type: 'string' }, json: { type: 'boolean' } },
  async run(values, paths, terminal) {
    if (paths.length === 0) throw commandError('which file?', 'usage: 5x5 witness RULES...')
    const found = readSources(paths, terminal.directory).map(source => findIn(source, values, terminal))
    const all = found.flatMap(one => one.witnesses)
    const withPacket = all.filter(({ kind }) => kind === 'packet').length
    if (values['json']) terminal.out(`${JSON.stringify({ files: found.map(({ source, partial, tooBig, witnesses }) => ({ path: source.path, partial, tooBig, rules: witnesses.map(asJson) })) }, undefined, 2)}\n`)
    else {
      for (const { witnesses, tooBig } of found) {
        terminal.out(witnesses.map(asText).join(''))
        terminal.out(tooBig.map(name => `# the ${name} table is too big: its rules have no packets here\n`).join(''))
      }
      terminal.out(`# ${count(withPacket, 'rule')} of ${all.length} ${withPacket === 1 ? 'has its' : 'have their'} packet\n`)
      if (found.some(({ partial }) => partial)) terminal.err('partial: lines that could not be read are left out\n')
    }
    return withPacket === all.length && found.every(({ tooBig }) => tooBig.length === 0) ? EXIT.clean : EXIT.findings
  },
}

interface Found {
  readonly source: SourceFile
  readonly partial: boolean
  readonly tooBig: readonly string[]
  readonly witnesses: readonly Witness[]
}

function findIn(source: SourceFile, values: FlagValues, terminal: Terminal): Found {
  const backend = readBackend(values['backend']) ?? 'legacy'
  const family = readFamily(values['family'])
  const { value, diagnostics } = readRuleset([source], { backend, ...(family === undefined ? {} : { family }) })
  refuseForeign(diagnostics)
  const ipsets = ipsetsOf(values, terminal.directory)
  sayUnknownIpsets([value], ipsets, terminal)
  const reach = ruleReach(value, { backend, ...(ipsets.length > 0 ? { universe: { ipsets } } : {}) })
  return { source, partial: value.partial, tooBig: reach.skipped, witnesses: findWitnesses(reach, backend) }
}

function asText(found: Witness): string {
  const { at } = found
  const head = `# ${placeOf(at.rule)}  ${at.chain.table} ${at.chain.name}  ${ruleText(at.rule)}\n`
  if (found.kind === 'dead') return `${head}#   no packet reaches it\n`
  if (found.kind === 'unconfirmed') return `${head}#   no packet: ${found.why}\n`
  const conditions = found.conditions.map(({ words, value }) => `#   if \`${words}\` ${value ? 'matches' : 'does not match'}\n`)
  return `${head}${conditions.join('')}${writeProbe(found.probe)}\n`
}

function asJson(found: Witness): unknown {
  const { at } = found
  const place = { place: placeOf(at.rule), table: at.chain.table, chain: at.chain.name, number: at.number }
  if (found.kind !== 'packet') return { ...place, conditions: [], why: found.kind === 'dead' ? 'no packet reaches it' : found.why }
  return { ...place, hook: found.hook, packet: writeProbe(found.probe), conditions: found.conditions }
}
