/** `5x5 explain RULES...` */

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { didYouMean } from '../../src/extensions/did-you-mean.ts'
import { explainJson, explainText } from '../../src/report/explain.ts'
import { writeDiagnostics } from '../../src/report/pretty.ts'
import { guessFamily } from '../../src/save/family.ts'
import { readRuleset } from '../../src/save/read.ts'
import type { ReadResult } from '../../src/save/read.ts'
import { sayNotLoaded, sayRefused } from '../analysis/rulesets.ts'
import { commandError, EXIT } from '../command.ts'
import type { Command, Terminal } from '../command.ts'
import { readRulesets } from '../directories.ts'
import { readFamily, withShortPaths } from '../input.ts'

const help = `5x5 explain says every rule in one plain English sentence, chain by chain.

usage: 5x5 explain [flags] RULES...
       5x5 explain CODE...

A CODE is what stands in brackets in a finding, such as \`open-policy\`: it is told what it means and what to do.

  --family ipv4|ipv6   read the files as rules of this family; without it their content tells
  --json               print {"files": [{"path", "partial", "tables": [{"table", "chains": [{"chain", "rules", "end"}]}]}]}

RULES may be a directory: all rulesets in it are read. Every file is explained by itself. A sentence says what the kernel does with the rule, not what its text looks like:
what an option adds by itself is said, what changes nothing is left out. What headers do not decide (a rate limit,
a string in the payload) stands in the words of the rule. A built-in chain that is empty and accepts is only counted.

A line that cannot be read is reported on standard error and left out.

examples:
  5x5 explain firewall.rules
  iptables-save | 5x5 explain -
  5x5 explain open-policy

exit code: 0 done, 1 lines that could not be read, 2 a file cannot be read
`

/** The command. */
export const explain: Command = {
  help,
  flags: { family: { type: 'string' }, json: { type: 'boolean' } },
  words: async () => (await import('../lint/code-page.ts')).codeNames(),
  async run(values, paths, terminal) {
    if (paths.length === 0) throw commandError('which file, or which code?', 'usage: 5x5 explain RULES..., or 5x5 explain CODE')
    const codes = paths.filter(word => looksLikeCode(word, terminal))
    const pages = codes.length === 0 ? [] : await pagesOf(codes)
    const files = paths.filter(word => !codes.includes(word))
    if (values['json'] && codes.length > 0) throw commandError(`\`${codes[0]}\` is a code, and codes are told in text only`, '`--json` is for rules')
    const family = readFamily(values['family'])
    const sources = files.length === 0 ? [] : readRulesets(files, terminal.directory)
    const shown = values['json'] ? sources : withShortPaths(sources)
    const read = shown.map((source, index) => ({ source, ...readRuleset([source], { family: family ?? guessFamily(sources.slice(index, index + 1)) }) }))
    if (values['json']) terminal.out(`${JSON.stringify({ files: read.map(({ source, value }) => ({ path: source.path, partial: value.partial, tables: explainJson(value) })) }, undefined, 2)}\n`)
    else terminal.out([...pages, ...read.map(({ source, value }) => (value.tables.length === 0 && !value.partial ? `there are no rules in ${source.path}\n` : explainText(value, terminal.paint)))].join('\n'))
    for (const { value, diagnostics } of read) {
      sayNotLoaded(diagnostics, terminal)
      if (!value.partial) sayRefused(diagnostics, 'legacy', terminal)
    }
    for (const one of read) reportErrors(one, terminal)
    return read.some(({ value }) => value.partial) ? EXIT.findings : EXIT.clean
  },
}

/** A file of the same name comes first. */
function looksLikeCode(word: string, { directory }: Terminal): boolean {
  return /^[a-z]+(-[a-z0-9]+)+$/.test(word) && !existsSync(resolve(directory, word))
}

async function pagesOf(codes: readonly string[]): Promise<readonly string[]> {
  const { codeNamed, codeNames, codeText } = await import('../lint/code-page.ts')
  return codes.map(word => {
    const code = codeNamed(word)
    if (!code) throw commandError(`there is no file and no code \`${word}\``, didYouMean(word, codeNames()) ?? 'codes stand in brackets in findings, such as `open-policy`')
    return codeText(code)
  })
}

function reportErrors({ value, diagnostics }: ReadResult, { err, paintErr }: Terminal): void {
  if (!value.partial) return
  err(`\n${writeDiagnostics(diagnostics.filter(({ severity }) => severity === 'error'), paintErr)}\npartial: lines that could not be read are left out\n`)
}
