/** `5x5 check RULES...` */

import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts'
import type { SourceFile } from '../../src/diagnostics/source-file.ts'
import { byPlace, checkRuleset } from '../../src/extensions/check-ruleset.ts'
import type { Backend } from '../../src/ir/hooks.ts'
import type { Family } from '../../src/net/address.ts'
import { jsonReport } from '../../src/report/json.ts'
import { writeDiagnostics, writeSummary } from '../../src/report/pretty.ts'
import { readRuleset } from '../../src/save/read.ts'
import { commandError, EXIT } from '../command.ts'
import type { Command, Terminal } from '../command.ts'
import { readBackend, readFamily, readSources } from '../input.ts'

const help = `5x5 check reports what loading a ruleset would refuse, and what can hardly be meant.

usage: 5x5 check [flags] RULES...

  --backend legacy|nft   report for one of them; without it an error is what at least one refuses
  --family ipv4|ipv6     read the files as rules of this family; without it their content tells
  --all                  show every finding, however many there are of a kind
  --json                 print {"files": [{"path", "partial", "diagnostics": [...]}]}

Every file is checked by itself. An error is what iptables-restore or the kernel refuses; a warning loads and is
likely wrong; a note is worth knowing. \`iptables-restore --test\` finds fewer errors than loading does: it never
asks the kernel.

examples:
  5x5 check firewall.rules
  iptables-save | 5x5 check -
  5x5 check --backend nft --json *.rules

exit code: 0 no error and no warning, 1 some, 2 a file cannot be read
`

/** The command. */
export const check: Command = {
  help,
  flags: { backend: { type: 'string' }, family: { type: 'string' }, all: { type: 'boolean' }, json: { type: 'boolean' } },
  async run(values, paths, terminal) {
    if (paths.length === 0) throw commandError('which file?', 'usage: 5x5 check RULES...')
    const backend = readBackend(values['backend'])
    const family = readFamily(values['family'])
    const found = readSources(paths, terminal.directory).map(source => checkSource(source, backend, family))
    if (values['json']) terminal.out(`${JSON.stringify(jsonReport(found), undefined, 2)}\n`)
    else for (const [index, one] of found.entries()) print(one, { all: values['all'] === true, isFirst: index === 0 }, terminal)
    return found.some(({ diagnostics }) => diagnostics.some(({ severity }) => severity !== 'note')) ? EXIT.findings : EXIT.clean
  },
}

interface Checked {
  readonly sources: readonly SourceFile[]
  readonly partial: boolean
  readonly ruleCount: number
  readonly diagnostics: readonly Diagnostic[]
}

function checkSource(source: SourceFile, backend: Backend | undefined, family: Family | undefined): Checked {
  const { value, diagnostics } = readRuleset([source], family === undefined ? {} : { family })
  const about = checkRuleset(value, backend === undefined ? {} : { backend })
  // A line that was not read may be the one that jumps there.
  const sure = value.partial ? about.filter(({ code }) => code !== 'unused-chain') : about
  const all = [...diagnostics, ...sure].filter(diagnostic => backend === undefined || diagnostic.backend === undefined || diagnostic.backend === backend).sort(byPlace)
  return { sources: [source], partial: value.partial, ruleCount: value.ruleCount, diagnostics: all }
}

function print({ sources, partial, ruleCount, diagnostics }: Checked, how: { readonly all: boolean; readonly isFirst: boolean }, { out, paint, seconds }: Terminal): void {
  const text = writeDiagnostics(diagnostics, paint, how.all)
  const summary = writeSummary(diagnostics, { paths: sources.map(source => source.path), ruleCount, partial, ...(seconds ? { seconds: seconds() } : {}) }, paint)
  out(`${how.isFirst ? '' : '\n'}${text}${text === '' ? '' : '\n'}${summary}`)
}
