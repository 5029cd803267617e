/** The completion scripts, in the shells that are there: what each offers for the beginning of a line. */

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { printedBy } from './printed-by.ts'

/** A line, and some of what is offered for it. `not` is not. */
const LINES: readonly { readonly line: string; readonly offers: readonly string[]; readonly not?: readonly string[] }[] = [
  { line: '5x5 li', offers: ['lint'], not: ['diff'] },
  { line: '5x5 --v', offers: ['--version'] },
  { line: '5x5 help l', offers: ['lint', 'lsp'] },
  { line: '5x5 lint --max', offers: ['--max-warnings'] },
  { line: '5x5 lint --format ', offers: ['sarif', 'pretty'], not: ['svg'] },
  { line: '5x5 matrix --format ', offers: ['svg'], not: ['sarif'] },
  { line: '5x5 lint --format=sa', offers: ['sarif'] },
  { line: '5x5 lint re', offers: ['redis.rules'] },
  { line: '5x5 explain shadowed-r', offers: ['shadowed-rule'] },
  { line: '5x5 explain re', offers: ['redis.rules', 'redundant-rule'] },
  { line: '5x5 docs MASQ', offers: ['MASQUERADE'] },
  { line: 'fivebyfive completion ', offers: ['bash', 'zsh', 'fish'] },
]

let folder = ''
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), '5x5-completion-'))
  mkdirSync(join(folder, 'home'))
  writeFileSync(join(folder, 'redis.rules'), '')
  writeFileSync(join(folder, '5x5.bash'), await printedBy(['completion', 'bash'], folder))
  writeFileSync(join(folder, '5x5.fish'), await printedBy(['completion', 'fish'], folder))
  writeFileSync(join(folder, '_5x5'), await printedBy(['completion', 'zsh'], folder))
  writeFileSync(join(folder, 'setup.zsh'), SETUP)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Words as readline makes them: `=` is one of its own. */
const BASH = `source ./5x5.bash
COMP_WORDS=($(sed 's/=/ = /g' <<< "$1")); case $1 in *' ') COMP_WORDS+=('') ;; esac
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _5x5; printf '%s\\n' "\${COMPREPLY[@]}"`

/** zsh completes on a terminal only: one of its own makes what is offered a file, and ends. */
const ZSH = `zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'source ./setup.zsh'
zpty -w -n shell "$1"$'\\t'
zpty -r shell all '*OFFERED*'
zpty -d shell
cat offered`

const SETUP = `fpath=($PWD $fpath)
autoload -U compinit
compinit -u -d $PWD/dump
compadd() {
  local -a found
  if [[ " $* " != *' -'[OAD]' '* ]]; then builtin compadd -A found "$@"; offered+=($found); fi
  builtin compadd "$@"
}
tell() { offered=(); zle complete-word; print -rl -- $offered > offered; print OFFERED; exit }
zle -N tell
bindkey '^I' tell
`

const SHELLS: Readonly<Record<string, readonly string[]>> = {
  bash: ['--norc', '-c', BASH, 'bash'],
  zsh: ['-f', '-c', ZSH, 'zsh'],
  fish: ['--no-config', '-c', 'source ./5x5.fish; complete -C $argv[1] | string split -f1 \\t'],
}

describe.each(Object.entries(SHELLS))('%s', (shell, words) => {
  const isThere = spawnSync(shell, ['--version']).error === undefined
  test.skipIf(!isThere).each(LINES)('$line', ({ line, offers, not = [] }) => {
    const { stdout, stderr } = spawnSync(shell, [...words, line], { cwd: folder, encoding: 'utf8', timeout: 20_000, env: { ...process.env, HOME: join(folder, 'home') } })
    const offered = stdout.split('\n').map(text => text.replace(/^--\w+=/, ''))
    expect({ offered, stderr }).toEqual({ offered: expect.arrayContaining([...offers]) as string[], stderr: '' })
    for (const other of not) expect(offered).not.toContain(other)
  })
})

test('what a script says of the formats is what the commands take', () => {
  const script = readFileSync(join(folder, '5x5.bash'), 'utf8')
  for (const command of ['lint', 'matrix']) {
    const given = (/-W '([^']*)'/.exec(script.slice(script.indexOf(`${command}\\ --format)`)))?.[1] ?? '').split(' ')
    const help = readFileSync(`cli/commands/${command}.ts`, 'utf8').match(/--format \w+ +([^;\n]*)/)?.[1] ?? ''
    expect(given).toEqual(expect.arrayContaining(help.replaceAll(/\(.*?\)/g, '').split(/, | or /).map(word => word.trim())))
  }
})
