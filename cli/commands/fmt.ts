/** `5x5 fmt FILE...` */

import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts'
import type { SourceFile } from '../../src/diagnostics/source-file.ts'
import { writeDiagnostics } from '../../src/report/pretty.ts'
import { readRuleset } from '../../src/save/read.ts'
import { writeRuleset } from '../../src/save/write.ts'
import type { WriteOptions } from '../../src/save/write.ts'
import { sayNotLoaded } from '../analysis/rulesets.ts'
import { commandError, EXIT } from '../command.ts'
import type { Command, FlagValues, Terminal } from '../command.ts'
import { readRulesets } from '../directories.ts'
import { readBackend, readFamily } from '../input.ts'
import { formatPolicyFile } from '../policy/format-file.ts'
import { makeProgress, withoutProgress } from '../progress.ts'
import { writeText } from '../write-file.ts'

const help = `5x5 fmt prints a ruleset as iptables-save would after loading it, without its two comment lines,
or a policy (*.gate) with its sentences aligned.

usage: 5x5 fmt [flags] RULES...
       5x5 fmt [--check|--write] POLICY...

  --backend legacy|nft   whose iptables-save; default legacy
  --family ipv4|ipv6     read the files as rules of this family; without it their content tells
  -c, --counters         with the counters of the rules, as iptables-save -c
  --check                print nothing but the files that are not formatted; exit code 1 if there are any
  --write                write the files that are not formatted
  --drop-comments        let --write drop comment lines of rulesets
  --policy               read the files as policies; without it those named *.gate are

iptables-save prints the tables in the order of the kernel (legacy: the table loaded last comes first), so formatting
a formatted file turns the tables round again. --check and --write therefore keep the tables in the order of the file.

iptables-save knows nothing of comment lines (\`# ...\`): they are lost. --check does not look at them, and --write
leaves a file alone that has some, unless --drop-comments is given. To keep a remark, use \`-m comment\`.

A file that loading would refuse is not formatted: its errors are printed. RULES may be a directory: all files in it
named *.rules *.rules6 *.v4 *.v6 *.save *-save iptables* ip6tables* are read. Of several files each is printed after a
comment line with its path. Of a policy words and comments stay; Prettier formats it too: \`--plugin fivebyfive/prettier-plugin\`.

examples:
  5x5 fmt firewall.rules
  5x5 fmt --write gateway.gate
  5x5 fmt --check /etc/iptables

exit code: 0 done, 1 files with errors or (--check) not formatted, 2 a file cannot be read
`

/** The command. */
export const fmt: Command = {
  help,
  flags: { backend: { type: 'string' }, family: { type: 'string' }, counters: { type: 'boolean', short: 'c' }, check: { type: 'boolean' }, write: { type: 'boolean' }, 'drop-comments': { type: 'boolean' }, policy: { type: 'boolean' } },
  async run(values, paths, terminal) {
    if (paths.length === 0) throw commandError('which file?', 'usage: 5x5 fmt RULES...')
    if (values['check'] && values['write']) throw commandError('`--check` and `--write` cannot stand together')
    if (values['write'] && paths.includes('-')) throw commandError('`--write` cannot write to standard input', 'without it the result goes to standard output')
    const sources = readRulesets(paths, terminal.directory)
    const progress = makeProgress(terminal)
    const printing = withoutProgress(terminal, progress)
    const codes: number[] = []
    for (const [index, source] of sources.entries()) {
      progress.step(index + 1, sources.length, `formatting ${source.path}`)
      const isPolicy = values['policy'] === true || source.path.endsWith('.gate')
      codes.push(isPolicy ? await formatPolicyFile(source, values, printing, sources.length > 1) : format(source, values, printing, sources.length > 1))
    }
    progress.clear()
    return Math.max(...codes)
  },
}

function format(source: SourceFile, values: FlagValues, terminal: Terminal, isOneOfMany: boolean): number {
  const backend = readBackend(values['backend'])
  const family = readFamily(values['family'])
  const { value, diagnostics } = readRuleset([source], { ...(family === undefined ? {} : { family }), ...(backend === undefined ? {} : { backend }), counters: values['counters'] === true })
  const errors = diagnostics.filter(diagnostic => diagnostic.severity === 'error' && !KEPT_WORDS.has(diagnostic.code) && (diagnostic.backend === undefined || diagnostic.backend === (backend ?? 'legacy')))
  if (errors.length > 0 || value.partial) return refuse(source, errors, terminal)
  const isLost = sayNotLoaded(diagnostics, terminal) > 0
  const keepsOrder = values['check'] === true || values['write'] === true
  const options: WriteOptions = { ...(backend === undefined ? {} : { backend }), counters: values['counters'] === true, tableOrder: keepsOrder ? 'file' : 'kernel' }
  const text = writeRuleset(value, options)
  if (!keepsOrder) terminal.out(isOneOfMany ? `# ${source.path}\n${text}` : text)
  else if (text !== source.text.replace(/^#.*\n?/gm, '')) return values['check'] ? list(source, terminal) : isLost ? leave(source, terminal) : write(source, text, values['drop-comments'] === true, terminal)
  return EXIT.clean
}

/** An extension that is not known is written back word for word. */
const KEPT_WORDS: ReadonlySet<string> = new Set(['unknown-match', 'unknown-extension'])

function refuse(source: SourceFile, errors: readonly Diagnostic[], { err, paintErr }: Terminal): number {
  err(`${writeDiagnostics(errors, paintErr)}\n${source.path} is not formatted: loading would refuse it\n`)
  return EXIT.findings
}

function list(source: SourceFile, { out }: Terminal): number {
  out(`${source.path}\n`)
  return EXIT.findings
}

function leave(source: SourceFile, { err }: Terminal): number {
  err(`${source.path}: not written: the rules that are not loaded would be lost\n`)
  return EXIT.findings
}

function write(source: SourceFile, text: string, dropsComments: boolean, { out, err, directory }: Terminal): number {
  const comment = source.text.split('\n').findIndex(line => line.startsWith('#') && !isGenerated(line))
  if (comment !== -1 && !dropsComments) {
    err(`${source.path}:${comment + 1}: not written: the comment would be lost; --drop-comments writes the file without it\n`)
    return EXIT.findings
  }
  writeText(source.path, text, directory)
  out(`${source.path}\n`)
  return EXIT.clean
}

function isGenerated(line: string): boolean {
  return /^# (Generated by|Completed on) /.test(line)
}
