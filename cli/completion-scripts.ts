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

/** Values that a flag takes, where they are few; after the name of a command those that it takes there. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  family: ['ipv4', 'ipv6'], backend: ['legacy', 'nft'], 'fail-on': ['error', 'warning', 'note'], chain: ['FORWARD', 'INPUT', 'OUTPUT'],
  'lint format': ['pretty', 'concise', 'json', 'jsonl', 'sarif', 'github', 'gitlab', 'junit', 'checkstyle'],
  'matrix format': ['text', 'json', 'dot', 'svg'],
}

function valuesOf(command: string, flag: string): readonly string[] {
  return VALUES[`${command} ${flag}`] ?? VALUES[flag] ?? []
}

/** Returns the script of a shell. */
export function completionScript(shell: Shell, commands: readonly CommandWords[]): string {
  return shell === 'bash' ? bash(commands) : shell === 'zsh' ? zsh(commands) : fish(commands)
}

function bash(commands: readonly CommandWords[]): string {
  const names = commands.map(({ name }) => name).join(' ')
  const flags = commands.map(({ name, flags: own }) => `    ${name}) flags='${['help', ...own.map(flag => flag.name)].map(flag => `--${flag}`).join(' ')}' ;;`)
  const own = commands.flatMap(({ name, words }) => (words.length === 0 ? [] : [`    ${name}) words='${words.join(' ')}' ;;`]))
  const values = Object.entries(VALUES).map(([key, words]) => {
    const [flag = '', command = '*'] = key.split(' ').reverse()
    return `    ${command}\\ --${flag}) COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$cur")); return ;;`
  })
  return `# bash completion of 5x5
_5x5() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} flags= words=
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${names} --help --version' -- "$cur"))
    return
  fi
  # readline makes --flag=value three words
  if [ "$cur" = = ]; then cur=; elif [ "$prev" = = ]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  case "\${COMP_WORDS[1]} $prev" in
${values.join('\n')}
  esac
  case \${COMP_WORDS[1]} in
    help) COMPREPLY=($(compgen -W '${names}' -- "$cur")); return ;;
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
  const cases = commands.map(({ name, flags, words }) => `    ${name}) flags=(${flags.map(flag => `'${flagSpec(name, flag)}'`).join(' ')})${words.length === 0 ? '' : ` own=(${words.join(' ')})`} ;;`)
  return `#compdef 5x5 fivebyfive
# zsh completion of 5x5
_5x5() {
  local -a commands flags own
  commands=(
${list.join('\n')}
  )
  if (( CURRENT == 2 )); then
    if [[ $PREFIX == -* ]]; then compadd -- --help --version; else _describe command commands; fi
    return
  fi
  case $words[2] in
    help) _describe command commands; return ;;
    completion) _values shell ${SHELLS.join(' ')}; return ;;
${cases.join('\n')}
  esac
  if (( $#own )); then
    # The blank keeps _arguments from handing its own options to _alternative.
    _arguments $flags '--help' "*:file or word: _alternative 'words:word:($own)' 'files:file:_files'"
  else
    _arguments $flags '--help' '*:file:_files'
  fi
}
_5x5 "$@"
`
}

/** Some flags may be given several times: without the star zsh would offer them once only. */
function flagSpec(command: string, { name, takesValue }: CommandWords['flags'][number]): string {
  if (!takesValue) return `--${name}`
  const words = valuesOf(command, name)
  return `*--${name}=:${name}:${words.length > 0 ? `(${words.join(' ')})` : '_files'}`
}

function fish(commands: readonly CommandWords[]): string {
  const lines = commands.flatMap(({ name, summary, flags, words }) => [
    `complete -c 5x5 -n __fish_use_subcommand -f -a ${name} -d '${quoted(summary)}'`,
    `complete -c 5x5 -n '__fish_seen_subcommand_from help' -f -a ${name}`,
    ...(words.length === 0 ? [] : [`complete -c 5x5 -n '__fish_seen_subcommand_from ${name}' -a '${words.join(' ')}'`]),
    ...flags.map(flag => {
      const values = valuesOf(name, flag.name)
      return `complete -c 5x5 -n '__fish_seen_subcommand_from ${name}' -l ${flag.name}${flag.takesValue ? ' -r' : ''}${values.length > 0 ? ` -f -a '${values.join(' ')}'` : ''}`
    }),
  ])
  return `# fish completion of 5x5
complete -c 5x5 -l help
complete -c 5x5 -n __fish_use_subcommand -l version
${lines.join('\n')}
complete -c 5x5 -n '__fish_seen_subcommand_from completion' -f -a '${SHELLS.join(' ')}'
complete -c fivebyfive -w 5x5
`
}

/** Summaries stand in single quotes. */
function quoted(text: string): string {
  return text.replaceAll("'", '’').replaceAll(':', ',')
}
