/** `5x5 lint FILES...` */

import { lintFiles } from '../lint/lint-files.ts'
import { readLintInputs } from '../lint/lint-inputs.ts'
import { failsOn, readLintFlags } from '../lint/lint-flags.ts'
import type { LintFlags } from '../lint/lint-flags.ts'
import { writeOutputs } from '../lint/write-outputs.ts'
import { commandError, EXIT, isCommandError } from '../command.ts'
import type { Command, Terminal } from '../command.ts'
import { makeProgress } from '../progress.ts'

const help = `5x5 lint reviews rulesets: what loading refuses, what can hardly be meant, and what is open that should not be.

usage: 5x5 lint [flags] FILES...

  --format NAME          pretty (default), concise, json, jsonl, sarif, github, gitlab, junit, checkstyle
  --output NAME=FILE     write a format to a file too; may be given several times
  --fail-on LEVEL        error, warning (default) or note: the least grave finding that makes the exit code 1
  --max-warnings N       so many warnings are let pass
  --only CODE,...        these rules only
  --all                  show every finding, however many there are of a kind
  --family ipv4|ipv6     read the files as rules of this family; without it their content tells
  --backend legacy|nft   lint for one of them
  --topology FILE        devices, addresses, routes and sysctls of the host, in YAML
  --trusted PREFIX       a source that may reach management ports; may be given several times
  --keep-open TEXT       a connection that must not be cut off, such as 'tcp from 198.51.100.7 to port 22'
  --stdin-name PATH      what standard input is called in reports, and where its configuration is looked for
  --config FILE          use this configuration; without it fivebyfive.yaml is looked for upwards to the repository root
  --no-config            use none
  --baseline FILE        do not show the findings that are in this file
  --write-baseline FILE  write all findings there, and show none
  --since GITREF         show only what is new since this commit
  --fix                  make the fixes that keep the meaning; --fix-suggestions makes the others too
  --diff                 print what the fixes would change, and change nothing
  --watch                lint again whenever a file changes

FILES are rulesets, policies, compose files and topologies, by their names (*.gate, *.yaml) or by what stands in them, or directories:
all such files in them are read, other YAML is left alone. \`-\` is standard input. Rulesets of both families whose names differ in
nothing else (rules.v4, rules.v6) are compared; a compose file is asked together with the only ruleset that is named with it.
\`5x5 explain CODE\` tells what a finding means. A comment line before a rule suppresses a finding:

  # 5x5-ignore open-policy: this host is behind another firewall until 2027-01-01

examples:
  5x5 lint firewall.rules
  5x5 lint /etc/iptables --format pretty --output sarif=lint.sarif
  iptables-save | 5x5 lint - --keep-open 'tcp from 198.51.100.7 to port 22'

exit code: 0 clean, 1 findings, 2 the command line or a file cannot be read
`

/** The command. */
export const lint: Command = {
  help,
  flags: {
    format: { type: 'string', multiple: true }, output: { type: 'string', multiple: true }, 'fail-on': { type: 'string' }, 'max-warnings': { type: 'string' }, only: { type: 'string', multiple: true },
    all: { type: 'boolean' }, json: { type: 'boolean' }, family: { type: 'string' }, backend: { type: 'string' }, topology: { type: 'string' }, trusted: { type: 'string', multiple: true },
    'keep-open': { type: 'string', multiple: true }, 'stdin-name': { type: 'string' }, config: { type: 'string' }, 'no-config': { type: 'boolean' },
    baseline: { type: 'string' }, 'write-baseline': { type: 'string' }, since: { type: 'string' }, fix: { type: 'boolean' }, 'fix-suggestions': { type: 'boolean' }, diff: { type: 'boolean' }, watch: { type: 'boolean' },
  },
  async run(values, paths, terminal) {
    if (paths.length === 0) throw commandError('which file?', 'usage: 5x5 lint FILES...')
    const flags = readLintFlags(values)
    if (!flags.watch) return lintOnce(paths, flags, terminal)
    const { watchFiles } = await import('../lint/watch.ts')
    return watchFiles({ paths, directory: terminal.directory, texts: () => textsOf(paths, terminal.directory) }, async () => {
      await lintOnce(paths, flags, terminal).catch((error: unknown) => {
        if (!isCommandError(error)) throw error
        terminal.err(`error: ${error.message}\n`)
      })
      terminal.err('waiting for a change (Ctrl-C ends)\n')
    })
  },
}

/** A file that is gone for a moment, while an editor writes it, is no reason to end. */
function textsOf(paths: readonly string[], directory: string): string {
  try {
    const { rulesets, descriptions } = readLintInputs(paths.filter(path => path !== '-'), directory)
    return [...rulesets, ...descriptions.map(({ source }) => source)].map(({ path, text }) => `${path}\0${text}`).join('\0')
  } catch (error) {
    if (isCommandError(error)) return ''
    throw error
  }
}

async function lintOnce(paths: readonly string[], asked: LintFlags, terminal: Terminal): Promise<number> {
  const progress = makeProgress(terminal)
  const { report, flags } = await lintFiles({ paths, flags: asked, terminal, progress })
  progress.clear()
  const { fixes, diff } = flags
  const fixing = fixes === undefined ? undefined : await import('../lint/fix-files.ts')
  const fixed = fixing?.fixFiles(report, flags, terminal)
  if (diff) return failsOn(report, flags) ? EXIT.findings : EXIT.clean
  // What was mended is not reported: the files are read again.
  const read = fixed && fixed.written.length > 0 ? (await lintFiles({ paths, flags: asked, terminal, progress })).report : report
  const left = fixing && fixed ? fixing.withoutUnproved(read, fixed) : read
  progress.clear()
  // That there is no problem left beside the baseline is no news.
  if (flags.newBaseline !== undefined && !flags.isFormatGiven) return EXIT.clean
  if (!(fixes !== undefined && paths.includes('-'))) await writeOutputs(left, flags, terminal)
  return failsOn(left, flags) ? EXIT.findings : EXIT.clean
}
