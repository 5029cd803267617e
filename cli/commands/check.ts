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
import { readRulesets } from '../directories.ts'
import { readBackend, readFamily } from '../input.ts'
import { makeProgress } from '../progress.ts'

const help = `5x5 check reports what loading a ruleset would refuse, and what can hardly be meant.

usage: 5x5 check [flags] RULES...

  --backend legacy|nft   report for one of them; without it an error is what at least one refuses
  --family ipv4|ipv6     read the files as rules of this family; without it their content tells
  --all                  show every finding, however many there are of a kind
  --json                 print {"files": [{"path", "partial", "diagnostics": [...]}]}

RULES may be a directory: all files in it named *.rules *.rules6 *.v4 *.v6 *.save *-save iptables* ip6tables* are read,
and those without findings are only counted.
Every file is checked by itself. An error is what iptables-restore or the kernel refuses; a warning loads and is
likely wrong; a note is worth knowing. \`iptables-restore --test\` finds fewer errors than loading does: it never
asks the kernel.

examples:
  5x5 check firewall.rules
  iptables-save | 5x5 check -
  5x5 check --backend nft --json *.rules
  5x5 check /etc/iptables

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
    const sources = readRulesets(paths, terminal.directory)
    const progress = makeProgress(terminal)
    const found: Checked[] = []
    let hasPrinted = false
    for (const [index, source] of sources.entries()) {
      const one = checkSource(source, { backend, family, step: verb => progress.step(index + 1, sources.length, `${verb} ${source.path}`) })
      found.push(one)
      if (values['json']) continue
      // Of a directory only what has findings is named.
      if (sources.length > paths.length && one.diagnostics.length === 0) continue
      progress.clear()
      print(one, { all: values['all'] === true, isFirst: !hasPrinted, isOnly: sources.length === 1 }, terminal)
      hasPrinted = true
    }
    progress.clear()
    if (values['json']) terminal.out(`${JSON.stringify(jsonReport(found), undefined, 2)}\n`)
    else if (found.length > 1) printTotal(found, !hasPrinted, terminal)
    return found.some(({ diagnostics }) => diagnostics.some(({ severity }) => severity !== 'note')) ? EXIT.findings : EXIT.clean
  },
}

interface Checked {
  readonly sources: readonly SourceFile[]
  readonly partial: boolean
  readonly ruleCount: number
  readonly diagnostics: readonly Diagnostic[]
}

interface How {
  readonly backend: Backend | undefined
  readonly family: Family | undefined
  readonly step: (verb: string) => void
}

function checkSource(source: SourceFile, { backend, family, step }: How): Checked {
  step('reading')
  const { value, diagnostics } = readRuleset([source], { ...(family === undefined ? {} : { family }), ...(backend === undefined ? {} : { backend }) })
  step('checking')
  const about = checkRuleset(value, backend === undefined ? {} : { backend })
  // A line that was not read may be the one that jumps there.
  const sure = value.partial ? about.filter(({ code }) => code !== 'unused-chain') : about
  const all = [...diagnostics, ...sure].filter(diagnostic => backend === undefined || diagnostic.backend === undefined || diagnostic.backend === backend).sort(byPlace)
  return { sources: [source], partial: value.partial, ruleCount: value.ruleCount, diagnostics: all }
}

function print({ sources, partial, ruleCount, diagnostics }: Checked, how: { readonly all: boolean; readonly isFirst: boolean; readonly isOnly: boolean }, { out, paint, seconds }: Terminal): void {
  const text = writeDiagnostics(diagnostics, paint, how.all)
  const summary = writeSummary(diagnostics, { paths: sources.map(source => source.path), ruleCount, partial, ...(seconds && how.isOnly ? { seconds: seconds() } : {}) }, paint)
  out(`${how.isFirst || text === '' ? '' : '\n'}${text}${text === '' ? '' : '\n'}${summary}`)
}

/** The last line answers for all files. */
function printTotal(found: readonly Checked[], isFirst: boolean, { out, paint, seconds }: Terminal): void {
  const diagnostics = found.flatMap(one => one.diagnostics)
  const ruleCount = found.reduce((sum, one) => sum + one.ruleCount, 0)
  const withFindings = found.filter(one => one.diagnostics.length > 0).length
  const files = withFindings === 0 || withFindings === found.length ? `${found.length} files` : `${withFindings} of ${found.length} files`
  out(`${isFirst ? '' : '\n'}${writeSummary(diagnostics, { paths: [files], ruleCount, partial: false, ...(seconds ? { seconds: seconds() } : {}) }, paint)}`)
}
