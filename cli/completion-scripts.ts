/** The completion scripts of the shells, from the command table. */

/** A command as completion knows it; `flags` without the dashes, `words` that may stand beside them and files. */
export interface CommandWords {
  readonly name: string
  readonly summary: string
  readonly flags: readonly { readonly name: string; readonly takesValue: boolean }[]
  readonly words: readonly string[]
}

/** The shells. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const

/** A shell that there is a script for. */
export type Shell = (typeof SHELLS)[number]

/** Values that a flag takes, where they are few. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  family: ['ipv4', 'ipv6'], backend: ['legacy', 'nft'], 'fail-on': ['error', 'warning', 'note'],
  format: ['pretty', 'concise', 'json', 'jsonl', 'sarif', 'github', 'gitlab', 'junit', 'checkstyle', 'text', 'dot', 'svg'],
  chain: ['FORWARD', 'INPUT', 'OUTPUT'],
}

/** Returns the script of a shell. */
export function completionScript(shell: Shell, commands: readonly CommandWords[]): string {
  return shell === 'bash' ? bash(commands) : shell === 'zsh' ? zsh(commands) : fish(commands)
}

function bash(commands: readonly CommandWords[]): string {
  const flags = commands.map(({ name, flags: own }) => `    ${name}) flags='${['help', ...own.map(flag => flag.name)].map(flag => `--${flag}`).join(' ')}' ;;`)
  const own = commands.flatMap(({ name, words }) => (words.length === 0 ? [] : [`    ${name}) words='${words.join(' ')}' ;;`]))
  const values = Object.entries(VALUES).map(([flag, words]) => `    --${flag}) COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$cur")); return ;;`)
  return `# bash completion of 5x5
_5x5() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} flags= words=
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${[...commands.map(({ name }) => name), '--help', '--version'].join(' ')}' -- "$cur"))
    return
  fi
  case $prev in
${values.join('\n')}
  esac
  case \${COMP_WORDS[1]} in
    help) COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(' ')}' -- "$cur")); return ;;
    completion) COMPREPLY=($(compgen -W '${SHELLS.join(' ')}' -- "$cur")); return ;;
${flags.join('\n')}
  esac
  case \${COMP_WORDS[1]} in
${own.join('\n')}
  esac
  case $cur in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$cur")) ;;
    *) COMPREPLY=($(compgen -f -- "$cur") $(compgen -W "$words" -- "$cur")) ;;
  esac
}
complete -o filenames -F _5x5 5x5 fivebyfive
`
}

function zsh(commands: readonly CommandWords[]): string {
  const list = commands.map(({ name, summary }) => `    '${name}:${quoted(summary)}'`)
  const cases = commands.map(({ name, flags, words }) => `    ${name}) flags=(${flags.map(flag => `'--${flag.name}${valueSpec(flag)}'`).join(' ')})${words.length === 0 ? '' : ` own=(${words.join(' ')})`} ;;`)
  return `#compdef 5x5 fivebyfive
# zsh completion of 5x5
_5x5() {
  local -a commands flags own
  commands=(
${list.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  case $words[2] in
    completion) _values shell ${SHELLS.join(' ')}; return ;;
${cases.join('\n')}
  esac
  if (( $#own )); then
    _arguments -s $flags '--help' "*:file or word:_alternative 'words:word:($own)' 'files:file:_files'"
  else
    _arguments -s $flags '--help' '*:file:_files'
  fi
}
_5x5 "$@"
`
}

function valueSpec({ name, takesValue }: CommandWords['flags'][number]): string {
  if (!takesValue) return ''
  const words = VALUES[name]
  return words ? `:${name}:(${words.join(' ')})` : `:${name}:_files`
}

function fish(commands: readonly CommandWords[]): string {
  const lines = commands.flatMap(({ name, summary, flags, words }) => [
    `complete -c 5x5 -n __fish_use_subcommand -f -a ${name} -d '${quoted(summary)}'`,
    ...(words.length === 0 ? [] : [`complete -c 5x5 -n '__fish_seen_subcommand_from ${name}' -a '${words.join(' ')}'`]),
    ...flags.map(flag => {
      const words = VALUES[flag.name]
      return `complete -c 5x5 -n '__fish_seen_subcommand_from ${name}' -l ${flag.name}${flag.takesValue ? ' -r' : ''}${words ? ` -f -a '${words.join(' ')}'` : ''}`
    }),
  ])
  return `# fish completion of 5x5\n${lines.join('\n')}\ncomplete -c 5x5 -n '__fish_seen_subcommand_from completion' -f -a '${SHELLS.join(' ')}'\ncomplete -c fivebyfive -w 5x5\n`
}

/** Summaries stand in single quotes. */
function quoted(text: string): string {
  return text.replaceAll("'", '’').replaceAll(':', ',')
}
