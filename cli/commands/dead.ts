/** `5x5 dead RULES...` */

import { findDead } from '../../src/analyze/dead.ts'
import type { DeadReport } from '../../src/analyze/dead.ts'
import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts'
import type { SourceFile } from '../../src/diagnostics/source-file.ts'
import { byPlace } from '../../src/extensions/check-ruleset.ts'
import { deadDiagnostic } from '../../src/report/dead-report.ts'
import { deadSummary } from '../../src/report/dead-summary.ts'
import type { DeadSize } from '../../src/report/dead-summary.ts'
import { jsonReport } from '../../src/report/json.ts'
import { writeDiagnostics } from '../../src/report/pretty.ts'
import { readRuleset } from '../../src/save/read.ts'
import { IPSET_FLAGS, IPSET_HELP, ipsetsOf, sayUnknownIpsets } from '../analysis/ipset-flags.ts'
import { commandError, EXIT } from '../command.ts'
import type { Command, FlagValues, Terminal } from '../command.ts'
import { readRulesets } from '../directories.ts'
import { readBackend, readFamily } from '../input.ts'
import { makeProgress } from '../progress.ts'
import { topologyFor } from '../trace/topology-for.ts'

const help = `5x5 dead finds rules and chains that do nothing, for every packet there can be.

usage: 5x5 dead [flags] RULES...

  --topology FILE.yaml   the devices there are; without it a packet may come from any device
${IPSET_HELP}
  --backend legacy|nft   which program loads the rules; default legacy
  --family ipv4|ipv6     read the files as rules of this family; without it their content tells
  --all                  show every finding, however many there are of a kind
  --json                 print {"files": [{"path", "partial", "undecided", "notes", "diagnostics": [...]}]}

never-matches      the conditions of a rule exclude each other, or what its chain sees
shadowed-rule      other rules decide every packet that it would match; the fewest such rules are named
never-arrives      other tables take away or rewrite all packets that it would match: a filter rule on an address that nat has changed
redundant-rule     without the rule the same becomes of its packets (all rules named so can go together)
unreachable-chain  no packet comes to the chain
unused-policy      rules decide every packet before the chain policy

Each table is looked at by itself, with every packet that the kernel can bring to it; then all of them together, where all
connections are taken to have begun under these rules. Without a topology any address may be this host's or another's. What headers
cannot decide (limits, strings, sets of unknown content) may match or not: a rule behind such a condition is never called dead because of it.

examples:
  5x5 dead firewall.rules
  iptables-save | 5x5 dead -

exit code: 0 nothing found but notes, 1 some rule or chain does nothing, 2 a file cannot be read
`

/** The command. */
export const dead: Command = {
  help,
  flags: { ...IPSET_FLAGS, topology: { type: 'string' }, backend: { type: 'string' }, family: { type: 'string' }, all: { type: 'boolean' }, json: { type: 'boolean' } },
  async run(values, paths, terminal) {
    if (paths.length === 0) throw commandError('which file?', 'usage: 5x5 dead RULES...')
    const sources = readRulesets(paths, terminal.directory)
    const progress = makeProgress(terminal)
    const found: Found[] = []
    for (const [index, source] of sources.entries()) {
      progress.step(index + 1, sources.length, `looking through ${source.path}`)
      const one = await findIn(source, values, terminal)
      progress.clear()
      found.push(one)
      if (!values['json']) print(one, values['all'] === true, index === 0, terminal)
    }
    if (values['json']) terminal.out(`${JSON.stringify({ files: found.flatMap(one => jsonReport([one]).files.map(file => ({ ...file, undecided: one.undecided, notes: one.notes }))) }, undefined, 2)}\n`)
    return found.some(({ diagnostics }) => diagnostics.some(({ severity }) => severity !== 'note')) ? EXIT.findings : EXIT.clean
  },
}

interface Found extends DeadSize, Pick<DeadReport, 'findings' | 'undecided' | 'notes'> {
  readonly sources: readonly SourceFile[]
  readonly diagnostics: readonly Diagnostic[]
}

async function findIn(source: SourceFile, values: FlagValues, terminal: Terminal): Promise<Found> {
  const backend = readBackend(values['backend']) ?? 'legacy'
  const family = readFamily(values['family'])
  const { value, diagnostics } = readRuleset([source], { backend, ...(family === undefined ? {} : { family }) })
  const unread = diagnostics.filter(({ severity, code }) => severity === 'error' || code === 'repeated-table')
  const topology = values['topology'] === undefined ? undefined : await topologyFor({ values, requests: [], rulesets: [value], directory: terminal.directory })
  const devices = topology?.namespaces.flatMap(namespace => namespace.devices.map(({ name }) => name))
  const [namespace] = topology?.namespaces ?? []
  const ipsets = ipsetsOf(values, terminal.directory)
  sayUnknownIpsets([value], ipsets, terminal)
  const known = ipsets.length > 0 ? { ipsets } : {}
  const { findings, undecided, notes } = findDead(value, { backend, ...(devices ? { universe: { devices, isClosed: true, ...known } } : { universe: known }), ...(namespace ? { namespace } : {}) })
  const about = findings.flatMap(finding => deadDiagnostic(finding, value.family) ?? [])
  return { sources: [source], path: source.path, partial: value.partial, ruleCount: value.ruleCount, findings, diagnostics: [...unread, ...about].sort(byPlace), undecided, notes }
}

function print(found: Found, all: boolean, isFirst: boolean, { out, paint, seconds }: Terminal): void {
  const text = writeDiagnostics(found.diagnostics, paint, all)
  out(`${isFirst ? '' : '\n'}${text}${text === '' ? '' : '\n'}${deadSummary(found, { ...found, ...(seconds ? { seconds: seconds() } : {}) }, paint)}`)
}
